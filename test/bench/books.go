package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
)

// drainBooks drains into the whole hub: decoded, posted, and folded into the store-day.
func drainBooks(ctx context.Context, dir string, o options) (r result, err error) {
	a, raw, err := filled(ctx, dir, o.tickets)
	if err != nil {
		return r, err
	}
	defer raw.close()
	h, stop, err := wholeHub(ctx, filepath.Join(dir, "hub"), "")
	if err != nil {
		return r, err
	}
	defer stop()
	if err := o.profile.begin(); err != nil {
		return r, err
	}
	cpu := cpuTime()
	if err := a.Start(ctx, h.Broker.URL(), ""); err != nil {
		return r, err
	}
	defer a.Stop()
	first, last, inFirst := time.Time{}, time.Time{}, int64(0)
	err = until(ctx, 5*time.Minute, func() bool {
		n := h.Intake.Count.Envelopes.Load()
		if n > 0 && first.IsZero() {
			first, inFirst = time.Now(), n
		}
		if n >= int64(o.tickets) && last.IsZero() {
			last = time.Now()
		}
		return !last.IsZero() && a.Buffer.State(envelope.Sales).Waiting() == 0
	})
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are at the hub", err, h.Intake.Count.Envelopes.Load(), o.tickets)
	}
	folded := 0
	err = until(ctx, 5*time.Minute, func() bool {
		days, err := h.Store.DayViews(ctx, view.DayFilter{})
		folded = 0
		for _, d := range days {
			folded += d.Tickets
		}
		return err == nil && folded == o.tickets
	})
	all := time.Now()
	cpu = cpuTime() - cpu
	o.profile.end()
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are in a store-day", err, folded, o.tickets)
	}
	if err := raw.commit(tickets(0, raw.n), 200); err != nil {
		return r, err
	}
	n := float64(int64(o.tickets) - inFirst)
	r.figures = []figure{
		{"drain with ledger and documents", n / all.Sub(first).Seconds(), " tickets/s", raw.rate(), atLeast(10_000)},
		{"last commit → last ticket in its store-day", all.Sub(last).Seconds(), " s", 0, want{}},
		{"processor time, both ends and the broker", cpu.Seconds() * 1e6 / float64(o.tickets), " µs/ticket", 0, want{}},
		{"refused", float64(h.Intake.Count.Refused.Load()), "", 0, atMost(0)},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

// wholeHub is the product's own wiring; without an Odoo when odoo is empty.
func wholeHub(ctx context.Context, dir, odoo string) (*app.App, func(), error) {
	c := app.Default()
	c.DataDir = dir
	c.Web.Listen, c.Broker.Listen, c.Broker.Open = "127.0.0.1:0", "127.0.0.1:0", true
	c.Odoo.URL = odoo
	c.Locations = []app.LocationConfig{{Code: "S1", Name: "Bench", Zone: "America/New_York", Cutoff: "04:00", Currency: "USD"}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	h, err := app.New(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddDevice(ctx, "d1", "", "bench"); err != nil {
			return err
		}
		return tx.Assign(ctx, "d1", store.AllLocations, time.Unix(0, 0), "bench")
	})
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(run) }()
	return h, func() { quit(); <-done; _ = h.Close() }, err
}

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
	"github.com/tillpost/tillpost/test/line"
)

// drainBooks drains into the whole hub: decoded, posted, and folded into the store-day.
func drainBooks(ctx context.Context, dir string, o options) (r result, err error) {
	a, err := line.OpenAgent(ctx, dir, "d1")
	if err != nil {
		return r, err
	}
	if err := a.Put(ctx, 0, o.tickets, 500); err != nil {
		return r, err
	}
	raw, err := rawSQLite(ctx, dir, min(o.tickets, 40_000), 200)
	if err != nil {
		return r, err
	}
	os.Remove(filepath.Join(dir, "raw.db"))
	h, stop, err := wholeHub(ctx, filepath.Join(dir, "hub"))
	if err != nil {
		return r, err
	}
	defer stop()
	begun := time.Now()
	if err := a.Start(ctx, h.Broker.URL(), ""); err != nil {
		return r, err
	}
	defer a.Stop()
	first, last := time.Time{}, time.Time{}
	inFirst := int64(0)
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
	if err != nil {
		return r, fmt.Errorf("%w: %d of %d are in a store-day", err, folded, o.tickets)
	}
	all := time.Now()
	n := float64(int64(o.tickets) - inFirst)
	r.figures = []figure{
		{"drain with ledger", n / last.Sub(first).Seconds(), " tickets/s", ""},
		{"drain with ledger and documents", n / all.Sub(first).Seconds(), " tickets/s", "≥ 10,000"},
		{"raw SQLite, 200 a commit", raw, " tickets/s", ""},
		{"with documents ÷ raw", n / all.Sub(first).Seconds() / raw, "", ""},
		{"agent's start → first commit", first.Sub(begun).Seconds(), " s", ""},
		{"refused", float64(h.Intake.Count.Refused.Load()), "", "0"},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

// wholeHub is the product's own wiring, without Odoo.
func wholeHub(ctx context.Context, dir string) (*app.App, func(), error) {
	c := app.Default()
	c.DataDir = dir
	c.Web.Listen, c.Broker.Listen, c.Broker.Open = "127.0.0.1:0", "127.0.0.1:0", true
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

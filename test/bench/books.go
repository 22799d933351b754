package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/test/line"
)

// drainBooks drains into the whole hub: decoded, posted, and folded into the store-day.
func drainBooks(ctx context.Context, dir string, o options) (r result, err error) {
	a, raw, err := filled(ctx, dir, o.tickets)
	if err != nil {
		return r, err
	}
	defer raw.close()
	h, err := line.StartBooks(ctx, line.BooksConfig(filepath.Join(dir, "hub")))
	if err != nil {
		return r, err
	}
	defer h.Stop()
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
		{processor, cpu.Seconds() * 1e6 / float64(o.tickets), " µs/ticket", 0, want{}},
		{"refused", float64(h.Intake.Count.Refused.Load()), "", 0, atMost(0)},
	}
	r.lost, r.doubled, err = compare(ctx, h.Store, o.tickets)
	return r, err
}

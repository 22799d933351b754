package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
)

const (
	judgeEvery = 10 * time.Minute    // whether the books are still the same ones
	lookEvery  = time.Hour           // posted entries are read again so often
	lookBack   = 40 * 24 * time.Hour // as far as books are usually open
)

// roll runs the roller.
func (a *App) roll(ctx context.Context) error { return a.roller.Run(ctx, a.news) }

// post runs the Odoo writer: what is due now, then what comes or becomes due, and every hour a later look at what is posted.
func (a *App) post(ctx context.Context) error {
	out := store.Outbox{Store: a.Store}
	looked := time.Now()
	var judged, may = time.Time{}, false
	if err := a.adopt(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if time.Since(judged) > judgeEvery {
			var known bool
			if may, known = a.mayPost(ctx); known {
				judged = time.Now()
			}
			a.watchKey(ctx)
			a.tellOdoo(ctx)
		}
		worked, err := false, error(nil)
		if may {
			worked, err = a.writer.Step(ctx)
			a.tellOdoo(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "cannot work on the outbox; it is tried again", "err", err)
			worked = false
		}
		if worked {
			ring(a.news)
			continue
		}
		if time.Since(looked) > lookEvery {
			looked = time.Now()
			if n, err := a.writer.Look(ctx, looked.Add(-lookBack)); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "cannot look at posted entries", "err", err)
			} else {
				a.log.InfoContext(ctx, "posted entries looked at", "entries", n)
			}
		}
		pause := 5 * time.Second // a command of another process may have made a task due
		if next, err := out.Next(ctx); err == nil && !next.IsZero() {
			pause = max(50*time.Millisecond, min(pause, time.Until(next)))
		}
		select {
		case <-ctx.Done():
		case <-a.tasks:
		case <-time.After(pause):
		}
	}
	return nil
}

// reread reads refused records again when a profile has come.
func (a *App) reread(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.mend:
		}
		if booked, left, err := a.Clerk.Reprocess(ctx, "", a.Clerk.Mean, "hub"); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot read refused records again", "err", err)
		} else if booked > 0 {
			a.log.InfoContext(ctx, "refused records were booked", "booked", booked, "left", left)
			ring(a.news)
		}
	}
}

// adopt reads back what this hub has posted, when its database was put back from a backup. Until that has worked no store-day goes on:
// it could be posted twice.
func (a *App) adopt(ctx context.Context) error {
	for ctx.Err() == nil {
		at, err := a.Store.Restored(ctx)
		if err != nil || at.IsZero() {
			return err
		}
		companies, err := companiesOf(ctx, a.Store)
		if err != nil {
			return err
		}
		own, err := a.writer.Own(ctx, companies...)
		if err == nil {
			n, err := a.Store.Adopt(ctx, own)
			a.log.InfoContext(ctx, "the restored hub knows its entries in Odoo again", "found", len(own), "adopted", n, "err", err)
			ring(a.news)
			return err
		}
		a.log.WarnContext(ctx, "cannot read back what was posted before the restore; store-days wait until it works", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
	return nil
}

// watchKey keeps the case about a key that ends soon. An Odoo that is away has said nothing: what was known holds.
func (a *App) watchKey(ctx context.Context) {
	k, err := odoo.KeyEnds(ctx, a.client)
	if err != nil {
		return
	}
	a.key = k
	detail := ""
	if k.Soon(time.Now()) {
		detail = fmt.Sprintf("Odoo at %s, user %s: %s", a.Config.Odoo.URL, a.Config.Odoo.User, k)
	}
	if err := a.Store.KeyCase(ctx, "odoo", detail); err != nil {
		a.log.ErrorContext(ctx, "cannot keep the case about the key", "err", err)
	}
}

// tellOdoo keeps how the lane to Odoo stands, when it has changed.
func (a *App) tellOdoo(ctx context.Context) {
	s := a.writer.Status()
	s.Mode, _ = a.Store.BooksMode(ctx)
	s.Ends = a.key.At
	if a.odoo.Ends.Equal(s.Ends) && a.odoo.State == s.State && a.odoo.Reason == s.Reason && a.odoo.Mode == s.Mode && time.Until(a.odoo.Next) > 0 == (time.Until(s.Next) > 0) {
		return
	}
	if err := a.Store.SetConnection(ctx, s); err == nil {
		a.odoo = s
	}
}

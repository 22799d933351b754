package app

import (
	"context"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
)

const (
	judgeEvery = 10 * time.Minute     // whether the books are still the same ones
	lookEvery  = time.Hour            // posted entries are read again so often
	lookFar    = 400 * 24 * time.Hour // once a night: no period stays open for longer
	nightHour  = 2
	lookBack   = 40 * 24 * time.Hour // as far as books are usually open
)

// lookSince is how far back the next later look goes: once a night over all that may still be open, else over the last weeks. That it was
// done is remembered, so that a restart neither skips a night nor repeats one.
func (a *App) lookSince(ctx context.Context, l *lane, now time.Time) time.Time {
	name, tonight := "looked "+l.connection(), now.Format(time.DateOnly)
	if done, err := a.Store.Setting(ctx, name); err != nil || done == tonight || now.Hour() < nightHour {
		return now.Add(-lookBack)
	}
	if err := a.Store.InTx(ctx, func(tx *store.Tx) error { return tx.SetSetting(ctx, name, tonight) }); err != nil {
		a.log.WarnContext(ctx, "cannot remember the nightly look", "err", err)
	}
	return now.Add(-lookFar)
}

// roll runs the roller.
func (a *App) roll(ctx context.Context) error { return a.roller.Run(ctx, a.news) }

// post runs a writer per Odoo database, once it is known what stands there.
func (a *App) post(ctx context.Context) error {
	if err := a.adopt(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for _, l := range a.lanes {
		wg.Go(func() { a.postTo(ctx, l) })
	}
	wg.Wait()
	return nil
}

// postTo runs one Odoo writer: what is due now, then what comes or becomes due, and every hour a later look at what is posted.
func (a *App) postTo(ctx context.Context, l *lane) {
	looked, cleared := time.Now(), time.Time{}
	var judged, may = time.Time{}, false
	var claim sync.WaitGroup
	claims := sync.OnceFunc(func() { claim.Go(func() { l.claims.Keep(ctx) }) })
	defer claim.Wait()
	for ctx.Err() == nil {
		if time.Since(judged) > judgeEvery {
			var known bool
			if may, known = a.mayPost(ctx, l); known {
				judged = time.Now()
				a.watchKey(ctx, l)
			}
			a.tellOdoo(ctx, l)
		}
		worked, err := false, error(nil)
		if may {
			claims() // also while nothing is due: a second hub is told before it has anything to post
			worked, err = l.writer.Step(ctx)
			a.tellOdoo(ctx, l)
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
			if n, err := l.writer.Look(ctx, a.lookSince(ctx, l, looked)); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "cannot look at posted entries", "err", err)
			} else {
				a.log.InfoContext(ctx, "posted entries looked at", "entries", n)
			}
		}
		if may {
			a.clear(ctx, l, &cleared)
		}
		pause := 5 * time.Second // a command of another process may have made a task due
		if next, err := l.box.Next(ctx); err == nil && !next.IsZero() {
			pause = max(50*time.Millisecond, min(pause, time.Until(next)))
		}
		select {
		case <-ctx.Done():
		case <-l.tasks:
		case <-time.After(pause):
		}
	}
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

// ownEntries reads back what stands in every database and company.
func (a *App) ownEntries(ctx context.Context) (all []odoo.Adopted, err error) {
	ls, err := placesOf(ctx, a.Store)
	if err != nil {
		return nil, err
	}
	for _, l := range a.lanes {
		own, err := l.writer.Own(ctx, a.companiesOf(l, ls)...)
		a.tellOdoo(ctx, l)
		if err != nil {
			return nil, err
		}
		for i := range own {
			own[i].Book = l.name
		}
		all = append(all, own...)
	}
	return all, nil
}

// companiesOf are the companies, besides the settings' own, that locations of a database belong to.
func (a *App) companiesOf(l *lane, ls []odoo.Location) (out []string) {
	for _, p := range ls {
		if p.Company != "" && a.Config.Odoo.bookOf(p) == l.name {
			out = append(out, p.Company)
		}
	}
	return out
}

// adopt reads back what this hub has posted, when its database was put back from a backup. Until that has worked no store-day goes on:
// it could be posted twice.
func (a *App) adopt(ctx context.Context) error {
	for ctx.Err() == nil {
		at, err := a.Store.Restored(ctx)
		if err != nil || at.IsZero() {
			return err
		}
		own, err := a.ownEntries(ctx)
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

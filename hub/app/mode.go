package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/shared/mode"
)

// booksMode remembers for a moment what the books are: every record asks.
type booksMode struct {
	read func(ctx context.Context) (mode.Mode, error)

	mu    sync.Mutex
	mode  mode.Mode
	until time.Time
}

func (b *booksMode) get() mode.Mode {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.After(b.until) {
		if m, err := b.read(context.Background()); err == nil {
			b.mode, b.until = m, now.Add(calendarLife)
		}
	}
	return b.mode
}

// firstMode lets the settings' word count before Odoo has been asked: tickets may come first.
func (a *App) firstMode(ctx context.Context) error {
	said, _ := mode.Parse(a.Config.Odoo.Mode)
	was, err := a.Store.BooksMode(ctx)
	if err != nil || said == mode.Unknown || was != mode.Unknown {
		return err
	}
	return a.Store.SetBooksMode(ctx, said, "hub", "as the settings say")
}

// judgement is what was found out about the books.
type judgement struct {
	is  mode.Mode
	why string // why store-days must not go there, "" = they may
}

// judgeBooks finds out what the books are, test or real, and whether store-days may go there. Three things stop the posting: settings that
// contradict the database, books that were real and are now a test copy (or the reverse), and records of the other kind in the ledger.
func (a *App) judgeBooks(ctx context.Context, l *lane) (j judgement, err error) {
	said, _ := mode.Parse(l.cfg.Mode)
	neutral, err := odoo.Neutralised(ctx, l.client)
	if err != nil {
		return j, err
	}
	if j.is = mode.Production; neutral {
		j.is = mode.Test
	}
	if neutral && said == mode.Production {
		j.why = "the settings say that Odoo's database is production, and it is a neutralised copy for tests. Correct odoo.url or odoo.database"
		return j, nil
	}
	if said != mode.Unknown {
		j.is = said // a database for tests need not be neutralised
	}
	was, err := a.Store.BooksMode(ctx)
	if err != nil {
		return j, err
	}
	if mode.Mixed(was, j.is) {
		j.why = fmt.Sprintf("the books were %s when this hub first posted to them, and are %s now: what is posted there would be missing in the real ones. Correct odoo.url, odoo.database or odoo.mode; or accept it, and the hub goes on with these", was, j.is)
		return j, nil
	}
	other := map[mode.Mode]mode.Mode{mode.Test: mode.Production, mode.Production: mode.Test}[j.is]
	holds, err := a.Store.HoldsMarked(ctx, other)
	if holds {
		j.why = fmt.Sprintf("the ledger holds records of a %s system, and the books are %s: give the hub the right books, or begin with a new data_dir", other, j.is)
	}
	return j, err
}

// mayPost says whether store-days may go to the books now, and keeps the case about it. known is false while Odoo is away: nothing can be
// posted then either, and it is asked again.
func (a *App) mayPost(ctx context.Context, l *lane) (may, known bool) {
	j, err := a.judgeBooks(ctx, l)
	if ctx.Err() == nil {
		l.writer.Met(err)
	}
	if err != nil {
		if ctx.Err() == nil {
			a.log.InfoContext(ctx, "Odoo did not say whether its database is for tests", "err", err)
		}
		kind := odoo.KindOf(err)
		return true, kind == odoo.Refused || kind == odoo.Broken // a server without that page: the settings alone count
	}
	accepted, err := a.Store.BooksCase(ctx, l.name, j.why)
	if err != nil {
		a.log.ErrorContext(ctx, "cannot keep the case about the books", "err", err)
		return false, false
	}
	if j.why != "" && !accepted {
		a.log.WarnContext(ctx, "store-days wait: "+j.why)
		return false, true
	}
	if err := a.Store.SetBooksMode(ctx, j.is, "hub", "as Odoo's database and the settings say"); err != nil {
		a.log.ErrorContext(ctx, "cannot keep what the books are", "err", err)
		return false, false
	}
	a.rereadMixed(ctx)
	return true, true
}

// rereadMixed books what was kept aside and fits the books now.
func (a *App) rereadMixed(ctx context.Context) {
	booked, left, err := a.Store.ReadMixed(ctx, a.Clerk.Mean, "hub")
	if err != nil {
		a.log.WarnContext(ctx, "cannot read again what was kept aside", "err", err)
	}
	if booked > 0 {
		a.log.InfoContext(ctx, "records that were kept aside are booked", "booked", booked, "left", left)
		ring(a.news)
	}
}

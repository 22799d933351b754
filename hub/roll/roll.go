// Package roll brings store-days on: it folds new entries into totals, judges the days that changed or whose time has come, and makes the
// next document of a day that may go. Each step is one transaction of the store, so that a kill anywhere repeats it and never doubles it.
package roll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// States of a store-day, in their order. Past approved they follow its documents.
const (
	Open     = "open"
	Complete = "complete"
	Audited  = "audited"
	Approved = "approved"
	Posting  = "posting"
	Posted   = "posted"
	Verified = "verified"
	Parked   = "parked"   // Odoo refuses a document: a person decides
	Waiting  = "waiting"  // a document goes by itself when its reason is gone
	Shadow   = "shadow"   // audited, and the old way posts it: it runs beside the books
	Accepted = "accepted" // a person lives with a document as it stands in Odoo, or with its not being there
)

// Day is a store-day with all that a decision needs.
type Day struct {
	audit.Facts
	State      string
	Hold       bool
	ApprovedBy string // "" = nobody yet
	Changed    time.Time
	Totals     rollup.Totals
	Parts      rollup.Parts // of tills and cashiers that a rule sets apart
	Documents  []rollup.Document
	Reversed   *Reversal // nil = it was not taken back
	States     []string  // of the documents
	Set        mapping.Set
	Books      rollup.Books // what setup found or made
	Review     view.Review
	Period     lockdate.Policy  // the location's
	Slips      []rollup.Slipped // its tickets, when they go as documents of their own
	Table      []rollup.Meaning // of their statuses
	Mode       rollup.Mode      // that the location wants for this day

	Begins      time.Time           // zero = not known
	ShadowUntil retail.BusinessDate // the location's first day that is posted, "" = Options say it

	Back Back // after a restore

	Goods     rollup.Totals       // what its goods had cost, as far as the tills know
	CostsFrom retail.BusinessDate // the location's first day whose cost of goods is posted, "" = none is
}

// Decision is what is written of it, in the transaction that read the Day.
type Decision struct {
	State    string
	Why      string
	Approved string
	Unproven bool
	Document *rollup.Document  // nil = none to make
	More     []rollup.Document // further ones, of its tickets
	Period   lockdate.Policy   // of the documents, should their period be closed
	Cases    []cases.Case
	Gone     []string
	Next     time.Time // when to look again by time alone

	Whole bool // after a restore: all of it is here again

	Goods *ledger.Voucher // what the cost of its goods is from now on; nil = as it was
}

// Store is the database.
type Store interface {
	// Fold adds entries that are not in the totals yet, at most so many; n tells how many it took.
	Fold(ctx context.Context, most int) (n int, err error)
	// Due returns days that changed or whose time has come, and when the next one's time comes.
	Due(ctx context.Context, most int) (keys []rollup.DayKey, next time.Time, err error)
	// Decide reads a day, asks, and writes the answer with its document and task, in one transaction.
	Decide(ctx context.Context, k rollup.DayKey, decide func(Day) (Decision, error)) error
}

// Options are head office's rules.
type Options struct {
	Rules       audit.Rules
	Books       rollup.Books // by the settings; empty = the Day's
	AutoApprove bool
	SuspenseCap money.Amount // of one store-day; no currency = no cap
	Shadow      ShadowRule
	Period      lockdate.Policy // of locations that have none of their own
	Settle      time.Duration   // how long a posted day must be quiet before its late tickets make a document
}

// Roller is the stage. But for Set it is not safe for concurrent use: one goroutine runs it.
type Roller struct {
	Options
	Store Store
	Log   *slog.Logger
	Made  func() // a document was made; must not block

	set atomic.Pointer[Options]
}

// Set makes other rules hold from the next decision on. It is safe while Run runs.
func (r *Roller) Set(o Options) { r.set.Store(&o) }

func (r *Roller) options() Options {
	if o := r.set.Load(); o != nil {
		return *o
	}
	return r.Options
}

const (
	foldMost = 2000
	dueMost  = 50
	rest     = 5 * time.Second // looks again at least so often: a command may have changed something, or the clock was set
)

// decideEvery spaces rounds of decisions while tickets stream in: a decision reads its whole day inside the one write transaction, and a
// store that sends its history must not have each day judged anew with each batch.
const decideEvery = time.Second

// Run rolls whenever wake tells of news, and when a day's time comes, until ctx ends.
func (r *Roller) Run(ctx context.Context, wake <-chan struct{}) error {
	var decided time.Time
	streams := false // tickets came since the last round of decisions
	for ctx.Err() == nil {
		n, err := r.Store.Fold(ctx, foldMost)
		if err == nil && n > 0 {
			streams = true
			continue
		}
		pause, worked := rest, false
		if early := decideEvery - time.Since(decided); err == nil && streams && early > 0 {
			pause = early
		} else if err == nil {
			var next time.Time
			worked, next, err = r.decide(ctx)
			decided, streams = time.Now(), false
			if !next.IsZero() {
				pause = max(10*time.Millisecond, min(rest, time.Until(next)))
			}
		}
		if err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "cannot roll up; it is tried again", "err", err)
			pause, worked = rest, false
		}
		if worked {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(pause):
		}
	}
	return nil
}

// Step does one piece of work; worked = there may be more. next is when time alone brings some.
func (r *Roller) Step(ctx context.Context) (worked bool, next time.Time, err error) {
	n, err := r.Store.Fold(ctx, foldMost)
	if err != nil || n > 0 {
		return n > 0, next, err
	}
	return r.decide(ctx)
}

// decide judges the days that are due.
func (r *Roller) decide(ctx context.Context) (worked bool, next time.Time, err error) {
	keys, next, err := r.Store.Due(ctx, dueMost)
	if err != nil {
		return false, next, err
	}
	var bad error
	for _, k := range keys {
		made := false
		err := r.Store.Decide(ctx, k, func(d Day) (Decision, error) {
			dec, err := Decide(d, r.options())
			made = dec.Document != nil
			return dec, err
		})
		if err != nil { // a day that cannot be judged stops no other
			bad = errors.Join(bad, fmt.Errorf("judge store-day %s: %w", k, err))
			continue
		}
		if made {
			r.Log.InfoContext(ctx, "document made", "location", k.Location, "day", k.Day)
			if r.Made != nil {
				r.Made()
			}
		}
	}
	more, err := r.vouchers(ctx)
	return len(keys) > 0 || more, next, errors.Join(bad, err)
}

package roll

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// VoucherKey names a voucher.
type VoucherKey struct {
	rollup.DayKey
	Series string
}

// Voucher is one with all that a decision needs.
type Voucher struct {
	ledger.Voucher
	Documents []rollup.Document
	States    []string
	Set       mapping.Set
	Books     rollup.Books
	Period    lockdate.Policy // its location's

	Begins      time.Time           // its day, zero = not known
	ShadowUntil retail.BusinessDate // as of a Day

	Pays   []PaidDay // the store-days whose takings it brings, those that are known
	Forced string    // who said that it is posted although it pays days of the old way
}

// VoucherStore is the part of the database that vouchers need.
type VoucherStore interface {
	// DueVouchers returns vouchers that changed, or whose documents did.
	DueVouchers(ctx context.Context, most int) ([]VoucherKey, error)
	// DecideVoucher reads one, asks, and writes the answer with its document and task, in one transaction.
	DecideVoucher(ctx context.Context, k VoucherKey, decide func(Voucher) (Decision, error)) error
}

// DecideVoucher says what a voucher's next document is. It is pure. Unlike a store-day a voucher waits for nobody: it rests on the bank's
// own word, and what was matched is sure.
func DecideVoucher(v Voucher, o Options) (Decision, error) {
	dec := Decision{State: Posting, Period: lockdate.Of(v.Period, o.Period)}
	if len(v.Documents) > 0 {
		dec.State = Worst(v.States)
	}
	if why := o.Shadow.keeps(shadowed{v.Day, len(v.Documents), v.ShadowUntil, v.Begins}); why != "" {
		if dec.Why = why; len(v.Documents) == 0 {
			dec.State = Shadow
		}
		return dec, nil
	}
	if len(v.Documents) == 0 && v.Forced == "" {
		if stop := dec.paysShadow(v, o.Shadow); stop {
			return dec, nil
		}
	}
	dec.Gone = append(dec.Gone, cases.ID(cases.ShadowDeposit, v.id()))
	if o.Books == (rollup.Books{}) {
		o.Books = v.Books
	}
	if o.Books.Journal == "" || o.Books.Suspense == "" {
		dec.State, dec.Why = Waiting, "no journal is known yet: run `hub odoo setup`"
		return dec, nil
	}
	t, err := rollup.TotalsOf(v.Voucher)
	if err != nil {
		return dec, err
	}
	key := rollup.DayKey{Location: v.Location, Day: v.Day}
	if own := v.Set.At(v.Location, v.Day).Journal; own != "" {
		o.Books.Journal = own
	}
	sheet, err := rollup.Map(key, t, v.Set, o.Books)
	if err != nil {
		return dec, err
	}
	for _, a := range sheet.Unmapped {
		c := cases.New(cases.UnknownCode, string(a), cases.Case{}.Opened)
		role, code := a.Split()
		c.Location, c.Day, c.Amount = v.Location, v.Day, abs(t[a])
		c.Detail = fmt.Sprintf("%s %q of %s at location %s on %s: %s stand in suspense", role, code, v.Text, v.Location, v.Day, abs(t[a]))
		dec.Cases = append(dec.Cases, c)
	}
	doc, ok, err := rollup.NextVoucher(v.Voucher, sheet, v.Documents, o.Books, v.Set)
	if err != nil {
		return dec, err
	}
	if ok {
		dec.Document, dec.State = &doc, Posting
	}
	return dec, nil
}

// id names a voucher in cases.
func (v Voucher) id() string { return string(v.Location) + "/" + string(v.Day) + "/" + v.Series }

// paysShadow stops a deposit of takings that the old way has posted, or will: it would credit a clearing account that Tillpost never debited. One that
// pays days of both is a person's question.
func (dec *Decision) paysShadow(v Voucher, rule ShadowRule) bool {
	ours, theirs := rule.paid(v.Pays)
	switch {
	case len(theirs) == 0:
		return false
	case len(ours) == 0:
		dec.State = Shadow
		dec.Why = "shadow: it pays store-days that are the old way's (" + some(theirs) + "); it goes by itself once they are posted from here"
		dec.Gone = append(dec.Gone, cases.ID(cases.ShadowDeposit, v.id()))
		return true
	}
	dec.State = Waiting
	dec.Why = "it pays store-days that are posted from here (" + some(ours) + ") and others that are the old way's (" + some(theirs) + "): a person decides"
	c := cases.New(cases.ShadowDeposit, v.id(), cases.Case{}.Opened)
	c.Location, c.Day, c.Detail = v.Location, v.Day, v.Text+": "+dec.Why
	for _, p := range v.Postings {
		if role, _ := p.Debit.Split(); role == ledger.Bank {
			c.Amount = p.Amount
		}
	}
	dec.Cases = append(dec.Cases, c)
	return true
}

// some lists a few of many.
func some(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// vouchers judges those that are due.
func (r *Roller) vouchers(ctx context.Context) (worked bool, err error) {
	vs, ok := r.Store.(VoucherStore)
	if !ok {
		return false, nil
	}
	keys, err := vs.DueVouchers(ctx, dueMost)
	if err != nil {
		return false, err
	}
	var bad error
	for _, k := range keys {
		made := false
		if err := vs.DecideVoucher(ctx, k, func(v Voucher) (Decision, error) {
			dec, err := DecideVoucher(v, r.options())
			made = dec.Document != nil
			return dec, err
		}); err != nil { // one that cannot be judged stops no other
			bad = errors.Join(bad, fmt.Errorf("judge voucher %s of %s: %w", k.Series, k.DayKey, err))
			continue
		}
		if made {
			r.Log.InfoContext(ctx, "document made", "location", k.Location, "day", k.Day, "voucher", k.Series)
			if r.Made != nil {
				r.Made()
			}
		}
	}
	return len(keys) > 0 && bad == nil, bad
}

package roll

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// Decide says where a store-day stands and what its next document is. It is pure.
func Decide(d Day, o Options) (Decision, error) {
	dec, err := decide(d, o)
	if err == nil && !d.Back.Since.IsZero() {
		if err = dec.back(d, o); dec.Whole || len(dec.Cases) == 0 {
			dec.Gone = append(dec.Gone, cases.ID(cases.NotBack, d.Key.String()))
		}
	}
	if err == nil && dec.State == Verified && dec.stopped(d) {
		var lacks bool
		if lacks, err = d.lacks(o); lacks {
			dec.State = Waiting
		}
	}
	if err == nil && (d.Back.Since.IsZero() || dec.Whole) {
		dec.Goods = goods(d, dec, o)
	}
	return dec, err
}

// stopped reports whether something keeps what came late of a day from the books until a person acts.
func (dec Decision) stopped(d Day) bool {
	return len(d.Documents) > 0 && dec.Document == nil && d.Reversed == nil && dec.Next.IsZero() && dec.Why != ""
}

// lacks reports whether the books do not say yet what the day's tickets say.
func (d Day) lacks(o Options) (bool, error) {
	b := o.Books
	if b == (rollup.Books{}) {
		b = d.Books
	}
	sheet, err := rollup.MapParts(d.Key, d.Totals, d.Parts, d.Set, b)
	if err != nil {
		return false, err
	}
	if sheet.Mode = d.By(); sheet.Mode == rollup.ByTicket {
		docs, _, err := d.NextTickets(b, "")
		return len(docs) > 0, err
	}
	lines, err := rollup.Delta(d.Documents, sheet.Lines)
	return len(lines) > 0, err
}

func decide(d Day, o Options) (Decision, error) {
	v := audit.Judge(d.Facts, o.Rules)
	dec := Decision{State: Open, Why: v.Why, Approved: d.ApprovedBy, Unproven: v.Unproven, Cases: v.Cases, Gone: v.Gone, Next: v.Next, Period: lockdate.Of(d.Period, o.Period)}
	switch {
	case len(d.Documents) > 0:
		dec.State = Worst(d.States)
	case v.Audited:
		dec.State = Audited
	case v.Complete:
		dec.State = Complete
	}
	// A day with a document stays approved: what comes late is a delta, not a new question.
	if v.Blocked || !v.Audited && len(d.Documents) == 0 {
		return dec, nil
	}
	var lacks string
	if o.Books, lacks = d.books(o.Books); lacks != "" {
		dec.Why = lacks
		return dec, nil
	}
	sheet, err := rollup.MapParts(d.Key, d.Totals, d.Parts, d.Set, o.Books)
	if err != nil {
		return dec, err
	}
	sheet.Mode = d.By()
	dec.unknown(d, sheet)
	if why := o.Shadow.keeps(shadowed{d.Key.Day, len(d.Documents), d.ShadowUntil, d.Begins}); why != "" {
		if dec.Why = why; len(d.Documents) == 0 {
			dec.State = Shadow
		}
		return dec, nil
	}
	if d.Reversed != nil && len(d.Documents) > 0 {
		return dec, dec.reverse(d, o)
	}
	dec.Gone = append(dec.Gone, cases.ID(cases.ReversedMatched, d.Key.String()))
	if stop := dec.capped(d, o, sheet); stop {
		return dec, nil
	}
	if d.Hold {
		dec.Why = "held by a person"
		return dec, nil
	}
	if dec.Approved == "" {
		if !auto(d, o) {
			dec.Why = "waits for a person's approval"
			return dec, nil
		}
		dec.Approved = "auto"
	}
	return dec, dec.document(d, o, sheet)
}

// books are those that the day is posted to; lacks says what of them is not known yet.
func (d Day) books(b rollup.Books) (_ rollup.Books, lacks string) {
	if b == (rollup.Books{}) {
		b = d.Books
	}
	if b.Journal == "" || b.Suspense == "" {
		return b, "no journal is known yet: run `hub odoo setup`"
	}
	if b.Sales == "" {
		b.Sales, b.Payments = d.Books.Sales, d.Books.Payments
	}
	if d.By() != rollup.ByEntry && b.Sales == "" {
		return b, fmt.Sprintf("its location posts as %s, and no sales journal is known yet: run `hub odoo setup`", d.By())
	}
	if own := d.Set.At(d.Key.Location, d.Key.Day).Journal; own != "" {
		b.Journal = own
	}
	return b, ""
}

// By is as what the day goes to the books.
func (d Day) By() rollup.Mode { return rollup.ModeOf(d.Documents, d.Mode) }

// auto tells whether the day needs no person: the location's word goes before head office's. What is not complete, does not balance or has
// more in suspense than the cap never comes here.
func auto(d Day, o Options) bool {
	if d.Review == view.ByDefault {
		return o.AutoApprove
	}
	return d.Review == view.Auto
}

// unknown lists each code without a place as a case, and closes those that have one now.
func (dec *Decision) unknown(d Day, s rollup.Sheet) {
	for _, a := range s.Unmapped { // SetRule closes those that have one for all days at once
		var sum money.Amount
		for _, l := range s.Lines {
			if l.Suspense && l.Measure.Plain() == a {
				sum = money.Of(sum.Minor+l.Amount.Minor, l.Amount.Currency)
			}
		}
		c := cases.New(cases.UnknownCode, string(a), d.Now)
		role, code := a.Split()
		c.Detail = fmt.Sprintf("%s %q at location %s on %s: %s stand in suspense", role, code, d.Key.Location, d.Key.Day, abs(sum))
		c.Location, c.Day, c.Amount = d.Key.Location, d.Key.Day, abs(sum)
		dec.Cases = append(dec.Cases, c)
	}
}

// capped holds a day that has too much in suspense.
func (dec *Decision) capped(d Day, o Options, s rollup.Sheet) bool {
	c := cases.New(cases.SuspenseCap, d.Key.String(), d.Now)
	over := o.SuspenseCap.Currency != "" && s.Suspense.Currency == o.SuspenseCap.Currency && s.Suspense.Minor > o.SuspenseCap.Minor
	if !over || d.Approved {
		dec.Gone = append(dec.Gone, c.ID)
		return false
	}
	c.Location, c.Day, c.Amount = d.Key.Location, d.Key.Day, s.Suspense
	c.Detail = fmt.Sprintf("%s have no account, the cap is %s: %v", s.Suspense, o.SuspenseCap, s.Unmapped)
	dec.Cases = append(dec.Cases, c)
	if d.Accepts(c) {
		return false
	}
	dec.Why = c.Detail
	return true
}

// document makes what the books still lack, and otherwise tells how far the documents are.
func (dec *Decision) document(d Day, o Options, s rollup.Sheet) error {
	if quiet := d.Changed.Add(o.Settle); len(d.Documents) > 0 && d.Now.Before(quiet) {
		dec.Next = quiet
		return nil
	}
	var notes []string
	if len(d.Documents) > 0 {
		notes = append(notes, "changed after posting")
	}
	if dec.Unproven { // it stands in the entry's reference too, where an auditor reads it
		notes = append(notes, "unproven")
	}
	note := strings.Join(notes, ", ")
	if s.Mode == rollup.ByTicket {
		return dec.tickets(d, o, note)
	}
	doc, ok, err := rollup.Next(d.Key, d.Key.Day, s, d.Documents, o.Books, d.Tickets, d.Set, note)
	if err != nil {
		return err
	}
	if ok {
		dec.Document, dec.State = &doc, Posting
		return nil
	}
	dec.State = Worst(d.States)
	if len(d.Documents) == 0 {
		dec.Why = "nothing to post: no money moved"
	}
	return nil
}

// worst is a day's state by its documents': the one that needs a person most.
// Worst is the state that stands for several documents': the one that needs a look first.
func Worst(states []string) string {
	for _, s := range []string{Parked, Waiting, Posting, Posted, Accepted} {
		if slices.Contains(states, s) {
			return s
		}
	}
	return Verified
}

func abs(m money.Amount) money.Amount {
	if m.Minor < 0 {
		return m.Neg()
	}
	return m
}

// Paid is the sum of all tenders.
func Paid(t rollup.Totals) (sum money.Amount, err error) {
	for a, m := range t {
		if role, _ := a.Split(); role == ledger.Tender {
			if sum, err = sum.Add(m); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}

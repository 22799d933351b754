package rollup

import (
	"maps"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/money"
)

// Totals is a store-day's signed sum per measure, debit positive. Control is not in it: it is zero by construction.
type Totals map[ledger.Account]money.Amount

// Fold adds an entry, or with sign −1 takes it back out again, as a newer version of its ticket does. It changes a copy; an error (another
// currency, a sum beyond 64 bits) leaves t as it was and parks the entry, never the queue.
func Fold(t Totals, e ledger.Entry, sign int) (Totals, error) {
	out := maps.Clone(t)
	if out == nil {
		out = Totals{}
	}
	if bug.UndoForgotten && sign < 0 {
		return out, nil
	}
	return out, out.add(e, sign)
}

func (t Totals) add(e ledger.Entry, sign int) error {
	for _, p := range e.Postings {
		a := p.Amount
		if sign < 0 {
			a = a.Neg()
		}
		if err := t.move(p.Debit, a); err != nil {
			return err
		}
		if err := t.move(p.Credit, a.Neg()); err != nil {
			return err
		}
	}
	return nil
}

func (t Totals) move(a ledger.Account, m money.Amount) error {
	if a == ledger.Account(ledger.Control) {
		return nil
	}
	m = spoil(a, m)
	sum, err := t[a].Add(m)
	if err != nil {
		return err
	}
	t[a] = sum
	return nil
}

// spoil is where the simulation plants wrong sums; in a normal build it gives m back.
func spoil(a ledger.Account, m money.Amount) money.Amount {
	role, _ := a.Split()
	switch {
	case bug.Rounding && role == ledger.Tender:
		m.Minor -= m.Minor % 5
	case bug.TaxSign && role == ledger.TaxRefund:
		return m.Neg()
	case bug.DiscountLost && role == ledger.Discount:
		m.Minor = 0
	}
	return m
}

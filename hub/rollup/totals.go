package rollup

import (
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/money"
)

// Totals is a store-day's signed sum per measure, debit positive. Control is not in it: it is zero by construction.
type Totals map[ledger.Account]money.Amount

// Fold is Add on a copy.
func Fold(t Totals, e ledger.Entry, sign int) (Totals, error) {
	out := maps.Clone(t)
	if out == nil {
		out = Totals{}
	}
	return out, out.Add(e, sign)
}

// Add adds an entry, or with sign −1 takes it back out again, as a newer version of its ticket does. An error (another currency, a sum
// beyond 64 bits) leaves t as it was and parks the entry, never the queue.
func (t Totals) Add(e ledger.Entry, sign int) error {
	if bug.UndoForgotten && sign < 0 {
		return nil
	}
	before := make([]sum, 0, 2*len(e.Postings))
	for _, p := range e.Postings {
		a := p.Amount
		if sign < 0 {
			a = a.Neg()
		}
		for _, m := range [...]sum{{p.Debit, a}, {p.Credit, a.Neg()}} {
			if m.account == ledger.Account(ledger.Control) {
				continue
			}
			had := t[m.account]
			now, err := had.Add(spoil(m.account, m.amount))
			if err != nil {
				t.restore(before)
				return err
			}
			before = append(before, sum{m.account, had})
			t[m.account] = now
		}
	}
	return nil
}

// sum is what stands on an account; the zero Amount says that it was not there.
type sum struct {
	account ledger.Account
	amount  money.Amount
}

func (t Totals) restore(before []sum) {
	for _, s := range slices.Backward(before) {
		if t[s.account] = s.amount; s.amount == (money.Amount{}) {
			delete(t, s.account)
		}
	}
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

// TotalsOf is a voucher's signed sum per measure.
func TotalsOf(v ledger.Voucher) (Totals, error) {
	t := Totals{}
	return t, t.Add(ledger.Entry{Postings: v.Postings}, 1)
}

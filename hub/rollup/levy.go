package rollup

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

// levies are the taxes of the books that a measure is the base of. A jurisdiction that has no tax there has no base there either.
func levies(k DayKey, a ledger.Account, set mapping.Set) (out []Levy) {
	for _, l := range a.Levies() {
		role := ledger.Tax
		if l.Back {
			role = ledger.TaxRefund
		}
		if to, ok := set.Find(role, l.Code, k.Location, k.Day); ok && to.Tax != "" {
			out = append(out, Levy{to.Tax, l.Back})
		}
	}
	slices.SortFunc(out, func(a, b Levy) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}

func (l Levy) String() string {
	if l.Refund {
		return "~" + l.Tax
	}
	return "@" + l.Tax
}

// levied names what a line is the base of: lines that differ in it are not the same line.
func (l Line) levied() string {
	var b strings.Builder
	for _, x := range l.Levies {
		b.WriteString(x.String() + "\x00")
	}
	return b.String()
}

// bases gives each tax line what it is the tax of: the lines of its jurisdiction in the same document. Odoo's tax reports read both, and each
// document must say the whole of what it adds to them.
func bases(lines []Line) error {
	for i := range lines {
		t := &lines[i]
		if t.Tax == "" {
			continue
		}
		_, code := t.Measure.Split()
		t.Base.Minor, t.Base.Currency = 0, t.Amount.Currency
		for _, l := range lines {
			if !slices.Contains(l.Levies, Levy{t.Tax, t.Refund}) || !slices.Contains(l.Measure.Levies(), ledger.Levy{Code: code, Back: t.Refund}) {
				continue
			}
			var err error
			if t.Base, err = t.Base.Add(l.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

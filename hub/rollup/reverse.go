package rollup

import (
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
)

// Reversed is the measure of what a reversed day leaves unexplained.
const Reversed ledger.Role = "reversed"

// Reverse is the sheet of a store-day that a person took back: nothing, but for the lines that are matched in the books. Those stay, so that
// no match is undone (DESIGN D12), and what they leave one-sided stands in suspense for a person.
func Reverse(kept []Line, b Books) (s Sheet, err error) {
	for _, l := range kept {
		if s.Suspense, err = s.Suspense.Add(l.Amount); err != nil {
			return Sheet{}, err
		}
	}
	s.Lines = append(s.Lines, kept...)
	if s.Suspense.IsZero() {
		return s, nil
	}
	s.Lines = append(s.Lines, Line{Measure: ledger.Account(Reversed), Label: "reversed, and matched already", Account: b.Suspense, Amount: s.Suspense.Neg(), Suspense: true})
	s.Suspense = money.Of(abs(s.Suspense.Minor), s.Suspense.Currency)
	sortLines(s.Lines)
	return s, nil
}

// NextReverse is Next for a day that was taken back.
func NextReverse(d Document, s Sheet, posted []Document, b Books) (Document, bool, error) {
	out, ok, err := complete(d.as(s.Mode, b), s, posted)
	if !ok || err != nil {
		return out, ok, err
	}
	out.Kind = ReverseDocument
	out.Hash = ""
	out.Hash, err = out.hash()
	return out, err == nil, err
}

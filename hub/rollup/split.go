package rollup

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
)

// Parts is what of a store-day's totals belongs to tills and cashiers that a rule sets apart, by the analytic accounts that stand beside it. What is
// in no part is the rest. Empty = no such rule: a line per measure.
type Parts map[string]Totals

// MapParts is Map with a measure's parts on lines of their own. Only what makes the result is set apart: a tender, a tax or what is owed has one line
// per measure and location, because that is what deposits and returns clear.
func MapParts(k DayKey, t Totals, parts Parts, set mapping.Set, b Books) (Sheet, error) {
	s, err := Map(k, t, set, b)
	if err != nil || len(parts) == 0 {
		return s, err
	}
	whole := s.Lines
	s.Lines = nil
	for _, l := range whole {
		if role, _ := l.Measure.Split(); !makesResult(role) || l.Suspense {
			s.Lines = append(s.Lines, l)
			continue
		}
		ls, err := l.split(parts)
		if err != nil {
			return Sheet{}, err
		}
		s.Lines = append(s.Lines, ls...)
	}
	ls, err := even(k, t, parts, set, b)
	s.Lines = append(s.Lines, ls...)
	sortLines(s.Lines)
	return s, err
}

// split is a line as its parts and the rest, which together are the line to the cent.
func (l Line) split(parts Parts) (out []Line, err error) {
	rest := l
	for beside, t := range parts {
		m, ok := t[l.Measure]
		if !ok || m.IsZero() {
			continue
		}
		if rest.Amount, err = rest.Amount.Sub(m); err != nil {
			return nil, err
		}
		own := l
		own.Amount, own.Analytic = m, mapping.Join(beside, l.Analytic)
		out = append(out, own)
	}
	if !rest.Amount.IsZero() {
		out = append(out, rest)
	}
	return out, nil
}

// even are the lines of measures that come to nothing on the day and whose parts do not: a kiosk sold what the counter took back.
func even(k DayKey, t Totals, parts Parts, set mapping.Set, b Books) (out []Line, err error) {
	open := Totals{}
	for _, p := range parts {
		for a, m := range p {
			if role, _ := a.Split(); makesResult(role) && t[a].IsZero() && !m.IsZero() {
				open[a] = money.Of(1, m.Currency) // any amount: the line is split at once
			}
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	s, err := Map(k, open, set, b)
	if err != nil {
		return nil, err
	}
	for _, l := range s.Lines {
		if l.Suspense {
			continue
		}
		l.Amount = money.Of(0, l.Amount.Currency)
		ls, err := l.split(parts)
		if err != nil {
			return nil, err
		}
		out = append(out, ls...)
	}
	return out, nil
}

// makesResult reports whether a role's lines are income or expense.
func makesResult(r ledger.Role) bool {
	switch r {
	case ledger.Sales, ledger.Returns, ledger.Discount, ledger.Shipping, ledger.Fee, ledger.Rounding, ledger.OverShort, ledger.PaidIn, ledger.PaidOut:
		return true
	}
	return false
}

// beside is all analytic accounts that a line names, in an order of its own: it is the same line whoever named them first.
func (l Line) beside() string {
	if l.At == "" && l.Analytic == "" {
		return ""
	}
	names := mapping.Names(mapping.Join(l.At, l.Analytic))
	slices.Sort(names)
	return strings.Join(names, ";")
}

package ledger

import (
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/retail"
)

// Levy is a tax that a measure is the base of: the jurisdiction's code, and whether the tax was given back.
type Levy struct {
	Code string
	Back bool
}

// In an Account a levy stands behind the code: "sales:Toys ⊕NY State ⊕NYC", "returns:Toys ⊖NY State". No till's code has such signs; one that had would
// be read with others in their place.
const (
	markSold = " ⊕"
	markBack = " ⊖"
)

var unmarked = strings.NewReplacer(markSold, " +", markBack, " -")

// Levied is a measure that is the base of taxes: goods are told apart by the taxes on them, as a tax return asks for them.
func Levied(a Account, levies []Levy) Account {
	if len(levies) == 0 {
		return a
	}
	levies = slices.Clone(levies)
	slices.SortFunc(levies, func(a, b Levy) int { return strings.Compare(a.mark()+a.Code, b.mark()+b.Code) })
	var b strings.Builder
	b.WriteString(string(a))
	for _, l := range slices.Compact(levies) {
		b.WriteString(l.In())
	}
	return Account(b.String())
}

func (l Levy) mark() string {
	if l.Back {
		return markBack
	}
	return markSold
}

// In is the text that every measure which is the base of l has in it; measures of a longer code may have it too.
func (l Levy) In() string { return l.mark() + unmarked.Replace(l.Code) }

// firstMark is where the first mark stands, −1 = there is none.
func firstMark(s string) int {
	sold, back := strings.Index(s, markSold), strings.Index(s, markBack)
	if sold < 0 || back >= 0 && back < sold {
		return back
	}
	return sold
}

// Levies are the taxes that a is the base of, in a fixed order.
func (a Account) Levies() (out []Levy) {
	_, marks := a.cut()
	for marks != "" {
		code, rest := marks[len(markSold):], ""
		if i := firstMark(code); i >= 0 {
			code, rest = code[:i], code[i:]
		}
		out = append(out, Levy{code, strings.HasPrefix(marks, markBack)})
		marks = rest
	}
	return out
}

// Plain is a without the taxes that it is the base of.
func (a Account) Plain() Account {
	plain, _ := a.cut()
	return Account(plain)
}

// cut parts a measure from its marks. Only what can be taxed has any.
func (a Account) cut() (plain, marks string) {
	i := firstMark(string(a))
	if i < 0 {
		return string(a), ""
	}
	if r, _, _ := strings.Cut(string(a[:i]), ":"); !taxable[Role(r)] {
		return string(a), ""
	}
	return string(a[:i]), string(a[i:])
}

var taxable = map[Role]bool{Sales: true, Returns: true, Discount: true, Shipping: true, Fee: true}

// levies says which taxes each of a ticket's lines is the base of, as its till tells it; nil = it does not tell, and its measures are those they were before
// tills could. A till that taxes a ticket and says of no line that it is taxed has a tax whose base nobody knows: Untold lists it.
func levies(t retail.Ticket) [][]Levy {
	told := false
	for _, l := range t.Lines {
		told = told || len(l.Taxes) > 0
	}
	if !told {
		return nil
	}
	taxes := map[string]sides{}
	for _, l := range t.Lines {
		if l.Kind != retail.Tax || l.Amount.Minor == 0 {
			continue
		}
		s := taxes[l.Code]
		s.back, s.sold = s.back || l.Amount.Minor < 0, s.sold || l.Amount.Minor > 0
		taxes[l.Code] = s
	}
	out := make([][]Levy, len(t.Lines))
	for i, l := range t.Lines {
		if r, _ := lineAccount(l).Split(); !taxable[r] {
			continue
		}
		for _, code := range l.Taxes {
			out[i] = append(out[i], Levy{code, taxes[code].of(l)})
		}
	}
	return out
}

// sides are the ways in which a ticket has a tax: taken, given back.
type sides struct{ sold, back bool }

// of says on which side of a tax a line's base stands: that of the tax itself, so that base and tax go together; of a tax that has both, or none, the
// line's own.
func (s sides) of(l retail.Line) (back bool) {
	if s.sold != s.back {
		return s.back
	}
	if l.Kind == retail.Discount {
		return l.Amount.Minor > 0 // a discount that is taken back
	}
	return l.Amount.Minor < 0
}

// Untold adds to sums what an entry has of taxes, by their code, of which no line of its ticket is said to be the base; what was given back counts
// against what was taken.
func (e Entry) Untold(sums map[string]int64) {
	told := map[string]bool{}
	for _, p := range e.Postings {
		for _, a := range []Account{p.Debit, p.Credit} {
			for _, l := range a.Levies() {
				told[l.Code] = true
			}
		}
	}
	for _, p := range e.Postings {
		for a, minor := range map[Account]int64{p.Debit: -p.Amount.Minor, p.Credit: p.Amount.Minor} {
			if r, code := a.Split(); (r == Tax || r == TaxRefund) && !told[code] {
				sums[code] += minor
			}
		}
	}
}

package profile

import (
	"errors"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// build collects a ticket's lines and tenders with their exact amounts.
type build struct {
	lines   []retail.Line
	exact   []value
	tenders []retail.Tender
	paid    []value
	open    []bool        // tenders that take what the lines come to
	idle    []retail.Line // lines of nothing, kept only when the ticket has no other
	void    bool          // a line was left out
	rows    []int         // where they stood
	told    map[once]bool // of which rules a value that stands once was read; nil = the first row alone has those
	amounts []money.Amount
}

// once is a rule for lines or tenders by its place: versions of one profile have it under the same number.
type once struct {
	tender bool
	n      int
}

// start begins a ticket of n rows in b's room, or in room of its own when there is no b.
func (b *build) start(n int) *build {
	if b == nil {
		b = &build{}
	}
	*b = build{lines: slices.Grow(b.lines[:0], n+2), exact: slices.Grow(b.exact[:0], n+2), rows: slices.Grow(b.rows[:0], n), amounts: b.amounts,
		tenders: b.tenders[:0], paid: b.paid[:0], open: b.open[:0], idle: b.idle[:0]}
	return b
}

func (b *build) row(r row, first bool) error {
	for i := range r.p.rules.lines {
		l := &r.p.rules.lines[i]
		if l.once && b.past(first, once{n: i}) {
			continue
		}
		kind := retail.LineKind(r.text(l.kind))
		if kind == "" || kind == "-" { // a table may leave a row's line out
			b.void = true
			continue
		}
		amount, given, err := r.sum(l.amount)
		if err != nil {
			return err
		}
		if !given && kind == retail.Item {
			return errors.New("the amount is missing")
		}
		b.tell(once{n: i}, given)
		line := retail.Line{Kind: kind, Code: r.text(l.code), Category: r.text(l.category), Description: r.text(l.description), Reason: r.text(l.reason), Taxes: list(r.text(l.taxes))}
		if q := r.text(l.quantity); q != "" {
			n, err := r.p.value(q)
			if err != nil {
				return err
			}
			line.Quantity = n.decimal()
		}
		if kind == retail.Item {
			if cost, known, err := r.sum(l.cost); known && err == nil { // what cannot be read is not known
				line.Cost = retail.CostOf(amount.isNegative(), cost.decimal(), r.p.Currency)
			}
		}
		if amount.isZero() && kind != retail.Item {
			if given {
				b.idle = append(b.idle, line)
			}
			continue
		}
		b.lines, b.exact = append(b.lines, line), append(b.exact, amount)
	}
	return b.tender(r, first)
}

// past reports whether what stands once in a ticket was read by a rule: with the first row, or, of rows out of several files, with the
// first that has it.
func (b *build) past(first bool, r once) bool {
	if b.told == nil {
		return !first
	}
	return b.told[r]
}

func (b *build) tell(r once, given bool) {
	if b.told != nil && given {
		b.told[r] = true
	}
}

// list are the words of a cell that has several, nil when there are more than a line can have.
func list(s string) (out []string) {
	if s == "" {
		return nil
	}
	for w := range strings.SplitSeq(s, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	if len(out) > retail.MaxTaxes {
		return nil
	}
	return out
}

func (b *build) tender(r row, first bool) error {
	for i := range r.p.rules.tenders {
		t := &r.p.rules.tenders[i]
		this := once{true, i}
		if t.once && b.past(first, this) {
			continue
		}
		tender := retail.Tender{Type: r.text(t.kind), Brand: r.text(t.brand), Ref: r.text(t.ref), Last4: r.text(t.last4)}
		if t.amount == nil {
			b.tell(this, true)
			b.tenders, b.paid, b.open = append(b.tenders, tender), append(b.paid, value{}), append(b.open, true)
			continue
		}
		amount, given, err := r.sum(t.amount)
		if err != nil {
			return err
		}
		b.tell(this, given)
		if i := b.same(tender); i >= 0 {
			b.paid[i] = b.paid[i].plus(amount)
			continue
		}
		b.tenders, b.paid, b.open = append(b.tenders, tender), append(b.paid, amount), append(b.open, false)
	}
	return nil
}

// same finds a tender that another row began: a payment of one kind is one tender.
func (b *build) same(t retail.Tender) int {
	for i, have := range b.tenders {
		if !b.open[i] && have.Type == t.Type && have.Ref == t.Ref && have.Last4 == t.Last4 {
			return i
		}
	}
	return -1
}

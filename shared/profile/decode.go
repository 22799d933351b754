package profile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Decode makes the ticket of rows. A ticket is rounded half away from zero at its total, its lines by largest remainder; Rounded tells by
// how much. Code invalid: what is wrong with which row.
func (p *Profile) Decode(r Rows) (retail.Record, error) { return p.Under(p.Head(r), r) }

// Under is Decode of rows whose head is known: those of a file share it.
func (p *Profile) Under(head *Head, r Rows) (retail.Record, error) {
	switch {
	case r.Note != "" && len(r.Rows) == 0:
		return nil, invalid("file %s: %s", r.File, r.Note)
	case r.Note != "":
		return nil, invalid("file %s, row %d: %s", r.File, r.Rows[0].N, r.Note)
	case len(r.Rows) == 0:
		return nil, invalid("file %s: there are no rows", r.File)
	}
	if len(head.missing) > 0 {
		return nil, invalid("file %s lacks the columns %s: it is not a file of profile %s", r.File, strings.Join(head.missing, ", "), p.Name)
	}
	if p.dated && head.date == "" {
		return nil, invalid("file %s: no single day can be read from it; a report must be of one day, and name it above its table or in its file's name, like 2026-11-20", r.File)
	}
	if p.Record == "control" {
		return p.control(head, r)
	}
	first := row{p, head, r.Rows[0].Cells}
	t, err := p.head(first, r)
	if err != nil {
		return nil, err
	}
	b := head.room.start(p, len(r.Rows))
	for i, one := range r.Rows {
		if err := b.row(row{p, head, one.Cells}, i == 0); err != nil {
			return nil, invalid("file %s, row %d: %v", r.File, one.N, err)
		}
		b.rows = append(b.rows, one.N)
	}
	t.Origin.Rows = b.rows
	return b.finish(t)
}

// head reads what the whole ticket has once.
func (p *Profile) head(first row, r Rows) (t retail.Ticket, err error) {
	rule := &p.rules.ticket
	t = retail.Ticket{Key: retail.Key{System: p.System, Record: "ticket", Scope: first.text(p.rules.scope), ID: first.text(rule.id)}, Number: first.text(rule.number),
		Location: retail.LocationCode(first.text(rule.location)), Till: retail.TillCode(first.text(rule.till)), Cashier: first.text(rule.cashier),
		Day: retail.BusinessDate(first.text(rule.day)), Kind: retail.TicketKind(first.text(rule.kind)), Currency: p.Currency, Parent: first.text(rule.parent),
		Customer: first.text(rule.customer), Rank: p.Rank, Origin: retail.Origin{File: r.File, SHA256: r.SHA256, Profile: p.Name}}
	where := "file " + r.File + ", row " + strconv.Itoa(r.Rows[0].N)
	if t.Key.ID == "" {
		return t, invalid("%s: it has no ticket number", where)
	}
	if t.Number == "" {
		t.Number = t.Key.ID
	}
	if t.Location == "" {
		t.Location = r.Location
	}
	zone := p.zone
	if r.Zone != "" {
		if zone, err = zones.get(r.Zone); err != nil {
			return t, invalid("%s: %q is not a time zone", where, r.Zone)
		}
	}
	if t.At, err = p.time(first.text(rule.at), zone); err != nil {
		return t, invalid("%s: %v", where, err)
	}
	if s := first.text(rule.sequence); s != "" {
		if t.Sequence, err = strconv.ParseInt(s, 10, 64); err != nil {
			return t, invalid("%s: %q is not a running number", where, s)
		}
	}
	return t, nil
}

// time reads a moment by the profile's layouts; one without an offset is in zone.
func (p *Profile) time(s string, zone *time.Location) (time.Time, error) {
	if p.Format == "xlsx" {
		if t, ok := serial(s, zone); ok {
			return t.UTC(), nil
		}
	}
	for _, l := range p.Times {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t.UTC(), nil
		}
	}
	if s == "" {
		return time.Time{}, errors.New("it has no time")
	}
	return time.Time{}, fmt.Errorf("%.80q is not a time of the form %s", s, strings.Join(p.Times, " or "))
}

// build collects a ticket's lines and tenders with their exact amounts.
type build struct {
	p       *Profile
	lines   []retail.Line
	exact   []value
	tenders []retail.Tender
	paid    []value
	open    []bool        // tenders that take what the lines come to
	idle    []retail.Line // lines of nothing, kept only when the ticket has no other
	void    bool          // a line was left out
	rows    []int         // where they stood
	amounts []money.Amount
}

// start begins a ticket of n rows in b's room, or in room of its own when there is no b.
func (b *build) start(p *Profile, n int) *build {
	if b == nil {
		b = &build{}
	}
	*b = build{p: p, lines: slices.Grow(b.lines[:0], n+2), exact: slices.Grow(b.exact[:0], n+2), rows: slices.Grow(b.rows[:0], n), amounts: b.amounts,
		tenders: b.tenders[:0], paid: b.paid[:0], open: b.open[:0], idle: b.idle[:0]}
	return b
}

func (b *build) row(r row, first bool) error {
	for i := range b.p.rules.lines {
		l := &b.p.rules.lines[i]
		if l.once && !first {
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
				line.Cost = retail.CostOf(amount.isNegative(), cost.decimal(), b.p.Currency)
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
	for i := range b.p.rules.tenders {
		t := &b.p.rules.tenders[i]
		if t.once && !first {
			continue
		}
		tender := retail.Tender{Type: r.text(t.kind), Brand: r.text(t.brand), Ref: r.text(t.ref), Last4: r.text(t.last4)}
		if t.amount == nil {
			b.tenders, b.paid, b.open = append(b.tenders, tender), append(b.paid, value{}), append(b.open, true)
			continue
		}
		amount, _, err := r.sum(t.amount)
		if err != nil {
			return err
		}
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

// finish rounds the ticket at its total and makes lines and tenders add up to it.
func (b *build) finish(t retail.Ticket) (rec retail.Record, err error) {
	if len(b.lines) == 0 {
		b.lines, b.idle = b.idle, b.lines // each keeps its room
		b.exact = make([]value, len(b.lines))
	}
	amounts, booked, whole := whole(b.amounts[:0], b.exact, t.Currency)
	if b.amounts = amounts; !whole {
		total := sum(b.exact).decimal()
		if booked, err = money.Round(total, t.Currency); err != nil {
			return nil, invalid("ticket %s: the total %s is beyond all bounds", t.Number, total)
		}
		if amounts, err = spread(b.exact, booked); err != nil {
			return nil, invalid("ticket %s: %v", t.Number, err)
		}
		if diff := booked.DecimalOf().Sub(total); !diff.IsZero() {
			t.Rounded = diff.String()
		}
	}
	for i := range b.lines {
		b.lines[i].Amount = amounts[i]
	}
	t.Lines = b.lines
	if t.Tenders, err = b.settle(booked); err != nil {
		return nil, invalid("ticket %s: %v", t.Number, err)
	}
	switch {
	case t.Kind != "":
	case b.void && len(t.Lines) == 0:
		t.Kind = retail.Void // nothing of it is left
	default:
		if t.Kind = retail.Sale; booked.Minor < 0 {
			t.Kind = retail.Return
		}
	}
	return t, nil
}

// settle gives tenders their amounts: what the file says, rounded together with the total when it says the same, or what the lines come to.
func (b *build) settle(booked money.Amount) (out []retail.Tender, err error) {
	amounts, paid, whole := whole(nil, b.paid, booked.Currency)
	if !whole {
		if paid, err = money.Round(sum(b.paid).decimal(), booked.Currency); err != nil {
			return nil, err
		}
		if amounts, err = spread(b.paid, paid); err != nil {
			return nil, err
		}
	}
	for i, t := range b.tenders {
		t.Amount = amounts[i]
		if b.open[i] {
			if t.Amount, err = booked.Sub(paid); err != nil {
				return nil, err
			}
		}
		if !t.Amount.IsZero() {
			out = append(out, t)
		}
	}
	return out, nil
}

// whole are exact amounts that are minor units already, put into out, and their sum: nothing is rounded then, and nothing needs decimals.
func whole(out []money.Amount, exact []value, c money.Currency) (_ []money.Amount, total money.Amount, ok bool) {
	total = money.Of(0, c)
	for _, v := range exact {
		a := money.Of(0, c)
		if !v.isZero() {
			if a, ok = v.exact(c); !ok {
				return out, total, false
			}
		}
		var err error
		if total, err = total.Add(a); err != nil {
			return out, total, false
		}
		out = append(out, a)
	}
	return out, total, true
}

// spread rounds exact amounts so that they add up to total: each is cut off towards zero, and what is left goes, a minor unit each, to
// those that lost most.
func spread(exact []value, total money.Amount) ([]money.Amount, error) {
	out, lost := make([]money.Amount, len(exact)), make([]decimal.Decimal, len(exact))
	left := total.Minor
	for i, v := range exact {
		d := v.decimal()
		scaled := d.Shift(int32(total.Currency.Digits()))
		cut := scaled.Truncate(0)
		if !cut.BigInt().IsInt64() {
			return nil, invalid("the amount %s is beyond all bounds", d)
		}
		out[i], lost[i] = money.Of(cut.IntPart(), total.Currency), scaled.Sub(cut)
		left -= out[i].Minor
	}
	for ; left != 0; left -= sign(left) {
		best := -1
		for i := range lost {
			if gain := lost[i].Mul(decimal.NewFromInt(sign(left))); best < 0 || gain.GreaterThan(lost[best].Mul(decimal.NewFromInt(sign(left)))) {
				best = i
			}
		}
		if best < 0 {
			return nil, invalid("%d minor units are left over and there is no line to take them", left)
		}
		out[best].Minor += sign(left)
		lost[best] = lost[best].Sub(decimal.NewFromInt(sign(left)))
	}
	return out, nil
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

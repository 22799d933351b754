package hretail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// sale is a ticket, invoice or deposit under way.
type sale struct {
	frame  Frame
	o      object
	record string
	bad    []error
}

func (s *sale) check(err error) {
	if err != nil {
		s.bad = append(s.bad, err)
	}
}

// ticket reads a completed ticket or invoice, or one that was voided.
func ticket(record string) func(Frame, object) (retail.Record, error) {
	return func(f Frame, o object) (retail.Record, error) {
		s := &sale{frame: f, o: o, record: record}
		t := s.head()
		s.times(&t)
		s.status()
		lines, payments := s.rows("lines", f.Lines), s.rows("payments", f.Payments)
		t.Lines = s.lines(lines)
		t.Tenders, t.Lines = s.tenders(payments, t.Lines)
		if t.Kind = s.kind(lines); t.Kind != retail.Void {
			s.totals(t)
		}
		return s.done(t)
	}
}

// deposit reads one payment on an order: money taken before anything is sold, a liability until an invoice applies it.
func deposit(f Frame, o object) (retail.Record, error) {
	s := &sale{frame: f, o: o, record: "deposit"}
	t := s.head()
	var p object
	for _, row := range s.rows("payments", f.Payments) {
		if row.text("id") == f.Payment {
			p = row
		}
	}
	if p == nil {
		return nil, fault.Msg(fault.Invalid, "read deposit", fmt.Sprintf("order %s holds no payment %q", t.Number, f.Payment))
	}
	t.Key.ID, t.Parent = f.Payment, t.Key.ID
	s.o = p
	s.times(&t)
	a, _, err := p.amount("amount", f.Currency)
	s.check(err)
	t.Kind = retail.Sale
	switch {
	case p.text("status") == "voided" || p.yes("voided"):
		t.Kind = retail.Void
	case a.Minor < 0:
		t.Kind = retail.Return
	}
	t.Lines = []retail.Line{{Kind: retail.Deposit, Description: "deposit on order " + t.Number, Amount: a}}
	t.Tenders = []retail.Tender{s.tender(p, a)}
	return s.done(t)
}

func (s *sale) done(t retail.Ticket) (retail.Record, error) {
	if err := errors.Join(s.bad...); err != nil {
		return nil, fault.New(fault.Invalid, fmt.Sprintf("read %s %s (id %s)", s.record, t.Number, t.Key.ID), err)
	}
	return t, nil
}

// head reads what stands on top of the record.
func (s *sale) head() retail.Ticket {
	o := s.o
	t := retail.Ticket{Key: retail.Key{Tenant: s.frame.Tenant, System: System, Record: s.record, ID: o.text("id")}, Number: o.first("public_id", "id"),
		Location: s.frame.Location, Till: retail.TillCode(o.text("station_id")), Cashier: o.text("sales_rep"), Currency: s.frame.Currency,
		Parent: o.first("parent_transaction_id", "order_id"), Customer: o.text("customer_id"), Rank: Rank}
	if number := o.text("public_id"); s.record == "ticket" && number != "" {
		t.Also = []retail.Key{{System: System, Record: s.record, Scope: retail.Numbered(t.Location), ID: number}}
	}
	if t.Key.ID == "" {
		s.check(errors.New("it has no id"))
	}
	if t.Location == "" {
		s.check(fmt.Errorf("its location with id %q is not one that the token may see: give its user the right to that location, then retry", o.text("source_location_id")))
	}
	return t
}

// times reads when it was completed, the day by the store's own wall clock, and the revision. Retail counts its days by the calendar of the
// location, so that is the till's own business day.
func (s *sale) times(t *retail.Ticket) {
	at, err := s.o.moment("completed_at")
	s.check(err)
	changed, err := s.o.moment("updated_at")
	s.check(err)
	if at.IsZero() && voided(s.o) { // voided before it was completed
		at, err = s.o.moment("created_at")
		s.check(err)
	}
	t.At, t.Revision = at, 0
	if !changed.IsZero() {
		t.Revision = changed.UnixMicro()
	}
	local := s.o.text("local_completed_at")
	if t.Day = ""; len(local) >= len(time.DateOnly) {
		if t.Day = retail.BusinessDate(local[:len(time.DateOnly)]); !t.Day.Valid() {
			s.check(fmt.Errorf("local_completed_at: %.40q is not a date", local))
		}
	}
	if at.IsZero() {
		s.check(errors.New("it has no completed_at"))
	}
}

func voided(o object) bool { return o.yes("voided") || o.text("status") == "voided" }

// status demands what is known to be a sale: a state of which nobody has told what it means for the money is a case.
func (s *sale) status() {
	st := s.o.text("status")
	if !voided(s.o) && st != "complete" && (st != "" || !s.o.yes("completed")) {
		s.check(fmt.Errorf("its status %q is not one that says whether it counts", st))
	}
	switch typ := s.o.text("type"); {
	case typ == "" || s.record == "ticket" && (typ == "Ticket" || typ == "Return") || s.record == "invoice" && typ == "Invoice":
	default:
		s.check(fmt.Errorf("its type %q is not known for a %s", typ, s.record))
	}
}

// rows reads lines or payments; a record without them says nothing of its money.
func (s *sale) rows(name string, apart []byte) []object {
	if len(apart) > 0 {
		rows, err := listOf(apart)
		s.check(err)
		return rows
	}
	rows, ok, err := s.o.list(name)
	s.check(err)
	if !ok && err == nil && !voided(s.o) {
		s.check(fmt.Errorf("it came without its %s", name))
	}
	return rows
}

// kind says what the till did, by the signs of its goods.
func (s *sale) kind(lines []object) retail.TicketKind {
	if voided(s.o) {
		return retail.Void
	}
	sold, back := false, s.o.text("type") == "Return"
	for _, l := range lines {
		if l.text("type") != "ItemLine" {
			continue
		}
		if strings.HasPrefix(l.first("qty", "value"), "-") {
			back = true
		} else {
			sold = true
		}
	}
	switch {
	case sold && back:
		return retail.Exchange
	case back:
		return retail.Return
	}
	return retail.Sale
}

// totals compares with what the record's head says: a line that is not understood must not go unnoticed.
func (s *sale) totals(t retail.Ticket) {
	if len(s.bad) > 0 {
		return
	}
	lines := t.Lines
	for len(lines) > 0 && lines[len(lines)-1].Kind == retail.Deposit { // applied deposits stand behind the record's own lines
		lines = lines[:len(lines)-1]
	}
	total, err := retail.Ticket{Lines: lines}.Total()
	s.check(err)
	s.agrees("total", total)
	tax, err := retail.Ticket{Lines: lines}.TaxTotal()
	s.check(err)
	s.agrees("total_tax", tax)
}

func (s *sale) agrees(name string, ours money.Amount) {
	c := s.frame.Currency
	want, ok, err := s.o.amount(name, c)
	s.check(err)
	if ok && want.Minor != ours.Minor {
		s.check(fmt.Errorf("its lines come to a %s of %s, its head says %s: %w", strings.ReplaceAll(name, "_", " "), money.Of(ours.Minor, c), want, retail.ErrUnbalanced))
	}
}

// lines reads what was owed.
func (s *sale) lines(rows []object) (out []retail.Line) {
	c := s.frame.Currency
	for i, l := range rows {
		value, ok, err := l.amount("value", c)
		if err != nil {
			s.check(fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		switch typ := l.text("type"); typ {
		case "ItemLine":
			out = append(out, s.item(i+1, l)...)
			continue
		case "TaxLine":
			out = append(out, retail.Line{Kind: retail.Tax, Code: l.first("description", "tax_rule_id"), Description: l.text("description"), Amount: value})
		case "ShippingLine":
			out = append(out, retail.Line{Kind: retail.Shipping, Description: l.text("description"), Amount: value})
		case "GiftCardLine":
			out = append(out, retail.Line{Kind: retail.GiftCard, Code: l.first("gift_card_number", "number", "gift_card_id"), Description: l.text("description"), Amount: value})
		default:
			s.check(fmt.Errorf("line %d is of type %q, of which is not known what it means for the money", i+1, typ))
			continue
		}
		if !ok {
			s.check(fmt.Errorf("line %d has no value", i+1))
		}
	}
	return out
}

// item reads goods. Its value counts; when the price was adjusted, the goods stand at their list price and the difference is a discount, so
// that the books show both.
func (s *sale) item(n int, l object) []retail.Line {
	c := s.frame.Currency
	num := func(name string) (decimal.Decimal, bool) {
		d, ok, err := l.number(name)
		if err != nil {
			s.check(fmt.Errorf("line %d: %w", n, err))
		}
		return d, ok
	}
	qty, haveQty := num("qty")
	list, haveList := num("original_unit_price")
	value, haveValue := num("value")
	if !haveValue {
		price, ok := num("adjusted_unit_price")
		if !ok {
			price, ok = num("unit_price")
		}
		if !ok {
			price, ok = list, haveList
		}
		if !ok || !haveQty {
			s.check(fmt.Errorf("line %d has neither a value nor quantity and price", n))
			return nil
		}
		value = price.Mul(qty)
	}
	net, err := money.Round(value, c)
	s.check(err)
	id := l.text("item_id")
	out := retail.Line{Kind: retail.Item, Code: l.first("item_public_id", "item_id"), Category: s.frame.Categories[id], Description: l.first("description", "item_description"), Quantity: qty, Amount: net}
	if out.Category == "" {
		out.Category = Uncategorized
	}
	if unit, known, err := l.number("unit_cost"); known && haveQty && err == nil { // what cannot be read is not known
		out.Cost = retail.CostOf(net.Minor < 0, unit.Mul(qty), c)
	}
	why, adjusted := adjustment(l)
	if !adjusted || !haveList || !haveQty {
		return []retail.Line{out}
	}
	gross, err := money.Round(list.Mul(qty), c)
	s.check(err)
	off, err := net.Sub(gross)
	s.check(err)
	if off.Minor == 0 || off.Minor > 0 == (gross.Minor > 0) || gross.Minor == 0 { // no change, or a higher price: no discount
		return []retail.Line{out}
	}
	out.Amount = gross
	return []retail.Line{out, {Kind: retail.Discount, Code: why, Description: out.Description, Amount: off, Reason: why}}
}

// Uncategorized is the category of goods of which the agent could not learn one.
const Uncategorized = "uncategorized"

// adjustment is the reason of the first price adjustment that has one.
func adjustment(l object) (why string, ok bool) {
	rows, _, err := l.list("price_adjustments")
	if err != nil || len(rows) == 0 {
		return "", false
	}
	for _, r := range rows {
		if why = r.first("reason", "reason_name", "description", "name"); why == "" {
			why = r.inner("reason").first("name", "description")
		}
		if why != "" {
			return why, true
		}
	}
	return "price adjustment", true
}

// Unfinished reports whether a status is that of a ticket still at the register or on hold: no sale yet, and nothing to keep.
func Unfinished(status string) bool {
	switch Word(status) {
	case "incomplete", "on_hold", "hold", "held", "pending", "open", "draft", "new":
		return true
	}
	return false
}

package profile

import (
	"slices"
	"strings"
)

// rules are a profile's templates taken apart once: a file asks for them with every row.
type rules struct {
	columns []string // each column that a template names; its place here is its slot
	scope   template
	spread  template
	ticket  ticketRule
	lines   []lineRule
	tenders []tenderRule
	only    []template
	day     template  // of a control total
	control [3]amount // gross, tax, paid
	ids     []int     // slots of what TicketID is made of
	plain   bool      // those are columns by their headings
	digits  bool      // digits and a point are a number as they stand
}

type ticketRule struct {
	id, number, location, till, cashier, day, at, kind, parent, customer, sequence template
}

type lineRule struct {
	kind, code, category, description, quantity, reason, taxes template
	amount, cost                                               amount
	once                                                       bool
}

type tenderRule struct {
	kind, brand, ref, last4 template
	amount                  amount
	once                    bool
}

// compile takes templates and amounts apart.
func (p *Profile) compile() {
	r := &rules{digits: (p.Decimal == "" || p.Decimal == ".") && !strings.ContainsAny(p.Group, "0123456789.-")}
	t := p.Ticket
	r.scope, r.spread = r.template(p.Scope), r.template(p.Spread)
	r.ticket = ticketRule{r.template(t.ID), r.template(t.Number), r.template(t.Location), r.template(t.Till), r.template(t.Cashier), r.template(t.Day), r.template(t.At),
		r.template(t.Kind), r.template(t.Parent), r.template(t.Customer), r.template(t.Sequence)}
	for _, l := range p.Lines {
		r.lines = append(r.lines, lineRule{kind: r.template(l.Kind), code: r.template(l.Code), category: r.template(l.Category), description: r.template(l.Description),
			quantity: r.template(l.Quantity), reason: r.template(l.Reason), taxes: r.template(l.Taxes), amount: r.amount(l.Amount), cost: r.amount(l.Cost), once: l.Once})
	}
	for _, t := range p.Tenders {
		r.tenders = append(r.tenders, tenderRule{kind: r.template(t.Type), brand: r.template(t.Brand), ref: r.template(t.Ref), last4: r.template(t.Last4),
			amount: r.amount(t.Amount), once: t.Once || t.Amount == ""})
	}
	for _, o := range p.Only {
		r.only = append(r.only, r.template(o))
	}
	r.day = r.template(p.Control.Day)
	r.control = [3]amount{r.amount(p.Control.Gross), r.amount(p.Control.Tax), r.amount(p.Control.Paid)}
	p.rules = r
	p.dated = slices.ContainsFunc(p.templates(), func(t string) bool { return strings.Contains(t, "{@date") })
	p.reads = p.columns()
	p.identity()
}

// identity notes which columns make a ticket, or a row of it, what it is.
func (p *Profile) identity() {
	p.keys, p.rules.plain = map[string]bool{}, true
	for i, t := range []template{p.rules.scope, p.rules.ticket.id, p.rules.ticket.location, p.rules.ticket.number, p.rules.ticket.parent, p.rules.spread} {
		for _, part := range t {
			if part.column == "" {
				continue
			}
			p.keys[strings.TrimSuffix(part.column, "?")] = true
			if i < 3 {
				p.rules.ids = append(p.rules.ids, part.slot)
				p.rules.plain = p.rules.plain && heading(part.column)
			}
		}
	}
}

func (r *rules) template(t string) template {
	out := split(t)
	for i := range out {
		if out[i].column != "" {
			out[i].slot = r.slot(out[i].column)
		}
	}
	return out
}

func (r *rules) slot(column string) int {
	i := slices.Index(r.columns, column)
	if i < 0 {
		i = len(r.columns)
		r.columns = append(r.columns, column)
	}
	return i
}

func (r *rules) amount(t string) (out amount) {
	if t == "" {
		return nil
	}
	for term := range strings.SplitSeq(t, " + ") {
		var factors []factor
		for f := range strings.SplitSeq(term, " * ") {
			one := factor{name: f, text: r.template(f)}
			one.across = len(one.text) == 1 && strings.Contains(one.text[0].column, "...")
			factors = append(factors, one)
		}
		out = append(out, factors)
	}
	return out
}

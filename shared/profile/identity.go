package profile

import (
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// IsKey reports whether a column is part of a ticket's identity: masked, two tickets could become one.
func (p *Profile) IsKey(column string) bool { return p.keys[strings.TrimSpace(column)] }

// TicketID is the identity of the ticket that a row belongs to, "" when the row has none.
func (p *Profile) TicketID(h *Head, cells []string) string {
	r := row{p, h, cells}
	id := r.text(p.rules.ticket.id)
	if id == "" {
		return ""
	}
	if p.Ticket.Location != "" {
		return r.text(p.rules.ticket.location) + "\x00" + r.text(p.rules.scope) + "\x00" + id
	}
	return r.text(p.rules.scope) + "\x00" + id
}

// SameTicket reports whether two rows surely have the same TicketID: what it is made of is the same in both. False says nothing.
func (p *Profile) SameTicket(h *Head, a, b []string) bool {
	if !p.rules.plain {
		return false
	}
	for _, slot := range p.rules.ids {
		i := h.slots[slot]
		if i < 0 || i >= len(a) || i >= len(b) || a[i] != b[i] {
			return false
		}
	}
	return true
}

// Alone returns the columns, in their order, of which TicketID is made, when nothing else of a row need be known to place it: no row is left
// out for what stands in it, and none proves a day. ok is false when a row must be read whole.
func (p *Profile) Alone(h *Head) (columns []int, ok bool) {
	if !p.rules.plain || len(p.rules.only)+len(p.Totals) > 0 || p.Proof.WholeDays {
		return nil, false
	}
	for _, slot := range p.rules.ids {
		if h.slots[slot] < 0 {
			return nil, false
		}
		columns = append(columns, h.slots[slot])
	}
	slices.Sort(columns)
	return slices.Compact(columns), len(columns) > 0
}

// Whose says which ticket of which location rows are of that cannot be decoded, as far as they tell; the key is zero when they do not.
func (p *Profile) Whose(r Rows) (k retail.Key, l retail.LocationCode) {
	l = r.Location
	if r.Note != "" || len(r.Rows) == 0 {
		return k, l
	}
	first, rule := row{p, p.Head(r), r.Rows[0].Cells}, &p.rules.ticket
	if named := first.text(rule.location); named != "" {
		l = retail.LocationCode(named)
	}
	if id := first.text(rule.id); id != "" {
		k = retail.Key{System: p.System, Record: "ticket", Scope: first.text(p.rules.scope), ID: id}
	}
	return k, l
}

// When is the location and the moment that a row names; ok is false when it names no moment.
func (p *Profile) When(h *Head, cells []string) (l retail.LocationCode, at time.Time, ok bool) {
	r := row{p, h, cells}
	at, err := p.time(r.text(p.rules.ticket.at), p.zone)
	return retail.LocationCode(r.text(p.rules.ticket.location)), at, err == nil
}

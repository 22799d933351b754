package heartland

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

// Sale is a ticket to be written.
type Sale struct {
	Location string
	Station  int       // index
	At       time.Time // completion; zero = now
	Parent   int64
	Order    int64 // an invoice of this order
	lines    []line
	payments []payment
}

// Quick makes a small sale for load: some goods, one tax, paid by card or cash with change.
func (h *Retail) Quick(location string, dice *rand.Rand) Sale {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.place(location)
	s := Sale{Location: location, Station: dice.IntN(len(p.stations))}
	var sum int64
	for range 1 + dice.IntN(4) {
		n := dice.IntN(300)
		qty, price := int64(1+dice.IntN(3)), int64(199+n*13)
		s.lines = append(s.lines, line{kind: "item", item: h.article(fmt.Sprintf("A-%03d", n), []string{"Apparel", "Footwear", "Camping", "Books"}[n%4]), description: "Article", qty: qty, list: price, cents: qty * price})
		sum += qty * price
	}
	tax := (sum*825 + 5000) / 10000
	s.lines = append(s.lines, line{kind: "tax", description: "Sales Tax", cents: tax})
	if sum += tax; dice.IntN(3) == 0 {
		note := (sum + 1999) / 2000 * 2000
		s.payments = append(s.payments, payment{kind: "cash", cents: note})
		if note > sum {
			s.payments = append(s.payments, payment{kind: "cash", cents: sum - note, change: true})
		}
	} else {
		s.payments = append(s.payments, payment{kind: "visa", cents: sum, last4: "0042", auth: "A1B2C3"})
	}
	return s
}

// Article is one line of goods with tax and cash, for tests that want to know every cent.
func (h *Retail) Article(location, code, category string, qty, cents int64) Sale {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Sale{Location: location, lines: []line{{kind: "item", item: h.article(code, category), description: code, qty: qty, list: cents / qty, cents: cents}}, payments: []payment{{kind: "cash", cents: cents}}}
}

// Hold writes a ticket that is not completed: a cashier left the page, its card is charged already.
func (h *Retail) Hold(s Sale) int64 { return h.write("tickets", "Ticket", "incomplete", s) }

// Sell writes a completed ticket and returns its id.
func (h *Retail) Sell(s Sale) int64 {
	id := h.write("tickets", "Ticket", "complete", s)
	h.hook("tickets", id)
	return id
}

// Invoice writes a completed invoice; deposits of its order that are applied are rows of its payments.
func (h *Retail) Invoice(s Sale, deposits ...int64) int64 {
	var sum int64
	for _, d := range deposits {
		s.payments = append(s.payments, payment{kind: "cash", cents: d, deposit: true})
		sum += d
	}
	if sum != 0 {
		s.payments[0].cents -= sum
	}
	id := h.write("invoices", "Invoice", "complete", s)
	h.hook("invoices", id)
	return id
}

// Order writes an open order; Deposit takes money for it.
func (h *Retail) Order(s Sale) int64 {
	s.payments = nil
	return h.write("orders", "Order", "open", s)
}

// Deposit takes a deposit on an order, at this moment.
func (h *Retail) Deposit(order, cents int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.books["orders"].index[order]
	now := h.now()
	r.payments = append(r.payments, payment{id: h.o.First + 800000 + int64(len(r.payments)) + r.id*10, kind: "cash", cents: cents, deposit: true, completed: now, local: now.In(r.at.zone).Format("2006-01-02T15:04:05")})
	h.touch(r)
}

// Void cancels a ticket, however old.
func (h *Retail) Void(id int64) {
	h.mu.Lock()
	r := h.find("tickets", id)
	r.status = "voided"
	for i := range r.payments {
		r.payments[i].voided = true
	}
	h.touch(r)
	h.mu.Unlock()
	h.hook("tickets", id)
}

// Return gives the first line of goods of a ticket back, now, in cash or onto a gift card.
func (h *Retail) Return(of int64, giftCard bool) int64 {
	h.mu.Lock()
	r := h.find("tickets", of)
	l := r.lines[0]
	l.qty, l.cents, l.off, l.why = -l.qty, -l.qty*l.list, 0, ""
	s := Sale{Location: r.at.Code, Parent: of, lines: []line{l}}
	if giftCard {
		s.lines = append(s.lines, line{kind: "gift_card", description: "Gift card", cents: -l.cents})
	} else {
		s.payments = []payment{{kind: "cash", cents: l.cents}}
	}
	h.mu.Unlock()
	return h.Sell(s)
}

// Touch moves a ticket's updated_at and nothing else, as saving it in the back office does.
func (h *Retail) Touch(id int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.touch(h.find("tickets", id))
}

func (h *Retail) find(book string, id int64) *record {
	if r := h.books[book].index[id]; r != nil {
		return r
	}
	for _, r := range h.waiting {
		if r.book == book && r.id == id {
			return r
		}
	}
	panic(fmt.Sprintf("BUG: heartland has no %s %d", book, id))
}

// touch writes a change.
func (h *Retail) touch(r *record) {
	r.updated = h.now()
	r.render()
	if h.books[r.book].index[r.id] != nil {
		h.books[r.book].put(r)
	}
}

func (h *Retail) write(book, typ, status string, s Sale) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush()
	b := h.books[book]
	now, p := h.now(), h.place(s.Location)
	r := &record{book: book, typ: typ, id: b.next, status: status, at: p, station: p.stations[s.Station%len(p.stations)], parent: s.Parent, order: s.Order,
		rep: h.people[int(b.next)%len(h.people)].name, created: now.Add(-40 * time.Second), updated: now, lines: s.lines, payments: s.payments}
	b.next++
	if status == "complete" {
		if r.completed = s.At.UTC(); s.At.IsZero() {
			r.completed = now
		}
		r.local = r.completed.In(p.zone).Format("2006-01-02T15:04:05")
		r.day = r.local[:10]
	}
	for i := range r.lines {
		r.lines[i].id = r.id*20 + int64(i)
	}
	for i := range r.payments {
		r.payments[i].id = r.id*10 + int64(i)
		r.payments[i].completed, r.payments[i].local = r.completed, r.local
		if r.completed.IsZero() {
			r.payments[i].completed, r.payments[i].local = now, now.In(p.zone).Format("2006-01-02T15:04:05")
		}
	}
	r.render()
	if h.t.Lag > 0 && r.id%7 == 0 {
		r.readable = h.o.Now().Add(h.t.Lag)
		h.waiting = append(h.waiting, r)
	} else {
		b.put(r)
	}
	return r.id
}

// hook tells of a completed transaction, as the vendor does: the bare head, no envelope.
func (h *Retail) hook(book string, id int64) {
	if h.Hook == nil {
		return
	}
	h.mu.Lock()
	body := bytes.Join([][]byte{[]byte("{"), h.find(book, id).body, []byte("}")}, nil)
	h.mu.Unlock()
	h.Hook("sales_transaction_completed", body)
}

// Truth is what the books must say of one location and day: cents by measure, in the words of fake/till, and how many tickets count.
// Deposits and invoices are in it.
func (h *Retail) Truth(location, day string) (tickets int, m map[string]int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m = map[string]int64{}
	for _, r := range h.sold(location, day) {
		tickets++
		r.add(m)
	}
	for _, r := range h.books["orders"].byID {
		for _, p := range r.payments {
			if r.at.Code == location && p.local[:10] == day && !p.voided {
				m["deposit"] += p.cents
				m["tender:"+p.kind] += p.cents
			}
		}
	}
	return tickets, m
}

// Cost is what the goods that a location sold on a day had cost, in cents: each piece a dollar, as its lines say.
func (h *Retail) Cost(location, day string) (cents int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.sold(location, day) {
		for _, l := range r.lines {
			if pieces := max(l.qty, -l.qty); l.kind == "item" && l.cents < 0 {
				cents -= 100 * pieces
			} else if l.kind == "item" {
				cents += 100 * pieces
			}
		}
	}
	return cents
}

// sold lists what counts of a location and day. h.mu is held.
func (h *Retail) sold(location, day string) (out []*record) {
	for _, book := range []string{"tickets", "invoices"} {
		all := h.books[book].byDay[day]
		for _, r := range h.waiting {
			if r.book == book && r.day == day {
				all = append(all[:len(all):len(all)], r)
			}
		}
		for _, r := range all {
			if r.at.Code == location && r.status == "complete" {
				out = append(out, r)
			}
		}
	}
	return out
}

func (r *record) add(m map[string]int64) {
	for _, l := range r.lines {
		switch l.kind {
		case "item":
			m["item"] += l.cents - l.off
			m["discount"] += l.off
		case "tax":
			m["tax:"+l.description] += l.cents
		default:
			m[l.kind] += l.cents
		}
	}
	for _, p := range r.payments {
		switch {
		case p.voided:
		case p.deposit:
			m["deposit"] -= p.cents
		default:
			m["tender:"+p.kind] += p.cents
		}
	}
}

// Of returns what became of a till's ticket here: its id, the day of its own wall clock, and what it comes to; a void is nothing. known is
// false when the till never told of it.
func (h *Retail) Of(tillID string) (id int64, day string, cents int64, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id, known = h.known[tillID]; !known {
		return 0, "", 0, false
	}
	r := h.find("tickets", id)
	if r.status == "complete" {
		for _, l := range r.lines {
			cents += l.cents
		}
	}
	return id, r.day, cents, true
}

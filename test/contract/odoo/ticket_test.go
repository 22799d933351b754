package odoo_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// slips is a store-day ticket by ticket, with ids of its own, so that runs on one real server do not meet.
type slips struct {
	t    *testing.T
	set  mapping.Set
	b    rollup.Books
	key  rollup.DayKey
	now  map[string]rollup.Slipped
	docs []rollup.Document
	own  []rollup.Meaning
}

// put is a ticket in a new version: sold, taxed, and paid by a tender.
func (s *slips) put(number, tender string, sold, tax int64, more ...func(*rollup.Slipped)) {
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	x := rollup.Slipped{Slip: rollup.Slip{Key: "acme|heartland-retail|ticket||" + number, Number: number},
		Totals: rollup.Totals{"sales:Apparel": usd(-sold), "tax:NY State": usd(-tax), ledger.Of(ledger.Tender, tender): usd(sold + tax)}}
	if sold < 0 {
		x.Totals = rollup.Totals{"returns:Apparel": usd(-sold), "taxrefund:NY State": usd(-tax), ledger.Of(ledger.Tender, tender): usd(sold + tax)}
	}
	for _, f := range more {
		f(&x)
	}
	s.now[number] = x
}

// atGateway says where a ticket's card payment stands.
func atGateway(ref string, at retail.PaymentState) func(*rollup.Slipped) {
	return func(x *rollup.Slipped) {
		x.Refs = []string{ref}
		x.Tenders = []rollup.SlipTender{{Measure: "tender:visa", Amount: x.Totals["tender:visa"], State: at}}
	}
}

func (s *slips) totals() rollup.Totals {
	out := rollup.Totals{}
	for _, x := range s.now {
		for a, m := range x.Totals {
			out[a], _ = out[a].Add(m)
		}
	}
	return out
}

// next makes what the books lack.
func (s *slips) next() []rollup.Document {
	s.t.Helper()
	in := rollup.Tickets{Key: s.key, Totals: s.totals(), Posted: s.docs, Books: s.b, Set: s.set, Table: rollup.Meanings(s.own)}
	for _, x := range s.now {
		in.Slips = append(in.Slips, x)
	}
	out, _, err := rollup.NextTickets(in)
	if err != nil {
		s.t.Fatal(err)
	}
	s.docs = append(s.docs, out...)
	return out
}

// book posts documents; what stands before them of the same ticket is told as the store tells it.
func (s *slips) book(o *outbox, w *odoo.Writer, ds []rollup.Document) {
	s.t.Helper()
	for _, d := range ds {
		k := &task{Task: odoo.Task{Document: d, Date: d.Date}}
		for _, e := range s.docs {
			if have := o.tasks[e.ID()]; e.Series == d.Series && e.Number < d.Number && have != nil && have.Move != 0 {
				k.Before = append(k.Before, odoo.Earlier{Document: e, Move: have.Move})
			}
		}
		o.tasks[d.ID()] = k
	}
	step(s.t, w)
	for _, d := range ds {
		want(s.t, o.outcome(d), odoo.Done)
		if r := o.outcome(d).Read; r == nil || r.Difference != 0 {
			s.t.Errorf("%s is read back as %+v", d.ID(), r)
		}
	}
}

// Tickets go one by one, each with its payment, its number and the gateway's ids to search by; a named customer gets an invoice; a newer version and
// a void are documents of their own. What stands on each account is what one entry of the day brings.
func TestTicketsGoOneByOne(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{}}
		o := newOutbox()
		w, c := s.writer(t, o, hub)
		w.Pages = "https://tillpost.example.com/"
		x.put(tag+"-1", "cash", 10000, 812)
		x.put(tag+"-2", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentOpen))
		x.put(tag+"-3", "visa", 5000, 0, func(p *rollup.Slipped) { p.Customer = "C-" + tag })
		x.put(tag+"-4", "cash", -1500, -120)
		first := x.next()
		if len(first) != 4 {
			t.Fatalf("%d documents", len(first))
		}
		x.book(o, w, first)
		s.sameAsEntry(t, x, o, map[string]int{"out_receipt": 2, "out_invoice": 1, "out_refund": 1, "entry": 4})
		if rows := rowsOf(t, c, "account.move", []any{[]any{"payment_reference", "=like", tag + "-2%"}}, "narration", "ref"); len(rows) != 1 || !strings.Contains(rows[0]["narration"].(string), "2001-"+tag) ||
			!strings.Contains(rows[0]["narration"].(string), "https://tillpost.example.com/day?date="+string(today)) || !strings.HasPrefix(rows[0]["ref"].(string), odoo.Ref(hub, first[0])[:17]) {
			t.Errorf("the gateway's id finds %v", rows)
		}
		if rows := rowsOf(t, c, "res.partner", []any{[]any{"ref", "=", "C-" + tag}}, "name"); len(rows) != 1 {
			t.Errorf("the named customer is %v", rows)
		}

		// A newer version, a void, and a settled payment that changes nothing.
		x.put(tag+"-1", "cash", 9000, 731)
		v := x.now[tag+"-3"]
		v.Void, v.Totals = true, nil
		x.now[tag+"-3"] = v
		x.put(tag+"-2", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentClosed))
		second := x.next()
		if len(second) != 2 {
			t.Fatalf("%d documents after the changes: %+v", len(second), second)
		}
		x.book(o, w, second)
		s.sameAsEntry(t, x, o, map[string]int{"out_receipt": 2, "out_invoice": 1, "out_refund": 3, "entry": 6})
		if n, err := w.Look(t.Context(), w.Now().AddDate(-1, 0, 0)); err != nil || n != 6 {
			t.Fatalf("looked at %d: %v", n, err)
		}
		for _, d := range x.docs {
			want(t, o.outcome(d), odoo.Done)
		}

		other, oc := s.writer(t, o, hub) // who has met no customer yet looks all the same, and makes none
		if n, err := other.Look(t.Context(), w.Now().AddDate(-1, 0, 0)); err != nil || n != 6 {
			t.Fatalf("looked at %d: %v", n, err)
		}
		for _, d := range x.docs {
			want(t, o.outcome(d), odoo.Done)
		}
		if rows := rowsOf(t, oc, "res.partner", []any{[]any{"ref", "=", "C-" + tag}}, "name"); len(rows) != 1 {
			t.Errorf("after a look the named customer is %v", rows)
		}

		// A hub that forgot everything finds them all again.
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != len(x.docs) {
			t.Fatalf("found %d of %d documents: %v", len(own), len(x.docs), err)
		}
		for _, a := range own {
			if !a.Posted || a.Document.Mode != rollup.ByTicket || a.Move != o.outcome(a.Document).Read.Move {
				t.Errorf("adopted %+v", a)
			}
		}
	})
}

// A payment that is not booked leaves its receipt unpaid on the customer's account; once the gateway says otherwise, it is booked and matched.
func TestAPaymentIsBookedWhenItsStatusSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{},
			own: []rollup.Meaning{{Status: rollup.IsApproved, Move: rollup.MovePosted, Payment: rollup.PaymentOpen}}}
		o := newOutbox()
		w, _ := s.writer(t, o, hub)
		x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentOpen))
		x.put(tag+"-2", "visa", 4000, 100, atGateway("2002-"+tag, retail.PaymentOpen))
		x.book(o, w, x.next())
		if got := s.taken(t, hub, x.docs...); got.owed != 6910 || !got.paid["not_paid"] || got.sums[visaAccount(set)] != 0 || got.kinds["entry"] != 0 {
			t.Errorf("while they are only approved: %+v", got)
		}
		x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentClosed))
		x.put(tag+"-2", "visa", 4000, 100, atGateway("2002-"+tag, retail.PaymentDeclined)) // as open as before
		next := x.next()
		if len(next) != 1 {
			t.Fatalf("%d documents when one is settled", len(next))
		}
		x.book(o, w, next)
		if got := s.taken(t, hub, x.docs...); got.owed != 4100 || !got.paid["not_paid"] || !got.paid["paid"] || got.sums[visaAccount(set)] != 2810 {
			t.Errorf("when one is settled: %+v", got)
		}
		void := x.now[tag+"-2"]
		void.Void, void.Totals, void.Tenders = true, nil, nil
		x.now[tag+"-2"] = void
		x.book(o, w, x.next())
		if got := s.taken(t, hub, x.docs...); got.owed != 0 || got.paid["not_paid"] || got.paid["partial"] {
			t.Errorf("when the other is voided: %+v", got)
		}
	})
}

func visaAccount(set mapping.Set) string {
	t, _ := set.Find(ledger.Tender, "visa", "S-NY", today)
	return t.Account
}

// sameAsEntry holds what all documents of a day brought against one entry of the same figures.
func (s server) sameAsEntry(t *testing.T, x *slips, o *outbox, kinds map[string]int) {
	t.Helper()
	got := taken{sums: map[string]int64{}, kinds: map[string]int{}, paid: map[string]bool{}}
	for _, d := range x.docs {
		one := s.taken(t, o.hub, d)
		for k, n := range one.sums {
			got.sums[k] += n
		}
		for k, n := range one.kinds {
			got.kinds[k] += n
		}
		got.owed += one.owed
		maps.Copy(got.paid, one.paid)
	}
	maps.DeleteFunc(got.sums, func(_ string, n int64) bool { return n == 0 })
	s.sameSums(t, x, got)
	if got.paid["not_paid"] || got.paid["partial"] {
		t.Errorf("not all are paid: %+v", got)
	}
	if !maps.Equal(got.kinds, kinds) {
		t.Errorf("they are %v, want %v", got.kinds, kinds)
	}
}

// sameSums holds what stands on the accounts against one entry of a day's figures.
func (s server) sameSums(t *testing.T, x *slips, got taken) {
	t.Helper()
	hub := newHub()
	e := documentOf(t, x.set, x.b, x.key.Location, x.key.Day, rollup.ByEntry, x.totals())
	box := newOutbox(e)
	w, _ := s.writer(t, box, hub)
	step(t, w)
	want(t, box.outcome(e), odoo.Done)
	if plain := s.taken(t, hub, e); !maps.Equal(got.sums, plain.sums) || got.owed != 0 {
		t.Errorf("the documents bring %+v, one entry %v", got, plain.sums)
	}
}

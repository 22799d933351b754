package odoo_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/lockdate"
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
			if have := o.tasks[e.ID()]; e.Series == d.Series && e.Number != d.Number && have != nil && have.Move != 0 {
				k.Before = append(k.Before, odoo.Earlier{Document: e, Move: have.Move, Parts: have.Parts})
			}
			if have := o.tasks[e.ID()]; (e.Series != d.Series || e.Key != d.Key) && d.Slip != nil && d.Slip.House && e.Slip != nil && e.Slip.House && have != nil && have.Move != 0 {
				k.House = append(k.House, odoo.Earlier{Document: e, Move: have.Move, Parts: have.Parts})
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
		if len(next) != 1 || !next[0].Settles {
			t.Fatalf("when one is settled: %+v", next)
		}
		x.book(o, w, next)
		s.isPayment(t, o, next[0], "inbound", 2810)
		if got := s.taken(t, hub, x.docs...); got.payments != 1 || got.kinds["entry"] != 1 || got.owed != 4100 || !got.paid["not_paid"] || !got.paid["paid"] || got.sums[visaAccount(set)] != 2810 {
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

// isPayment holds that a document is one payment of Odoo's and nothing else, of its ticket's customer, and that what names it leads there.
func (s server) isPayment(t *testing.T, o *outbox, d rollup.Document, way string, cents int64) {
	t.Helper()
	k, c := o.tasks[d.ID()], s.client(t)
	got := s.taken(t, o.hub, d)
	if got.payments != 1 || got.kinds["entry"] != 1 || len(got.kinds) != 1 || got.draft != 0 || len(k.Parts) != 1 {
		t.Fatalf("%s is %+v, known by %v", d.ID(), got, k.Parts)
	}
	for _, n := range k.Parts {
		rows := rowsOf(t, c, "account.payment", []any{[]any{"id", "=", n}}, "payment_type", "amount", "move_id", "state", "partner_id", s.memo(t))
		if len(rows) != 1 || rows[0]["payment_type"] != way || int64(math.Round(rows[0]["amount"].(float64)*100)) != cents || rows[0]["move_id"] != k.Move || rows[0]["partner_id"] == false || rows[0]["state"] == "draft" {
			t.Errorf("%s is the payment %v, known as entry %d", d.ID(), rows, k.Move)
		}
		if memo := rows[0][s.memo(t)].(string); !strings.Contains(memo, d.Slip.Number) || len(d.Slip.Refs) > 0 && !strings.Contains(memo, d.Slip.Refs[0]) {
			t.Errorf("nobody finds ticket %s by %q", d.Slip.Number, memo)
		} else if id, own, ok := odoo.DocumentOf(o.hub, memo); !ok || !own || id != d.ID() {
			t.Errorf("%q names %s", memo, id)
		}
	}
	if out := o.outcome(d); out.Read.Move != k.Move || !strings.HasSuffix(out.Entry, fmt.Sprintf("(id %d)", k.Move)) {
		t.Errorf("it is read back as %+v, entry %q of %d", out.Read, out.Entry, k.Move)
	}
}

// What a gateway says long after of a payment that was booked is a payment the other way, open on its customer until another word comes; that one is matched
// with it. A hub that forgot all finds each of them again and makes none anew.
func TestAPaymentThatIsTakenBackIsAPaymentTheOtherWay(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{}}
		o := newOutbox()
		w, c := s.writer(t, o, hub)
		w.Pages = "https://tillpost.example.com/"
		x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentClosed))
		x.book(o, w, x.next())
		visa := visaAccount(set)
		for i, turn := range []struct {
			state       retail.PaymentState
			way         string
			owed, books int64
		}{{retail.PaymentReversed, "outbound", 2810, 0}, {retail.PaymentClosed, "inbound", 0, 2810}, {retail.PaymentDeclined, "outbound", 2810, 0}} {
			x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, turn.state))
			next := x.next()
			if len(next) != 1 {
				t.Fatalf("%s: %d documents", turn.state, len(next))
			}
			x.book(o, w, next)
			s.isPayment(t, o, next[0], turn.way, 2810)
			if got := s.taken(t, hub, x.docs...); got.owed != turn.owed || got.sums[visa] != turn.books || got.payments != i+2 || !got.paid["paid"] {
				t.Errorf("%s: %+v", turn.state, got)
			}
			if rows := rowsOf(t, c, "account.move", []any{[]any{"id", "=", o.tasks[next[0].ID()].Move}}, "narration"); !strings.Contains(fmt.Sprint(rows[0]["narration"]), "https://tillpost.example.com/day?") || !strings.Contains(fmt.Sprint(rows[0]["narration"]), "2001-"+tag) {
				t.Errorf("%s: its note is %v", turn.state, rows[0]["narration"])
			}
		}
		if n, err := w.Look(t.Context(), w.Now().AddDate(-1, 0, 0)); err != nil || n != 4 {
			t.Fatalf("looked at %d: %v", n, err)
		}
		for _, d := range x.docs {
			want(t, o.outcome(d), odoo.Done)
		}
		again := newOutbox()
		blank, _ := s.writer(t, again, hub)
		own, err := blank.Own(t.Context())
		if err != nil || len(own) != len(x.docs) {
			t.Fatalf("found %d of %d documents: %v", len(own), len(x.docs), err)
		}
		for _, a := range own[1:] { // the receipt's own are another case's
			k := o.tasks[a.Document.ID()]
			if left, err := rollup.Delta([]rollup.Document{a.Document}, k.Document.Lines); err != nil || len(left) != 0 || a.Move != k.Move || !maps.Equal(a.Parts, k.Parts) || !a.Posted || !a.Document.Settles {
				t.Errorf("adopted %+v as %d %v, was %d %v; it lacks %+v", a.Document, a.Move, a.Parts, k.Move, k.Parts, left)
			}
			again.tasks[a.Document.ID()] = &task{Task: odoo.Task{Document: a.Document, Date: a.Document.Date, Move: a.Move, Parts: a.Parts, Home: a.Home}, last: odoo.Outcome{Verdict: odoo.Done}}
		}
		if n, err := blank.Look(t.Context(), w.Now().AddDate(-1, 0, 0)); err != nil || n != 3 {
			t.Fatalf("looked at %d adopted: %v", n, err)
		}
		for _, a := range own[1:] {
			want(t, again.outcome(a.Document), odoo.Done)
		}
		forgot := newOutbox() // not even its ids
		w2, _ := s.writer(t, forgot, hub)
		x.book(forgot, w2, x.docs)
		if got := s.taken(t, hub, x.docs...); got.payments != 4 || got.owed != 2810 {
			t.Errorf("after all was forgotten: %+v", got)
		}
	})
}

// Whatever answer or call is lost, a later payment is made once and matched once.
func TestLostAnswersNeverMakeALaterPaymentTwice(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		at, p := s.behind(t)
		run := func(name string, how func(string) spoil) (calls []string) {
			hub := newHub()
			tag := string(hub)[:8]
			x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{},
				own: []rollup.Meaning{{Status: rollup.IsApproved, Move: rollup.MovePosted, Payment: rollup.PaymentOpen}}}
			o := newOutbox()
			w, _ := at.writer(t, o, hub)
			p.set(nil)
			x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentOpen))
			x.book(o, w, x.next())
			x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentClosed))
			d := x.next()[0]
			o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date, Before: []odoo.Earlier{{Document: x.docs[0], Move: o.tasks[x.docs[0].ID()].Move}}}}
			p.set(how)
			step(t, w)
			calls = p.seen()
			for i := 0; i < 5 && o.outcome(d).Verdict != odoo.Done; i++ {
				step(t, w)
			}
			if o.outcome(d).Verdict != odoo.Done {
				t.Fatalf("%s is lost: %s", name, o.outcome(d).Why)
			}
			p.set(nil)
			s.isPayment(t, o, d, "inbound", 2810)
			if got := s.taken(t, hub, x.docs...); got.owed != 0 || !got.paid["paid"] || len(got.paid) != 1 || got.sums[visaAccount(set)] != 2810 {
				t.Errorf("%s: %+v", name, got)
			}
			return calls
		}
		calls, writes := run("nothing", nth(1000, lose)), 0
		for n, call := range calls {
			_, method, _ := cutLast(call, ".")
			if slices.Contains([]string{"load", "action_post", "write", "reconcile"}, method) {
				writes++
			} else if s.fake == nil { // a real one takes its time: only what writes
				continue
			}
			run(fmt.Sprintf("answer %d, %s", n+1, call), nth(n+1, lose))
			run(fmt.Sprintf("call %d, %s", n+1, call), nth(n+1, unsent))
		}
		if writes != 5 {
			t.Errorf("load, post, note, names and match are %v", calls)
		}
	})
}

// A payment alone whose draft a lock overtook goes to the first open date, as all that comes late; until it is posted nothing but its payment is known of it.
func TestALaterPaymentThatALockOvertookIsDatedAnew(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		field := "sale_lock_date"
		if p.version == 17 {
			field = p.lockField()
		}
		at, way := s.behind(t)
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: ancient.AddDays(6)}, now: map[string]rollup.Slipped{},
			own: []rollup.Meaning{{Status: rollup.IsApproved, Move: rollup.MovePosted, Payment: rollup.PaymentOpen}}}
		o := newOutbox()
		w, c := at.writer(t, o, hub)
		x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentOpen))
		x.book(o, w, x.next())
		x.put(tag+"-1", "visa", 2599, 211, atGateway("2001-"+tag, retail.PaymentClosed))
		d := x.next()[0]
		o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date, Period: lockdate.Next, Before: []odoo.Earlier{{Document: x.docs[0], Move: o.tasks[x.docs[0].ID()].Move}}}}
		way.set(only("account.payment.action_post", unsent))
		step(t, w)
		way.set(nil)
		want(t, o.outcome(d), odoo.Wait)
		if k := o.tasks[d.ID()]; k.Move != 0 || len(k.Parts) != 1 {
			t.Fatalf("its draft is known as %d %v", k.Move, k.Parts)
		}
		p.lock(field, "2002-06-30")
		for range 3 {
			step(t, w)
		}
		want(t, o.outcome(d), odoo.Done)
		s.isPayment(t, o, d, "inbound", 2810)
		if rows := rowsOf(t, c, "account.move", []any{[]any{"id", "=", o.tasks[d.ID()].Move}}, "date"); rows[0]["date"] != "2002-07-01" {
			t.Errorf("it stands on %v", rows[0]["date"])
		}
		if got := s.taken(t, hub, x.docs...); got.owed != 0 || !got.paid["paid"] {
			t.Errorf("%+v", got)
		}
	})
}

// What is charged to a house account stays open on its customer's invoice; what is paid on it later, in whatever parts and by whatever tender, is a payment of the
// same customer, matched with what is open, the oldest first. A payment ahead waits for the next charge.
func TestAHouseAccountsPaymentIsMatchedWithItsInvoices(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		set, b := s.set(t)
		c := s.client(t)
		owes := ""
		for _, r := range rowsOf(t, c, "res.partner", []any{[]any{"ref", "=", odoo.WalkInRef("S-NY")}}, "property_account_receivable_id") {
			n := r["property_account_receivable_id"]
			owes = rowsOf(t, c, "account.account", []any{[]any{"id", "=", n}}, "code")[0]["code"].(string)
		}
		set.Rules = slices.Clone(set.Rules)
		set.Rules = slices.DeleteFunc(set.Rules, func(r mapping.Rule) bool { return r.Role == ledger.House })
		for _, r := range []mapping.Rule{{Role: ledger.House, Target: mapping.Target{Account: owes}}, {Role: ledger.Tender, Code: "on_account", Target: mapping.Target{Account: owes}}} {
			set.Rules = append(set.Rules, r)
		}
		hub := newHub()
		tag := string(hub)[:8]
		x := &slips{t: t, set: set, b: b, key: rollup.DayKey{Location: "S-NY", Day: today}, now: map[string]rollup.Slipped{}}
		o := newOutbox()
		w, _ := s.writer(t, o, hub)
		house := func(p *rollup.Slipped) { p.Customer, p.House = "C-"+tag, true }
		received := func(number, tender string, cents int64) {
			x.put(number, tender, cents, 0, house)
			p := x.now[number]
			p.Totals = rollup.Totals{"house": money.Of(-cents, "USD"), ledger.Of(ledger.Tender, tender): money.Of(cents, "USD")}
			x.now[number] = p
		}
		turn := func(name string, documents int, owed int64, states ...string) {
			t.Helper()
			next := x.next()
			if len(next) != documents {
				t.Fatalf("%s: %d documents", name, len(next))
			}
			x.book(o, w, next)
			got := s.taken(t, hub, x.docs...)
			slices.Sort(states)
			if have := slices.Sorted(maps.Keys(got.paid)); got.owed != owed || !slices.Equal(have, states) {
				t.Errorf("%s: open is %d, want %d; invoices are %v, want %v", name, got.owed, owed, have, states)
			}
		}
		x.put(tag+"-1", "on_account", 10000, 812, house)
		x.put(tag+"-2", "on_account", 5000, 0, house)
		turn("charged", 2, 15812, "not_paid")
		received(tag+"-3", "cash", 12812)
		turn("paid in part", 1, 3000, "paid", "partial")
		s.isPayment(t, o, x.docs[2], "inbound", 12812)
		received(tag+"-4", "visa", 4000)
		turn("paid ahead", 1, -1000, "paid")
		received(tag+"-4", "visa", 4500) // a newer version of the ticket
		turn("corrected", 1, -1500, "paid")
		s.isPayment(t, o, x.docs[4], "inbound", 500)
		x.put(tag+"-5", "on_account", 1500, 0, house)
		turn("charged against what was paid ahead", 1, 0, "paid")
		for _, d := range x.docs {
			if len(rowsOf(t, c, "account.move", []any{[]any{"id", "=", o.tasks[d.ID()].Move}, []any{"partner_id.ref", "=", "C-" + tag}}, "id")) != 1 {
				t.Errorf("%s is not its customer's", d.ID())
			}
		}
		if n, err := w.Look(t.Context(), w.Now().AddDate(-1, 0, 0)); err != nil || n != 6 {
			t.Fatalf("looked at %d: %v", n, err)
		}
		for _, d := range x.docs {
			want(t, o.outcome(d), odoo.Done)
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

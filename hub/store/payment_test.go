package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// books is a hub's store with one device's stream into it.
type books struct {
	t *testing.T
	*store.Store
	line
	head ingest.Head
}

func newBooks(t *testing.T) *books {
	b := &books{t: t, Store: open(t), line: line{device: "pc", epoch: envelope.NewEpoch()}}
	b.Now = func() time.Time { return now }
	return b
}

// tell commits records as the intake does, and matches.
func (b *books) tell(kind envelope.Kind, bodies ...any) {
	b.t.Helper()
	r := meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
		return retail.Calendar{{Trading: retail.Trading{Zone: time.UTC, Cutoff: retail.Clock{Hour: 4}}}}
	}}
	for _, x := range bodies {
		body, err := json.Marshal(x)
		if err != nil {
			b.t.Fatal(err)
		}
		e := b.seal(kind, "k", string(body))
		m := r.Mean(&e)
		if m.Refused != nil {
			b.t.Fatalf("%v\n%s", m.Refused, body)
		}
		if err := b.Commit(b.t.Context(), []ingest.Advance{{From: b.head, Envs: []ingest.Accepted{{Env: &e, Meaning: m}}}}); err != nil {
			b.t.Fatal(err)
		}
		if b.head, err = b.Head(b.t.Context(), "pc", envelope.Sales, b.epoch); err != nil {
			b.t.Fatal(err)
		}
	}
	for {
		n, err := b.MatchPayments(b.t.Context(), 10)
		if err != nil {
			b.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// ticket is a sale paid by one card.
func ticket(id string, rev int, minute, cents int, more map[string]any) map[string]any {
	amount := json.Number(fmt.Sprintf("%d.%02d", cents/100, cents%100))
	tender := map[string]any{"type": "visa", "amount": amount, "last4": "1111"}
	kind := "sale"
	for k, v := range more {
		if k == "kind" {
			kind = v.(string)
		} else {
			tender[k] = v
		}
	}
	return map[string]any{"id": id, "number": "N-" + id, "location": "S1", "till": "T1", "at": now.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339), "currency": "USD", "kind": kind, "revision": rev,
		"lines": []any{map[string]any{"kind": "item", "category": "Toys", "amount": amount}}, "tenders": []any{tender}}
}

func payment(id string, rev int64, minute int, cents int64, state retail.PaymentState, change ...func(*retail.Payment)) retail.Payment {
	p := retail.Payment{Key: retail.Key{System: "heartland-portico", Record: "payment", ID: id}, Location: "S1", Till: "T1", At: now.Add(time.Duration(minute) * time.Minute), State: state,
		Amount: money.Of(cents, "USD"), Brand: "Visa", Last4: "1111", Revision: rev}
	for _, c := range change {
		c(&p)
	}
	return p
}

func (b *books) payments(f view.PaymentFilter) map[string]view.PaymentView {
	b.t.Helper()
	vs, err := b.PaymentViews(b.t.Context(), f)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]view.PaymentView{}
	for _, v := range vs {
		out[v.Gateway] = v
	}
	return out
}

func TestPaymentsFindTheirTickets(t *testing.T) {
	b := newBooks(t)
	b.tell(decode.Ticket, ticket("1", 1, 0, 1000, map[string]any{"ref": "9001"}), ticket("2", 1, 30, 2000, nil), ticket("3", 1, 60, 3000, map[string]any{"last4": "3333"}))
	b.tell(decode.Payment, payment("9001", 10, 0, 1000, retail.PaymentOpen), payment("9002", 10, 30, 2000, retail.PaymentOpen), payment("9003", 10, 90, 7777, retail.PaymentOpen))
	got := b.payments(view.PaymentFilter{})
	if got["9001"].Number != "N-1" || got["9001"].Confidence != "certain" || got["9002"].Number != "N-2" || got["9002"].Confidence != "strong" || got["9003"].Ticket != 0 {
		t.Fatalf("got %+v", got)
	}
	if un := b.payments(view.PaymentFilter{Unmatched: true}); len(un) != 1 || un["9003"].Amount != money.Of(7777, "USD") {
		t.Errorf("unmatched: %+v", un)
	}
	b.tell(decode.ReadTo, retail.ReadTo{Source: "portico", Of: retail.OfPayments, Location: "S1", Through: now.Add(48 * time.Hour)})
	lone, err := b.LoneTenders(t.Context(), view.PaymentFilter{}, time.Hour)
	if err != nil || len(lone) != 1 || lone[0].Number != "N-3" {
		t.Errorf("tenders without payment: %+v, %v", lone, err)
	}
	tv, err := b.TicketView(t.Context(), got["9001"].Ticket)
	if err != nil || len(tv.Payments) != 1 || tv.Payments[0].Gateway != "9001" {
		t.Errorf("the ticket shows %+v, %v", tv.Payments, err)
	}
	// The payment that nobody had comes to light when its ticket does.
	b.tell(decode.Ticket, ticket("4", 1, 91, 7777, nil))
	if got := b.payments(view.PaymentFilter{}); got["9003"].Number != "N-4" {
		t.Errorf("got %+v", got["9003"])
	}
}

// TestVersionsOfAPayment: a tip, a void and a closing are versions of one payment, in whatever order they arrive.
func TestVersionsOfAPayment(t *testing.T) {
	b := newBooks(t)
	tip := func(p *retail.Payment) { p.Tip = money.Of(300, "USD") }
	batch := func(p *retail.Payment) { p.Batch = "990041" }
	b.tell(decode.Ticket, ticket("1", 1, 0, 2000, nil))
	b.tell(decode.Payment, payment("1", 10, 0, 2000, retail.PaymentOpen), payment("1", 20, 0, 2300, retail.PaymentOpen, tip))
	if v := b.payments(view.PaymentFilter{})["1"]; v.Versions != 2 || v.Amount != money.Of(2300, "USD") || v.Difference != money.Of(300, "USD") || v.Ticket == 0 {
		t.Fatalf("got %+v", v)
	}
	b.tell(decode.Ticket, ticket("1", 2, 0, 2300, nil)) // the till tells the tip too
	if v := b.payments(view.PaymentFilter{})["1"]; !v.Difference.IsZero() {
		t.Errorf("got %+v", v)
	}
	b.tell(decode.Payment, payment("1", 1000, 0, 2300, retail.PaymentClosed, tip, batch), payment("1", 30, 0, 2300, retail.PaymentOpen, tip), payment("1", 1000, 0, 2300, retail.PaymentClosed, tip, batch))
	if v := b.payments(view.PaymentFilter{})["1"]; v.State != retail.PaymentClosed || v.Batch != "990041" || v.Versions != 3 {
		t.Errorf("got %+v", v)
	}
	b.tell(decode.Ticket, ticket("2", 1, 40, 500, map[string]any{"ref": "2"}))
	b.tell(decode.Payment, payment("2", 10, 40, 500, retail.PaymentOpen), payment("2", 1100, 40, 500, retail.PaymentVoided))
	b.tell(decode.Ticket, ticket("2", 2, 40, 500, map[string]any{"ref": "2", "kind": "void"}))
	if v := b.payments(view.PaymentFilter{})["2"]; v.State != retail.PaymentVoided || v.Number != "N-2" {
		t.Errorf("got %+v", v)
	}
	if un := b.payments(view.PaymentFilter{Unmatched: true}); len(un) != 0 {
		t.Errorf("unmatched: %+v", un)
	}
}

// TestATenderThatGoes: a payment lets go of a tender that a new version of its ticket has no more.
func TestATenderThatGoes(t *testing.T) {
	b := newBooks(t)
	b.tell(decode.Ticket, ticket("1", 1, 0, 1000, nil))
	b.tell(decode.Payment, payment("1", 10, 0, 1000, retail.PaymentOpen))
	b.tell(decode.Ticket, ticket("1", 2, 0, 1000, map[string]any{"type": "cash", "last4": ""}))
	if v := b.payments(view.PaymentFilter{})["1"]; v.Ticket != 0 || v.Confidence != "" {
		t.Errorf("got %+v", v)
	}
}

// TestANumberTakesFromALook: a payment of another day that only looked like it gives the tender up.
func TestANumberTakesFromALook(t *testing.T) {
	b := newBooks(t)
	b.tell(decode.Ticket, ticket("1", 1, 0, 1000, map[string]any{"ref": "7002"}))
	b.tell(decode.Payment, payment("7001", 10, 1, 1000, retail.PaymentOpen))
	if v := b.payments(view.PaymentFilter{})["7001"]; v.Ticket == 0 {
		t.Fatalf("got %+v", v)
	}
	b.tell(decode.Payment, payment("7002", 10, 60*24*3, 1000, retail.PaymentOpen))
	got := b.payments(view.PaymentFilter{})
	if got["7002"].Confidence != "certain" || got["7001"].Ticket != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestBatchesAddUp(t *testing.T) {
	b := newBooks(t)
	in := func(p *retail.Payment) { p.Batch = "990041" }
	b.tell(decode.Payment, payment("1", 10, 0, 1000, retail.PaymentClosed, in), payment("2", 10, 0, -300, retail.PaymentClosed, in), payment("3", 10, 0, 999, retail.PaymentVoided, in))
	batch := retail.Batch{Key: retail.Key{System: "heartland-portico", Record: "batch", ID: "990041"}, Location: "S1", State: retail.BatchOpen, Opened: now, Count: 1, Total: money.Of(1000, "USD"), Revision: 1}
	closed := batch
	closed.State, closed.Closed, closed.Count, closed.Total, closed.Revision = retail.BatchClosed, now.Add(time.Hour), 2, money.Of(700, "USD"), 2
	brands := closed
	brands.ByBrand, brands.Revision = map[string]money.Amount{"Visa": money.Of(700, "USD")}, 3
	b.tell(decode.Batch, batch, closed, brands, closed)
	vs, err := b.BatchViews(t.Context(), view.PaymentFilter{Location: "S1"})
	if err != nil || len(vs) != 1 || vs[0].State != retail.BatchClosed || vs[0].Payments != 2 || vs[0].Sum != money.Of(700, "USD") || !vs[0].Difference.IsZero() || vs[0].ByBrand == nil {
		t.Errorf("got %+v, %v", vs, err)
	}
}

func TestSettlementIsKept(t *testing.T) {
	b := newBooks(t)
	row := func(what, row string) json.RawMessage {
		return json.RawMessage(`{"what":"` + what + `","location":"S1","asked":"2026-11-23T08:00:00Z","row":` + row + `}`)
	}
	b.tell(decode.GPAPI, row("deposits", `{"id":"DEP_1","time_created":"2026-11-21","status":"DELAYED","funding_type":"CREDIT","amount":"1500","currency":"USD","system":{"mid":"101"}}`),
		row("transactions", `{"id":"TRN_1","time_created":"2026-11-20T15:04:05Z","type":"SALE","amount":"2000","currency":"USD","deposit_id":"DEP_1"}`),
		row("transactions", `{"id":"TRN_2","time_created":"2026-11-20T15:04:05Z","type":"REFUND","amount":"500","currency":"USD","deposit_id":"DEP_1"}`),
		row("disputes", `{"id":"DIS_1","stage_time_created":"2026-11-12T18:50:39Z","amount":"1200","currency":"USD"}`),
		row("monthly_fees", `{"time_created":"2026-10-31","amount":"45123","currency":"USD","system":{"mid":"101"}}`),
		row("deposits", `{"id":"DEP_1","time_created":"2026-11-21","status":"RELEASED","funding_type":"CREDIT","amount":"1500","currency":"USD","system":{"mid":"101"}}`))
	vs, err := b.SettlementViews(t.Context(), view.SettlementFilter{Kind: "deposit"})
	if err != nil || len(vs) != 1 || vs[0].Payments != 2 || vs[0].Sum != money.Of(1500, "USD") || vs[0].Record.(retail.BankDeposit).Status != "RELEASED" {
		t.Errorf("got %+v, %v", vs, err)
	}
	all, err := b.SettlementViews(t.Context(), view.SettlementFilter{})
	if err != nil || len(all) != 5 {
		t.Errorf("%d records, %v", len(all), err)
	}
}

// TestPaymentsProveNoDay: how far payments are read is no proof that tickets are.
func TestPaymentsProveNoDay(t *testing.T) {
	b := newBooks(t)
	b.tell(decode.Ticket, ticket("1", 1, 0, 1000, nil))
	b.tell(decode.ReadTo, retail.ReadTo{Source: "portico", Of: retail.OfPayments, Location: "S1", Through: now.Add(72 * time.Hour)})
	if _, err := b.Fold(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	d, err := b.DayDetail(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Proofs {
		if p.What == "read to" && p.Good {
			t.Errorf("the day is proven by %+v", p)
		}
	}
}

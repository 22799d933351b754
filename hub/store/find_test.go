package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// named words what an id leads to: kind, id, how many tickets, documents with their records.
func named(t *testing.T, s *store.Store, what string, only ...retail.LocationCode) string {
	t.Helper()
	f := view.FindFilter{Find: what, Limit: 50}
	if len(only) > 0 {
		f.Only = only
	}
	found, err := s.Find(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Looked) < 6 {
		t.Errorf("it was looked at %v", found.Looked)
	}
	var out []string
	for _, x := range found.Things {
		w := fmt.Sprintf("%s %s %d", x.Kind, x.ID, x.Count)
		for _, d := range x.Documents {
			w += fmt.Sprintf(" [%s %s/%d %s %s]", d.ID, d.Odoo.Model, d.Odoo.ID, d.Odoo.Name, d.Odoo.State)
		}
		out = append(out, w)
	}
	return strings.Join(out, "; ")
}

// bookAs says that Odoo has every document that is due, each as an entry of its own.
func (g *rig) bookAs(first int64) {
	g.t.Helper()
	box := store.Outbox{Store: g.Store}
	for i, k := range g.claims() {
		k.Move = first + int64(i)
		g.ok(box.Loaded(g.t.Context(), []odoo.Task{k}))
		name := fmt.Sprintf("TPOS/2026/11/%04d", k.Move)
		g.settle(odoo.Outcome{Document: k.Document.ID(), Verdict: odoo.Done, Posted: true, Entry: fmt.Sprintf("%s (id %d)", name, k.Move),
			Read: &odoo.Reading{Move: k.Move, Name: name, Date: k.Date, URL: fmt.Sprintf("https://books/odoo/account.move/%d", k.Move)}})
	}
	g.roll()
}

// A payment or entry that stands beside a receipt is its document's, by its own id; ids of payments and of entries are numbered apart.
func TestWhatStandsBesideAReceiptIsFoundByItsOwnId(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1001", "2026-11-19T18:00:00Z")
	g.sell("1002", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	box := store.Outbox{Store: g.Store}
	for i, k := range g.claims() {
		k.Move, k.Parts = 57+int64(i), map[string]int64{"payment7": 58 + int64(i), "paid8": 60 + int64(i)}
		g.ok(box.Loaded(t.Context(), []odoo.Task{k}))
	}
	for what, want := range map[string]string{
		"account.move/57": "19/1", "account.move/58": "20/1", "account.payment/58": "19/1", "account.payment/59": "20/1", "account.move/60": "19/1", "account.move/61": "20/1",
		"https://books/odoo/account.payment/58": "19/1", "account.move/59": "", "account.payment/57": "", "account.payment/60": "",
	} {
		got := named(t, g.Store, what)
		if want == "" && got != "" || want != "" && !strings.HasPrefix(got, "document S1/2026-11-"+want+" 1 [") {
			t.Errorf("%q names %q, want the document of %s", what, got, want)
		}
		if got := named(t, g.Store, what, "S2"); got != "" {
			t.Errorf("a user of another store finds %q as %s", what, got)
		}
	}
}

func TestATicketIsFoundWithItsEntryAndTheReverse(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.clock = time.Date(2026, 11, 20, 21, 0, 0, 0, time.UTC) // the day is still on
	g.sell("1001", "2026-11-20T18:00:00Z")
	g.sell("1002", "2026-11-20T19:00:00Z", `"currency"`, `"customer":"C7","currency"`)
	g.later(24 * time.Hour)
	g.sell("1003", "2026-11-21T09:00:00Z")
	g.later(48 * time.Hour)
	g.bookAs(57)
	g.sell("1004", "2026-11-20T20:00:00Z") // late
	g.later(48 * time.Hour)
	g.bookAs(90)

	first, second, late := "[S1/2026-11-20/1 account.move/57 TPOS/2026/11/0057 posted]", "[S1/2026-11-21/1 account.move/58 TPOS/2026/11/0058 posted]", "[S1/2026-11-20/2 account.move/90 TPOS/2026/11/0090 posted]"
	hub, err := g.HubID(t.Context())
	g.ok(err)
	ref := odoo.Ref(hub, g.document("S1/2026-11-20/1"))
	for what, want := range map[string]string{
		"1001": "ticket 1001 1 " + first, " 1002 ": "ticket 1002 1 " + first, "1003": "ticket 1003 1 " + second, "1004": "ticket 1004 1 " + late,
		"S1/2026-11-20/1": "document S1/2026-11-20/1 2 " + first,
		"S1/2026-11-20":   "document S1/2026-11-20/1 2 " + first + "; document S1/2026-11-20/2 1 " + late,
		"S1 2026-11-21":   "document S1/2026-11-21/1 1 " + second,
		"account.move/57": "document S1/2026-11-20/1 2 " + first, "account.move,58": "document S1/2026-11-21/1 1 " + second,
		"https://books/odoo/account.move/90":                        "document S1/2026-11-20/2 1 " + late,
		"https://books/web#id=57&model=account.move&view_type=form": "document S1/2026-11-20/1 2 " + first,
		"TPOS/2026/11/0057":                                         "document S1/2026-11-20/1 2 " + first, "TPOS/2026/11/005": "", ref: "document S1/2026-11-20/1 2 " + first,
		"C7":                "customer C7 1 " + first,
		"account.move/4711": "", "nothing": "", "": "", "57": "", "%": "", "S_/2026-11-20/1": "",
	} {
		if what == "" {
			continue
		}
		if got := named(t, g.Store, what); got != want {
			t.Errorf("%q names\n %s, want\n %s", what, got, want)
		}
	}
	for _, what := range []string{"1001", "S1/2026-11-20/1", "account.move/57", "TPOS/2026/11/0057", ref, "C7", "S1 2026-11-20"} {
		if got := named(t, g.Store, what, "S2"); got != "" {
			t.Errorf("a user of another store finds %q as %s", what, got)
		}
		if got := named(t, g.Store, what, "S1", "S2"); got == "" {
			t.Errorf("the store's own user does not find %q", what)
		}
	}

	// What was erased is not put together again.
	if _, err := g.Erase(t.Context(), "", "tillpost", "C7", "anna", "asked to"); err != nil {
		t.Fatal(err)
	}
	if got := named(t, g.Store, "C7"); got != "customer C7 0" {
		t.Errorf("an erased customer is found as %s", got)
	}
	if got := named(t, g.Store, "C7", "S1"); got != "" {
		t.Errorf("a store's user learns of an erased customer: %s", got)
	}
	if got := named(t, g.Store, "1002"); got != "ticket 1002 1 "+first {
		t.Errorf("the ticket is found as %s", got)
	}
}

func TestEverythingOfOneNumberIsListed(t *testing.T) {
	b := newBooks(t)
	b.tell(decode.Ticket, ticket("1", 1, 0, 1000, map[string]any{"ref": "9001"}), ticket("2", 1, 30, 2000, map[string]any{"ref": "7777"}))
	in := func(batch string) func(*retail.Payment) { return func(p *retail.Payment) { p.Batch = batch } }
	b.tell(decode.Payment, payment("9001", 10, 0, 1000, retail.PaymentClosed, in("41")), payment("N-1", 10, 5, 300, retail.PaymentOpen))
	b.tell(decode.Batch, retail.Batch{Key: retail.Key{System: "heartland-portico", Record: "batch", ID: "41"}, Merchant: "92", Location: "S1", State: retail.BatchClosed, Opened: now, Closed: now.Add(8 * time.Hour),
		Total: money.Of(1000, "USD"), Count: 1, Revision: 1})
	for what, want := range map[string]string{
		"9001": "payment 9001 1",
		"7777": "payment 7777 1", // the till noted it, the gateway has not told
		"N-1":  "ticket N-1 1; payment N-1 0",
		"41":   "batch 41 1",
	} {
		if got := named(t, b.Store, what); got != want {
			t.Errorf("%q names %s, want %s", what, got, want)
		}
		if got := named(t, b.Store, what, "S2"); got != "" {
			t.Errorf("a user of another store finds %q as %s", what, got)
		}
	}
}

// A batch leads to the voucher that paid it out, and the voucher's entry and bank line back to it.
func TestABatchIsFoundWithItsVoucherAndTheReverse(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	s := g.Store
	f := reconcile.Facts{Banking: reconcile.Banking, Today: "2026-11-20", Accounts: []reconcile.Account{{Number: "0001", Name: "main"}},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", MostFee: 350, Lag: 1}, Sites: []string{"92"}, Location: "S1"}}}
	putClosed(t, s, "41", time.Date(2026, 11, 17, 23, 0, 0, 0, time.UTC), map[string]int64{"Visa": 20000})
	putLines(t, s, "a.csv", bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-18", Amount: money.Of(20000, "USD"), Text: "HRTLAND PMT SYS TXNS/FEES 650000011"})
	if made, err := s.Reconcile(t.Context(), f, reconcile.Decide); err != nil || made != 1 {
		t.Fatalf("%d vouchers: %v", made, err)
	}
	g.roll()
	g.bookAs(70)
	vs, err := s.Vouchers(t.Context(), view.VoucherFilter{})
	if err != nil || len(vs) != 1 {
		t.Fatalf("%+v %v", vs, err)
	}
	id := fmt.Sprintf("S1/%s/%s/1", vs[0].Day, vs[0].Series)
	doc := "[" + id + " account.move/70 TPOS/2026/11/0070 posted]"
	g.ok(store.Clearing{Store: s}.PutCleared(t.Context(), []odoo.Cleared{{Key: "l1", ID: 31, Done: true}}))
	for what, want := range map[string]string{
		"41": "batch 41 0 " + doc, id: "document " + id + " 0 " + doc, vs[0].Series: "document " + id + " 0 " + doc, "account.move/70": "document " + id + " 0 " + doc,
		"account.bank.statement.line/31": "bank line l1 0 " + doc, "account.bank.statement.line/32": "",
	} {
		if got := named(t, s, what); got != want {
			t.Errorf("%q names %s, want %s", what, got, want)
		}
	}
	found, err := s.Find(t.Context(), view.FindFilter{Find: vs[0].Series})
	if err != nil || len(found.Things) != 1 || len(found.Things[0].Rests) != 1 || found.Things[0].Rests[0] != "batch 41" {
		t.Errorf("the voucher rests on %+v: %v", found.Things, err)
	}
	if got := named(t, s, "account.bank.statement.line/31", "S1"); got != "" {
		t.Errorf("a store's user sees the bank's lines: %s", got)
	}
}

// document is one by its id, as it was sent.
func (g *rig) document(id string) (d rollup.Document) {
	g.t.Helper()
	ts, err := store.Outbox{Store: g.Store}.Verified(g.t.Context(), time.Time{}, "", 100)
	g.ok(err)
	for _, k := range ts {
		if k.Document.ID() == id {
			return k.Document
		}
	}
	g.t.Fatalf("there is no document %s", id)
	return d
}

// Who looks for a ticket that could not be booked is led to its case, and not told that it may still wait in the store.
func TestATicketThatWaitsInACaseIsFound(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("77", "2026-11-20T18:00:00Z", `"type":"cash","amount":"10.00"`, `"type":"cash","amount":"9.00"`)
	got := named(t, g.Store, "77")
	if !strings.HasPrefix(got, "case unbalanced:record ") {
		t.Errorf("it names %q", got)
	}
	if got := named(t, g.Store, "77", "S2"); got != "" {
		t.Errorf("another store's user finds %q", got)
	}
	if got := named(t, g.Store, "7"); got != "" {
		t.Errorf("another number names %q", got)
	}
}

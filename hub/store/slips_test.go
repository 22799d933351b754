package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// tickets confirms location S1 in a way of posting.
func (g *rig) tickets(mode rollup.Mode) {
	g.t.Helper()
	g.roller.Books.Sales, g.roller.Books.Payments = "TPOSR", "TPOSP"
	g.ok(g.SetBooks(g.t.Context(), g.roller.Books, "anna"))
	g.ok(g.PutLocation(g.t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Posting: mode}, "anna"))
	g.ok(g.ConfirmTill(g.t.Context(), "S1", "T1", "anna"))
}

func (g *rig) posted(d retail.BusinessDate) (out []rollup.Document) {
	g.t.Helper()
	ps, err := g.Store.DayPosted(g.t.Context(), rollup.DayKey{Location: "S1", Day: d})
	g.ok(err)
	for _, p := range ps {
		out = append(out, p.Document)
	}
	return out
}

// Each ticket has a document that names it; a void and a newer version are documents of their own; what happens at the drawer is an entry; and a
// customer's name is kept only where it is needed, until it is erased.
func TestTicketsAreDocumentsOfTheirOwn(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.tickets(rollup.ByTicket)
	g.sell("1", "2026-11-20T10:00:00Z")
	g.sell("2", "2026-11-20T11:00:00Z", `"kind":"sale"`, `"kind":"sale","customer":"C-7"`)
	g.tell("drawer.v1", "d1", `{"key":{"system":"tillpost","record":"drawer","id":"d1"},"location":"S1","till":"T1","at":"2026-11-20T12:00:00Z","kind":"paid_out","reason":"stamps","currency":"USD","amount":"3.00 USD"}`)
	g.later(0)
	ds := g.posted("2026-11-20")
	if len(ds) != 3 {
		t.Fatalf("%d documents: %+v", len(ds), ds)
	}
	named := map[string]rollup.Document{}
	for _, d := range ds {
		if d.Mode != rollup.ByTicket {
			t.Errorf("%s goes by %q", d.ID(), d.Mode)
		}
		if d.Slip != nil {
			named[d.Slip.Number] = d
		} else if d.Series != "" || len(d.Lines) != 2 {
			t.Errorf("the rest is %+v", d)
		}
	}
	if named["2"].Slip.Customer != "C-7" || named["1"].Slip.Customer != "" || !strings.HasSuffix(named["1"].Slip.Key, "|1") {
		t.Errorf("the slips are %+v", named)
	}
	g.book()
	if d := g.day("2026-11-20"); d.State != "verified" || len(d.Pending) != 0 {
		t.Errorf("the day is %s, and lacks %v: %s", d.State, d.Pending, d.Why)
	}
	g.sell("1", "2026-11-20T10:00:00Z", "10.00", "12.00", "10.00", "12.00", `"number"`, `"revision":5,"number"`)
	g.sell("2", "2026-11-20T11:00:00Z", `"kind":"sale"`, `"kind":"void","revision":6`)
	g.later(time.Hour)
	var changed []rollup.Document
	for _, d := range g.posted("2026-11-20") {
		if d.Number == 2 {
			changed = append(changed, d)
		}
	}
	if len(changed) != 2 {
		t.Fatalf("%d documents of changes: %+v", len(changed), changed)
	}
	for _, d := range changed {
		if want := map[string]int64{"1": 200, "2": -1000}[d.Slip.Number]; d.Lines[1].Amount.Minor != want {
			t.Errorf("the change of ticket %s is %+v", d.Slip.Number, d.Lines)
		}
	}
	tasks, err := (store.Outbox{Store: g.Store}).Claim(t.Context(), 10)
	g.ok(err)
	for _, k := range tasks {
		if len(k.Before) != 1 || k.Before[0].Move != 7 || k.Before[0].Document.Number != 1 || !k.Begun {
			t.Errorf("%s is told of %+v", k.Document.ID(), k.Before)
		}
	}
	g.book()
	if d := g.day("2026-11-20"); d.State != "verified" {
		t.Errorf("the day is %s: %s", d.State, d.Why)
	}
}

// What a document's parts are in Odoo is kept with it, and forgotten with it on a person's word.
func TestPartsAreKept(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.tickets(rollup.ByReceipt)
	g.sell("1", "2026-11-20T10:00:00Z")
	g.later(0)
	box := store.Outbox{Store: g.Store}
	tasks, err := box.Claim(t.Context(), 10)
	g.ok(err)
	if len(tasks) != 1 || tasks[0].Document.Mode != rollup.ByReceipt {
		t.Fatalf("claimed %+v", tasks)
	}
	k := tasks[0]
	for _, told := range []odoo.Task{{Document: k.Document, Date: k.Date, Move: 7}, {Document: k.Document, Date: k.Date, Parts: map[string]int64{"pay2": 8}}} { // one by one
		g.ok(box.Loaded(t.Context(), []odoo.Task{told}))
	}
	tasks, err = box.Claim(t.Context(), 10)
	g.ok(err)
	if len(tasks) != 1 || tasks[0].Move != 7 || tasks[0].Parts["pay2"] != 8 {
		t.Errorf("kept: %+v", tasks)
	}
	ps, err := g.Store.DayPosted(t.Context(), k.Document.Key)
	g.ok(err)
	if len(ps) != 1 || fmt.Sprint(ps[0].Parts) != "map[pay2:8]" {
		t.Errorf("posted: %+v", ps)
	}
}

// A document of payments alone has no entry until they are posted; until then its payments are what is known of it, and it is found by either. A ticket on a house
// account is told of the other documents of that account, on whatever day and of no other customer.
func TestTheDocumentsOfAHouseAccountKnowEachOther(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.tickets(rollup.ByTicket)
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.House, Target: mapping.Target{Account: "121"}}, {Role: ledger.Tender, Code: "on_account", Target: mapping.Target{Account: "121"}}}, "test", ""))
	ticket := func(id, day, customer, line, tender string) {
		g.commit(g.line.seal("ticket.v1", id, fmt.Sprintf(`{"id":"%s","number":"%s","location":"S1","till":"T1","at":"%sT10:00:00Z","currency":"USD","kind":"sale","customer":"%s","lines":[{"kind":%s,"amount":"10.00"}],"tenders":[{"type":"%s","amount":"10.00"}]}`,
			id, id, day, customer, line, tender)))
	}
	ticket("1", "2026-11-19", "C-1", `"item","category":"Toys"`, "on_account")
	ticket("2", "2026-11-19", "C-2", `"item","category":"Toys"`, "on_account")
	ticket("3", "2026-11-19", "C-1", `"item","category":"Toys"`, "cash") // no house account
	ticket("4", "2026-11-20", "C-1", `"account"`, "cash")
	g.later(48 * time.Hour)
	box := store.Outbox{Store: g.Store}
	move := int64(70)
	var last odoo.Task
	for _, k := range g.claims() {
		if k.Document.Slip.Number == "4" {
			last = k
			continue
		}
		k.Move = move
		g.ok(box.Loaded(t.Context(), []odoo.Task{k}))
		if k.Document.Settles {
			t.Errorf("%s sells something", k.Document.ID())
		}
		move++
	}
	if !last.Document.Settles || last.Document.Slip.Customer != "C-1" {
		t.Fatalf("what is paid on account is %+v", last.Document)
	}
	g.ok(box.Loaded(t.Context(), []odoo.Task{{Document: last.Document, Date: last.Date, Loaded: last.Date, Parts: map[string]int64{"payment2": 8}}}))
	again := func() (out odoo.Task) {
		for _, k := range g.claims() {
			if k.Document.ID() == last.Document.ID() {
				out = k
			}
		}
		return out
	}
	if k := again(); k.Move != 0 || k.Parts["payment2"] != 8 || k.Loaded != last.Date || len(k.House) != 1 || k.House[0].Document.Slip.Number != "1" || k.House[0].Move == 0 {
		t.Errorf("its draft payment: %+v", k)
	}
	g.ok(box.Loaded(t.Context(), []odoo.Task{{Document: last.Document, Date: last.Date, Move: 90}}))
	if k := again(); k.Move != 90 || k.Parts["payment2"] != 8 {
		t.Errorf("posted: %+v", k)
	}
	for _, what := range []string{"account.payment/8", "account.move/90"} {
		if got := named(t, g.Store, what); !strings.Contains(got, last.Document.ID()+" 1 [") { // with its ticket
			t.Errorf("%s names %q", what, got)
		}
	}
	for _, k := range g.claims() {
		if want := map[string]int{"1": 1, "2": 0, "3": 0, "4": 1}[k.Document.Slip.Number]; len(k.House) != want || want == 1 && k.Document.Slip.Number == "1" && k.House[0].Parts["payment2"] != 8 {
			t.Errorf("ticket %s is told of %+v", k.Document.Slip.Number, k.House)
		}
	}
}

// A day of many tickets is claimed chunk by chunk without each task looking at all others.
func TestClaimingManyTicketsIsQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("makes two thousand documents")
	}
	g := newRig(t, t.TempDir())
	g.tickets(rollup.ByTicket)
	for i := range 400 {
		e := g.line.seal("ticket.v1", fmt.Sprint(i), fmt.Sprintf(`{"id":"%d","number":"%d","location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","currency":"USD","kind":"sale","lines":[{"kind":"item","category":"Toys","amount":"10.00"}],"tenders":[{"type":"cash","amount":"10.00"}]}`, i, i))
		g.commit(e)
	}
	g.later(0)
	if n := len(g.posted("2026-11-20")); n != 400 {
		t.Fatalf("%d documents", n)
	}
	box := store.Outbox{Store: g.Store}
	begun := time.Now()
	for range 10 {
		if _, err := box.Claim(t.Context(), 50); err != nil {
			t.Fatal(err)
		}
	}
	if each := time.Since(begun) / 10; each > 200*time.Millisecond {
		t.Errorf("a claim among 400 tickets takes %s", each)
	}
}

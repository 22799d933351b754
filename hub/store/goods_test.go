package store_test

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// costs gives the sums of the documents of a day's cost of goods, and how many there are.
func (g *rig) costs(day retail.BusinessDate) (sums map[ledger.Account]int64, documents int) {
	g.t.Helper()
	d, err := g.Store.DayDetail(g.t.Context(), rollup.DayKey{Location: "S1", Day: day})
	g.ok(err)
	for _, doc := range d.Documents {
		for _, l := range doc.Lines {
			if l.Measure.Goods() {
				g.t.Errorf("the cost of goods stands in the store-day's own document: %+v", l)
			}
		}
	}
	sums = map[ledger.Account]int64{}
	vs, err := g.Vouchers(g.t.Context(), view.VoucherFilter{Location: "S1", From: day, To: day, Series: roll.GoodsSeries})
	g.ok(err)
	for _, v := range vs {
		for a, m := range v.Totals {
			sums[a] += m.Minor
		}
	}
	rows, err := g.Proof(g.t.Context(), day, day)
	g.ok(err)
	for _, r := range rows {
		if !r.Pending.IsZero() {
			g.t.Errorf("the books are said to lack %s", r.Pending)
		}
		documents += r.Documents
	}
	return sums, documents - len(d.Documents)
}

// The cost of goods is an entry of its own where the location asks for it, from the day on that it names, net of returns (T2), and follows late tickets.
func TestTheCostOfGoodsIsAnEntryOfItsOwn(t *testing.T) {
	g := newRig(t, t.TempDir())
	form := view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Returns, Code: "*", Target: mapping.Target{Account: "401"}}, {Role: ledger.COGS, Code: "*", Target: mapping.Target{Account: "500"}},
		{Role: ledger.Inventory, Code: "*", Target: mapping.Target{Account: "120"}}}, "test", ""))
	g.roller.Settle = time.Minute
	cost := func(id, at, amount, cost string) {
		t.Helper()
		g.sell(id, at, `"amount":"10.00"}]`, `"amount":"`+amount+`","cost":"`+cost+`"}]`, `"type":"cash","amount":"10.00"`, `"type":"cash","amount":"`+amount+`"`)
	}
	cost("a", "2026-11-19T18:00:00Z", "10.00", "6.00")
	cost("b", "2026-11-20T18:00:00Z", "10.00", "6.00")
	cost("c", "2026-11-20T18:01:00Z", "30.00", "18.50")
	cost("d", "2026-11-20T18:02:00Z", "-10.00", "-6.00") // comes back
	g.sell("e", "2026-11-20T18:03:00Z")                  // its cost is not known
	g.later(48 * time.Hour)
	g.book()
	if sums, n := g.costs("2026-11-20"); n != 0 || len(sums) != 0 {
		t.Fatalf("without a word of the location %d documents of %v were made", n, sums)
	}
	form.Costs = "2026-11-20"
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	g.later(time.Minute)
	g.book()
	if sums, n := g.costs("2026-11-20"); n != 1 || sums["cogs:Toys"] != 1850 || sums["inventory:Toys"] != -1850 {
		t.Errorf("cost of goods: %v in %d documents, want 18.50 in one", sums, n)
	}
	if sums, n := g.costs("2026-11-19"); n != 0 || len(sums) != 0 {
		t.Errorf("a day before the first one has %d documents of %v", n, sums)
	}

	lacks := func(want int) {
		t.Helper()
		if d, err := g.Store.DayDetail(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"}); err != nil || !d.Costed || d.Uncosted != want {
			t.Errorf("%d lines without a cost are told (%v), want %d: %v", d.Uncosted, d.Costed, want, err)
		}
	}
	lacks(1)
	if d, err := g.Store.DayDetail(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-19"}); err != nil || d.Costed {
		t.Errorf("a day whose cost is not posted tells of it: %v", err)
	}

	cost("late", "2026-11-20T19:00:00Z", "10.00", "4.00")
	g.later(2 * time.Minute)
	g.book()
	if sums, n := g.costs("2026-11-20"); n != 2 || sums["cogs:Toys"] != 2250 {
		t.Errorf("after a late ticket: %v in %d documents, want 22.50 in two", sums, n)
	}
	g.later(time.Hour)
	g.book()
	if _, n := g.costs("2026-11-20"); n != 2 {
		t.Errorf("nothing changed, and there are %d documents", n)
	}

	// A till that learns a cost later tells the ticket again.
	cost("e", "2026-11-20T18:03:00Z", "10.00", "1.00")
	g.later(2 * time.Minute)
	g.book()
	if sums, n := g.costs("2026-11-20"); n != 3 || sums["cogs:Toys"] != 2350 {
		t.Errorf("after a cost came late: %v in %d documents, want 23.50 in three", sums, n)
	}
	lacks(0)
}

// A warehouse's inventory has an account of its own in the books by a rule at its location: documents need no warehouse for that.
func TestALocationsGoodsHaveTheAccountsOfItsWarehouse(t *testing.T) {
	g := newRig(t, t.TempDir())
	at := func(r ledger.Role, l retail.LocationCode, account string) mapping.Rule {
		return mapping.Rule{Role: r, Code: "*", Location: l, Target: mapping.Target{Account: account}}
	}
	g.ok(g.SetRules(t.Context(), []mapping.Rule{at(ledger.COGS, "", "500"), at(ledger.Inventory, "", "120"), at(ledger.COGS, "S1", "501"), at(ledger.Inventory, "S1", "121")}, "test", ""))
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Costs: "2026-11-20"}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z", `"amount":"10.00"}]`, `"amount":"10.00","cost":"6.00"}]`)
	g.later(48 * time.Hour)
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 100)
	g.ok(err)
	got := map[string]int64{}
	for _, k := range tasks {
		for _, l := range k.Document.Lines {
			if l.Measure.Goods() {
				got[l.Account] += l.Amount.Minor
			}
		}
	}
	if len(got) != 2 || got["501"] != 600 || got["121"] != -600 {
		t.Errorf("the cost of goods goes to %v, want 6.00 from 121 to 501", got)
	}
}

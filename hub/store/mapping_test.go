package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// lines are what a day's documents say together, by measure and what stands beside.
func (g *rig) lines(d retail.BusinessDate) map[string]int64 {
	g.t.Helper()
	out := map[string]int64{}
	for _, doc := range g.day(d).Documents {
		for _, l := range doc.Lines {
			k := strings.TrimSpace(string(l.Measure) + " " + l.Analytic)
			if out[k] += l.Amount.Minor; out[k] == 0 {
				delete(out, k)
			}
		}
	}
	return out
}

func (g *rig) confirmed(tills ...retail.TillCode) {
	g.t.Helper()
	for _, c := range tills {
		g.ok(g.ConfirmTill(g.t.Context(), "S1", c, "anna"))
	}
}

func (g *rig) set(r ledger.Role, code string, from retail.BusinessDate, t mapping.Target) error {
	err := g.SetRules(g.t.Context(), []mapping.Rule{{Role: r, Code: code, From: from, Target: t}}, "anna", "because")
	g.roll()
	return err
}

func same(t *testing.T, got, want map[string]int64) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A rule of a till sets its part of the result apart, to the cent and whatever its tickets become; tenders stay one line. Made late, it moves what
// is posted by a delta; ended, it lets later days be as before.
func TestATillsPartStandsBesideItsAnalyticAccount(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	const kiosk = `"till":"K1"`
	g.sell("A-1", "2026-11-19T10:00:00Z")
	g.sell("A-2", "2026-11-19T11:00:00Z", `"till":"T1"`, kiosk, "10.00", "4.00", "10.00", "4.00")
	g.confirmed("T1", "K1")
	g.later(24 * time.Hour)
	g.book()
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys": -1400, "tender:cash": 1400})

	if err := g.set(mapping.Station, "K1", "", mapping.Target{Analytic: "Kiosk"}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "2026-11-19") {
		t.Fatalf("a rule without a date reaches posted days: %v", err)
	}
	moves, err := g.MappingEffect(t.Context(), []mapping.Rule{{Role: mapping.Station, Code: "K1", From: "2026-11-01", Target: mapping.Target{Analytic: "Kiosk"}}})
	if err != nil || len(moves) != 1 || moves[0].Amount.Minor != -400 || moves[0].From != "400" || moves[0].To != "400 beside Kiosk" {
		t.Errorf("it would move %+v %v", moves, err)
	}
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys": -1400, "tender:cash": 1400})
	g.ok(g.set(mapping.Station, "K1", "2026-11-01", mapping.Target{Analytic: "Kiosk"}))
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys": -1000, "sales:Toys Kiosk": -400, "tender:cash": 1400})
	if n := len(g.day("2026-11-19").Documents); n != 2 {
		t.Errorf("%d documents", n)
	}
	g.book()

	// A newer version of the till's ticket, and one that is voided.
	g.sell("A-2", "2026-11-19T11:00:00Z", `"till":"T1"`, kiosk+`,"revision":2`, "10.00", "6.50", "10.00", "6.50")
	g.later(time.Hour)
	g.book()
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys": -1000, "sales:Toys Kiosk": -650, "tender:cash": 1650})
	g.sell("A-2", "2026-11-19T11:00:00Z", `"till":"T1"`, kiosk+`,"revision":3`, `"sale"`, `"void"`)
	g.later(time.Hour)
	g.book()
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys": -1000, "tender:cash": 1000})

	if err := g.set(mapping.Station, "K1", "2026-11-01", mapping.Target{Analytic: "Other"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("what posted days have used was changed: %v", err)
	}
	g.ok(g.set(mapping.Station, "K1", "2026-11-20", mapping.Target{Analytic: mapping.None}))
	g.clock = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, d := range []retail.BusinessDate{"2026-11-18", "2026-11-20"} {
		g.sell("B-"+string(d), string(d)+"T10:00:00Z", `"till":"T1"`, kiosk)
		g.later(24 * time.Hour)
	}
	same(t, g.lines("2026-11-18"), map[string]int64{"sales:Toys Kiosk": -1000, "tender:cash": 1000})
	same(t, g.lines("2026-11-20"), map[string]int64{"sales:Toys": -1000, "tender:cash": 1000})
}

func TestCashiersCategoriesAndLocationsStandBesideLines(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: mapping.Employee, Code: "anna", Target: mapping.Target{Analytic: "Anna"}}, {Role: mapping.Category, Code: "Toys", Target: mapping.Target{Analytic: "Departments/Toys"}},
		{Role: mapping.Location, Code: "S1", Target: mapping.Target{Analytic: "East", Journal: "TP1", Company: "East Inc."}}, {Role: mapping.Location, Code: "S1", From: "2026-11-20", Target: mapping.Target{Company: "West Inc."}}}, "anna", ""))
	g.sell("A-1", "2026-11-19T10:00:00Z", `"kind":"sale"`, `"kind":"sale","cashier":"anna"`)
	g.sell("A-2", "2026-11-19T11:00:00Z", `"kind":"sale"`, `"kind":"sale","cashier":"bob"`)
	g.sell("A-3", "2026-11-20T11:00:00Z")
	g.confirmed("T1")
	g.later(48 * time.Hour)
	same(t, g.lines("2026-11-19"), map[string]int64{"sales:Toys East; Anna; Departments/Toys": -1000, "sales:Toys East; Departments/Toys": -1000, "tender:cash East": 2000})
	if j := g.day("2026-11-19").Documents[0].Journal; j != "TP1" {
		t.Errorf("the location's own journal is not taken: %s", j)
	}
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 10)
	g.ok(err)
	got := map[retail.BusinessDate]string{}
	for _, x := range tasks {
		got[x.Document.Key.Day] = x.Company + " " + x.Document.Journal
	}
	if got["2026-11-19"] != "East Inc. TP1" || got["2026-11-20"] != "West Inc. TPOS" {
		t.Errorf("companies and journals %v", got)
	}
	// Once it stands somewhere, a day follows its first document, whatever a rule says.
	g.book()
	g.sell("A-4", "2026-11-19T12:00:00Z")
	g.later(time.Hour)
	if tasks, err = (store.Outbox{Store: g.Store}).Claim(t.Context(), 10); err != nil || len(tasks) != 1 || tasks[0].Company != "" {
		t.Errorf("a late ticket goes to %+v %v", tasks, err)
	}
}

func TestEveryChangeOfARuleIsKept(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.set(ledger.Tender, "visa", "", mapping.Target{Account: "102"}))
	g.clock = g.clock.Add(time.Hour)
	g.ok(g.set(ledger.Tender, "visa", "", mapping.Target{Account: "103", Journal: "BNK1"}))
	g.ok(g.set(ledger.Tender, "visa", "", mapping.Target{Account: "103", Journal: "BNK1"})) // says nothing new
	g.ok(g.set(ledger.Tender, "visa", "2027-01-01", mapping.Target{Account: "104"}))
	all, err := g.MappingHistory(t.Context(), view.MappingFilter{Role: ledger.Tender, Code: "visa"})
	g.ok(err)
	set, err := g.Mapping(t.Context())
	g.ok(err)
	if len(all) != 3 || all[0].From != "2027-01-01" || !all[0].New || all[0].Version != set.Version || all[1].New || all[1].Before.Account != "102" || all[1].After != (mapping.Target{Account: "103", Journal: "BNK1"}) ||
		all[1].Who != "anna" || all[1].Reason != "because" || !all[1].At.Equal(g.clock) || !all[2].New || all[2].Version != set.Version-2 {
		t.Errorf("the history is %+v", all)
	}
	if some, err := g.MappingHistory(t.Context(), view.MappingFilter{Limit: 2, Offset: 1}); err != nil || len(some) != 2 || some[0].After.Account != "103" {
		t.Errorf("a page of it is %+v %v", some, err)
	}
	for _, bad := range []mapping.Rule{{Role: "nothing", Code: "x", Target: mapping.Target{Account: "1"}}, {Role: mapping.Station, Code: "T1"}, {Role: ledger.Tender, Target: mapping.Target{Account: "1"}}} {
		if err := g.SetRules(t.Context(), []mapping.Rule{bad}, "anna", ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestAPlanIsWrittenOnlyBesideTheRulesItWasMadeFor(t *testing.T) {
	g := newRig(t, t.TempDir())
	set, err := g.Mapping(t.Context())
	g.ok(err)
	more := []mapping.Rule{{Role: ledger.Tender, Code: "visa", Target: mapping.Target{Account: "102"}}, {Role: ledger.Tip, Target: mapping.Target{Account: "250"}}}
	books := g.roller.Books
	if err := g.SetPlan(t.Context(), more, &books, set.Version-1, "anna", "abc"); !fault.Is(err, fault.Conflict) {
		t.Errorf("an old plan: %v", err)
	}
	g.ok(g.SetPlan(t.Context(), more, &books, set.Version, "anna", "abc"))
	after, err := g.Mapping(t.Context())
	g.ok(err)
	if have, err := g.Books(t.Context()); err != nil || have != books || after.Version != set.Version+1 || len(after.Rules) != len(set.Rules)+2 {
		t.Errorf("books %+v, rules %+v %v", have, after, err)
	}
	if s := g.lastStep("books"); s.What != "planned" || s.Reason != "plan abc" || s.Who != "anna" {
		t.Errorf("the audit trail says %+v", s)
	}
	if h, err := g.MappingHistory(t.Context(), view.MappingFilter{}); err != nil || !slices.ContainsFunc(h, func(c view.MappingChange) bool { return c.Reason == "plan abc" && c.Code == "visa" }) {
		t.Errorf("the history is %+v %v", h, err)
	}
}

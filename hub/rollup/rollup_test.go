package rollup

import (
	"math/rand/v2"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var (
	day   = DayKey{"S1", "2026-11-20"}
	books = Books{Journal: "TPOS", Suspense: "999"}
)

func usd(n int64) money.Amount { return money.Of(n, "USD") }

func sale(tender string, cents int64) ledger.Entry {
	return ledger.Entry{Currency: "USD", Postings: []ledger.Posting{{Debit: "control", Credit: "sales:Toys", Amount: usd(cents)}, {Debit: ledger.Of(ledger.Tender, tender), Credit: "control", Amount: usd(cents)}}}
}

func rules(extra ...mapping.Rule) mapping.Set {
	return mapping.Set{Version: int64(len(extra)), Rules: append([]mapping.Rule{{Role: ledger.Sales, Code: mapping.Any, Target: mapping.Target{Account: "400"}},
		{Role: ledger.Tender, Code: "cash", Target: mapping.Target{Account: "101"}}}, extra...)}
}

func next(t *testing.T, totals Totals, set mapping.Set, posted []Document) (Document, bool) {
	t.Helper()
	s, err := Map(day, totals, set, books)
	if err != nil {
		t.Fatal(err)
	}
	d, ok, err := Next(day, day.Day, s, posted, books, 1, set, "")
	if err != nil {
		t.Fatal(err)
	}
	return d, ok
}

func TestAChangedTicketNeverShowsAsSoldTwice(t *testing.T) {
	totals, _ := Fold(nil, sale("cash", 1000), 1)
	totals, _ = Fold(totals, sale("cash", 1000), -1)
	totals, _ = Fold(totals, sale("cash", 1250), 1)
	d, ok := next(t, totals, rules(), nil)
	if !ok || len(d.Lines) != 2 || d.Lines[0].Amount != usd(-1250) || d.Lines[1].Amount != usd(1250) {
		t.Errorf("got %+v", d.Lines)
	}
}

func TestLateTicketMakesADelta(t *testing.T) {
	totals, _ := Fold(nil, sale("cash", 1000), 1)
	first, _ := next(t, totals, rules(), nil)
	if _, again := next(t, totals, rules(), []Document{first}); again {
		t.Error("nothing changed, and still there is a document")
	}
	totals, _ = Fold(totals, sale("cash", 64), 1)
	d, ok := next(t, totals, rules(), []Document{first})
	if !ok || d.Number != 2 || d.Kind != DeltaDocument || d.Lines[0].Amount != usd(-64) || d.Date != day.Day {
		t.Errorf("got %+v", d)
	}
}

func TestUnknownCodeGoesToSuspenseAndComesBackWhenMapped(t *testing.T) {
	totals, _ := Fold(nil, sale("crypto", 700), 1)
	s, err := Map(day, totals, rules(), books)
	if err != nil || s.Suspense != usd(700) || len(s.Unmapped) != 1 || s.Unmapped[0] != "tender:crypto" {
		t.Fatalf("got %+v %v", s, err)
	}
	first, _ := next(t, totals, rules(), nil)
	d, ok := next(t, totals, rules(mapping.Rule{Role: ledger.Tender, Code: "crypto", Target: mapping.Target{Account: "102"}}), []Document{first})
	if !ok || len(d.Lines) != 2 {
		t.Fatalf("got %+v", d.Lines)
	}
	for _, l := range d.Lines {
		if want := map[string]int64{"102": 700, "999": -700}[l.Account]; l.Amount != usd(want) {
			t.Errorf("%s: got %s, want %d", l.Account, l.Amount, want)
		}
	}
}

func TestAnotherCurrencyIsRefusedNotMixed(t *testing.T) {
	totals, _ := Fold(nil, sale("cash", 1000), 1)
	cad := sale("cash", 5)
	for i := range cad.Postings {
		cad.Postings[i].Amount.Currency = "CAD"
	}
	if got, err := Fold(totals, cad, 1); err == nil {
		t.Errorf("got %v, want an error", got)
	}
	if totals["tender:cash"] != usd(1000) {
		t.Errorf("the totals were changed: %v", totals)
	}
}

// Whatever comes in whatever order, the documents of a day sum to what the day is.
func TestDocumentsSumToTheDay(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var totals Totals
		var docs []Document
		for range 12 {
			e := sale([]string{"cash", "visa", "crypto"}[dice.IntN(3)], 1+dice.Int64N(5000))
			totals, _ = Fold(totals, e, 1)
			if dice.IntN(3) == 0 {
				totals, _ = Fold(totals, e, -1)
			}
			set := rules()
			if dice.IntN(2) == 0 {
				set = rules(mapping.Rule{Role: ledger.Tender, Code: mapping.Any, Target: mapping.Target{Account: "150"}})
			}
			if d, ok := next(t, totals, set, docs); ok {
				docs = append(docs, d)
			}
		}
		sum := map[ledger.Account]int64{}
		for _, d := range docs {
			for _, l := range d.Lines {
				sum[l.Measure] += l.Amount.Minor
			}
		}
		for a, w := range totals {
			if sum[a] != w.Minor {
				t.Fatalf("%s: documents say %d, the day %d", a, sum[a], w.Minor)
			}
		}
	}
}

func TestFindTakesTheMostSpecificRule(t *testing.T) {
	set := mapping.Set{Rules: []mapping.Rule{
		{Role: "tender", Code: "*", Target: mapping.Target{Account: "any"}},
		{Role: "tender", Code: "cash", Target: mapping.Target{Account: "cash"}},
		{Role: "tender", Code: "cash", From: "2026-07-01", Target: mapping.Target{Account: "cash from July"}},
		{Role: "tender", Code: "cash", Location: "S2", Target: mapping.Target{Account: "cash at S2"}}}}
	f := func(want, code, at, on string) {
		t.Helper()
		got, ok := set.Find("tender", code, retail.LocationCode(at), retail.BusinessDate(on))
		if !ok || got.Account != want {
			t.Errorf("%s at %s on %s: got %q, want %q", code, at, on, got.Account, want)
		}
	}
	f("any", "visa", "S1", "2026-01-01")
	f("cash", "cash", "S1", "2026-06-30")
	f("cash from July", "cash", "S1", "2026-07-01")
	f("cash at S2", "cash", "S2", "2026-08-01")
}

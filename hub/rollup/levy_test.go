package rollup

import (
	"slices"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
)

// taxSet maps two jurisdictions to taxes of the books and a third to an account alone.
var taxSet = mapping.Set{Version: 1, Rules: []mapping.Rule{
	{Role: ledger.Tax, Code: "NY", Target: mapping.Target{Account: "251", Tax: "State"}}, {Role: ledger.TaxRefund, Code: "NY", Target: mapping.Target{Account: "251", Tax: "State"}},
	{Role: ledger.Tax, Code: "NYC", Target: mapping.Target{Account: "251", Tax: "City"}}, {Role: ledger.Tax, Code: "bag", Target: mapping.Target{Account: "252"}},
	{Role: ledger.Sales, Code: "*", Target: mapping.Target{Account: "400"}}, {Role: ledger.Returns, Code: "*", Target: mapping.Target{Account: "401"}},
	{Role: ledger.Tender, Code: "*", Target: mapping.Target{Account: "101"}}}}

func taxedOn(a ledger.Account, back bool, codes ...string) ledger.Account {
	var ls []ledger.Levy
	for _, c := range codes {
		ls = append(ls, ledger.Levy{Code: c, Back: back})
	}
	return ledger.Levied(a, ls)
}

func nextTaxed(t *testing.T, totals Totals, posted ...Document) (Document, bool) {
	t.Helper()
	k, b := DayKey{"S1", "2026-11-20"}, Books{Journal: "TPOS", Suspense: "999"}
	s, err := Map(k, totals, taxSet, b)
	if err != nil {
		t.Fatal(err)
	}
	d, ok, err := Next(k, k.Day, s, posted, b, 1, taxSet, "")
	if err != nil {
		t.Fatal(err)
	}
	return d, ok
}

// told are the bases that a document's tax lines tell, by measure.
func told(d Document) map[ledger.Account]int64 {
	out := map[ledger.Account]int64{}
	for _, l := range d.Lines {
		if l.Tax != "" {
			out[l.Measure] = l.Base.Minor
		}
	}
	return out
}

func TestATaxLineTellsWhatItIsTheTaxOf(t *testing.T) {
	toys, food, back := taxedOn("sales:Toys", false, "NY", "NYC", "bag"), taxedOn("sales:Food", false, "NY"), taxedOn("returns:Toys", true, "NY", "NYC")
	totals := Totals{toys: usd(-10000), food: usd(-500), "sales:Wrap": usd(-300), back: usd(2000), "tax:NY": usd(-840), "tax:NYC": usd(-450), "tax:bag": usd(-10), "taxrefund:NY": usd(160), "tender:cash": usd(9940)}
	first, _ := nextTaxed(t, totals)
	for a, want := range map[ledger.Account]int64{"tax:NY": -10500, "tax:NYC": -10000, "taxrefund:NY": 2000} {
		if got := told(first)[a]; got != want {
			t.Errorf("%s tells %d, want %d", a, got, want)
		}
	}
	for _, l := range first.Lines {
		want := map[ledger.Account][]Levy{toys: {{"City", false}, {"State", false}}, food: {{"State", false}}, back: {{"State", true}}}[l.Measure] // NYC gives nothing back, bag is no tax of the books
		if !slices.Equal(l.Levies, want) {
			t.Errorf("%s is the base of %v, want %v", l.Measure, l.Levies, want)
		}
	}
	if d, ok := nextTaxed(t, totals, first); ok {
		t.Errorf("the same day makes another document: %+v", d)
	}

	// A toy for 10.00 was voided: the next document takes away tax and base together, and says nothing of what it does not change.
	less := Totals{}
	for a, m := range totals {
		less[a] = m
	}
	less[toys], less["tax:NY"], less["tax:NYC"], less["tender:cash"] = usd(-9000), usd(-760), usd(-405), usd(8815)
	second, ok := nextTaxed(t, less, first)
	if got := told(second); !ok || got["tax:NY"] != 1000 || got["tax:NYC"] != 1000 || len(got) != 2 {
		t.Errorf("the correction tells %v", got)
	}
}

func TestAnUnmappedCodeIsOneCaseWhateverTaxesItHas(t *testing.T) {
	s, err := Map(DayKey{"S1", "2026-11-20"}, Totals{taxedOn("fee:bag", false, "NY"): usd(-10), "fee:bag": usd(-20), "tender:cash": usd(30)}, taxSet, Books{Suspense: "999"})
	if err != nil || !slices.Equal(s.Unmapped, []ledger.Account{"fee:bag"}) || s.Suspense != usd(30) {
		t.Errorf("got %v, %s in suspense %v", s.Unmapped, s.Suspense, err)
	}
	sum := money.Of(0, "USD")
	for _, l := range s.Lines {
		sum.Minor += l.Amount.Minor
	}
	if !sum.IsZero() {
		t.Errorf("the sheet is out by %s", sum)
	}
}

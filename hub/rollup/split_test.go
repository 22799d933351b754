package rollup

import (
	"math/rand/v2"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
)

// Whatever parts there are, the lines of a measure come to its total, and only what makes the result is in parts.
func TestPartsAndTheRestAreTheWhole(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 8))
	set := rules(mapping.Rule{Role: ledger.Returns, Code: mapping.Any, Target: mapping.Target{Account: "401", Analytic: "Back"}}, mapping.Rule{Role: mapping.Category, Code: "Toys", Target: mapping.Target{Analytic: "Toys"}},
		mapping.Rule{Role: mapping.Location, Code: "S1", Target: mapping.Target{Analytic: "East"}})
	for range 300 {
		totals, parts := Totals{}, Parts{"Kiosk": {}, "Anna": {}}
		for _, m := range []ledger.Account{"sales:Toys", "sales:Books", "returns:Toys", "tender:cash", "discount:unknown"} {
			n := dice.Int64N(7) - 3
			totals[m] = usd(n)
			for _, p := range parts {
				if dice.IntN(2) == 0 {
					p[m] = usd(dice.Int64N(5) - 2)
				}
			}
		}
		s, err := MapParts(day, totals, parts, set, books)
		if err != nil {
			t.Fatal(err)
		}
		sum, seen := Totals{}, map[place]bool{}
		for _, l := range s.Lines {
			sum[l.Measure], _ = sum[l.Measure].Add(l.Amount)
			if l.Amount.IsZero() || seen[l.place()] {
				t.Fatalf("an empty or double line: %+v", l)
			}
			seen[l.place()] = true
			if l.At != "East" || l.Measure == "tender:cash" && l.Analytic != "" || l.Suspense && l.Analytic != "" {
				t.Fatalf("beside %s stands %q", l.Measure, l.Analytic)
			}
		}
		for m, want := range totals {
			if sum[m].Minor != want.Minor {
				t.Fatalf("%s: the lines come to %d, the day to %d", m, sum[m].Minor, want.Minor)
			}
		}
	}
}

func TestAPartThatEvensOutWithTheRestIsStillApart(t *testing.T) {
	s, err := MapParts(day, Totals{"sales:Toys": usd(0)}, Parts{"Kiosk": {"sales:Toys": usd(-500)}}, rules(), books)
	if err != nil || len(s.Lines) != 2 || s.Lines[0].Amount.Minor+s.Lines[1].Amount.Minor != 0 {
		t.Fatalf("got %+v %v", s.Lines, err)
	}
	posted := []Document{{Lines: []Line{{Measure: "sales:Toys", Account: "400", Analytic: "A; B", Amount: money.Of(-5, "USD")}}}}
	if left, err := Delta(posted, []Line{{Measure: "sales:Toys", Account: "400", At: "B", Analytic: "A", Amount: money.Of(-5, "USD")}}); err != nil || len(left) != 0 {
		t.Errorf("the same accounts in another order are another place: %+v %v", left, err)
	}
}

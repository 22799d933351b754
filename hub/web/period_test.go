package web

import (
	"math"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestPeriods(t *testing.T) {
	now := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind, of string
		from, to retail.BusinessDate
	}{
		{"", "", "2026-11-01", "2026-11-30"}, {"month", "2024-02", "2024-02-01", "2024-02-29"}, {"month", "2026-12-31", "2026-12-01", "2026-12-31"},
		{"week", "2026-11-23", "2026-11-23", "2026-11-29"}, {"week", "2026-11-29", "2026-11-23", "2026-11-29"}, {"week", "2027-01-01", "2026-12-28", "2027-01-03"},
		{"day", "2026-11-20", "2026-11-20", "2026-11-20"},
	} {
		p, err := periodOf(c.kind, c.of, now)
		if err != nil || p.From != c.from || p.To != c.to {
			t.Errorf("%s of %s: got %+v %v", c.kind, c.of, p, err)
		}
	}
	for _, bad := range [][2]string{{"year", "2026-11"}, {"month", "2026-13"}, {"day", "today"}, {"week", "=1+1"}} {
		if p, err := periodOf(bad[0], bad[1], now); err == nil {
			t.Errorf("%v reads as %+v", bad, p)
		}
	}
}

// Whatever a location does, what was sold and owed sums to what was tendered, in the columns as in the books.
func TestReviewColumnsSumToTheTenders(t *testing.T) {
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	// The day of the reference: sales 4,000.00, discounts 150, returns 200, tax 280.53, 4.00 short, 0.03 of rounding lost.
	row := view.ReviewRow{Currency: "USD", Measures: map[ledger.Account]money.Amount{"sales:A": usd(-250000), "sales:B": usd(-150000), "discount:X": usd(15000), "returns:A": usd(20000),
		"tax:state": usd(-21252), "tax:city": usd(-3400), "tax:transit": usd(-3401), "giftcard": usd(-30000), "tip": usd(-8500 + 8500), "house": usd(-12000), "deposit": usd(-6000), "paidin:found": usd(-2000),
		"paidout:stamps": usd(4500), "overshort:short": usd(400), "rounding": usd(3), "tender:visa": usd(245000), "tender:cash": usd(193150)}}
	sum := money.Of(0, "USD")
	for _, c := range columns {
		a, ok := c.of(row)
		if !ok {
			t.Fatalf("%s cannot be summed", c.Title)
		}
		switch c.Title {
		case "Tendered":
			if a != usd(438150) {
				t.Errorf("tendered %s", a)
			}
		case "Net sales":
			if a != usd(365000) {
				t.Errorf("net sales %s", a)
			}
		default:
			sum = total(sum, a)
		}
	}
	if sum != usd(438150) {
		t.Errorf("the columns sum to %s", sum)
	}
	if sums, bad := sumRows([]view.ReviewRow{row, row, {Currency: "CAD", Measures: map[ledger.Account]money.Amount{"tender:cash": money.Of(5, "CAD")}}}); bad || len(sums) != 2 ||
		sums[1].Measures["tender:cash"] != usd(386300) || sums[0].Measures["tender:cash"] != money.Of(5, "CAD") {
		t.Errorf("two currencies: %+v", sums)
	}
	huge := view.ReviewRow{Currency: "USD", Measures: map[ledger.Account]money.Amount{"tender:cash": usd(math.MaxInt64)}}
	if _, bad := sumRows([]view.ReviewRow{huge, huge}); !bad {
		t.Error("a sum beyond 64 bits is shown as if it were right")
	}
}

func TestChartsStayInTheirFrame(t *testing.T) {
	for _, minors := range [][]int64{{1}, {0}, {-5}, {100, -100, 3}, {math.MaxInt64, -math.MaxInt64}, make([]int64, 92)} {
		var data []datum
		for _, m := range minors {
			data = append(data, datum{"Mon 1", money.Of(m, "USD")})
		}
		for _, c := range []chart{standing("x", data), lying("x", data)} {
			for _, b := range c.Bars {
				if b.X < 0 || b.Y < 0 || b.W < 0 || b.H < 0 || b.X+b.W > c.Width || b.Y+b.H > c.Height {
					t.Errorf("%v: %+v is outside %d × %d", minors, b, c.Width, c.Height)
				}
			}
		}
	}
}

func TestAWorkbooksNumbersAreExactOrText(t *testing.T) {
	if got := number(money.Of(99999999999999, "USD")); got != 999999999999.99 {
		t.Errorf("got %v", got)
	}
	if got := number(money.Of(math.MaxInt64, "USD")); got != "92233720368547758.07" {
		t.Errorf("got %v", got)
	}
}

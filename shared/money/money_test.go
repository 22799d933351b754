package money

import (
	"errors"
	"math"
	"testing"

	"github.com/shopspring/decimal"
)

func TestAddRefusesWhatItCannotSay(t *testing.T) {
	if _, err := Of(1, "USD").Add(Of(1, "CAD")); !errors.Is(err, ErrCurrency) {
		t.Errorf("USD + CAD: got %v, want ErrCurrency", err)
	}
	for _, p := range [][2]int64{{math.MaxInt64, 1}, {math.MinInt64 + 1, -2}, {math.MaxInt64, math.MaxInt64}} {
		if got, err := Of(p[0], "USD").Add(Of(p[1], "USD")); !errors.Is(err, ErrOverflow) {
			t.Errorf("%d + %d: got %v %v, want ErrOverflow", p[0], p[1], got, err)
		}
	}
	if got, err := Of(5, "USD").Add(Amount{}); err != nil || got != Of(5, "USD") {
		t.Errorf("neutral element: got %v %v", got, err)
	}
}

func TestParse(t *testing.T) {
	f := func(s string, c Currency, want int64) {
		t.Helper()
		if got, err := Parse(s, c); err != nil || got != Of(want, c) {
			t.Errorf("Parse(%q, %s): got %v %v, want %d", s, c, got, err, want)
		}
	}
	f("12.3", "USD", 1230)
	f("-0.05", "USD", -5)
	f("7", "JPY", 7)
	f("1.2340", "KWD", 1234)
	f("1.10000000", "USD", 110)
	f(" 4.00 ", "USD", 400)
	for _, s := range []string{"", "1e3", "0x10", "1,000", "1.005", "NaN", "Inf", "--1", "1.2.3", "99999999999999999999", "9223372036854775808", "١"} {
		if got, err := Parse(s, "USD"); err == nil {
			t.Errorf("Parse(%q): got %v, want an error", s, got)
		}
	}
}

func TestRoundHalfAwayFromZero(t *testing.T) {
	for s, want := range map[string]int64{"1.005": 101, "-1.005": -101, "1.0049": 100, "26.1415": 2614, "548.9715": 54897} {
		if got, err := Round(decimal.RequireFromString(s), "USD"); err != nil || got.Minor != want {
			t.Errorf("Round(%s): got %v %v, want %d", s, got, err, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		a    Amount
		want string
	}{{Of(-5, "USD"), "-0.05"}, {Of(123456, "USD"), "1234.56"}, {Of(7, "JPY"), "7"}, {Of(math.MinInt64, "USD"), "-92233720368547758.08"}} {
		if got := c.a.Decimal(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("12.34")
	f.Add("-0.01")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s, "USD")
		if err != nil {
			return
		}
		if b, err := Parse(a.Decimal(), "USD"); err != nil || b != a {
			t.Fatalf("%q read as %v, written and read again as %v (%v)", s, a, b, err)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add(int64(100), int64(1), int64(1), int64(1))
	f.Fuzz(func(t *testing.T, n, x, y, z int64) {
		parts, err := Of(n, "USD").Split(x, y, z)
		if err != nil {
			return
		}
		var sum int64
		for _, p := range parts {
			sum += p.Minor
		}
		if sum != n {
			t.Fatalf("%d split by %d %d %d sums to %d", n, x, y, z, sum)
		}
	})
}

package odoo

import (
	"math"
	"testing"
)

func TestMinor(t *testing.T) {
	for _, c := range []struct {
		wire any
		want int64
		ok   bool
	}{
		{0.0, 0, true},
		{115.0, 11500, true},
		{-0.01, -1, true},
		{0.1 + 0.2, 30, true}, // 0.30000000000000004
		{1e12 + 0.01, 100000000000001, true},
		{-98765432109.87, -9876543210987, true},
		{int64(7), 700, true},
		{0.005, 0, false},
		{10.001, 0, false},
		{98765432109.875, 0, false}, // half a cent, where a double's own grain is coarse
		{0.00000001, 0, true},       // a millionth of a cent is noise
		{0.0000001, 0, false},
		{1e14, 0, false},
		{math.NaN(), 0, false},
		{math.Inf(1), 0, false},
		{"12.00", 0, false},
		{nil, 0, false},
	} {
		got, err := Minor(c.wire, "USD")
		if (err == nil) != c.ok || got.Minor != c.want {
			t.Errorf("%v: got %d %v, want %d", c.wire, got.Minor, err, c.want)
		}
	}
	if got, err := Minor(1500.0, "JPY"); err != nil || got.Minor != 1500 {
		t.Errorf("yen: %v %v", got, err)
	}
}

// FuzzMinor checks that what money is written as comes back as the same money.
func FuzzMinor(f *testing.F) {
	f.Add(int64(0))
	f.Add(int64(-1))
	f.Add(int64(123456789012))
	f.Fuzz(func(t *testing.T, cents int64) {
		if cents > 1<<48 || cents < -1<<48 {
			t.Skip("larger than any ledger")
		}
		got, err := Minor(float64(cents)/100, "USD")
		if err != nil || got.Minor != cents {
			t.Errorf("%d cents came back as %v %v", cents, got, err)
		}
	})
}

func TestMajor(t *testing.T) {
	for in, want := range map[any]int{int64(18): 18, "saas~18": 18, "saas~18.2": 18, "nonsense": 0, nil: 0} {
		if got := major(in); got != want {
			t.Errorf("%v: got %d, want %d", in, got, want)
		}
	}
}

package profile

import (
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
)

// FuzzValue compares the quick arithmetic with decimal.Decimal's: the same number with the same decimals.
func FuzzValue(f *testing.F) {
	for _, s := range [][2]string{{"1", "12.50"}, {"-3", "0.00"}, {"0.125", "-8"}, {"999999999999999999", "999999999999999999"}, {"4611686018427387903", "1"}, {"-2147483648", "4294967296.00"},
		{"1.005", "2.1"}, {"1,234.5", "(7.00)"}, {"12-", "$ 4"}, {"007", ".5"}, {"99", "100"}} {
		f.Add(s[0], s[1])
	}
	p := Profile{Group: ","}
	p.compile()
	f.Fuzz(func(t *testing.T, a, b string) {
		x, err1 := p.value(a)
		d, err2 := p.number(a)
		y, err3 := p.value(b)
		e, err4 := p.number(b)
		if (err1 == nil) != (err2 == nil) || (err3 == nil) != (err4 == nil) {
			t.Fatalf("%q, %q: got %v and %v, want %v and %v", a, b, err1, err3, err2, err4)
		}
		if err1 != nil || err3 != nil {
			return
		}
		same(t, a, x, d)
		same(t, a+" × "+b, x.times(y), d.Mul(e))
		same(t, a+" + "+b, x.plus(y), d.Add(e))
		same(t, "sums", sum([]value{x, y, x.times(y), x}), d.Add(e).Add(d.Mul(e)).Add(d))
	})
}

func TestValueIsTheProfilesNumber(t *testing.T) {
	for _, p := range []Profile{{Group: ","}, {Group: ".", Decimal: ","}, {Group: "1"}, {Group: "'"}, {}} {
		p.compile()
		for _, s := range []string{"12.50", "1.234", "1.234,56", "1'000", "11", "-5", "-5.00", "5-", "(5)", "", "-", ".", "5.", ".5", "0", "000", "1e3", "123456789012345678", "1234567890123456789", "１"} {
			v, err1 := p.value(s)
			d, err2 := p.number(s)
			if (err1 == nil) != (err2 == nil) {
				t.Errorf("group %q, decimal %q: %q gives %v, want %v", p.Group, p.Decimal, s, err1, err2)
			} else if err1 == nil {
				same(t, s, v, d)
			}
		}
	}
}

func same(t *testing.T, what string, v value, want decimal.Decimal) {
	t.Helper()
	d := v.decimal()
	if !d.Equal(want) || d.Exponent() != want.Exponent() || v.isZero() != want.IsZero() || v.isNegative() != want.IsNegative() {
		t.Fatalf("%s: got %s (%d), want %s (%d)", what, d, d.Exponent(), want, want.Exponent())
	}
	for _, c := range []money.Currency{"USD", "JPY", "KWD"} {
		got, ok1 := v.exact(c)
		if want, ok2 := money.Exact(want, c); ok1 != ok2 || ok1 && got != want {
			t.Fatalf("%s in %s: got %v %v, want %v %v", what, c, got, ok1, want, ok2)
		}
	}
}

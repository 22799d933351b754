package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
)

// ErrDecimals: the text has more decimals than the currency's minor unit.
var ErrDecimals = errors.New("more decimals than the currency has")

// ErrNumber: the text is not a plain decimal number.
var ErrNumber = errors.New("not a number")

// maxText bounds the text of a number: nothing a till writes comes near it, and it keeps a hostile exponent away from the arithmetic.
const maxText = 40

// Parse reads exact decimal text ("12.3", "-0.05", "1e2" is refused). Trailing zeros beyond the minor unit are no decimals. Code invalid.
func Parse(s string, c Currency) (Amount, error) {
	if n, decimals, ok := Plain(s); ok && decimals == c.Digits() {
		return Amount{n, c}, nil
	}
	d, err := ParseDecimal(s)
	if err != nil {
		return Amount{}, err
	}
	m := d.Shift(int32(c.Digits()))
	if !m.IsInteger() {
		return Amount{}, fault.New(fault.Invalid, fmt.Sprintf("read %q as %s", s, c), ErrDecimals)
	}
	return minor(m, c)
}

// Plain reads what nearly every till writes, digits with a point somewhere inside, at most eighteen of them: a ticket has some thirty
// numbers, and big arithmetic for each took a tenth of what the hub needs for it (measured). The number is n × 10^−decimals;
// ok = false says nothing against s.
func Plain(s string) (n int64, decimals int, ok bool) {
	digits, neg := s, false
	if strings.HasPrefix(digits, "-") {
		digits, neg = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, 0, false
	}
	point := -1
	for i := 0; i < len(digits); i++ {
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
		case c == '.' && point < 0 && i > 0 && i < len(digits)-1:
			point = i
		default:
			return 0, 0, false
		}
	}
	if point >= 0 {
		decimals = len(digits) - 1 - point
	}
	if neg {
		n = -n
	}
	return n, decimals, true
}

// Round takes a decimal to the minor unit, half away from zero (Odoo's HALF-UP). Code invalid when it does not fit.
func Round(d decimal.Decimal, c Currency) (Amount, error) {
	if a, ok := Exact(d, c); ok {
		return a, nil
	}
	return minor(d.Shift(int32(c.Digits())).Round(0), c)
}

// Exact is d when it has just the currency's decimals, as nearly every number of a till has, and so few digits that no arithmetic is needed;
// ok = false says nothing else.
func Exact(d decimal.Decimal, c Currency) (a Amount, ok bool) {
	if int(d.Exponent()) != -c.Digits() || d.NumDigits() > 18 {
		return Amount{}, false
	}
	return Amount{d.CoefficientInt64(), c}, true
}

// ParseDecimal reads plain decimal text of any number of decimals: no exponent, no grouping, no spaces inside. Code invalid.
func ParseDecimal(s string) (decimal.Decimal, error) {
	if n, decimals, ok := Plain(s); ok {
		return Decimal(n, int32(decimals)), nil
	}
	t := strings.TrimSpace(s)
	if t == "" || len(t) > maxText || strings.Trim(t, "+-.0123456789") != "" {
		return decimal.Decimal{}, fault.New(fault.Invalid, fmt.Sprintf("read %.40q", s), ErrNumber)
	}
	d, err := decimal.NewFromString(t)
	if err != nil {
		return decimal.Decimal{}, fault.New(fault.Invalid, fmt.Sprintf("read %.40q", s), ErrNumber)
	}
	return d, nil
}

// Decimal is n × 10^−decimals.
func Decimal(n int64, decimals int32) decimal.Decimal {
	if decimals == 0 && n >= 0 && n < int64(len(counts)) {
		return counts[n]
	}
	return decimal.New(n, -decimals)
}

// counts are the numbers that most quantities are, made once: a decimal is never changed.
var counts = func() (ds [100]decimal.Decimal) {
	for i := range ds {
		ds[i] = decimal.New(int64(i), 0)
	}
	return ds
}()

// DecimalOf is the amount as a decimal number of whole units.
func (a Amount) DecimalOf() decimal.Decimal { return decimal.New(a.Minor, -int32(a.Currency.Digits())) }

func minor(m decimal.Decimal, c Currency) (Amount, error) {
	b := m.BigInt()
	if !b.IsInt64() || b.Int64() == math.MinInt64 {
		return Amount{}, fault.New(fault.Invalid, "money.Parse", ErrOverflow)
	}
	return Amount{b.Int64(), c}, nil
}

// mulDiv is a×b/c and its remainder without overflow; b ≤ c.
func mulDiv(a, b, c uint64) (q, r uint64) {
	hi, lo := bits.Mul64(a, b)
	return bits.Div64(hi, lo, c)
}

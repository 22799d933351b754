// Package money is amounts in integer minor units with their currency. There is no float in it: decimal text goes in and comes out.
package money

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Currency is an ISO 4217 code in capitals.
type Currency string

// digits holds the ISO 4217 minor-unit digits that differ from two.
var digits = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Digits returns how many decimals the currency's minor unit has.
func (c Currency) Digits() int {
	if d, ok := digits[c]; ok {
		return d
	}
	return 2
}

// Valid reports whether c looks like an ISO 4217 code: three capitals.
func (c Currency) Valid() bool {
	return len(c) == 3 && strings.Trim(string(c), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Amount is a number of minor units of a currency. The zero Amount has no currency and is the neutral element of Add.
type Amount struct {
	Minor    int64
	Currency Currency
}

var (
	// ErrCurrency: two amounts of different currencies met.
	ErrCurrency = errors.New("amounts of different currencies")
	// ErrOverflow: the result does not fit in 64 bits.
	ErrOverflow = errors.New("amount too large")
)

// Of is the amount of minor units.
func Of(minor int64, c Currency) Amount { return Amount{minor, c} }

// IsZero reports whether a is nothing, in whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Add is the only sum. Errors: ErrCurrency, ErrOverflow, both with code invalid.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case a == Amount{}:
		return b, nil
	case b == Amount{}:
		return a, nil
	case a.Currency != b.Currency:
		return Amount{}, fault.New(fault.Invalid, fmt.Sprintf("add %s and %s", a, b), ErrCurrency)
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) && b.Minor != 0 {
		return Amount{}, fault.New(fault.Invalid, fmt.Sprintf("add %s and %s", a, b), ErrOverflow)
	}
	return Amount{sum, a.Currency}, nil
}

// Sub is a − b, with the errors of Add.
func (a Amount) Sub(b Amount) (Amount, error) {
	if b.Minor == math.MinInt64 {
		return Amount{}, fault.New(fault.Invalid, "money.Sub", ErrOverflow)
	}
	return a.Add(b.Neg())
}

// Neg changes the sign. The smallest int64 has no opposite; Parse never makes it.
func (a Amount) Neg() Amount { return Amount{-a.Minor, a.Currency} }

// Sum adds all amounts; no amounts are the zero Amount.
func Sum(amounts ...Amount) (total Amount, err error) {
	for _, a := range amounts {
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Decimal writes the number alone, with the currency's decimals: "-12.30".
func (a Amount) Decimal() string {
	d := a.Currency.Digits()
	neg := a.Minor < 0
	s := strconv.FormatUint(magnitude(a.Minor), 10)
	if d > 0 {
		if len(s) <= d {
			s = strings.Repeat("0", d+1-len(s)) + s
		}
		s = s[:len(s)-d] + "." + s[len(s)-d:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// String is Decimal with the currency: "12.30 USD".
func (a Amount) String() string {
	if a.Currency == "" {
		return a.Decimal()
	}
	return a.Decimal() + " " + string(a.Currency)
}

// Split divides a by weights by largest remainder: the parts sum to a to the cent, and equal remainders go to the earlier part. Weights
// are ≥ 0 and not all zero, else code invalid.
func (a Amount) Split(weights ...int64) ([]Amount, error) {
	var total int64
	for _, w := range weights {
		if w < 0 || total > math.MaxInt64-w {
			return nil, fault.Msg(fault.Invalid, "money.Split", "weights must not be negative, and their sum must fit in 64 bits")
		}
		total += w
	}
	if total == 0 {
		return nil, fault.Msg(fault.Invalid, "money.Split", "there is no weight to split by")
	}
	return a.split(weights, total), nil
}

func (a Amount) split(weights []int64, total int64) []Amount {
	type rest struct {
		i   int
		rem uint64
	}
	sign, left := int64(1), magnitude(a.Minor)
	if a.Minor < 0 {
		sign = -1
	}
	parts, rests := make([]Amount, len(weights)), make([]rest, len(weights))
	whole := left
	for i, w := range weights {
		q, r := mulDiv(whole, uint64(w), uint64(total))
		parts[i] = Amount{sign * int64(q), a.Currency}
		rests[i] = rest{i, r}
		left -= q
	}
	slices.SortStableFunc(rests, func(x, y rest) int {
		switch {
		case x.rem > y.rem:
			return -1
		case x.rem < y.rem:
			return 1
		}
		return 0
	})
	for _, r := range rests[:left] {
		parts[r.i].Minor += sign
	}
	return parts
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// MarshalText writes "12.30 USD"; an Amount without currency is empty text.
func (a Amount) MarshalText() ([]byte, error) {
	if a.Currency == "" && a.Minor == 0 {
		return nil, nil
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads what MarshalText writes. Code invalid.
func (a *Amount) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = Amount{}
		return nil
	}
	number, cur, ok := strings.Cut(string(b), " ")
	if !ok || !Currency(cur).Valid() {
		return fault.Msg(fault.Invalid, "read amount", fmt.Sprintf("an amount is written like 12.30 USD, not %.40q", b))
	}
	got, err := Parse(number, Currency(cur))
	*a = got
	return err
}

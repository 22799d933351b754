package profile

import (
	"math/bits"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
)

// value is an exact number, n × 10^−decimals unless it is big. Nearly every number of a file is small: big arithmetic for each took a seventh
// of an import (measured). It has the decimals that decimal.Decimal would have, for they tell whether an amount is in minor units.
type value struct {
	n        int64
	decimals int32
	big      *decimal.Decimal // nil = n says it
}

func valueOf(d decimal.Decimal) value { return value{big: &d} }

func (v value) decimal() decimal.Decimal {
	if v.big != nil {
		return *v.big
	}
	return money.Decimal(v.n, v.decimals)
}

func (v value) isZero() bool { return v.n == 0 && (v.big == nil || v.big.IsZero()) }

func (v value) isNegative() bool { return v.n < 0 || v.big != nil && v.big.IsNegative() }

// times is v × o.
func (v value) times(o value) value {
	if v.big == nil && o.big == nil {
		hi, lo := bits.Mul64(magnitude(v.n), magnitude(o.n))
		if hi == 0 && lo <= maxSmall {
			n := int64(lo)
			if (v.n < 0) != (o.n < 0) {
				n = -n
			}
			return value{n: n, decimals: v.decimals + o.decimals}
		}
	}
	return valueOf(v.decimal().Mul(o.decimal()))
}

// plus is v + o.
func (v value) plus(o value) value {
	if v.big == nil && o.big == nil && v.decimals == o.decimals && magnitude(v.n) <= maxSmall && magnitude(o.n) <= maxSmall {
		return value{n: v.n + o.n, decimals: v.decimals}
	}
	return valueOf(v.decimal().Add(o.decimal()))
}

// maxSmall is the largest n of which two can be added.
const maxSmall = 1<<62 - 1

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// exact is v when it has just the currency's decimals; see money.Exact.
func (v value) exact(c money.Currency) (money.Amount, bool) {
	if v.big != nil {
		return money.Exact(*v.big, c)
	}
	return money.Of(v.n, c), int(v.decimals) == c.Digits() && magnitude(v.n) < 1e18
}

func sum(vs []value) (total value) {
	for i, v := range vs {
		if i == 0 {
			total = v
			continue
		}
		total = total.plus(v)
	}
	return total
}

package profile

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
)

// value is number, the quick way for a text in which the profile's signs have nothing to say.
func (p *Profile) value(s string) (value, error) {
	if p.rules.digits {
		if n, decimals, ok := money.Plain(s); ok {
			return value{n: n, decimals: int32(decimals)}, nil
		}
	}
	d, err := p.number(s)
	return valueOf(d), err
}

// around may stand before or behind a number: a currency's sign, and spaces.
const around = "$€£ \u00a0"

// foreign reports whether a number has the sign of another currency than the profile's: 5 of these are not 5 of those. Who writes a dollar's or a pound's
// sign is not told apart further, for many do.
func foreign(s string, c money.Currency) bool {
	return c != "" && (c != "EUR" && strings.Contains(s, "€") || (c == "EUR" || c == "USD" || c == "CAD") && strings.Contains(s, "£") || (c == "EUR" || c == "GBP") && strings.Contains(s, "$"))
}

// number reads "1.234,56", "-$12.00", "(12.00)" and "12.00-" by the profile's signs. What is not surely one number is an error and never a guess:
// a formula, a word, two signs, or thousands that are no groups of three, as in "12,50" of a till that was switched to another country.
func (p *Profile) number(raw string) (decimal.Decimal, error) {
	if foreign(raw, p.Currency) {
		return decimal.Decimal{}, fmt.Errorf("%.80q is not in %s, the currency of the profile", raw, p.Currency)
	}
	s, minus := strings.Trim(raw, around), 0
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		minus, s = 1, s[1:len(s)-1]
	}
	for _, cut := range []func(string, string) (string, bool){strings.CutSuffix, strings.CutPrefix} {
		s = strings.Trim(s, around)
		if rest, ok := cut(s, "-"); ok {
			minus, s = minus+1, rest
		}
	}
	s = strings.Trim(s, around)
	if minus > 1 || minus == 1 && strings.IndexAny(s, "+-") == 0 {
		return decimal.Decimal{}, notNumber(raw)
	}
	s, ok := p.plain(s)
	if !ok {
		return decimal.Decimal{}, notNumber(raw)
	}
	d, err := money.ParseDecimal(s)
	if err != nil {
		return d, notNumber(raw)
	}
	if minus == 1 {
		d = d.Neg()
	}
	return d, nil
}

func notNumber(raw string) error { return fmt.Errorf("%.80q is not a number", raw) }

// plain writes a number without thousands and with a point.
func (p *Profile) plain(s string) (string, bool) {
	sign := p.Decimal
	if sign == "" {
		sign = "."
	}
	whole, fraction, cut := strings.Cut(s, sign)
	if p.Group != "" && strings.Contains(whole, p.Group) {
		if !grouped(strings.Split(strings.TrimPrefix(whole, "+"), p.Group)) {
			return "", false
		}
		whole = strings.ReplaceAll(whole, p.Group, "")
	}
	if sign != "." && strings.Contains(whole+fraction, ".") {
		return "", false
	}
	if cut {
		whole += "." + fraction
	}
	return whole, true
}

// grouped reports whether groups of digits are a number's: the last has three, those before it three, or two as in India. None begins with no
// thousands at all: 0.050 is a twentieth of somebody who writes a point, and not fifty.
func grouped(groups []string) bool {
	if strings.Trim(groups[0], "0") == "" {
		return false
	}
	for i, g := range groups {
		n, last := len(g), i == len(groups)-1
		if strings.Trim(g, "0123456789") != "" || n == 0 || n > 3 || last && n != 3 || !last && i > 0 && n == 1 {
			return false
		}
	}
	return true
}

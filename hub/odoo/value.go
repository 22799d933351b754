package odoo

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Odoo writes false for every empty text, date and reference, and the codec nil for empty text: no value is asserted anywhere else.

func text(v any) string {
	s, _ := v.(string)
	return s
}

// id reads a record's id, or the id of a reference in either of its two forms: 7 or [7, "name"].
func id(v any) int64 {
	if l, ok := v.([]any); ok && len(l) > 0 {
		v = l[0]
	}
	n, _ := v.(int64)
	return n
}

func ids(v any) (out []int64) {
	l, _ := v.([]any)
	for _, e := range l {
		if n := id(e); n != 0 {
			out = append(out, n)
		}
	}
	return out
}

func yes(v any) bool {
	b, _ := v.(bool)
	return b
}

// Rate writes a tax's rate as the shortest decimal text that means the wire's double: "8.875".
func Rate(v any) string {
	switch x := v.(type) {
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return ""
}

// rows reads what search_read and read return.
func rows(v any) ([]map[string]any, error) {
	l, ok := v.([]any)
	if !ok && v != nil {
		return nil, fault.Msg(fault.Internal, "read Odoo's answer", fmt.Sprintf("a list was expected, it is a %T", v))
	}
	out := make([]map[string]any, 0, len(l))
	for _, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, fault.Msg(fault.Internal, "read Odoo's answer", fmt.Sprintf("a record was expected, it is a %T", e))
		}
		out = append(out, m)
	}
	return out, nil
}

// native turns JSON's numbers into what the other way gives: whole ones are int64, those with a point float64.
func native(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case json.Number:
		if strings.ContainsAny(x.String(), ".eE") {
			f, err := strconv.ParseFloat(x.String(), 64)
			if err != nil {
				return nil, &Error{Kind: Broken, Text: "Odoo answers with a number that is none: " + err.Error(), Err: err}
			}
			return f, nil
		}
		n, err := x.Int64()
		if err != nil {
			return nil, &Error{Kind: Broken, Text: "Odoo answers with a number that is too long: " + err.Error(), Err: err}
		}
		return n, nil
	case []any:
		for i := range x {
			if x[i], err = native(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range x {
			if x[k], err = native(x[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// Minor is the one place where a number of the wire becomes money. A double that is not within a millionth of a whole number of minor
// units is an error, never a rounding; so is one too large for a double to tell cents apart. Code internal.
func Minor(v any, c money.Currency) (money.Amount, error) {
	var f float64
	switch x := v.(type) {
	case float64:
		f = x
	case int64:
		f = float64(x)
	default:
		return money.Amount{}, fault.Msg(fault.Internal, "read an amount of Odoo", fmt.Sprintf("it is a %T", v))
	}
	if math.IsNaN(f) || math.Abs(f)*math.Pow10(c.Digits()) > 1<<50 {
		return money.Amount{}, fault.Msg(fault.Internal, "read an amount of Odoo", fmt.Sprintf("%v is too large to be exact", f))
	}
	// The shortest decimal that means this double is what Odoo wrote; multiplying the double itself would add its own noise.
	exact, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, 64))
	exact.Mul(exact, new(big.Rat).SetInt64(int64(math.Pow10(c.Digits()))))
	near, _ := exact.Float64()
	whole := int64(math.Round(near))
	if residue := exact.Sub(exact, new(big.Rat).SetInt64(whole)); residue.Abs(residue).Cmp(big.NewRat(1, 1_000_000)) > 0 {
		return money.Amount{}, fault.Msg(fault.Internal, "read an amount of Odoo", fmt.Sprintf("%v has more decimals than %s", f, c))
	}
	return money.Of(whole, c), nil
}

// major reads 17 or "saas~18" or "saas~18.2".
func major(v any) int {
	switch x := v.(type) {
	case int64:
		return int(x)
	case string:
		s := strings.TrimPrefix(x, "saas~")
		s, _, _ = strings.Cut(s, ".")
		n, _ := strconv.Atoi(s)
		return n
	}
	return 0
}

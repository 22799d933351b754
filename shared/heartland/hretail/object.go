package hretail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/money"
)

// object is a JSON object whose names are told in one way: REST writes snake_case, webhooks often camelCase, and both end some names in "?".
type object map[string]json.RawMessage

// objectOf reads b. Of two spellings of one name the plain snake_case one counts, whatever their order.
func objectOf(b []byte) (object, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	if m == nil {
		return nil, fmt.Errorf("it is no JSON object but null")
	}
	o := make(object, len(m))
	for name, v := range m {
		plain := spell(name)
		if _, twice := m[plain]; !twice || plain == name {
			if have, ok := o[plain]; ok && bytes.Compare(have, v) > 0 {
				continue // two foreign spellings: the same one wins each time
			}
			o[plain] = v
		}
	}
	return o, nil
}

// spell takes "sourceLocationId", "completed?" and the like to "source_location_id", "completed".
func spell(name string) string {
	name = strings.TrimSuffix(name, "?")
	if strings.ToLower(name) == name {
		return name
	}
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// has reports whether name is there and not null.
func (o object) has(name string) bool { v, ok := o[name]; return ok && string(v) != "null" }

// text reads a string, a number or a bool as its text; "" when it is not there or is a list or object.
func (o object) text(name string) string {
	v := bytes.TrimSpace(o[name])
	if len(v) == 0 || v[0] == '{' || v[0] == '[' || string(v) == "null" {
		return ""
	}
	if v[0] != '"' {
		return string(v)
	}
	var s string
	_ = json.Unmarshal(v, &s) // it was valid JSON
	return strings.TrimSpace(s)
}

// first is the text of the first of names that has one.
func (o object) first(names ...string) string {
	for _, n := range names {
		if s := o.text(n); s != "" {
			return s
		}
	}
	return ""
}

// yes reports whether a flag is set.
func (o object) yes(name string) bool { return o.text(name) == "true" }

// number reads a JSON number, or a number as text, exactly as it is written. ok is false when it is not there.
func (o object) number(name string) (d decimal.Decimal, ok bool, err error) {
	s := o.text(name)
	if s == "" {
		return d, false, nil
	}
	if d, err = money.ParseDecimal(s); err != nil {
		return d, false, fmt.Errorf("%s: %w", name, err)
	}
	return d, true, nil
}

// amount is number in minor units, rounded half away from zero: JSON writers of floats leave 4.999999 where 5 was meant.
func (o object) amount(name string, c money.Currency) (a money.Amount, ok bool, err error) {
	d, ok, err := o.number(name)
	if err != nil || !ok {
		return money.Of(0, c), ok, err
	}
	a, err = money.Round(d, c)
	return a, err == nil, err
}

// moment reads a time with its offset; zero when it is not there.
func (o object) moment(name string) (time.Time, error) {
	s := o.text(name)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("%s: %.40q is not a time with its offset", name, s)
	}
	return t.UTC(), nil
}

// list reads a list of objects. ok is false when it is not there.
func (o object) list(name string) (out []object, ok bool, err error) {
	if !o.has(name) {
		return nil, false, nil
	}
	out, err = listOf(o[name])
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return out, err == nil, err
}

func listOf(b []byte) ([]object, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("it is no list: %w", err)
	}
	out := make([]object, len(raw))
	for i, r := range raw {
		var err error
		if out[i], err = objectOf(r); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return out, nil
}

// inner reads an object in o; nil when it is not there or none.
func (o object) inner(name string) object {
	in, err := objectOf(o[name])
	if err != nil {
		return nil
	}
	return in
}

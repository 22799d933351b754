package desired

import "time"

// form is what a value must be.
type form int

const (
	text form = iota
	yes
	span    // a length of time
	list    // of texts
	mapping // text to text
)

func (w form) String() string {
	return [...]string{"a text", "true or false", `a length of time such as "15s"`, "a list of texts", "a table of texts"}[w]
}

func (w form) fits(v any) bool {
	switch w {
	case yes:
		_, ok := v.(bool)
		return ok
	case list:
		_, ok := texts(v)
		return ok
	case mapping:
		m, ok := v.(map[string]any)
		for _, x := range m {
			if _, is := x.(string); !is {
				return false
			}
		}
		return ok
	case span:
		t, ok := v.(string)
		d, err := time.ParseDuration(t)
		return ok && err == nil && d >= 0
	}
	_, ok := v.(string)
	return ok
}

func texts(v any) (out []string, ok bool) {
	all, ok := v.([]any)
	for _, x := range all {
		t, is := x.(string)
		if !is {
			return nil, false
		}
		out = append(out, t)
	}
	return out, ok
}

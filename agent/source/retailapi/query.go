package retailapi

import (
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// query is one question to a collection, in the API's own language: operators have a $, without it they are ignored in silence.
type query struct {
	filter  map[string]map[string]any
	sort    []string
	only    []string
	include []string
	rows    int
	page    int
}

// where adds a test; several on one field hold together.
func (q query) where(field, op string, v any) query {
	f := map[string]map[string]any{}
	for k, tests := range q.filter {
		f[k] = tests
	}
	tests := map[string]any{op: v}
	for o, w := range f[field] {
		tests[o] = w
	}
	f[field] = tests
	q.filter = f
	return q
}

func (q query) values() url.Values {
	v := url.Values{"sort[]": q.sort, "_only[]": q.only, "_include[]": q.include}
	if len(q.filter) > 0 {
		b, err := json.Marshal(q.filter) // keys are sorted: the same question is the same text
		if err != nil {
			panic("BUG: query: " + err.Error())
		}
		v.Set("_filter", string(b))
	}
	if q.rows > 0 {
		v.Set("per_page", strconv.Itoa(q.rows))
	}
	if q.page > 1 {
		v.Set("page", strconv.Itoa(q.page))
	}
	return v
}

// utc writes a moment as the API does.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

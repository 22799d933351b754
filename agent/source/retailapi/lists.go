package retailapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
)

// walk is a list that is read through once a day, a page at a step.
type walk struct {
	path string
	kind envelope.Kind
	last int64
}

// walkJob reads the account's lists: what changed in them is told as state, for mapping and for people.
func (s *Source) walkJob(ctx context.Context, j *job, _ *cursor, _ int) (batch, error) {
	p := &s.plan
	if len(p.walk) == 0 {
		p.walk = []walk{{path: "/items", kind: hretail.Item}, {path: "/users", kind: hretail.User}, {path: "/sales/tax_rules", kind: hretail.TaxRule}}
		if s.o.Customers {
			p.walk = append(p.walk, walk{path: "/customers", kind: hretail.Customer})
		}
	}
	w := &p.walk[0]
	q := query{rows: 200, sort: []string{"id"}}
	if w.last > 0 {
		q = q.where("id", "$gt", w.last)
	}
	got, err := s.c.list(ctx, w.path, q)
	switch {
	case answered(err, http.StatusForbidden), answered(err, http.StatusNotFound):
		got = page{}
	case err != nil:
		return batch{}, err
	}
	last := w.last
	for _, raw := range got.Results {
		var h head
		if json.Unmarshal(raw, &h) != nil {
			continue
		}
		if id, err := h.ID.Int64(); err == nil {
			last = max(last, id)
			var facts map[string]string
			if w.kind == hretail.Item && s.o.Category != "" {
				facts = s.category(h.ID.String(), raw)
			}
			s.tell(w.kind, h.ID.String(), "", hretail.Frame{}, raw, facts)
		}
	}
	more := got.more(1, q.rows) && last > w.last
	if w.last = last; !more {
		p.walk = p.walk[1:]
	}
	j.again(time.Now(), more || len(p.walk) > 0)
	return batch{}, nil
}

// learnItems asks for items that a ticket names and nobody knows yet. One that is gone has no category, and is not asked for again.
func (s *Source) learnItems(ctx context.Context, ids []string, b *batch) error {
	if b.then.facts == nil {
		b.then.facts = map[string]string{}
	}
	for len(ids) > 0 {
		n := min(len(ids), fetchRows)
		list := make([]json.Number, n)
		for i, id := range ids[:n] {
			list[i] = json.Number(id)
		}
		got, err := s.c.list(ctx, "/items", query{rows: n, sort: []string{"id"}}.where("id", "$in", list))
		if err != nil && !answered(err, http.StatusForbidden) && !answered(err, http.StatusNotFound) {
			return err
		}
		for _, id := range ids[:n] {
			s.reg.categories[id] = ""
			b.then.facts["category/"+id] = ""
		}
		for _, raw := range got.Results {
			var h head
			if json.Unmarshal(raw, &h) == nil {
				for name, v := range s.category(h.ID.String(), raw) {
					b.then.facts[name] = v
				}
			}
		}
		ids = ids[n:]
	}
	return nil
}

// category learns the category of an item from the field that the settings name.
func (s *Source) category(id string, raw json.RawMessage) map[string]string {
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	field, within, nested := strings.Cut(s.o.Category, "@")
	v := o[field]
	if nested {
		var in map[string]json.RawMessage
		if json.Unmarshal(v, &in) != nil {
			return nil
		}
		v = in[within]
	}
	var text string
	if json.Unmarshal(v, &text) != nil {
		text = strings.Trim(string(v), `"`) // a number: the id of a financial class
	}
	if text == "null" {
		text = ""
	}
	s.reg.categories[id] = text
	return map[string]string{"category/" + id: text}
}

package odoo_test

import (
	"strconv"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// before is a day on which nothing else is posted.
const before retail.BusinessDate = "2011-03-14"

// TestTheOldWaysEntriesAreRead: what a person or another program posted is read with the location it belongs to; what this hub posted, drafts and
// other locations are not in its sum.
func TestTheOldWaysEntriesAreRead(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		p := s.person(t)
		set, b := s.set(t)
		own := document(t, set, b, "S-NY", before)
		o, hub := newOutbox(own), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(own), odoo.Done)

		account, sales, place, journal := p.id("account.account", "code", "101402"), p.id("account.account", "code", "400000"), p.id("account.analytic.account", "code", "S-NY"), p.id("account.journal", "code", "MISC")
		line := func(account int64, debit, credit int64, analytic any) any {
			return []any{0, 0, map[string]any{"account_id": account, "name": "by hand", "debit": debit, "credit": credit, "analytic_distribution": analytic}}
		}
		enter := func(post bool, lines ...any) string {
			move := p.do("account.move", "create", []any{map[string]any{"move_type": "entry", "journal_id": journal, "date": string(before), "ref": "Z report", "line_ids": lines}}, p.in()).(int64)
			if post {
				p.do("account.move", "action_post", []any{[]int64{move}}, p.in())
			}
			got := p.do("account.move", "read", []any{[]int64{move}}, map[string]any{"fields": []string{"name"}}).([]any)
			name, _ := got[0].(map[string]any)["name"].(string)
			return name
		}
		of := map[string]any{key(place): 100}
		posted := enter(true, line(account, 1082, 0, false), line(sales, 0, 1082, of))
		enter(false, line(account, 5, 0, of), line(sales, 0, 5, of))
		nobodys := enter(true, line(account, 7, 0, false), line(sales, 0, 7, false))

		for name, journals := range map[string]map[retail.LocationCode]string{"by analytic account": {"S-NY": ""}, "by journal": {"S-NY": "MISC"}} {
			old, err := odoo.OldWay(t.Context(), s.client(t), odoo.OldQuery{Hub: hub, From: before, To: before, Journals: journals})
			if err != nil {
				t.Fatal(err)
			}
			sum := map[string]int64{}
			for _, it := range old.Items {
				if it.Entry == o.outcome(own).Read.Name {
					t.Errorf("%s: our own entry %s is told to be the old way's", name, it.Entry)
				}
				if it.Entry == posted && it.Location == "S-NY" && it.Date == before && it.Label == "by hand" {
					sum[it.Account] += it.Minor
				}
				if it.Entry == nobodys && (it.Location == "S-NY") != (name == "by journal") {
					t.Errorf("%s: an item without analytic account is %q", name, it.Location)
				}
			}
			if len(sum) != 2 || sum["101402"] != 108200 || sum["400000"] != -108200 {
				t.Errorf("%s: got %v of %d items", name, sum, len(old.Items))
			}
			if got := old.Account(rollup.Line{Tax: taxOf(own)}); got == "" || got == taxOf(own) {
				t.Errorf("a tax line's account is %q", got)
			}
		}
		if _, err := odoo.OldWay(t.Context(), s.client(t), odoo.OldQuery{Hub: hub, From: before, To: before, Journals: map[retail.LocationCode]string{"S-NY": "NONE"}}); err == nil {
			t.Error("a journal that is not there reads as an empty one")
		}
	})
}

func taxOf(d rollup.Document) string {
	for _, l := range d.Lines {
		if l.Tax != "" {
			return l.Tax
		}
	}
	return ""
}

func key(id int64) string { return strconv.FormatInt(id, 10) }

// in is the context of the company under test.
func (p person) in() map[string]any {
	return map[string]any{"context": map[string]any{"allowed_company_ids": []int64{p.company}}}
}

// id finds the one record of the company by a field.
func (p person) id(model, field, value string) int64 {
	p.t.Helper()
	kw := p.in()
	kw["fields"], kw["order"] = []string{"id"}, "id"
	domain := []any{[]any{field, "=", value}}
	if model == "account.journal" {
		domain = append(domain, []any{"company_id", "=", p.company})
	}
	rows, _ := p.do(model, "search_read", []any{domain}, kw).([]any)
	if len(rows) == 0 {
		p.t.Fatalf("no %s with %s %s", model, field, value)
	}
	id, _ := rows[0].(map[string]any)["id"].(int64)
	return id
}

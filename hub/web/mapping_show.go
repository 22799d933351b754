package web

import (
	"context"
	"net/http"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Mapping reads the rules that say where codes go, and who changed them.
type Mapping interface {
	Mapping(ctx context.Context) (mapping.Set, error)
	MappingHistory(ctx context.Context, f view.MappingFilter) ([]view.MappingChange, error)
}

// pageChanges is how many changes the page shows; the download has more.
const pageChanges = 100

type mappingPage struct {
	On      retail.BusinessDate
	Filter  view.MappingFilter
	Rules   []mapping.Rule
	Changes []view.MappingChange
	Query   string
}

// mappingAsked reads what a request asks. The rules are head office's: who sees some stores alone does not see them.
func mappingAsked(r *http.Request, v *visit) (on retail.BusinessDate, f view.MappingFilter, err error) {
	if v.only() != nil {
		return "", f, errNoPage
	}
	q := r.URL.Query()
	if on = retail.BusinessDate(q.Get("on")); on != "" && !on.Valid() {
		return "", f, fault.Msg(fault.Invalid, "read rules", "a day is written like 2026-11-23")
	}
	return on, view.MappingFilter{Role: ledger.Role(q.Get("role")), Code: q.Get("code")}, nil
}

// rulesOn are the rules of a role and code, on a day or all.
func (s *site) rulesOn(ctx context.Context, on retail.BusinessDate, f view.MappingFilter) (out []mapping.Rule, err error) {
	set, err := s.Mapping.Mapping(ctx)
	if on != "" {
		set = set.On(on)
	}
	for _, r := range set.Rules {
		if (f.Role == "" || r.Role == f.Role) && (f.Code == "" || r.Code == f.Code) {
			out = append(out, r)
		}
	}
	return out, err
}

func (s *site) mappingShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	on, f, err := mappingAsked(r, v)
	if err != nil {
		return err
	}
	p := mappingPage{On: on, Filter: f, Query: csvURL("", r.URL.Query())}
	if p.Rules, err = s.rulesOn(r.Context(), on, f); err != nil {
		return err
	}
	f.Limit = pageChanges
	if p.Changes, err = s.Mapping.MappingHistory(r.Context(), f); err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "mapping", "Mapping", p)
}

// mappingTable is the rules, in the columns of the file that they are read from.
func (s *site) mappingTable(r *http.Request, v *visit) (table, error) {
	on, f, err := mappingAsked(r, v)
	if err != nil {
		return table{}, err
	}
	rules, err := s.rulesOn(r.Context(), on, f)
	t := table{Name: "mapping", Head: mapping.Columns()}
	for _, x := range rules {
		var row []any
		for _, c := range x.Cells() {
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, err
}

func (s *site) mappingHistoryTable(r *http.Request, v *visit) (table, error) {
	_, f, err := mappingAsked(r, v)
	if err != nil {
		return table{}, err
	}
	f.Limit = csvMost
	all, err := s.Mapping.MappingHistory(r.Context(), f)
	t := table{Name: "mapping-history", Head: []string{"at", "who", "role", "code", "location", "from", "before", "after", "reason", "version"}}
	for _, c := range all {
		t.Rows = append(t.Rows, []any{c.At.Format("2006-01-02 15:04:05Z"), c.Who, string(c.Role), c.Code, string(c.Location), string(c.From), c.Before.String(), c.After.String(), c.Reason, c.Version})
	}
	return t, err
}

// ruleTitle is a rule's role for people.
func ruleTitle(r ledger.Role) string {
	switch r {
	case mapping.Location:
		return "Location"
	case mapping.Station:
		return "Station"
	case mapping.Employee:
		return "Employee"
	case mapping.Category:
		return "Category"
	}
	return roleTitle(r)
}

package web

import (
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// shadowDays is how far the page looks back when nobody says from when.
const shadowDays = 14

type shadowPage struct {
	Filter view.ReviewFilter
	Report view.ShadowReport
	Away   string // why there is no comparison now
	Query  string
}

func (s *site) shadowFilter(r *http.Request, v *visit) (f view.ReviewFilter, err error) {
	q := r.URL.Query()
	f = view.ReviewFilter{Location: retail.LocationCode(q.Get("location")), Only: v.only(), From: retail.BusinessDate(q.Get("from")), To: retail.BusinessDate(q.Get("to"))}
	if f.To == "" {
		f.To = retail.DateOf(s.Now())
	}
	if f.From == "" && f.To.Valid() {
		f.From = f.To.AddDays(1 - shadowDays)
	}
	if !f.From.Valid() || !f.To.Valid() {
		return f, fault.Msg(fault.Invalid, "read span", "a day is written like 2026-11-23")
	}
	if f.Location != "" {
		err = v.sees(f.Location)
	}
	return f, err
}

func (s *site) shadowShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := s.shadowFilter(r, v)
	if err != nil {
		return err
	}
	p := shadowPage{Filter: f, Query: csvURL("", r.URL.Query())}
	p.Report, err = s.Shadow.ShadowReport(r.Context(), f)
	if fault.Is(err, fault.Unavailable) {
		p.Away, err = sentence(err), nil
	}
	if err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "shadow", "Shadow", p)
}

func (s *site) shadowTable(r *http.Request, v *visit) (table, error) {
	f, err := s.shadowFilter(r, v)
	if err != nil {
		return table{}, err
	}
	rep, err := s.Shadow.ShadowReport(r.Context(), f)
	if err != nil {
		return table{}, err
	}
	t := table{Name: "shadow-" + string(f.From) + "-" + string(f.To), Head: []string{"day", "location", "state", "account", "label", "currency", "tillpost", "old way", "difference", "old entries"}}
	for _, d := range rep.Days {
		for _, l := range d.Lines {
			t.Rows = append(t.Rows, []any{string(d.Day), string(d.Location), d.State, l.Account, l.Label, string(l.Ours.Currency), l.Ours, l.Theirs, l.Difference, strings.Join(d.Entries, ", ")})
		}
	}
	return t, nil
}

// shadowURL is the comparison of a location, of one day or of the last weeks.
func shadowURL(l retail.LocationCode, d retail.BusinessDate) string {
	return query("/shadow", "location", string(l), "from", string(d), "to", string(d))
}

package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/view"
)

func (s *site) dayListTable(r *http.Request, v *visit) (table, error) {
	f := dayFilter(r, v)
	f.Limit = csvMost
	ds, err := s.Days.DayViews(r.Context(), f)
	if err != nil {
		return table{}, err
	}
	t := table{Head: []string{"day", "location", "name", "currency", "tickets", "gross", "tax", "tenders", "state", "unproven", "waits for", "open cases", "odoo entry", "difference to odoo"}}
	for _, d := range ds {
		diff, unproven := any(""), ""
		if d.Odoo.Known {
			diff = d.Odoo.Difference
		}
		if d.Unproven {
			unproven = "unproven"
		}
		var tenders []string
		for _, f := range d.Tenders {
			tenders = append(tenders, f.Label+" "+f.Amount.Decimal())
		}
		t.Rows = append(t.Rows, []any{string(d.Key.Day), string(d.Key.Location), d.Name, string(d.Currency), d.Tickets, d.Gross, d.Tax, strings.Join(tenders, "; "),
			stateOf(d).Text, unproven, d.Why, d.Cases, d.Odoo.Entry, diff})
	}
	t.Name = "store-days"
	return t, nil
}

func (s *site) dayTable(r *http.Request, v *visit) (table, error) {
	k, err := dayKey(v, r.URL.Query().Get("location"), r.URL.Query().Get("date"))
	if err != nil {
		return table{}, err
	}
	d, err := s.Days.DayDetail(r.Context(), k)
	if err != nil {
		return table{}, err
	}
	unproven := ""
	if d.Unproven {
		unproven = "unproven"
	}
	t := table{Head: []string{"document", "state", "date", "measure", "label", "account", "tax", "debit positive", "odoo", "odoo entry", "unproven", "accounting date"}}
	for _, doc := range d.Documents {
		id := doc.ID
		if id == "" {
			id = "preview"
		}
		for _, l := range doc.Lines {
			odoo := any("")
			if l.Known {
				odoo = l.Odoo
			}
			t.Rows = append(t.Rows, []any{id, docState(doc.State).Text, string(doc.Date), string(l.Measure), l.Label, l.Account, l.Tax, l.Amount, odoo, doc.Odoo.Entry, unproven, string(doc.Dated)})
		}
	}
	t.Name = "store-day"
	return t, nil
}

func (s *site) lineTable(r *http.Request, v *visit) (table, error) {
	k, err := lineKey(r, v)
	if err != nil {
		return table{}, err
	}
	k.Offset = 0
	p, err := s.Days.LineTickets(r.Context(), k)
	if err != nil {
		return table{}, err
	}
	t := table{Head: []string{"ticket", "kind", "till", "time", "total", measureLabel(k.Measure)}}
	for _, k := range p.Rows {
		t.Rows = append(t.Rows, []any{k.Number, k.Kind, string(k.Till), k.At.Format(time.RFC3339), k.Total, k.Amount})
	}
	t.Name = "tickets"
	return t, nil
}

func (s *site) caseTable(r *http.Request, v *visit) (table, error) {
	cs, err := s.Cases.CaseViews(r.Context(), view.CaseFilter{All: r.URL.Query().Get("all") != "", Only: v.only(), Limit: csvMost})
	if err != nil {
		return table{}, err
	}
	t := table{Head: []string{"case", "state", "title", "location", "day", "at stake", "currency", "detail", "what it means", "what to do", "since", "came"}}
	for _, c := range cs {
		stake := any("")
		if !c.Amount.IsZero() {
			stake = c.Amount
		}
		t.Rows = append(t.Rows, []any{c.ID, string(c.State), c.Title, string(c.Location), string(c.Day), stake, string(c.Amount.Currency), c.Detail, c.Means, c.Do, c.Opened.Format(time.RFC3339), c.Seen})
	}
	t.Name = "cases"
	return t, nil
}

func (s *site) locationTable(r *http.Request, v *visit) (table, error) {
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: v.only(), Limit: csvMost})
	if err != nil {
		return table{}, err
	}
	t := table{Head: []string{"location", "name", "confirmed", "time zone", "day begins", "currency", "open", "heard", "till", "kind", "status", "model", "serial", "software", "last ticket", "clock offset s", "till seen"}}
	for _, l := range ls {
		own := []any{string(l.Code), l.Name, yesNo(l.Confirmed), l.Zone, l.Cutoff, string(l.Currency), l.OpenDays, stamp(l.Seen)}
		if len(l.Tills) == 0 {
			t.Rows = append(t.Rows, append(own, "", "", "", "", "", "", "", "", ""))
		}
		for _, i := range l.Tills {
			t.Rows = append(t.Rows, append(own[:len(own):len(own)], string(i.Code), i.Kind, i.Status, i.Model, i.Serial, i.Software, i.Number, int(i.Clock/time.Second), stamp(i.Seen)))
		}
	}
	t.Name = "locations"
	return t, nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/view"
)

func (s *site) dayListCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := dayFilter(r, v)
	f.Limit = csvMost
	ds, err := s.Days.DayViews(r.Context(), f)
	if err != nil {
		return err
	}
	rows := [][]string{{"day", "location", "name", "currency", "tickets", "gross", "tax", "tenders", "state", "unproven", "waits for", "open cases", "odoo entry", "difference to odoo"}}
	for _, d := range ds {
		diff, unproven := "", ""
		if d.Odoo.Known {
			diff = d.Odoo.Difference.Decimal()
		}
		if d.Unproven {
			unproven = "unproven"
		}
		var tenders []string
		for _, t := range d.Tenders {
			tenders = append(tenders, t.Label+" "+t.Amount.Decimal())
		}
		rows = append(rows, []string{string(d.Key.Day), string(d.Key.Location), d.Name, string(d.Currency), itoa(d.Tickets), d.Gross.Decimal(), d.Tax.Decimal(), strings.Join(tenders, "; "),
			stateOf(d).Text, unproven, d.Why, itoa(d.Cases), d.Odoo.Entry, diff})
	}
	return sendCSV(w, "store-days.csv", rows)
}

func (s *site) dayCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := dayKey(v, r.URL.Query().Get("location"), r.URL.Query().Get("date"))
	if err != nil {
		return err
	}
	d, err := s.Days.DayDetail(r.Context(), k)
	if err != nil {
		return err
	}
	unproven := ""
	if d.Unproven {
		unproven = "unproven"
	}
	rows := [][]string{{"document", "state", "date", "measure", "label", "account", "tax", "debit positive", "odoo", "odoo entry", "unproven"}}
	for _, doc := range d.Documents {
		id := doc.ID
		if id == "" {
			id = "preview"
		}
		for _, l := range doc.Lines {
			odoo := ""
			if l.Known {
				odoo = l.Odoo.Decimal()
			}
			rows = append(rows, []string{id, docState(doc.State).Text, string(doc.Date), string(l.Measure), l.Label, l.Account, l.Tax, l.Amount.Decimal(), odoo, doc.Odoo.Entry, unproven})
		}
	}
	return sendCSV(w, "store-day.csv", rows)
}

func (s *site) lineCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := lineKey(r, v)
	if err != nil {
		return err
	}
	k.Offset = 0
	p, err := s.Days.LineTickets(r.Context(), k)
	if err != nil {
		return err
	}
	rows := [][]string{{"ticket", "kind", "till", "time", "total", measureLabel(k.Measure)}}
	for _, t := range p.Rows {
		rows = append(rows, []string{t.Number, t.Kind, string(t.Till), t.At.Format(time.RFC3339), t.Total.Decimal(), t.Amount.Decimal()})
	}
	return sendCSV(w, "tickets.csv", rows)
}

func (s *site) caseCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	cs, err := s.Cases.CaseViews(r.Context(), view.CaseFilter{All: r.URL.Query().Get("all") != "", Only: v.only(), Limit: csvMost})
	if err != nil {
		return err
	}
	rows := [][]string{{"case", "state", "title", "location", "day", "at stake", "currency", "detail", "what it means", "what to do", "since", "came"}}
	for _, c := range cs {
		stake := ""
		if !c.Amount.IsZero() {
			stake = c.Amount.Decimal()
		}
		rows = append(rows, []string{c.ID, string(c.State), c.Title, string(c.Location), string(c.Day), stake, string(c.Amount.Currency), c.Detail, c.Means, c.Do, c.Opened.Format(time.RFC3339), itoa(c.Seen)})
	}
	return sendCSV(w, "cases.csv", rows)
}

func (s *site) locationCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: v.only(), Limit: csvMost})
	if err != nil {
		return err
	}
	rows := [][]string{{"location", "name", "confirmed", "time zone", "day begins", "currency", "open", "heard", "till", "kind", "status", "model", "serial", "software", "last ticket", "clock offset s", "till seen"}}
	for _, l := range ls {
		own := []string{string(l.Code), l.Name, yesNo(l.Confirmed), l.Zone, l.Cutoff, string(l.Currency), l.OpenDays, stamp(l.Seen)}
		if len(l.Tills) == 0 {
			rows = append(rows, append(own, make([]string, 9)...))
		}
		for _, t := range l.Tills {
			rows = append(rows, append(own[:len(own):len(own)], string(t.Code), t.Kind, t.Status, t.Model, t.Serial, t.Software, t.Number, itoa(int(t.Clock/time.Second)), stamp(t.Seen)))
		}
	}
	return sendCSV(w, "locations.csv", rows)
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

// sendCSV writes a table for a spreadsheet. A cell that a spreadsheet would run as a formula is made a text.
func sendCSV(w http.ResponseWriter, name string, rows [][]string) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := csv.NewWriter(w)
	for _, row := range rows {
		for i, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+@\t\r") || strings.HasPrefix(c, "-") && !figure(c) {
				row[i] = "'" + c
			}
		}
		if err := out.Write(row); err != nil {
			return nil // the browser went away
		}
	}
	out.Flush()
	return nil
}

func figure(s string) bool { return strings.Trim(s, "-0123456789.") == "" }

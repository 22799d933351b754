package web

import (
	"encoding/csv"
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	pageDays    = 100
	pageTickets = 200
	storesShown = 12 // on the first page; the others are a click away
)

type dayListPage struct {
	Days      []view.DayView
	Filter    view.DayFilter
	Locations []view.LocationView
	Weekdays  []string
	Books     []view.ConnectionView // the hub's own connections
}

func dayFilter(r *http.Request, v *visit) view.DayFilter {
	q := r.URL.Query()
	return view.DayFilter{Location: retail.LocationCode(q.Get("location")), Only: v.only(), From: retail.BusinessDate(q.Get("from")), To: retail.BusinessDate(q.Get("to")), State: q.Get("state")}
}

// dayList is the first page: store-days, and how the stores themselves are.
func (s *site) dayList(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := dayFilter(r, v)
	f.Limit = pageDays
	ds, err := s.Days.DayViews(r.Context(), f)
	if err != nil {
		return err
	}
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: v.only(), Worst: true, Limit: storesShown})
	if err != nil {
		return err
	}
	var cs []view.ConnectionView
	if v.only() == nil { // a store has nothing to do with the line to the books
		if cs, err = s.Registry.Connections(r.Context()); err != nil {
			return err
		}
	}
	return s.render(w, r, v, http.StatusOK, "days", "Store-days", dayListPage{Days: ds, Filter: f, Locations: ls, Books: own(cs)})
}

// own are the hub's own connections: the line to the books.
func own(cs []view.ConnectionView) (out []view.ConnectionView) {
	for _, c := range cs {
		if c.Device == "" {
			out = append(out, c)
		}
	}
	return out
}

func (s *site) dayCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	ds, err := s.Days.DayViews(r.Context(), dayFilter(r, v))
	if err != nil {
		return err
	}
	rows := [][]string{{"day", "location", "name", "currency", "tickets", "gross", "tax", "state", "unproven", "odoo entry", "difference to odoo"}}
	for _, d := range ds {
		diff, unproven := "", ""
		if d.Odoo.Known {
			diff = d.Odoo.Difference.Decimal()
		}
		if d.Unproven {
			unproven = "unproven"
		}
		rows = append(rows, []string{string(d.Key.Day), string(d.Key.Location), d.Name, string(d.Currency), itoa(d.Tickets), d.Gross.Decimal(), d.Tax.Decimal(), d.State, unproven, d.Odoo.Entry, diff})
	}
	return sendCSV(w, "store-days.csv", rows)
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

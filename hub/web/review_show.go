package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// reviewPage is a span of one location by day, or of all that the user may see by location.
type reviewPage struct {
	Period    period
	Location  retail.LocationCode
	Name      string
	Columns   []column
	Rows      []reviewRow
	Sums      []reviewRow // one per currency
	Lines     []reviewGroup
	Charts    []chart
	Locations []view.ReviewRow // to choose from: those with days in the span
	Query     string           // of the downloads
	Bad       bool             // a sum could not be made
}

// reviewRow is a row with its figures under the columns.
type reviewRow struct {
	view.ReviewRow
	URL     string
	Figures []money.Amount
}

// reviewFilter reads which store-days a request means and checks that the user may see them.
func (s *site) reviewFilter(r *http.Request, v *visit) (p period, f view.ReviewFilter, err error) {
	q := r.URL.Query()
	if p, err = periodOf(q.Get("period"), q.Get("of"), s.Now()); err != nil {
		return p, f, err
	}
	f = view.ReviewFilter{Location: retail.LocationCode(q.Get("location")), Only: v.only(), From: p.From, To: p.To}
	if f.Location != "" {
		err = v.sees(f.Location)
	}
	return p, f, err
}

// review reads a span: by day of one location, by location otherwise.
func (s *site) review(r *http.Request, v *visit) (p reviewPage, err error) {
	ctx := r.Context()
	var f view.ReviewFilter
	if p.Period, f, err = s.reviewFilter(r, v); err != nil {
		return p, err
	}
	p.Location = f.Location
	all := f
	all.Location = ""
	if p.Locations, err = s.Review.ReviewLocations(ctx, all); err != nil {
		return p, err
	}
	rows := p.Locations
	if f.Location != "" {
		if rows, err = s.Review.ReviewDays(ctx, f); err != nil {
			return p, err
		}
	}
	p.Columns = columnsOf(rows)
	for _, row := range rows {
		p.Name = cmp.Or(p.Name, row.Name)
		p.Rows = append(p.Rows, p.row(row))
	}
	sums, bad := sumRows(rows)
	p.Bad = bad
	for _, sum := range sums {
		p.Sums = append(p.Sums, p.row(sum))
	}
	if len(sums) == 1 {
		p.Lines = linesOf(sums[0])
	}
	p.Charts = p.charts(rows, sums)
	return p, nil
}

func (p *reviewPage) row(row view.ReviewRow) reviewRow {
	out := reviewRow{ReviewRow: row}
	switch {
	case row.Day != "":
		out.URL = dayURL(rollup.DayKey{Location: row.Location, Day: row.Day})
	case row.Location != "":
		out.URL = reviewURL(row.Location, p.Period.Kind, p.Period.From)
	}
	for _, c := range p.Columns {
		a, ok := c.of(row)
		p.Bad = p.Bad || !ok
		out.Figures = append(out.Figures, a)
	}
	return out
}

// charts draws what one looks at first: the days of a store, or the stores beside each other; and how it was paid. Currencies are not mixed.
func (p *reviewPage) charts(rows, sums []view.ReviewRow) (out []chart) {
	if len(sums) != 1 {
		return nil
	}
	net := column{roles: netRoles}
	var data, paid []datum
	for _, row := range rows {
		a, _ := net.of(row)
		label := string(row.Location)
		if row.Name != "" {
			label += " " + row.Name
		}
		if t, err := time.Parse(time.DateOnly, string(row.Day)); err == nil {
			label = t.Format("Mon 2")
		}
		data = append(data, datum{label, a})
	}
	switch {
	case p.Location == "":
		slices.SortStableFunc(data, func(a, b datum) int { return cmp.Compare(b.Amount.Minor, a.Amount.Minor) })
		out = append(out, lying("Net sales by location", data))
	case len(data) > 1:
		out = append(out, standing("Net sales by day", data))
	}
	for _, c := range p.Columns {
		if c.tender != "" {
			a, _ := c.of(sums[0])
			paid = append(paid, datum{c.Title, a})
		}
	}
	slices.SortStableFunc(paid, func(a, b datum) int { return cmp.Compare(b.Amount.Minor, a.Amount.Minor) })
	if len(paid) > 0 {
		out = append(out, lying("How it was paid", paid))
	}
	return out
}

func (s *site) reviewShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := s.review(r, v)
	if err != nil {
		return err
	}
	p.Query = csvURL("", r.URL.Query())
	title := "Review of all locations"
	if p.Location != "" {
		title = "Review of " + string(p.Location)
	}
	return s.render(w, r, v, http.StatusOK, "review", title+", "+p.Period.Title(), p)
}

func (p reviewPage) file(what string) string {
	return what + "-" + cmp.Or(string(p.Location), "all") + "-" + string(p.Period.From) + "-" + string(p.Period.To)
}

func (s *site) reviewTable(r *http.Request, v *visit) (table, error) {
	p, err := s.review(r, v)
	if err != nil {
		return table{}, err
	}
	t := table{Name: p.file("review"), Head: []string{"location", "name", "from", "to", "currency", "state", "days", "not posted", "tickets"}}
	for _, c := range p.Columns {
		title := c.Title
		if c.tender != "" {
			title = "tender " + title
		}
		t.Head = append(t.Head, title)
	}
	t.Head = append(t.Head, "difference to odoo", "days not over")
	for _, row := range p.Rows {
		from, to := row.Day, row.Day
		if row.Day == "" {
			from, to = p.Period.From, p.Period.To
		}
		cells := []any{string(row.Location), row.Name, string(from), string(to), string(row.Currency), row.State, row.Days, row.Unposted, row.Tickets}
		for _, a := range row.Figures {
			cells = append(cells, a)
		}
		diff := any("")
		if row.Known {
			diff = row.Difference
		}
		t.Rows = append(t.Rows, append(cells, diff, row.Running))
	}
	return t, nil
}

// reviewLineTable is the span by measure: each category, jurisdiction and tender.
func (s *site) reviewLineTable(r *http.Request, v *visit) (table, error) {
	p, err := s.review(r, v)
	if err != nil {
		return table{}, err
	}
	t := table{Name: p.file("review-lines"), Head: []string{"from", "to", "currency", "group", "code", "amount"}}
	for _, sum := range p.Sums {
		for _, g := range linesOf(sum.ReviewRow) {
			for _, l := range g.Lines {
				t.Rows = append(t.Rows, []any{string(p.Period.From), string(p.Period.To), string(sum.Currency), g.Title, l.Code, l.Amount})
			}
		}
	}
	return t, nil
}

func reviewURL(l retail.LocationCode, kind string, of retail.BusinessDate) string {
	return query("/review", "location", string(l), "period", kind, "of", string(of))
}

package retailapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// abilities is what this account's API can do, tried when connecting: nobody has published it, and people report different things.
type abilities struct {
	User       string   // who the token is
	Updated    bool     // tickets can be asked for by updated_at
	Location   bool     // and by source_location_id
	Include    bool     // lines and payments come with the ticket
	Rows       int      // tickets on a page
	IDs        int      // ids on a page
	Groups     string   // how the analyzer's groups are called; "" = it cannot be used
	Reports    string   // why it cannot
	V2         bool     // stations may sell through the newer POS
	Without    []string // collections that the token may not read
	Invoices   bool
	Orders     bool
	Registries []string // of the small collections, those that answer
}

const (
	rowsWanted = 200  // tickets on a page: half a megabyte, and what one commit of the buffer takes
	idsWanted  = 5000 // the vendor's own migration tool asks for so many
)

// text says what was chosen, for the log and the status.
func (a abilities) text() []string {
	out := []string{"reads as user " + a.User}
	if a.Updated {
		out = append(out, "follows tickets by their last change")
	} else {
		out = append(out, "this account does not let tickets be asked for by their last change: reads the last hours by time of sale again and again")
	}
	if !a.Location {
		out = append(out, "tickets cannot be asked for by location: looked through here")
	}
	if !a.Include {
		out = append(out, "lines and payments do not come with tickets: asked for one by one")
	}
	if a.Groups == "" {
		out = append(out, "no totals to check against: "+a.Reports)
	}
	if a.V2 {
		out = append(out, "this account has the newer POS (api_v2) switched on: compare a day's tickets, those sold through it may be missing here")
	}
	if len(a.Without) > 0 {
		out = append(out, "the token may not read "+strings.Join(a.Without, ", "))
	}
	return append(out, fmt.Sprintf("asks for pages of %d tickets, %d ids", a.Rows, a.IDs))
}

// never is a moment that no record has: a filter that finds something there has no effect.
const never = "2199-01-01T00:00:00Z"

// probe tries what is not certain. It fails only for what makes reading impossible.
func (s *Source) probe(ctx context.Context) (a abilities, err error) {
	var who struct {
		Login string      `json:"login"`
		ID    json.Number `json:"id"`
	}
	if err := s.c.get(ctx, "/system/whoami", nil, &who); err != nil && !answered(err, http.StatusNotFound) && !answered(err, http.StatusForbidden) {
		return a, err
	}
	a.User = strings.TrimSpace(who.Login + " " + who.ID.String())
	for _, step := range []func(context.Context, *abilities) error{s.probeFilters, s.probeKinds, s.probePages, s.probeFlags, s.probeReports} {
		if err := step(ctx, &a); err != nil {
			return a, err
		}
	}
	return a, nil
}

// usable asks a question whose true answer is nothing. False, nil: the field is refused, or its filter has no effect.
func (s *Source) usable(ctx context.Context, path string, q query) (bool, error) {
	q.rows, q.only = 1, []string{"id"}
	p, err := s.c.list(ctx, path, q)
	if answered(err, http.StatusBadRequest) {
		return false, nil
	}
	return err == nil && p.Total == 0 && len(p.Results) == 0, err
}

func (s *Source) probeFilters(ctx context.Context, a *abilities) (err error) {
	if a.Updated, err = s.usable(ctx, "/sales/tickets", query{}.where("updated_at", "$gte", never)); err != nil {
		return s.rights(err, "tickets")
	}
	a.Location, err = s.usable(ctx, "/sales/tickets", query{}.where("source_location_id", "$in", []int64{-1}))
	return err
}

// rights makes a missing right on what we live on a refusal that a person must mend.
func (s *Source) rights(err error, what string) error {
	if answered(err, http.StatusForbidden) || answered(err, http.StatusNotFound) {
		return fault.New(fault.Invalid, "read "+what, fmt.Errorf("the token may not read %s: give its user the right to, and reading goes on by itself. Nothing is lost: %w", what, err))
	}
	return err
}

// probeKinds finds out which other collections answer.
func (s *Source) probeKinds(ctx context.Context, a *abilities) error {
	for _, k := range []struct {
		path string
		ok   *bool
	}{{"/sales/invoices", &a.Invoices}, {"/sales/orders", &a.Orders}} {
		good, err := s.usable(ctx, k.path, query{}.where("updated_at", "$gte", never))
		switch {
		case answered(err, http.StatusForbidden), answered(err, http.StatusNotFound):
			a.Without = append(a.Without, k.path)
		case err != nil:
			return err
		default:
			*k.ok = good
		}
	}
	return nil
}

// probePages finds whether a page of ids may be as large as wanted, and whether lines come along. It asks for the last hour only: a question
// without a window has the whole history behind it, and fails. How many rows a page really has is seen from its total each time.
func (s *Source) probePages(ctx context.Context, a *abilities) error {
	recent := query{sort: []string{"id"}}.where("local_completed_at", "$gte", wall(s.c.now().Add(-13*time.Hour))).where("local_completed_at", "$lte", wall(s.c.now().Add(-12*time.Hour)))
	a.Rows = rowsWanted
	for _, a.IDs = range []int{idsWanted, 1000, rowsWanted} {
		q := recent
		q.only, q.rows = []string{"id"}, a.IDs
		_, err := s.c.list(ctx, "/sales/tickets", q)
		if err == nil {
			break
		}
		if a.IDs == rowsWanted || !answered(err, http.StatusBadRequest) && !answered(err, http.StatusInternalServerError) {
			return err
		}
	}
	a.Include = true
	q := recent
	q.rows, q.include = 1, []string{"lines", "payments"}
	one, err := s.c.list(ctx, "/sales/tickets", q)
	if err != nil {
		return err
	}
	if len(one.Results) > 0 { // none to see: a record that comes without is asked for apart in any case
		var head struct{ Lines, Payments json.RawMessage }
		_ = json.Unmarshal(one.Results[0], &head)
		a.Include = head.Lines != nil && head.Payments != nil
	}
	return nil
}

func (s *Source) probeFlags(ctx context.Context, a *abilities) error {
	var flags struct {
		Value map[string]any `json:"value"`
	}
	err := s.c.get(ctx, "/settings/springboard.feature_flags", nil, &flags)
	if err != nil && fault.Is(err, fault.Unavailable) {
		return err
	}
	a.V2 = flags.Value["api_v2"] == true // a 404 says: no such flag
	return nil
}

// metrics are those whose names were seen to work against live accounts.
var metrics = []string{"source_sales.net_sales", "location_sales_tax.net_amount_collected", "payment.net_payments"}

func reportQuery(groups, from, to string, pageNo, rows int) url.Values {
	v := url.Values{"start_date": {from}, "end_date": {to}, "metrics[]": metrics, groups: {"location.public_id", "date.date"}, "per_page": {fmt.Sprint(rows)}}
	if pageNo > 1 {
		v.Set("page", fmt.Sprint(pageNo))
	}
	return v
}

// probeReports finds how the analyzer wants to be asked. An account without sales of the last week answers no row, which proves the name no
// less than the other; the first is then taken.
func (s *Source) probeReports(ctx context.Context, a *abilities) error {
	today := s.c.now().UTC()
	from, to := today.AddDate(0, 0, -7).Format(time.DateOnly), today.Format(time.DateOnly)
	for _, name := range []string{"group[]", "groups[]"} {
		var p struct {
			Results []map[string]any `json:"results"`
		}
		err := s.c.get(ctx, "/reporting/analyzer", reportQuery(name, from, to, 1, 5), &p)
		if answered(err, http.StatusForbidden) || answered(err, http.StatusBadRequest) || answered(err, http.StatusInternalServerError) {
			a.Reports = "the analyzer refuses (" + err.Error() + "): give the token's user the reporting rights"
			continue
		}
		if err != nil {
			return err
		}
		if len(p.Results) == 0 || slices.ContainsFunc(p.Results, func(r map[string]any) bool { return r["location.public_id"] != nil && r["date.date"] != nil }) {
			a.Groups, a.Reports = name, ""
			return nil
		}
		a.Reports = "the analyzer does not group by location and day"
	}
	return nil
}

// reporting is probeReports for those that cannot do without: code invalid when the analyzer cannot be used.
func (s *Source) reporting(ctx context.Context, a *abilities) error {
	if err := s.probeReports(ctx, a); err != nil {
		return err
	}
	if a.Groups == "" {
		return fault.Msg(fault.Invalid, "read daily totals", "tickets can be read, but their days wait for a total to check against: "+a.Reports)
	}
	return nil
}

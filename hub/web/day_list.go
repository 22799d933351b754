package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	pageDays      = 50
	pageTickets   = 200
	pageCases     = 50
	pageLocations = 100
	storesShown   = 12     // on the first page; the others are a click away
	csvMost       = 50_000 // rows of a download: what a spreadsheet opens, and some hundreds of stores for a quarter
)

type dayListPage struct {
	pager
	Days      []view.DayView
	Count     int
	Filter    view.DayFilter
	States    []string
	Narrowed  bool
	CSV       string
	NotPosted int
	Locations []view.LocationView
	Stores    view.LocationCount
	Books     []view.ConnectionView // the hub's own connections
	Needs     []upkeep.Need         // of the hub's own machine
	Restored  time.Time             // the hub was put back, and what it posted since is not read back yet: no store-day goes on
}

// pager is where the pages before and after are, "" = there is none.
type pager struct{ Before, After string }

// offset reads where a page begins; next and previous pages keep the rest of the query.
func offsetOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("offset"))
	if err != nil {
		return 0
	}
	return max(0, n)
}

func pagerOf(r *http.Request, page, count int) (p pager) {
	at := func(n int) string {
		q := r.URL.Query()
		q.Set("offset", strconv.Itoa(n))
		return r.URL.Path + "?" + q.Encode()
	}
	n := offsetOf(r)
	if n > 0 {
		p.Before = at(max(0, n-page))
	}
	if n+page < count {
		p.After = at(n + page)
	}
	return p
}

// csvURL is a list's download, narrowed as the list is.
func csvURL(path string, q url.Values) string {
	q.Del("offset")
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func dayFilter(r *http.Request, v *visit) view.DayFilter {
	q := r.URL.Query()
	return view.DayFilter{Location: retail.LocationCode(q.Get("location")), Only: v.only(), From: retail.BusinessDate(q.Get("from")), To: retail.BusinessDate(q.Get("to")),
		State: q.Get("state"), Unposted: q.Get("unposted") != ""}
}

// dayList is the first page: what needs a look, store-days, and how the stores themselves are.
func (s *site) dayList(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, f := r.Context(), dayFilter(r, v)
	p := dayListPage{Filter: f, States: dayStates, Narrowed: f.Location != "" || f.From != "" || f.To != "" || f.State != "" || f.Unposted, CSV: csvURL("/days.csv", r.URL.Query())}
	var err error
	if p.Count, err = s.Days.CountDays(ctx, f); err != nil {
		return err
	}
	if p.NotPosted, err = s.Days.CountDays(ctx, view.DayFilter{Only: v.only(), Unposted: true}); err != nil {
		return err
	}
	f.Limit, f.Offset = pageDays, offsetOf(r)
	if p.Days, err = s.Days.DayViews(ctx, f); err != nil {
		return err
	}
	if p.Locations, err = s.Registry.LocationViews(ctx, view.LocationFilter{Only: v.only(), Worst: true, Limit: storesShown}); err != nil {
		return err
	}
	if p.Stores, err = s.Registry.CountLocations(ctx, v.only(), s.Now().Add(-silentAfter-2*time.Hour)); err != nil {
		return err
	}
	if v.only() == nil { // a store has nothing to do with the line to the books
		cs, err := s.Registry.Connections(ctx)
		if err != nil {
			return err
		}
		p.Books = own(cs)
		if s.Upkeep != nil {
			p.Needs = s.Upkeep()
		}
	}
	if s.Restored != nil {
		if p.Restored, err = s.Restored(ctx); err != nil {
			return err
		}
	}
	p.pager = pagerOf(r, pageDays, p.Count)
	return s.render(w, r, v, http.StatusOK, "days", "Store-days", p)
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

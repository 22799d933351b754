// Package heartland is a Heartland Retail that behaves as people report it: pages with totals, filters that are refused or silently ignored,
// 500 on wide windows, 429 with Retry-After, rows that become visible after younger ones, rights that hide locations without a word, a clock
// that is wrong, voids and returns days later, ids that collide, webhooks that are late, doubled or missing. Beside it stands the truth of
// what the books must say, added up here without any code of the product.
package heartland

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Place is a location of the tenant.
type Place struct {
	Code, Name, Zone string
	Stations         int
}

// Options describe the account.
type Options struct {
	Token  string // the one that is accepted
	Places []Place
	Now    func() time.Time // nil = time.Now
	First  int64            // the first id of every kind of record; 0 = 100001
}

// Trouble is what goes wrong; change it through Retail.Set.
type Trouble struct {
	Revoked   bool
	Hidden    map[string]bool     // location codes that the token's user may not see any more
	Skew      time.Duration       // server's clock minus the true one
	Refused   map[string][]string // path → fields that may not be filtered
	Ignored   map[string][]string // path → fields whose filter has no effect
	PageCap   int                 // rows of a page at most; 0 = 5000
	WideRows  int                 // more rows than this behind one query: 500; 0 = no limit
	FatRows   int                 // more rows than this on one page with lines: an answer of 300 MB; 0 = never
	NoInclude bool                // lines and payments do not come with the ticket
	Groups    bool                // the analyzer knows groups[] only
	NoReports bool                // the token may not use the analyzer
	Lag       time.Duration       // every seventh ticket can be read only so long after it was written
	V2        bool                // the account's api_v2 flag
	Busy      int                 // so many next requests are answered 429
	BusyFor   time.Duration       // with this Retry-After
	Down      int                 // so many next requests are answered 500
	PerSecond int                 // more requests than this in one second: 429; 0 = 5
}

// Retail is one account. It is an http.Handler for paths below /api/, safe for concurrent use.
type Retail struct {
	o   Options
	mux *http.ServeMux

	mu       sync.Mutex
	t        Trouble
	places   []*place
	items    map[string]*item // by code and category
	itemList []*item
	people   []person
	books    map[string]*book // "tickets", "invoices", "orders"
	known    map[string]int64 // a till's ticket id → ours
	waiting  []*record        // written, not readable yet
	inside   int              // requests in flight
	recent   []time.Time
	count    Count

	// Hook is called after each completed ticket, while no lock is held; nil = no webhooks.
	Hook func(event string, body []byte)
}

// Count tells what was asked.
type Count struct {
	Requests, Throttled, Parallel, Rows, Wide int
	ByPath                                    map[string]int
}

type place struct {
	Place
	id       int64
	zone     *time.Location
	stations []int64
	updated  time.Time
}

type item struct {
	id             int64
	code, category string
	updated        time.Time
}

type person struct {
	id   int64
	name string
}

// book is one collection, sorted in the ways in which it is asked for.
type book struct {
	next      int64
	byID      []*record
	byUpdated []entry
	byDay     map[string][]*record // local date of completion
	index     map[int64]*record
}

// entry may be stale: the record's own time counts.
type entry struct {
	at time.Time
	r  *record
}

// New returns an account without tickets. It panics on an unknown zone: a test's own mistake.
func New(o Options) *Retail {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.First == 0 {
		o.First = 100001
	}
	h := &Retail{o: o, items: map[string]*item{}, known: map[string]int64{}, books: map[string]*book{}, count: Count{ByPath: map[string]int{}}}
	for _, name := range []string{"tickets", "orders", "invoices"} {
		h.books[name] = &book{next: o.First, byDay: map[string][]*record{}, index: map[int64]*record{}}
	}
	station := o.First
	for i, p := range o.Places {
		zone, err := time.LoadLocation(p.Zone)
		if err != nil {
			panic("BUG: heartland zone: " + err.Error())
		}
		pl := &place{Place: p, id: o.First + 4 + int64(i), zone: zone, updated: o.Now()}
		for range max(1, p.Stations) {
			pl.stations = append(pl.stations, station)
			station++
		}
		h.places = append(h.places, pl)
	}
	for i, n := range []string{"Derek", "Anna", "Lou", "Max", "Ida", "Kim"} {
		h.people = append(h.people, person{o.First + int64(i), n})
	}
	h.routes()
	return h
}

// Set changes what goes wrong.
func (h *Retail) Set(change func(*Trouble)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(&h.t)
}

// Count tells what was asked so far.
func (h *Retail) Count() Count {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.count
	c.ByPath = map[string]int{}
	for k, v := range h.count.ByPath {
		c.ByPath[k] = v
	}
	return c
}

// Stations lists the station ids of a location, which are its tills.
func (h *Retail) Stations(code string) (out []string) {
	p := h.place(code)
	for _, s := range p.stations {
		out = append(out, fmt.Sprint(s))
	}
	return out
}

func (h *Retail) place(code string) *place {
	for _, p := range h.places {
		if p.Code == code {
			return p
		}
	}
	panic("BUG: heartland has no location " + code)
}

// now is the server's clock, in the microseconds that it writes.
func (h *Retail) now() time.Time { return h.o.Now().Add(h.t.Skew).UTC().Truncate(time.Microsecond) }

// ServeHTTP answers one request.
func (h *Retail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.enter(w, r) {
		return
	}
	defer h.leave()
	h.mux.ServeHTTP(w, r)
}

// enter counts a request and turns away what comes too fast, at the same time as another, or without the token.
func (h *Retail) enter(w http.ResponseWriter, r *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.o.Now()
	w.Header().Set("Date", now.Add(h.t.Skew).UTC().Format(http.TimeFormat))
	h.count.Requests++
	h.count.ByPath[r.URL.Path]++
	limit := cmp.Or(h.t.PerSecond, 5)
	h.recent = slices.DeleteFunc(h.recent, func(t time.Time) bool { return now.Sub(t) >= time.Second })
	h.recent = append(h.recent, now)
	switch {
	case h.t.Revoked || r.Header.Get("Authorization") != "Bearer "+h.o.Token:
		h.fail(w, http.StatusUnauthorized, "unauthorized", "The access token is not valid.")
		return false
	case h.t.Down > 0:
		h.t.Down--
		h.fail(w, http.StatusInternalServerError, "internal_error", "Something went wrong.")
		return false
	case h.t.Busy > 0:
		h.t.Busy--
		h.tooFast(w, h.t.BusyFor)
		return false
	case h.inside > 0:
		h.count.Parallel++
		h.tooFast(w, 2*time.Second)
		return false
	case len(h.recent) > limit:
		h.tooFast(w, 2*time.Second)
		return false
	}
	h.inside++
	return true
}

func (h *Retail) tooFast(w http.ResponseWriter, wait time.Duration) {
	h.count.Throttled++
	w.Header().Set("Retry-After", fmt.Sprint(int(max(wait, time.Second).Seconds())))
	h.fail(w, http.StatusTooManyRequests, "rate_limited", "Too many requests.")
}

func (h *Retail) leave() {
	h.mu.Lock()
	h.inside--
	h.mu.Unlock()
}

// fail writes an error as the API does.
func (h *Retail) fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":%q,"message":%q}`, code, message)
}

// visible is every place that the token may see.
func (h *Retail) visible() (out []*place) {
	for _, p := range h.places {
		if !h.t.Hidden[p.Code] {
			out = append(out, p)
		}
	}
	return out
}

// put stores a record as it stands now; a later change of it is put again.
func (b *book) put(r *record) {
	if _, known := b.index[r.id]; !known {
		b.index[r.id] = r
		i, _ := slices.BinarySearchFunc(b.byID, r.id, func(x *record, id int64) int { return cmp.Compare(x.id, id) })
		b.byID = slices.Insert(b.byID, i, r)
		if r.day != "" {
			list := b.byDay[r.day]
			i, _ := slices.BinarySearchFunc(list, r.id, func(x *record, id int64) int { return cmp.Compare(x.id, id) })
			b.byDay[r.day] = slices.Insert(list, i, r)
		}
	}
	i, _ := slices.BinarySearchFunc(b.byUpdated, entry{r.updated, r}, func(x, y entry) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.r.id, y.r.id))
	})
	b.byUpdated = slices.Insert(b.byUpdated, i, entry{r.updated, r})
}

// flush makes readable what was written long enough ago.
func (h *Retail) flush() {
	now := h.o.Now()
	h.waiting = slices.DeleteFunc(h.waiting, func(r *record) bool {
		if now.Before(r.readable) {
			return false
		}
		h.books[r.book].put(r)
		return true
	})
}

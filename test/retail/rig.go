// Package retail runs the source of Heartland Retail against the fake account, up to entries in a ledger, in one process and without
// sockets, so that it may run on virtual time: the tests of a tenant and the measurement of its requests stand on it.
package retail

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/heartland"
)

// Token is the one that the rig's account accepts.
const Token = "a-token-of-the-test"

// Wire carries requests to the fake without a socket; each takes Takes.
type Wire struct {
	Retail *heartland.Retail
	Takes  time.Duration
}

// RoundTrip implements http.RoundTripper. The body is written while it is read, so that a client that has had enough ends it.
func (w Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(w.Takes):
	}
	body, in := io.Pipe()
	a := &answer{head: http.Header{}, body: in, begun: make(chan int, 1)}
	go func() {
		w.Retail.ServeHTTP(a, r)
		a.WriteHeader(http.StatusOK)
		in.Close()
	}()
	return &http.Response{StatusCode: <-a.begun, Header: a.head, Body: body, Request: r}, nil
}

type answer struct {
	head  http.Header
	body  *io.PipeWriter
	begun chan int
	once  sync.Once
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) WriteHeader(status int)      { a.once.Do(func() { a.begun <- status }) }
func (a *answer) Write(p []byte) (int, error) { a.WriteHeader(http.StatusOK); return a.body.Write(p) }

// Books is what the hub would hold: every draft goes through the hub's own meaning and the ledger's own rule of versions.
type Books struct {
	Reader  meaning.Reader
	Refused []string
	Clashes int
	Entries int // first and replacing ones: what is booked
	Drafts  int
	Late    []time.Duration // of each ticket that was new: from its completion until it was durable
	Marks   map[retail.LocationCode]time.Time
	Totals  map[string]retail.Control // "location day"
	States  int
	Kinds   map[envelope.Kind]int

	mu      sync.Mutex
	cursors map[string]source.Cursor
	current map[string]booked
	Fail    int // so many next appends fail
}

type booked struct {
	version ledger.Version
	entry   ledger.Entry
}

// NewBooks returns empty books; every location counts its days by the clock of zone.
func NewBooks(zone *time.Location) *Books {
	return &Books{Marks: map[retail.LocationCode]time.Time{}, Totals: map[string]retail.Control{}, Kinds: map[envelope.Kind]int{}, cursors: map[string]source.Cursor{}, current: map[string]booked{},
		Reader: meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
			return retail.Calendar{{Trading: retail.Trading{Zone: zone}}}
		}}}
}

// Cursor implements capture.Sink.
func (b *Books) Cursor(_ context.Context, name string) (source.Cursor, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cursors[name], nil
}

// Append implements capture.Sink.
func (b *Books) Append(_ context.Context, name string, c source.Cursor, ds []source.Draft) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Fail > 0 {
		b.Fail--
		return fmt.Errorf("the disk is full")
	}
	if c != "" {
		b.cursors[name] = c
	}
	for _, d := range ds {
		b.Drafts++
		b.take(&envelope.Envelope{Stream: d.Stream, Location: d.Location, Kind: d.Kind, Key: d.Key, ContentType: d.ContentType, At: d.At, Body: d.Body})
	}
	return nil
}

// Take books an envelope that came another way: a file, a push.
func (b *Books) Take(e *envelope.Envelope) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.take(e)
}

func (b *Books) take(e *envelope.Envelope) {
	b.Kinds[e.Kind]++
	m := b.Reader.Mean(e)
	if m.Refused != nil {
		b.Refused = append(b.Refused, fmt.Sprintf("%s %s: %v", e.Kind, e.Key, m.Refused))
		return
	}
	switch r := m.Record.(type) {
	case retail.ReadTo:
		b.Marks[r.Location] = r.Through
	case retail.Control:
		b.Totals[string(r.Location)+" "+string(r.Day)] = r
	case retail.Ticket:
		b.book(r, m.Entry, m.Version)
	default:
		b.States++
	}
}

func (b *Books) book(t retail.Ticket, e *ledger.Entry, v ledger.Version) {
	var have *ledger.Version
	cur, known := b.current[e.Key]
	if known {
		have = &cur.version
	}
	switch ledger.Supersede(have, v) {
	case ledger.First:
		b.Late = append(b.Late, time.Since(t.At))
		fallthrough
	case ledger.Replaces:
		b.Entries++
		b.current[e.Key] = booked{v, *e}
	case ledger.Clash:
		b.Clashes++
	}
}

// Tickets counts what is booked at a location on a day; a void does not count.
func (b *Books) Tickets(location, day string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, x := range b.current {
		if string(x.entry.Location) == location && string(x.entry.Day) == day && !x.version.Void && !strings.Contains(key, "|deposit|") {
			n++
		}
	}
	return n
}

// MarksOf counts the locations that are vouched for, while the agent runs.
func (b *Books) MarksOf() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.Marks)
}

// RefusedOf lists what was refused, while the agent runs.
func (b *Books) RefusedOf() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.Refused)
}

// Known counts all keys.
func (b *Books) Known() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.current)
}

// Sums adds a location's day up in the tills' words: cents by measure.
func (b *Books) Sums(location, day string) map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]int64{}
	for _, x := range b.current {
		if string(x.entry.Location) != location || string(x.entry.Day) != day {
			continue
		}
		for _, p := range x.entry.Postings {
			for i, a := range []ledger.Account{p.Debit, p.Credit} {
				cents := p.Amount.Minor
				if i == 1 {
					cents = -cents
				}
				switch role, code, _ := strings.Cut(string(a), ":"); role {
				case "control":
				case "tender":
					out["tender:"+code] += cents
				case "tax", "taxrefund":
					out["tax:"+code] -= cents
				case "sales", "returns":
					out["item"] -= cents
				case "giftcard":
					out["gift_card"] -= cents
				default:
					out[role] -= cents
				}
			}
		}
	}
	for k, v := range out {
		if v == 0 {
			delete(out, k)
		}
	}
	return out
}

// Differs compares the books with the account's own truth; "" = they agree.
func Differs(h *heartland.Retail, b *Books, location, day string) string {
	n, truth := h.Truth(location, day)
	if cost := h.Cost(location, day); cost != 0 {
		truth["cogs"], truth["inventory"] = -cost, cost
	}
	got := b.Sums(location, day)
	var out []string
	if have := b.Tickets(location, day); have != n {
		out = append(out, fmt.Sprintf("%d tickets, want %d", have, n))
	}
	for k, v := range truth {
		if got[k] != v {
			out = append(out, fmt.Sprintf("%s %d, want %d", k, got[k], v))
		}
	}
	for k, v := range got {
		if truth[k] == 0 && v != 0 {
			out = append(out, fmt.Sprintf("%s %d, want nothing", k, v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// Rig is one agent that reads the account.
type Rig struct {
	Retail *heartland.Retail
	Source *retailapi.Source
	Books  *Books
	Log    *slog.Logger
	Fails  []string // what the pump told of trouble

	quit context.CancelFunc
	wg   sync.WaitGroup
}

// Options of an agent's source that a test may set; what is empty gets what the rig's account wants.
func (r *Rig) Options(dir string) retailapi.Options {
	return retailapi.Options{Tenant: "acme", URL: "http://127.0.0.1/api", Token: func() (string, error) { return Token, nil }, Currency: "USD", Zone: "America/New_York",
		Category: "custom@category", Dir: dir, HTTP: &http.Client{Transport: Wire{r.Retail, 150 * time.Millisecond}}, Log: r.Log}
}

// Start begins to read, as the one that may.
func (r *Rig) Start(ctx context.Context, o retailapi.Options) {
	r.Source = retailapi.New("acme", o)
	r.Source.Grant(true, "")
	p := &capture.Pump{Source: r.Source, Sink: r.Books, Log: r.Log, Trouble: func(st capture.Stage, err error) {
		if err != nil && len(r.Fails) < 20 {
			r.Fails = append(r.Fails, string(st)+": "+err.Error())
		}
	}}
	run, quit := context.WithCancel(ctx)
	r.quit = quit
	r.wg.Go(func() { _ = p.Run(run) })
}

// Stop ends the agent; another Start goes on where it stood.
func (r *Rig) Stop() {
	r.quit()
	r.wg.Wait()
	_ = r.Source.Close()
}

// Percentile of durations, 0 when there are none.
func Percentile(ds []time.Duration, p int) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(ds))
	return s[min(len(s)-1, len(s)*p/100)]
}

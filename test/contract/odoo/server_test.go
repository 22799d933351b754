// Package odoo_test runs one set of cases on the fake Odoo in its three versions and, with ODOO_URL, ODOO_DB, ODOO_USER and ODOO_KEY set,
// on a real one: what the fake promises, the real one keeps. Both transports are run where there are two; ODOO_KEY must be an API key then.
package odoo_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// server is one Odoo under test. fake is nil for a real one. The administrator does what a person at head office would: locks, edits,
// deletes, users.
type server struct {
	cfg             odoo.Config
	fake            *fake.Server
	admin, adminKey string // "" = none: cases that need a person are skipped
}

// each runs a case on every server there is.
func each(t *testing.T, f func(t *testing.T, s server)) {
	eachOver(t, odoo.XMLRPC, f)
	eachOver(t, odoo.JSON2, f)
}

// eachOver runs a case on every server that speaks by one transport.
func eachOver(t *testing.T, over odoo.Transport, f func(t *testing.T, s server)) {
	tag := map[odoo.Transport]string{odoo.JSON2: " json2"}[over]
	for _, v := range []int{17, 18, 19} {
		if over == odoo.JSON2 && v < 19 {
			continue
		}
		t.Run(fmt.Sprintf("fake %d%s", v, tag), func(t *testing.T) { f(t, newFake(t, v).over(over)) })
	}
	t.Run("real"+tag, func(t *testing.T) {
		url := os.Getenv("ODOO_URL")
		if url == "" {
			t.Skip("ODOO_URL is not set: no real Odoo to run against")
		}
		s := realServer(url)
		if over == odoo.JSON2 && s.version(t) < 19 {
			t.Skip("this Odoo has no JSON-2: it came with 19")
		}
		f(t, s.over(over))
	})
}

// over is the same server by one transport.
func (s server) over(way odoo.Transport) server {
	s.cfg.Transport = way
	return s
}

func realServer(url string) server {
	key := os.Getenv("ODOO_KEY")
	return server{cfg: odoo.Config{URL: url, Database: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: func() (string, error) { return key, nil }},
		admin: os.Getenv("ODOO_ADMIN"), adminKey: os.Getenv("ODOO_ADMIN_KEY")}
}

func newFake(t *testing.T, version int) server { return serve(t, fake.Options{Version: version}) }

func serve(t *testing.T, o fake.Options) server {
	t.Helper()
	f, err := fake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(f)
	t.Cleanup(h.Close)
	return server{fake: f, admin: "admin", adminKey: "admin",
		cfg: odoo.Config{URL: h.URL, Database: "odoo", User: "tillpost", Key: func() (string, error) { return "key", nil }}}
}

// boss is the administrator's client; without one the test is skipped.
func (s server) boss(t *testing.T) *odoo.Client {
	t.Helper()
	if s.adminKey == "" {
		t.Skip("ODOO_ADMIN and ODOO_ADMIN_KEY are not set: nobody may set locks, users or edits here")
	}
	as := s.over(odoo.XMLRPC) // the administrator has a password, which opens no JSON-2
	as.cfg.User, as.cfg.Key = s.admin, func() (string, error) { return s.adminKey, nil }
	return as.client(t)
}

func (s server) version(t *testing.T) int {
	t.Helper()
	v, err := s.client(t).Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v.Major
}

func (s server) setup(t *testing.T) (odoo.SetupReport, error) {
	t.Helper()
	return odoo.Setup(t.Context(), s.client(t), options)
}

func (s server) client(t *testing.T) *odoo.Client {
	t.Helper()
	c, err := odoo.New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// made keeps what setup offered on the real server, which is the same for every case.
var made sync.Map

// set is the rules that setup offers, with the books.
func (s server) set(t *testing.T) (mapping.Set, rollup.Books) {
	t.Helper()
	if rep, ok := made.Load(s.cfg.URL); ok && s.fake == nil {
		return mapping.Set{Rules: rep.(odoo.SetupReport).Rules, Version: 1}, rep.(odoo.SetupReport).Books
	}
	rep, err := s.setup(t)
	if err != nil {
		t.Fatal(err)
	}
	made.Store(s.cfg.URL, rep)
	return mapping.Set{Rules: rep.Rules, Version: 1}, rep.Books
}

var options = odoo.SetupOptions{Locations: map[retail.LocationCode]string{"S-NY": "New York", "S 2/ä": "A code with space, slash and umlaut"},
	Tenders: []string{"cash", "visa"}, Taxes: []string{"NY State", "NY City"}, Receipts: []retail.LocationCode{"S-NY", "S 2/ä"}}

// document is a store-day with sales, a refund of tax, two jurisdictions and two tenders, made by the product's own roll-up.
func document(t *testing.T, set mapping.Set, b rollup.Books, l retail.LocationCode, day retail.BusinessDate, prior ...rollup.Document) rollup.Document {
	t.Helper()
	more := int64(len(prior)) * 1000
	return documentOf(t, set, b, l, day, rollup.ByEntry, dayTotals(more), prior...)
}

// dayTotals is what a store-day comes to.
func dayTotals(more int64) rollup.Totals {
	usd := func(n int64) money.Amount { return money.Of(n, "USD") }
	return rollup.Totals{"sales:Apparel": usd(-100000 - more), "sales:Books": usd(-2999), "returns:Apparel": usd(1000), "tax:NY State": usd(-4120), "tax:NY City": usd(-4641),
		"taxrefund:NY State": usd(41), "tender:cash": usd(50719), "tender:visa": usd(60000 + more)}
}

// documentOf is the next document of a store-day, as the product's own roll-up makes it.
func documentOf(t *testing.T, set mapping.Set, b rollup.Books, l retail.LocationCode, day retail.BusinessDate, mode rollup.Mode, totals rollup.Totals, prior ...rollup.Document) rollup.Document {
	t.Helper()
	sheet, err := rollup.Map(rollup.DayKey{Location: l, Day: day}, totals, set, b)
	if err != nil || len(sheet.Unmapped) > 0 {
		t.Fatalf("map: %v %v", sheet.Unmapped, err)
	}
	sheet.Mode = mode
	d, ok, err := rollup.Next(rollup.DayKey{Location: l, Day: day}, day, sheet, prior, b, 12, set, "")
	if err != nil || !ok {
		t.Fatalf("no document: %v", err)
	}
	return d
}

// outbox keeps tasks in memory as the store keeps them on disk.
type outbox struct {
	mu    sync.Mutex
	tasks map[string]*task
	hub   envelope.HubID // whose writer had it last
}

type task struct {
	odoo.Task
	last odoo.Outcome
	done bool
}

func newOutbox(ds ...rollup.Document) *outbox {
	o := &outbox{tasks: map[string]*task{}}
	for _, d := range ds {
		o.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
	}
	return o
}

func (o *outbox) Claim(_ context.Context, most int) (out []odoo.Task, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(o.tasks)) {
		if t := o.tasks[k]; !t.done && len(out) < most {
			out = append(out, o.behind(t.Task))
		}
	}
	return out, nil
}

// behind lets what comes late follow the first document of its day.
func (o *outbox) behind(t odoo.Task) odoo.Task {
	d := t.Document
	d.Number = 1
	if lead := o.tasks[d.ID()]; lead != nil && t.Document.Number > 1 {
		t.Held, t.Period = lead.last.Held && !lead.done, lead.Period
		if t.Move == 0 {
			t.Date = lead.Date
		}
	}
	return t
}

func (o *outbox) Loaded(_ context.Context, ts []odoo.Task) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range ts {
		k := o.tasks[t.Document.ID()]
		if t.Move != 0 {
			k.Move = t.Move
		}
		k.Date, k.Home, k.Loaded, k.Moved = t.Date, t.Home, t.Loaded, t.Moved
		if k.Parts == nil {
			k.Parts = map[string]int64{}
		}
		maps.Copy(k.Parts, t.Parts)
	}
	return nil
}

func (o *outbox) Settle(_ context.Context, out []odoo.Outcome) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range out {
		t := o.tasks[u.Document]
		t.last, t.done = u, u.Verdict != odoo.Wait
		if u.Broke {
			t.Attempt++
		}
	}
	return nil
}

func (o *outbox) Verified(_ context.Context, _ time.Time, after string, most int) (out []odoo.Task, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(o.tasks)) {
		if t := o.tasks[k]; k > after && t.last.Verdict == odoo.Done && len(out) < most {
			out = append(out, t.Task)
		}
	}
	return out, nil
}

// open counts what is not settled yet.
func (o *outbox) open() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.tasks {
		if !t.done {
			n++
		}
	}
	return n
}

func (o *outbox) outcome(d rollup.Document) odoo.Outcome { return o.tasks[d.ID()].last }

// writer writes for a hub of its own, so that runs on one real server do not meet.
func (s server) writer(t *testing.T, o *outbox, hub envelope.HubID) (*odoo.Writer, *odoo.Client) {
	c := s.client(t)
	o.hub = hub
	return odoo.NewWriter(hub, c, o, slog.New(slog.DiscardHandler)), c
}

var discard = slog.New(slog.DiscardHandler)

func newHub() envelope.HubID { return envelope.HubID(envelope.NewEpoch().String()) }

// step is one step of the writer, long after the one before: no rest and no wait stands in its way.
func step(t *testing.T, w *odoo.Writer) {
	t.Helper()
	now := w.Now().Add(10 * time.Minute)
	w.Now = func() time.Time { return now }
	if _, err := w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, o odoo.Outcome, v odoo.Verdict) {
	t.Helper()
	if o.Verdict != v {
		t.Fatalf("document %s: got %q (%s), want %q", o.Document, o.Verdict, o.Why, v)
	}
}

// mapped reports whether a rule says something of a code.
func mapped(rs []mapping.Rule, r ledger.Role, code string) bool {
	return slices.ContainsFunc(rs, func(m mapping.Rule) bool { return m.Role == r && m.Code == code })
}

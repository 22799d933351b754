// Package retailapi captures from Heartland Retail's REST API: tickets, invoices and deposits on orders as they stand there, again whenever
// they change, the places and registers of the account, and its own daily totals as proof. One source reads one account, with one request at
// a time; which agent does is decided by the hub. What the API can do is tried when connecting. See DESIGN.md.
package retailapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Options say which account, and how it is read.
type Options struct {
	Tenant    string // the account's subdomain: part of every key
	URL       string // https://acme.retail.heartland.us/api; "" = asked of the vendor by the token (OAuth)
	Token     func() (string, error)
	Currency  money.Currency
	Zone      string                // of a location that names none
	Locations []retail.LocationCode // none = all that the token may see
	Since     retail.BusinessDate   // tickets of earlier days are not captured; "" = today when first started
	Category  string                // the item's field that says its category: "custom@category", "financial_class_id", …
	Customers bool                  // customers are captured too
	Mode      mode.Mode             // test or production
	Dir       string                // where the index stands
	HTTP      *http.Client
	Log       *slog.Logger
}

// Source implements source.Source and source.Waker. Make it with New; it reads only while it is Granted.
type Source struct {
	o    Options
	name string
	c    *client
	wake chan struct{}

	mu      sync.Mutex // what status and lease touch from outside
	granted bool
	why     string // why it does not read
	nudged  bool
	can     *abilities
	hidden  []string
	behind  time.Time         // how far tickets were read
	lacking map[string]string // parts that cannot be read at the moment, and why

	x     *index
	at    cursor
	sent  *shipment // what the last Read gave, until the next tells that it is durable
	queue []parcel  // state, totals and marks that wait to be handed over
	plan  plan
	reg   registry

	passed map[passedKey]int64 // records that were looked at and are none of ours
}

// parcel is one draft with what becomes true when it is durable.
type parcel struct {
	draft source.Draft
	then  effects
}

// shipment is what one Read returned.
type shipment struct {
	after   source.Cursor
	parcels []parcel // given back to the queue when they were not stored
	then    effects
}

// New returns the source of an account under a name that must never change.
func New(name string, o Options) *Source {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Zone == "" {
		o.Zone = "UTC"
	}
	s := &Source{o: o, name: "retail/" + name, wake: make(chan struct{}, 1), why: "waiting for the hub's word which agent reads this account"}
	s.c = &client{base: strings.TrimSuffix(o.URL, "/"), token: o.Token, http: o.HTTP, breaker: breaker.New(s.name, breaker.Options{Mode: o.Mode})}
	return s
}

// Name implements source.Source.
func (s *Source) Name() string { return s.name }

// Tenant is the account's name.
func (s *Source) Tenant() string { return s.o.Tenant }

// Breaker is the connection's: the app shows it, and lets a refused one be asked again.
func (s *Source) Breaker() *breaker.Breaker { return s.c.breaker }

// Wake implements source.Waker.
func (s *Source) Wake() <-chan struct{} { return s.wake }

func (s *Source) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Grant tells whether this agent is the one that reads the account; why says who else does.
func (s *Source) Grant(yes bool, why string) {
	s.mu.Lock()
	changed := s.granted != yes
	s.granted, s.why = yes, why
	s.mu.Unlock()
	if changed {
		s.ring()
	}
}

// Nudge says that there may be news: a webhook came. It may be false, and it may be missing.
func (s *Source) Nudge() {
	s.mu.Lock()
	s.nudged = true
	s.mu.Unlock()
	s.ring()
}

// Close gives the index back.
func (s *Source) Close() error {
	if s.x == nil {
		return nil
	}
	return s.x.close()
}

// Read implements source.Source: one step of whatever is due, tickets first. Errors: unavailable while the account cannot be reached.
func (s *Source) Read(ctx context.Context, after source.Cursor, most int) ([]source.Draft, source.Cursor, error) {
	if err := s.settle(ctx, after); err != nil {
		return nil, after, err
	}
	s.mu.Lock()
	granted := s.granted
	s.mu.Unlock()
	if !granted {
		return nil, after, nil
	}
	if until, rests := s.c.resting(); rests {
		s.wakeAt(until)
		return nil, after, nil
	}
	if s.can == nil {
		if err := s.connect(ctx); err != nil {
			return nil, after, s.yield(err)
		}
	}
	if len(s.queue) > 0 {
		return s.handOver(after, most)
	}
	next := s.at.clone()
	got, did, err := s.step(ctx, &next, most)
	if err != nil {
		return nil, after, s.yield(err)
	}
	if !did {
		s.wakeAt(s.plan.next(time.Now()))
		return nil, after, nil
	}
	return s.ship(after, next, got)
}

// yield takes a 429 for what it is, no trouble but an answer: the next look is when the server wants it. Other errors stay.
func (s *Source) yield(err error) error {
	until, rests := s.c.resting()
	if !rests {
		return err
	}
	s.wakeAt(until)
	return nil
}

// settle learns from the cursor what became of the last Read.
func (s *Source) settle(ctx context.Context, after source.Cursor) error {
	if s.x == nil {
		x, err := openIndex(ctx, filepath.Join(s.o.Dir, "retail-"+s.o.Tenant+".db"))
		if err != nil {
			return err
		}
		s.x = x
	}
	switch sent := s.sent; {
	case sent == nil:
	case after == sent.after:
		if err := s.x.apply(ctx, sent.then); err != nil {
			return err
		}
	default: // not stored: the same again
		s.queue = append(sent.parcels, s.queue...)
	}
	s.sent = nil
	at, err := readCursor(after)
	s.at = at
	return err
}

// connect opens the connection: where it is, what it can do, which places there are.
func (s *Source) connect(ctx context.Context) error {
	if s.c.base == "" {
		base, err := hostOf(ctx, s.c)
		if err != nil {
			return err
		}
		s.c.base = base
	}
	can, err := s.probe(ctx)
	if err != nil {
		return err
	}
	if err := s.loadFacts(ctx); err != nil {
		return err
	}
	if err := s.refreshPlaces(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.can = &can
	s.mu.Unlock()
	s.plan.begin(time.Now(), can)
	s.o.Log.InfoContext(ctx, "connected to Heartland Retail", "source", s.name, "mode", s.o.Mode, "chosen", can.text())
	return nil
}

// handOver returns what waits in the queue.
func (s *Source) handOver(after source.Cursor, most int) ([]source.Draft, source.Cursor, error) {
	n := min(len(s.queue), most)
	got := batch{parcels: s.queue[:n:n]}
	s.queue = s.queue[n:]
	return s.ship(after, s.at.clone(), got)
}

// batch is what a step brought.
type batch struct {
	parcels []parcel // may be handed over again when they were not stored
	drafts  []source.Draft
	then    effects
}

// ship numbers the step, so that the next Read can tell whether it was stored.
func (s *Source) ship(after source.Cursor, next cursor, got batch) ([]source.Draft, source.Cursor, error) {
	next.N++
	b, err := json.Marshal(next)
	if err != nil {
		return nil, after, fault.New(fault.Internal, "write cursor of "+s.name, err)
	}
	sent := &shipment{after: source.Cursor(b), parcels: got.parcels, then: got.then}
	drafts := got.drafts
	for _, p := range got.parcels {
		drafts = append(drafts, p.draft)
		sent.then.seen = append(sent.then.seen, p.then.seen...)
		for k, v := range p.then.facts {
			if sent.then.facts == nil {
				sent.then.facts = map[string]string{}
			}
			sent.then.facts[k] = v
		}
	}
	s.sent = sent
	return drafts, sent.after, nil
}

// wakeAt makes the pump look again at t.
func (s *Source) wakeAt(t time.Time) {
	if d := time.Until(t); d > 0 {
		time.AfterFunc(d, s.ring)
	} else {
		s.ring()
	}
}

// step does the first thing that is due. did is false when nothing was.
func (s *Source) step(ctx context.Context, c *cursor, most int) (got batch, did bool, err error) {
	s.takeNudge()
	now := time.Now()
	s.begin(c)
	if len(s.reg.back) > 0 {
		s.comeBack(c, &got)
		return got, true, nil
	}
	for _, j := range s.plan.jobs {
		if j.due.After(now) || j.ready != nil && !j.ready(s, c) {
			continue
		}
		got, err = j.run(s, ctx, j, c, most)
		if err != nil && j.optional && !breaker.IsRefusal(err) && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
			s.note(j.name, err.Error())
			s.o.Log.WarnContext(ctx, "a part of Heartland Retail cannot be read; it is tried again", "source", s.name, "part", j.name, "err", err)
			if j.due = now.Add(j.every); !fault.Is(err, fault.Invalid) { // what passes is tried again soon
				j.due = now.Add(min(j.every, time.Minute))
			}
			return batch{}, true, nil
		}
		if err == nil && j.optional {
			s.note(j.name, "")
		}
		return got, true, err
	}
	return got, false, nil
}

// note keeps what is said of a part that cannot be read; "" takes it back.
func (s *Source) note(part, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lacking == nil {
		s.lacking = map[string]string{}
	}
	if s.lacking[part] = text; text == "" {
		delete(s.lacking, part)
	}
}

// begin fills in where a source without a past starts.
func (s *Source) begin(c *cursor) {
	if c.Since != "" {
		return
	}
	now := s.c.now()
	if c.Since = s.o.Since; c.Since == "" {
		c.Since = s.today(now)
	}
	from, _ := time.Parse(time.DateOnly, string(c.Since))
	from = from.Add(-14 * time.Hour) // the day begins first at UTC+14
	c.Tails = map[string]time.Time{}
	for _, k := range kinds {
		c.Tails[k.name] = from
	}
	c.Scanned, c.Looked, c.Told = now, retail.DateOf(now.UTC()), c.Since
}

// today is the day at now by the clock of the place that wakes last: in the evening of the stores it is tomorrow in UTC, and what they sell
// then is of a day that is read.
func (s *Source) today(now time.Time) retail.BusinessDate {
	var first retail.BusinessDate
	for _, p := range s.reg.places {
		if d := retail.DateOf(now.In(p.zone)); s.wants(p.Code) && (first == "" || d < first) {
			first = d
		}
	}
	if first != "" {
		return first
	}
	zone, err := time.LoadLocation(s.o.Zone)
	if err != nil {
		zone = time.UTC
	}
	return retail.DateOf(now.In(zone))
}

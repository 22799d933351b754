// Package gpapi reads what became of card payments at the bank: deposits with the payments in them, disputes and the month's fees, from
// Global Payments' GP-API. It is optional and has credentials of its own.
package gpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/heartland/gpapi"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

// Options say whose settlement is read. Times that are zero have defaults.
type Options struct {
	Name        string
	URL         string // as Place gives it
	Mode        mode.Mode
	Account     string // the data account that may read settlement
	Credentials func() (id string, key guard.Secret, err error)
	Locations   map[string]retail.LocationCode // by merchant id
	Poll        time.Duration
	Log         *slog.Logger
	Now         func() time.Time
}

const (
	poll    = time.Hour            // a bank pays once a day
	back    = 45 * 24 * time.Hour  // a delayed deposit is released within days, a reserved one within weeks
	quarrel = 180 * 24 * time.Hour // a dispute takes months
	bills   = 100 * 24 * time.Hour
)

// Place is whether an address is the test or the real GP-API, and the address to use. Code invalid for any other host: a key goes nowhere else.
func Place(address string) (mode.Mode, string, error) {
	u, err := url.Parse(cmp.Or(address, "https://apis.globalpay.com/ucp"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", "", fault.Msg(fault.Invalid, "GP-API address", fmt.Sprintf("%.80q is not of the form https://host/ucp", address))
	}
	m := mode.OfURL(u.String())
	if !mode.Loopback(u.Hostname()) && (u.Scheme != "https" || u.Port() != "" || m == mode.Unknown || !strings.HasSuffix(u.Hostname(), ".globalpay.com")) {
		return "", "", fault.Msg(fault.Invalid, "GP-API address", fmt.Sprintf("%.80q is not Global Payments': the key is sent nowhere else", address))
	}
	return m, strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/"), nil
}

// Source reads one account. One goroutine calls Read.
type Source struct {
	o    Options
	line *client
	br   *breaker.Breaker
	due  time.Time
	todo []gpapi.What

	at   source.Cursor
	p    *progress
	held []item
}

// progress is what was told, as the cursor keeps it: a checksum by collection and id.
type progress struct {
	Asked time.Time       `json:"asked,omitzero"`
	Seen  map[string]seen `json:"seen,omitempty"`
	Into  []string        `json:"into,omitempty"` // deposits whose payments are not read yet
}

type seen struct {
	Sum uint32 `json:"s"`
	At  int64  `json:"t"` // Unix seconds when it was told
}

type item struct {
	draft source.Draft
	key   string // in Seen, "" = it is not remembered
	sum   uint32
	into  string // the deposit whose payments are worth reading
	done  string // the deposit whose payments are all told with this item
}

// New returns a source. It asks nothing before its first Read.
func New(o Options) *Source {
	o.Poll = cmp.Or(o.Poll, poll)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{o: o, line: newClient(o), br: breaker.New("gpapi/"+o.Name, breaker.Options{Mode: o.Mode})}
}

// Name implements source.Source.
func (s *Source) Name() string { return "gpapi/" + s.o.Name }

// Breakers are the connection's.
func (s *Source) Breakers() []*breaker.Breaker { return []*breaker.Breaker{s.br} }

// Check tries the credentials by buying a token. Errors as of Read.
func (s *Source) Check(ctx context.Context) error {
	return s.br.Do(ctx, s.line.enter)
}

// Read implements source.Source: collection by collection, then the payments of each deposit that is new or changed.
func (s *Source) Read(ctx context.Context, after source.Cursor, max int) ([]source.Draft, source.Cursor, error) {
	if s.p == nil || after != s.at {
		p := &progress{Seen: map[string]seen{}}
		if after != "" {
			if err := json.Unmarshal([]byte(after), p); err != nil {
				return nil, after, fault.New(fault.Internal, "read cursor", err)
			}
		}
		s.p, s.at, s.held, s.todo, s.due = p, after, nil, nil, time.Time{}
	}
	for len(s.held) == 0 {
		more, err := s.step(ctx)
		if err != nil {
			return nil, after, err
		}
		if !more {
			return nil, after, nil
		}
	}
	n := min(max, len(s.held))
	out := make([]source.Draft, 0, n)
	for _, it := range s.held[:n] {
		s.p.note(it)
		out = append(out, it.draft)
	}
	s.held = s.held[n:]
	b, err := json.Marshal(s.p)
	if err != nil {
		return nil, after, fault.New(fault.Internal, "write cursor", err)
	}
	s.at = source.Cursor(b)
	return out, s.at, nil
}

// step asks one question; more is false when nothing is due.
func (s *Source) step(ctx context.Context) (more bool, err error) {
	now := s.o.Now()
	switch {
	case len(s.todo) > 0:
		err = s.collect(ctx, s.todo[0], now)
		if err == nil {
			s.todo = s.todo[1:]
		}
	case len(s.p.Into) > 0:
		err = s.inside(ctx, s.p.Into[0], now)
	case !now.Before(s.due):
		s.todo, s.due = []gpapi.What{gpapi.Deposits, gpapi.Disputes, gpapi.SettledDisputes, gpapi.Fees}, now.Add(s.o.Poll)
	default:
		return false, nil
	}
	return true, err
}

// window is what is asked of a collection.
func window(w gpapi.What, now time.Time) url.Values {
	q := url.Values{}
	from, to := "from_time_created", "to_time_created"
	span := back
	switch w {
	case gpapi.Disputes:
		from, to, span = "from_stage_time_created", "to_stage_time_created", quarrel
	case gpapi.SettledDisputes:
		from, to, span = "from_deposit_time_created", "to_deposit_time_created", quarrel
	case gpapi.Fees:
		span = bills
	}
	q.Set(from, now.Add(-span).UTC().Format(time.DateOnly))
	q.Set(to, now.UTC().AddDate(0, 0, 1).Format(time.DateOnly))
	return q
}

// collect reads a collection and holds what is new in it.
func (s *Source) collect(ctx context.Context, w gpapi.What, now time.Time) error {
	rows, err := s.ask(ctx, w, window(w, now))
	if err != nil {
		return err
	}
	for _, row := range rows {
		it, ok := s.item(w, row, now)
		if !ok {
			continue
		}
		if s.p.Seen[it.key].Sum == it.sum {
			continue
		}
		if w == gpapi.Deposits {
			it.into = it.draft.Key
		}
		s.held = append(s.held, it)
	}
	return nil
}

// inside reads the payments of a deposit.
func (s *Source) inside(ctx context.Context, deposit string, now time.Time) error {
	rows, err := s.ask(ctx, gpapi.Transactions, url.Values{"deposit_id": {deposit}})
	if err != nil {
		return err
	}
	for _, row := range rows {
		it, ok := s.item(gpapi.Transactions, row, now)
		if !ok {
			continue
		}
		it.key = ""
		s.held = append(s.held, it)
	}
	if len(s.held) == 0 {
		s.p.Into = slices.DeleteFunc(s.p.Into, func(d string) bool { return d == deposit })
		return nil
	}
	s.held[len(s.held)-1].done = deposit
	return nil
}

func (s *Source) ask(ctx context.Context, w gpapi.What, q url.Values) (rows []json.RawMessage, err error) {
	err = s.br.Do(ctx, func(ctx context.Context) error {
		rows, err = s.line.all(ctx, w, q)
		return err
	})
	return rows, err
}

// item makes a row ready for the buffer. One that is no row at all is passed by, and logged: it must not keep the others waiting.
func (s *Source) item(w gpapi.What, row json.RawMessage, now time.Time) (it item, ok bool) {
	var head struct {
		ID      string `json:"id"`
		Created string `json:"time_created"`
		System  struct {
			MID string `json:"mid"`
		} `json:"system"`
	}
	err := json.Unmarshal(row, &head)
	asked := now.UTC().Truncate(time.Microsecond)
	if !asked.After(s.p.Asked) {
		asked = s.p.Asked.Add(time.Microsecond)
	}
	s.p.Asked = asked
	rec := gpapi.Record{What: w, Location: s.o.Locations[head.System.MID], Asked: asked, Row: row}
	var body []byte
	if err == nil {
		body, err = rec.Encode()
	}
	if err != nil {
		if s.o.Log != nil {
			s.o.Log.Error("a row of GP-API cannot be kept", "source", s.o.Name, "collection", w, "id", head.ID, "err", err)
		}
		return it, false
	}
	id := cmp.Or(head.ID, head.System.MID+"/"+head.Created)
	it = item{key: string(w) + " " + id, sum: crc32.ChecksumIEEE(row)}
	it.draft = source.Draft{Stream: envelope.Sales, Location: rec.Location, Kind: decode.GPAPI, Key: id, ContentType: "application/json", At: asked, Body: body}
	return it, true
}

// note is what the delivery of an item changes.
func (p *progress) note(it item) {
	if it.key != "" {
		p.Seen[it.key] = seen{it.sum, it.draft.At.Unix()}
	}
	if it.into != "" && !slices.Contains(p.Into, it.into) {
		p.Into = append(p.Into, it.into)
	}
	if it.done != "" {
		p.Into = slices.DeleteFunc(p.Into, func(d string) bool { return d == it.done })
		for k, v := range p.Seen { // what is out of every window cannot come again
			if it.draft.At.Unix()-v.At > int64(2*quarrel/time.Second) {
				delete(p.Seen, k)
			}
		}
	}
}

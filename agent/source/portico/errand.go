package portico

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	widest     = 24 * time.Hour
	oldest     = 7 * 24 * time.Hour // the past has fewer questions, and nobody waits for one
	narrowest  = 5 * time.Minute
	retryAfter = time.Minute
	firstLive  = 24 * time.Hour // what goes with today's sales on the first start; the rest is history
)

// errand is one thing to ask for. With every = 0 it is due whenever there is something to ask.
type errand struct {
	name  string
	every time.Duration
	run   func(context.Context) error
}

// errandNames is their order: what is new before what may have changed, and the past last.
var errandNames = []string{"hello", "news", "changed", "batches", "closed batch", "open payments", "open authorizations", "mark", "past"}

// next is the first errand that is due, nil when none is.
func (s *Source) next(now time.Time) *errand {
	if s.line.told.IsZero() { // before anything is placed in time: whose time, and is the key good
		if now.Before(s.due["hello"]) {
			return nil
		}
		return &errand{"hello", 0, s.Check}
	}
	s.begin(now)
	p := s.p
	_, old := p.open(now)
	for _, e := range []struct {
		want bool
		errand
	}{
		{true, errand{"news", s.o.Poll, s.news}},
		{len(p.Look) > 0 || len(old) > 0, errand{"changed", 0, s.changed}},
		{!s.o.NoBatches, errand{"batches", 5 * s.o.Poll, s.batches}},
		{s.closedBatch(now) != "", errand{"closed batch", 0, s.closed}},
		{true, errand{"open payments", 15 * s.o.Poll, s.again}},
		{true, errand{"open authorizations", 60 * s.o.Poll, s.auths}},
		{!p.Old.Before(p.OldEnd) && p.Through.Sub(p.Marked) > 10*s.o.Poll, errand{"mark", 0, s.mark}},
		{p.Old.Before(p.OldEnd), errand{"past", 0, s.past}},
	} {
		if e.want && !now.Before(s.due[e.name]) {
			return &e.errand
		}
	}
	return nil
}

// begin places a new source: today's payments go with today's sales, what is older behind them, as far back as the gateway remembers.
func (s *Source) begin(now time.Time) {
	p := s.p
	if p.Through.IsZero() {
		p.Through = now.Add(-firstLive)
		p.Old, p.OldEnd, p.Listed = now.Add(-horizon), p.Through, now.Add(-horizon)
	}
	if edge := now.Add(-horizon); p.Through.Before(edge) {
		if s.o.Log != nil {
			s.o.Log.Error("payments are lost to this source: the gateway remembers 90 days", "source", s.o.Name, "from", p.Through, "to", edge)
		}
		p.Through = edge
	}
	if edge := now.Add(-horizon); p.Old.Before(p.OldEnd) && p.Old.Before(edge) {
		p.Old = edge
	}
}

// ask sends a request through the breaker, with the key as its file has it now.
func (s *Source) ask(ctx context.Context, r request) (a portico.Answer, err error) {
	cred, err := s.o.Credentials()
	if err != nil {
		return a, err
	}
	err = s.br.Do(ctx, func(ctx context.Context) error {
		if a, err = s.line.do(ctx, r, cred); err != nil {
			return err
		}
		return s.sameSite(a)
	})
	return a, err
}

// sameSite sees that the key still opens the site it opened before: payments of another store must not be told as this one's.
func (s *Source) sameSite(a portico.Answer) error {
	site := a.Site
	if site == "" {
		site = a.Report.Header("SiteId")
	}
	switch {
	case s.p == nil || site == "":
		return nil
	case s.p.Site == "":
		s.p.Site = site
		return nil
	case s.p.Site != site:
		return breaker.Refuse(fault.Msg(fault.Invalid, "gateway site", "the key belongs to site "+site+", but the payments of location "+string(s.o.Location)+
			" are those of site "+s.p.Site+": put the right key into the key file, or give the new site a source of its own"))
	}
	return nil
}

// windowed asks for a window, at most width of it, and narrows width while the gateway finds it too large. It returns how far the answers
// reach.
func (s *Source) windowed(ctx context.Context, w reading, width *time.Duration, make func(reading) request) (a portico.Answer, to time.Time, err error) {
	for {
		part := reading{w.from, w.to}
		if part.to.Sub(part.from) > *width {
			part.to = part.from.Add(*width)
		}
		a, err = s.ask(ctx, make(part))
		if !errors.Is(err, errNarrow) {
			return a, part.to, err
		}
		if *width <= narrowest {
			return a, w.from, fault.New(fault.Unavailable, "ask "+make(part).String(), err)
		}
		*width = max(min(*width, part.to.Sub(part.from))/2, narrowest)
	}
}

// asked is the time that orders what is told of a payment.
func (s *Source) asked() time.Time {
	t := s.line.now().Truncate(time.Microsecond)
	if !t.After(s.p.Asked) {
		t = s.p.Asked.Add(time.Microsecond)
	}
	s.p.Asked = t
	return t
}

// mark tells how far payments are read. It proves nothing of tickets and closes no store-day.
func (s *Source) mark(context.Context) error {
	through := s.p.Through
	body, err := json.Marshal(retail.ReadTo{Source: s.o.Name, Of: retail.OfPayments, Location: s.o.Location, Through: through})
	if err != nil {
		return fault.New(fault.Internal, "write mark", err)
	}
	s.held = []item{{draft: source.Draft{Stream: envelope.Sales, Location: s.o.Location, Kind: decode.ReadTo, Key: s.o.Name, ContentType: "application/json", At: s.asked(), Body: body}}}
	s.then = func(p *progress) { p.Marked = through }
	return nil
}

// firstCode gives joined errors the code of the first, so that an absence is known as one.
func firstCode(all error, by map[string]error) error {
	if all == nil {
		return nil
	}
	for _, name := range errandNames {
		if err := by[name]; err != nil {
			return fault.New(fault.CodeOf(err), "read payments", all)
		}
	}
	return all
}

// Package portico reads a store's card payments and settlement batches from Heartland's payment gateway by its reports. The key that reads
// could also charge cards: this package can express reading requests only (request.go), and never prints the key (credentials.go).
package portico

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Options say whose payments are read. Times that are zero have defaults.
type Options struct {
	Name        string // never changes: what was read is remembered under it
	Location    retail.LocationCode
	Currency    money.Currency
	Tills       map[string]retail.TillCode // by the gateway's number of the terminal
	URL         string                     // scheme and host, as Place gives it
	Mode        mode.Mode
	Credentials func() (Credentials, error)
	DeveloperID string // six characters that Heartland gave to whoever certified, or ""
	VersionNbr  string // four characters, or ""
	NoBatches   bool   // the merchant's batches are kept by the processor: the gateway has none to tell
	Poll        time.Duration
	Pause       time.Duration // between two requests
	Log         *slog.Logger
	Now         func() time.Time
}

const (
	poll    = time.Minute
	pause   = 200 * time.Millisecond // the gateway names no limit; five requests a second are a till's own rate
	horizon = 89 * 24 * time.Hour    // the gateway forgets after 90 days
)

// Source reads one site of the gateway. One goroutine calls Read.
type Source struct {
	o      Options
	line   *client
	br     *breaker.Breaker
	due    map[string]time.Time // of the errands that come back; in memory only: after a start all are due
	failed map[string]error
	window time.Duration        // of one question; a search that is too large halves it
	old    time.Duration        // of one question about the past
	more   bool                 // the errand has more to ask for at once
	later  map[string]time.Time // batches that could not be read, and when they are tried again: the others have their turn

	at   source.Cursor // what was handed over last
	p    *progress     // as at says, and what was moved since without news
	held []item        // read and not handed over yet
	then func(p *progress)
}

// New returns a source. It asks nothing before its first Read.
func New(o Options) *Source {
	if o.Poll == 0 {
		o.Poll = poll
	}
	if o.Pause == 0 {
		o.Pause = pause
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{o: o, line: newClient(o), br: breaker.New("portico/"+o.Name, breaker.Options{Mode: o.Mode}), due: map[string]time.Time{}, failed: map[string]error{}, later: map[string]time.Time{}, window: widest, old: oldest}
}

// Name implements source.Source.
func (s *Source) Name() string { return "portico/" + s.o.Name }

// Breakers are the connection's.
func (s *Source) Breakers() []*breaker.Breaker { return []*breaker.Breaker{s.br} }

// Check tries the key without asking for anything. Errors as of Read.
func (s *Source) Check(ctx context.Context) error {
	_, err := s.ask(ctx, testCredentials())
	return err
}

// most bounds the errands of one Read that bring nothing, so that a stop is heeded and a first draft goes soon.
const most = 25

// Read implements source.Source. A refusal of the key is marked as breaker.Refuse marks it; it lasts until the breaker is told to retry.
func (s *Source) Read(ctx context.Context, after source.Cursor, max int) ([]source.Draft, source.Cursor, error) {
	if s.p == nil || after != s.at {
		p, err := readProgress(after)
		if err != nil {
			return nil, after, err
		}
		s.p, s.at, s.held, s.then = p, after, nil, nil
	}
	rests := false
	for n := 0; n < most && len(s.held) == 0 && !rests; n++ {
		e := s.next(s.line.now())
		if rests = e == nil; rests {
			break
		}
		err := e.run(ctx)
		if ctx.Err() != nil {
			return nil, after, ctx.Err()
		}
		s.settle(e, err)
	}
	if len(s.held) == 0 && rests && !s.p.worth() {
		return nil, after, s.trouble()
	}
	return s.hand(max)
}

// hand gives out what is held. What belongs to the whole reading moves with its last part.
func (s *Source) hand(max int) (out []source.Draft, c source.Cursor, err error) {
	n := min(max, len(s.held))
	for _, it := range s.held[:n] {
		s.p.note(it)
		out = append(out, it.draft)
	}
	if s.held = s.held[n:]; len(s.held) == 0 {
		if s.then != nil {
			s.then(s.p)
			s.then = nil
		}
		s.p.forget()
	}
	if c, err = s.p.cursor(); err != nil {
		s.p = nil
		return nil, "", err
	}
	s.at = c
	return out, c, nil
}

// settle notes how an errand went and when it is due again. One that fails does not keep the others from theirs.
func (s *Source) settle(e *errand, err error) {
	if err == nil {
		delete(s.failed, e.name)
		if e.every > 0 && !s.more {
			s.due[e.name] = s.line.now().Add(e.every)
		}
		s.more = false
		return
	}
	if s.o.Log != nil && s.failed[e.name] == nil {
		s.o.Log.Warn("cannot read from the payment gateway; it is tried again", "source", s.o.Name, "errand", e.name, "err", err)
	}
	s.failed[e.name], s.more = err, false
	s.due[e.name] = s.line.now().Add(retryAfter)
}

func (s *Source) trouble() error {
	for _, err := range s.failed {
		if breaker.IsRefusal(err) {
			return err
		}
	}
	var all error
	for _, name := range errandNames {
		if err := s.failed[name]; err != nil {
			all = errors.Join(all, err)
		}
	}
	return firstCode(all, s.failed)
}

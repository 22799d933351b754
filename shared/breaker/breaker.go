// Package breaker guards one connection to another system: after some failures in a row it stops asking for a while, then lets one probe
// through. A refusal that no repetition mends (a wrong key, a missing right) stops it until a person has done something. One connection's
// trouble is its own: each has a breaker, and each is shown with its reason and its next try.
package breaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
)

// State is how a connection stands.
type State string

const (
	Closed   State = "closed"    // it works
	Open     State = "open"      // it failed and rests until Next
	HalfOpen State = "half-open" // one probe is under way
	Refused  State = "refused"   // the other side refuses for good: a person must act
)

const (
	after = 5                // failures in a row that open it
	rest  = 30 * time.Second // between opening and the probe
)

// Status is what is shown of a connection.
type Status struct {
	Name   string    `json:"name"`
	State  State     `json:"state"`
	Reason string    `json:"reason,omitempty"` // the last error, in words for a person
	Since  time.Time `json:"since"`            // of the State
	Next   time.Time `json:"next,omitzero"`    // the next try; zero = at any call, or never while Refused
	Mode   mode.Mode `json:"mode,omitempty"`   // test or production, as the key or address says
	Ends   time.Time `json:"ends,omitzero"`    // of the key, zero = never or not known
}

// Options change what most connections need not change.
type Options struct {
	After uint32        // failures in a row that open it; 0 = 5
	Rest  time.Duration // between opening and the probe; 0 = 30 s
	Mode  mode.Mode     // of the other side
}

// Breaker is safe for concurrent use.
type Breaker struct {
	name string
	rest time.Duration
	mode mode.Mode
	cb   *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu      sync.Mutex
	since   time.Time
	reason  string
	refused bool
}

// New returns a closed breaker.
func New(name string, o Options) *Breaker {
	if o.After == 0 {
		o.After = after
	}
	if o.Rest == 0 {
		o.Rest = rest
	}
	b := &Breaker{name: name, rest: o.Rest, mode: o.Mode, since: time.Now()}
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{Name: name, MaxRequests: 1, Timeout: o.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= o.After }})
	return b
}

// refusal marks an error that no repetition mends.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// Refuse marks err, which the other side answered, as permanent: the key, the rights. A nil err stays nil.
func Refuse(err error) error {
	if err == nil {
		return nil
	}
	return refusal{err}
}

// IsRefusal reports whether err was marked by Refuse.
func IsRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// Do runs call unless the connection rests. Only a fault with code unavailable counts as a failure: whatever else the other side answers,
// it is there. Errors: the call's own; code unavailable with the time of the next try while it rests; a refusal while it is refused.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	if s := b.Status(); s.State == Refused {
		return Refuse(fault.Msg(fault.Invalid, b.name, "it is not asked again before somebody acts: "+s.Reason))
	}
	before := b.cb.State()
	done, err := b.cb.Allow()
	if err != nil {
		s := b.Status()
		return fault.Msg(fault.Unavailable, b.name, fmt.Sprintf("it rests until %s after %s", s.Next.Format(time.TimeOnly), s.Reason))
	}
	err = call(ctx)
	if ctx.Err() != nil {
		done(nil) // we stopped; that says nothing of the other side
		return err
	}
	if fault.Retryable(err) {
		done(err)
	} else {
		done(nil)
	}
	b.note(before, err)
	return err
}

// note remembers why and since when.
func (b *Breaker) note(before gobreaker.State, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, was := b.cb.State(), b.refused
	b.refused = IsRefusal(err)
	if now != before || was != b.refused {
		b.since = time.Now()
	}
	switch {
	case b.refused || fault.Retryable(err):
		b.reason = err.Error()
	case now == gobreaker.StateClosed:
		b.reason = ""
	}
}

// Name is the connection's own.
func (b *Breaker) Name() string { return b.name }

// Retry lets a refused connection be asked again: a person has changed the key or the rights.
func (b *Breaker) Retry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refused {
		b.refused, b.since = false, time.Now()
	}
}

// Status tells how the connection stands now.
func (b *Breaker) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{Name: b.name, State: State(b.cb.State().String()), Reason: b.reason, Since: b.since, Mode: b.mode}
	switch {
	case b.refused:
		s.State = Refused
	case s.State == Open:
		s.Next = s.Since.Add(b.rest)
	}
	return s
}

package odoo

import (
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
)

const (
	waitFirst = 2 * time.Second
	// waitLongest is how late an Odoo that is back, or a key that was renewed, is noticed at most.
	waitLongest = time.Minute
)

// lane is the one way to an Odoo database and its circuit breaker: after a failure nothing goes until next, then one try, with longer and
// longer rests. A refused login or a missing right rests the same way, because the key is read again at each try and rights come back
// without a word; but it is shown as refused: somebody has to act. It is safe for concurrent use.
type lane struct {
	mu     sync.Mutex
	status breaker.Status
	failed int // in a row
	most   int // documents in one chain
}

func newLane(now time.Time) *lane {
	return &lane{status: breaker.Status{Name: "odoo", State: breaker.Closed, Since: now}, most: maxChunk}
}

// rests tells until when nothing is sent and why, zero = the way is free.
func (l *lane) rests(now time.Time) (until time.Time, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.State == breaker.Closed || !now.Before(l.status.Next) {
		return time.Time{}, ""
	}
	return l.status.Next, l.status.Reason
}

// chunk is how many documents the next chain carries.
func (l *lane) chunk() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most
}

// probe says that a try is under way on a lane that rested.
func (l *lane) probe(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.status.State != breaker.Closed {
		l.be(breaker.HalfOpen, now)
	}
}

// took says that Odoo answered what it was asked.
func (l *lane) took(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.be(breaker.Closed, now)
	l.failed, l.status.Reason, l.status.Next = 0, "", time.Time{}
	l.most = min(2*l.most, maxChunk)
}

// failedBy says that it did not, and returns when it is asked again. Without an answer the next chain is half as long: an Odoo that cannot
// do it in its time kills the call, and would kill the same call for ever.
func (l *lane) failedBy(err error, now time.Time) (again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind := KindOf(err)
	if kind == Busy { // it is there, and nothing is wrong
		return now.Add(backoff(0))
	}
	if kind == Away {
		l.most = max(l.most/2, 1)
	}
	state := breaker.Open
	if kind == Denied || kind == Rights {
		state = breaker.Refused
	}
	l.be(state, now)
	l.status.Reason, l.status.Next = err.Error(), now.Add(backoff(l.failed))
	l.failed++
	return l.status.Next
}

// be changes the state and remembers since when; a probe that fails does not make the trouble younger.
func (l *lane) be(s breaker.State, now time.Time) {
	was := l.status.State
	if (was == breaker.Closed) != (s == breaker.Closed) {
		l.status.Since = now
	}
	l.status.State = s
}

// Status tells how the way to Odoo stands. Unlike other connections a refused one is asked again by itself, at Next.
func (w *Writer) Status() breaker.Status {
	w.lane.mu.Lock()
	defer w.lane.mu.Unlock()
	return w.lane.status
}

// Met keeps the lane's state after calls outside of Step. A refusal of just that call says nothing about the way.
func (w *Writer) Met(err error) {
	switch KindOf(err) {
	case "":
		w.lane.took(w.Now())
	case Away, Denied, Rights:
		w.lane.failedBy(err, w.Now())
	}
}

package odoo

import (
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
)

// connection is how the lane to Odoo stands, in the words of every other connection. The lane waits by itself; this only tells.
type connection struct {
	mu sync.Mutex
	s  breaker.Status
}

// Connection tells how the lane to Odoo stands. A refused login or a missing right is tried again with backoff, for the key is read anew each
// time, and shown as refused until it works.
func (w *Writer) Connection() breaker.Status {
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	return w.conn.s
}

// Met notes what a call beside the lane's own met: the lane itself calls only when there is something to post.
func (w *Writer) Met(err error) { w.conn.note(err, w.Now(), w.Now().Add(waitFirst)) }

// note keeps what a round of calls met; err is nil when Odoo took them.
func (c *connection) note(err error, now, next time.Time) {
	state, reason := breaker.Closed, ""
	switch KindOf(err) {
	case "", Refused, Broken, Busy: // it is there, and answers
	case Denied, Rights:
		state, reason = breaker.Refused, err.Error()
	default:
		state, reason = breaker.Open, err.Error()
	}
	if state == breaker.Closed {
		next = time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s.State != state || c.s.Since.IsZero() {
		c.s.Since = now
	}
	c.s.Name, c.s.State, c.s.Reason, c.s.Next = "odoo", state, reason, next
}

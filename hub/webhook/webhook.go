// Package webhook takes a vendor's webhooks. One says nothing but "look again": its body is not believed, for it has no signature, no id and
// no order, and the source reads the record itself. A lost one costs a minute, a false one a request. See DESIGN.md.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sales is the one event that means new tickets; Events are all that are taken.
const Sales = "sales_transaction_completed"

// Events lists what the vendor can be told to send here; only Sales wakes the reader of tickets.
var Events = []string{Sales, "item_created", "item_updated", "customer_created", "customer_updated", "location_updated"}

const (
	prefix   = "/hooks/retail/"
	maxBody  = 1 << 20     // a ticket with a thousand lines; more is not even read
	atMost   = time.Second // a tenant's reader is woken so often at most
	readWait = 5 * time.Second
)

// Receiver is an http.Handler for paths below /hooks/. It is safe for concurrent use.
type Receiver struct {
	secret  []byte
	tenants []string
	wake    func(tenant string)
	log     *slog.Logger

	Taken, Strange atomic.Int64 // answered, and turned away

	mu    sync.Mutex
	woken map[string]time.Time
	later map[string]bool // a wake-up is due when atMost is over
}

// New returns a receiver for tenants; wake must not block.
func New(secret string, tenants []string, wake func(tenant string), log *slog.Logger) *Receiver {
	return &Receiver{secret: []byte(secret), tenants: tenants, wake: wake, log: log, woken: map[string]time.Time{}, later: map[string]bool{}}
}

// Path is where a tenant's event is taken: each has a secret of its own, so that the event is known without believing the body, and one that
// leaks says nothing of the others.
func (r *Receiver) Path(tenant, event string) string {
	m := hmac.New(sha256.New, r.secret)
	m.Write([]byte(tenant + "\n" + event))
	return prefix + tenant + "/" + event + "/" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil))[:32])
}

// ServeHTTP answers at once: the vendor sends a slow receiver the same again.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	tenant, event, ok := r.known(q.URL.Path)
	if !ok || q.Method != http.MethodPost {
		r.Strange.Add(1)
		http.NotFound(w, q)
		return
	}
	r.Taken.Add(1)
	w.WriteHeader(http.StatusNoContent)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWait))
	_, _ = io.Copy(io.Discard, io.LimitReader(q.Body, maxBody)) // so that the line can be used again; what it says does not count
	if event == Sales {
		r.ring(tenant)
	}
}

func (r *Receiver) known(path string) (tenant, event string, ok bool) {
	p := strings.Split(strings.TrimPrefix(path, prefix), "/")
	if !strings.HasPrefix(path, prefix) || len(p) != 3 || !slices.Contains(r.tenants, p[0]) || !slices.Contains(Events, p[1]) {
		return "", "", false
	}
	return p[0], p[1], subtle.ConstantTimeCompare([]byte(path), []byte(r.Path(p[0], p[1]))) == 1
}

// ring wakes the reader now, or once when the last time is long enough ago.
func (r *Receiver) ring(tenant string) {
	r.mu.Lock()
	if r.later[tenant] { // its time may have come this very moment: that wake-up serves this word too
		r.mu.Unlock()
		return
	}
	if wait := atMost - time.Since(r.woken[tenant]); wait > 0 {
		r.later[tenant] = true
		r.mu.Unlock()
		time.AfterFunc(wait, func() {
			r.mu.Lock()
			r.later[tenant], r.woken[tenant] = false, time.Now()
			r.mu.Unlock()
			r.wake(tenant)
		})
		return
	}
	r.woken[tenant] = time.Now()
	r.mu.Unlock()
	r.wake(tenant)
}

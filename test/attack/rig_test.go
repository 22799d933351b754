// Package attack holds the ways in which a store-and-forward line typically loses, doubles or stalls: a retained ack, a cloned PC, a hub put
// back, damage on the way, escaped bodies, mixed currencies, a runaway window, a slow wake-up, a wrong clock, daylight saving, a salvaged
// buffer. Each is played against the product, and the test asserts that nothing of the kind happens.
package attack

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

const (
	device = retail.DeviceID("d1")
	hubID  = envelope.HubID("hub1")
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

// agent is a buffer and the forwarder of its sales.
type agent struct {
	t   *testing.T
	dir string
	buf *buffer.Buffer
	fw  *forward.Forwarder
	now time.Time
}

func newAgent(t *testing.T, dir string) *agent {
	t.Helper()
	a := &agent{t: t, dir: dir, now: now}
	var err error
	a.buf, err = buffer.Open(t.Context(), buffer.Options{Dir: dir, Device: device, Clean: func(d source.Draft) source.Draft { return d }, Now: func() time.Time { return a.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.buf.Close() })
	a.fw = forward.New(forward.Options{Device: device, Stream: envelope.Sales}, a.buf, a.buf)
	return a
}

func (a *agent) add(bodies ...string) {
	a.t.Helper()
	for _, b := range bodies {
		d := source.Draft{Stream: envelope.Sales, Location: "S1", Kind: "ticket.v1", ContentType: "application/json", At: a.now, Body: []byte(b)}
		if err := a.buf.Append(a.t.Context(), "till", "", []source.Draft{d}); err != nil {
			a.t.Fatal(err)
		}
	}
}

func (a *agent) state() forward.State { return a.buf.State(envelope.Sales) }

// step returns what the agent sends at its present time, nil when nothing.
func (a *agent) step() *forward.Message {
	a.t.Helper()
	m, _, err := a.fw.Step(a.t.Context(), a.now)
	if err != nil {
		a.t.Fatal(err)
	}
	return m
}

// hub is a database with an intake over it.
type hub struct {
	t      *testing.T
	dir    string
	store  *store.Store
	intake *ingest.Intake
	stop   context.CancelFunc
	words  []envelope.Head
}

func newHub(t *testing.T, dir string) *hub {
	t.Helper()
	h := &hub{t: t, dir: dir}
	var err error
	if h.store, err = store.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	h.store.Now = func() time.Time { return now }
	err = h.store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), device, "x", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), device, store.AllLocations, now.AddDate(-1, 0, 0), "test")
	})
	if err != nil {
		t.Fatal(err)
	}
	h.intake = ingest.New(hubID, h.store, h.store, mean, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	h.stop = func() {
		stop()
		synctest.Wait()
		h.store.Close()
	}
	go h.intake.Run(ctx) //nolint:errcheck // it ends with its context
	return h
}

func mean(e *envelope.Envelope) ingest.Meaning {
	if e.Kind != "ticket.v1" {
		return ingest.Meaning{}
	}
	t, err := retail.DecodeTicket(e.Body)
	if err != nil {
		return ingest.Meaning{Refused: err}
	}
	entry, _, err := ledger.Post(t, "2026-11-20", now)
	if err != nil {
		return ingest.Meaning{Record: t, Refused: err}
	}
	v, err := ledger.VersionOf(t, "2026-11-20")
	return ingest.Meaning{Record: t, Entry: &entry, Version: v, Refused: err}
}

// take hands a message over and returns what the hub says to it.
func (h *hub) take(m *forward.Message) []envelope.Head {
	kind, d, s, ok := topic.Parse(m.Topic)
	if !ok {
		h.t.Fatalf("the agent publishes to %q", m.Topic)
	}
	reply := func(a envelope.Head) { h.words = append(h.words, a) }
	if kind == "hello" {
		var hello envelope.Hello
		if err := json.Unmarshal(m.Payload, &hello); err != nil {
			h.t.Fatal(err)
		}
		h.intake.Hello(h.t.Context(), hello, reply)
	} else {
		h.intake.Batch(h.t.Context(), d, s, m.Payload, reply)
	}
	synctest.Wait()
	words := h.words
	h.words = nil
	return words
}

// talk lets agent and hub exchange messages over a perfect line until both are silent.
func talk(a *agent, h *hub) {
	a.t.Helper()
	for range 200 {
		m := a.step()
		if m == nil {
			return
		}
		for _, w := range h.take(m) {
			a.hear(w)
		}
	}
	a.t.Fatal("agent and hub talk without end")
}

func (a *agent) hear(w envelope.Head) {
	a.t.Helper()
	if err := a.fw.Head(a.t.Context(), a.now, w); err != nil {
		a.t.Logf("not obeyed: %v", err)
	}
}

// connect is a new connection, and the exchange that follows it.
func connect(a *agent, h *hub) {
	a.fw.Connected(a.now)
	talk(a, h)
}

func (a *agent) wantSettled(h *hub) {
	a.t.Helper()
	if st := a.state(); st.Waiting() != 0 {
		phase, why, _ := a.fw.Status()
		a.t.Errorf("%d records wait at the agent (%s %s)", st.Waiting(), phase, why)
	}
}

// booked lists tickets and their cents as the hub's books have them.
func (h *hub) booked() map[string]int64 {
	h.t.Helper()
	db := openDB(h.t, filepath.Join(h.dir, "hub.db"))
	rows, err := db.Query(`SELECT t.number, e.gross FROM entry e JOIN ticket t ON t.id = e.ticket WHERE e.outcome IN ('first', 'replaces')`)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var id string
		var cents int64
		if err := rows.Scan(&id, &cents); err != nil {
			h.t.Fatal(err)
		}
		if _, twice := out[id]; twice {
			h.t.Errorf("ticket %s is booked twice", id)
		}
		out[id] = cents
	}
	return out
}

func (h *hub) causes() map[cases.Cause]int {
	h.t.Helper()
	list, err := h.store.Cases(h.t.Context(), true)
	if err != nil {
		h.t.Fatal(err)
	}
	out := map[cases.Cause]int{}
	for _, c := range list {
		out[c.Cause]++
	}
	return out
}

func ticket(id, amount string) string {
	return fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":%s}],"tenders":[{"type":"cash","amount":%s}]}`, id, amount, amount)
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.IsDir() || f.Name() == "reserve" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

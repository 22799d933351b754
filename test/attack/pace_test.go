package attack

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/topic"
)

// A hub that answers slowly must not make the agent send without end: what is in flight is counted against what is confirmed.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		defer h.stop()
		var many []source.Draft
		for range 6000 {
			many = append(many, source.Draft{Stream: envelope.Sales, Location: "S1", Kind: "note.v1", ContentType: "text/plain", At: now, Body: []byte("x")})
		}
		if err := a.buf.Append(t.Context(), "till", "", many); err != nil {
			t.Fatal(err)
		}
		a.fw.Connected(a.now)
		for _, w := range h.take(a.step()) {
			a.hear(w)
		}
		const window = 2000
		var unanswered []envelope.Head
		for range 400 {
			if m := a.step(); m != nil {
				unanswered = append(unanswered, h.take(m)...)
				if flight := m.Last - a.state().Acked; flight > window+400 {
					t.Fatalf("%d records in flight", flight)
				}
				continue
			}
			if len(unanswered) == 0 {
				break
			}
			a.hear(unanswered[0]) // one slow ack at a time
			unanswered = unanswered[1:]
		}
		a.wantSettled(h)
	})
}

// wire notes when something is published.
type wire struct {
	mu   sync.Mutex
	at   []time.Time
	loop *forward.Loop
}

func (w *wire) Publish(_ context.Context, name string, payload []byte) error {
	kind, _, s, _ := topic.Parse(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if kind == "up" {
		w.at = append(w.at, time.Now())
		return nil
	}
	var h envelope.Hello
	if err := json.Unmarshal(payload, &h); err != nil {
		return err
	}
	w.loop.Head(envelope.Head{Hub: hubID, Nonce: h.Nonce, Device: device, Stream: s, Epoch: h.Epoch, Verdict: envelope.OK})
	return nil
}

// A ticket after a quiet hour goes out at once, not with the next tick of some timer.
func TestIdleLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loop *forward.Loop
		buf, err := buffer.Open(t.Context(), buffer.Options{Dir: t.TempDir(), Device: device, Clean: func(d source.Draft) source.Draft { return d },
			Appended: func(envelope.Stream) { loop.Wake() }})
		if err != nil {
			t.Fatal(err)
		}
		defer buf.Close()
		loop = forward.NewLoop(forward.Options{Device: device}, buf, buf, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go loop.Run(ctx) //nolint:errcheck // it ends with its context
		w := &wire{loop: loop}
		loop.Connected(w)
		time.Sleep(time.Hour) // virtual
		t0 := time.Now()
		if err := buf.Append(ctx, "till", "", []source.Draft{{Stream: envelope.Sales, Location: "S1", Kind: "ticket.v1", At: t0, Body: []byte("{}")}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.at) != 1 || !w.at[0].Equal(t0) {
			t.Errorf("published at %v, appended at %v", w.at, t0)
		}
	})
}

// A PC that is offline for weeks, whose clock jumps back a year meanwhile, is not ill and forgets nothing.
func TestOfflineForWeeksWithAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		defer h.stop()
		a.add(ticket("first", "1.00"))
		connect(a, h)
		a.fw.Disconnected()
		a.now = now.AddDate(0, 0, 45)
		a.add(ticket("late", "2.00"))
		if _, err := a.buf.Trim(t.Context(), buffer.KeepAcked); err != nil {
			t.Fatal(err)
		}
		a.now = now.AddDate(-1, 0, 1)
		a.add(ticket("backwards", "3.00"))
		if _, err := a.buf.Trim(t.Context(), buffer.KeepAcked); err != nil {
			t.Fatal(err)
		}
		if a.state().Waiting() != 2 {
			t.Fatalf("%d wait, want 2", a.state().Waiting())
		}
		connect(a, h)
		a.wantSettled(h)
		if got := h.booked(); len(got) != 3 {
			t.Errorf("booked %v", got)
		}
	})
}

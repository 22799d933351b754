package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/topic"
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

// queue is a buffer in memory: one stream, whose rows are sealed as the real one seals them.
type queue struct {
	st      State
	rows    envelope.Batch // rows[0] stands at st.Oldest
	forks   []string
	damaged uint64 // this row cannot be read
}

func newQueue(n int) *queue {
	q := &queue{st: State{Epoch: envelope.Epoch{1}}}
	q.add(n)
	return q
}

func (q *queue) add(n int) {
	for range n {
		q.st.Last++
		e := envelope.Envelope{Device: "d1", Stream: envelope.Sales, Pos: envelope.Position{Epoch: q.st.Epoch, Seq: q.st.Last}, Location: "S1", Kind: "note.v1", At: now,
			Body: fmt.Appendf(nil, "row %d", q.st.Last)}.Seal(q.st.Sum)
		q.st.Sum = e.Sum
		q.rows = append(q.rows, e)
	}
	if q.st.Oldest == 0 && len(q.rows) > 0 {
		q.st.Oldest = q.rows[0].Pos.Seq
	}
}

func (q *queue) sum(seq uint64) envelope.Sum {
	if seq == 0 {
		return envelope.Sum{}
	}
	return q.rows[seq-q.rows[0].Pos.Seq].Sum
}

func (q *queue) State(envelope.Stream) State { return q.st }

func (q *queue) Peek(_ context.Context, _ envelope.Stream, after uint64, most, _ int) (envelope.Batch, error) {
	if q.damaged == after+1 {
		return nil, fault.Msg(fault.Invalid, "read buffer", "the row is damaged")
	}
	from := after + 1 - q.st.Oldest
	return q.rows[from:min(len(q.rows), int(from)+most)], nil
}

func (q *queue) Holds(_ context.Context, _ envelope.Stream, e envelope.Epoch, seq uint64, sum envelope.Sum) (bool, error) {
	return e == q.st.Epoch && seq <= q.st.Last && sum == q.sum(seq), nil
}

func (q *queue) SetAcked(_ envelope.Stream, _ envelope.Epoch, seq uint64) { q.st.Acked = seq }

func (q *queue) Fork(_ context.Context, _ envelope.Stream, why string) error {
	n := len(q.rows)
	*q = queue{st: State{Epoch: envelope.Epoch{q.st.Epoch[0] + 1}}, forks: append(q.forks, why)}
	q.add(n + 1)
	return nil
}

// pin remembers a hub.
type pin struct{ hub envelope.HubID }

func (p *pin) Hub(context.Context) (envelope.HubID, error)      { return p.hub, nil }
func (p *pin) SetHub(_ context.Context, h envelope.HubID) error { p.hub = h; return nil }

// rig is a forwarder with what surrounds it.
type rig struct {
	t   *testing.T
	q   *queue
	pin *pin
	f   *Forwarder
	at  time.Time
}

func newRig(t *testing.T, rows int) *rig {
	r := &rig{t: t, q: newQueue(rows), pin: &pin{}, at: now}
	n := 0
	r.f = New(Options{Device: "d1", Stream: envelope.Sales, Rand: rand.New(rand.NewPCG(1, 2)), Nonce: func() string { n++; return fmt.Sprint("n", n) }}, r.q, r.pin)
	return r
}

func (r *rig) step() *Message {
	r.t.Helper()
	m, _, err := r.f.Step(r.t.Context(), r.at)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// hello takes the message that must be one, and returns its nonce.
func (r *rig) hello() string {
	r.t.Helper()
	m := r.step()
	if m == nil || m.Topic != topic.Hello("d1", envelope.Sales) {
		r.t.Fatalf("got %v, want a hello", m)
	}
	var h envelope.Hello
	if err := json.Unmarshal(m.Payload, &h); err != nil || h.Epoch != r.q.st.Epoch || h.Last != r.q.st.Last || h.LastSum != r.q.st.Sum || h.Acked != r.q.st.Acked {
		r.t.Fatalf("hello %+v %v does not tell what the buffer holds: %+v", h, err, r.q.st)
	}
	return h.Nonce
}

// word is the hub's word on a sequence that both hold.
func (r *rig) word(seq uint64, v envelope.Verdict) envelope.Head {
	return envelope.Head{Hub: "hub1", Device: "d1", Stream: envelope.Sales, Epoch: r.q.st.Epoch, Seq: seq, Sum: r.q.sum(seq), Verdict: v}
}

func (r *rig) hear(h envelope.Head) error { return r.f.Head(r.t.Context(), r.at, h) }

// greeted is a rig that streams from seq on.
func greeted(t *testing.T, rows int, seq uint64) *rig {
	t.Helper()
	r := newRig(t, rows)
	r.f.Connected(r.at)
	a := r.word(seq, envelope.OK)
	a.Nonce = r.hello()
	if err := r.hear(a); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) want(acked uint64, p Phase) {
	r.t.Helper()
	if phase, why, _ := r.f.Status(); r.q.st.Acked != acked || phase != p {
		r.t.Errorf("acked %d, %s (%s); want %d, %s", r.q.st.Acked, phase, why, acked, p)
	}
}

func TestNothingIsSentBeforeTheHubHasAnswered(t *testing.T) {
	r := newRig(t, 3)
	if m := r.step(); m != nil {
		t.Fatalf("offline it sends %+v", m)
	}
	r.f.Connected(r.at)
	r.hello()
	if m := r.step(); m != nil {
		t.Fatalf("unanswered it sends %+v", m)
	}
	r.at = r.at.Add(2 * waitLongest) // the answer was lost
	nonce := r.hello()
	a := r.word(0, envelope.OK)
	a.Nonce = nonce
	if err := r.hear(a); err != nil {
		t.Fatal(err)
	}
	if m := r.step(); m == nil || m.Topic != topic.Up("d1", envelope.Sales) || m.Last != 3 {
		t.Fatalf("got %+v", m)
	}
	r.want(0, Streaming) // sent is not delivered
}

// Which words count: proven, of our hub, of this epoch, and down only as the answer to our own hello.
func TestWordsThatMayNotMoveTheHead(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *envelope.Head)
		acked  uint64
		phase  Phase
	}{
		"a good ack":             {func(*envelope.Head) {}, 4, Streaming},
		"another sum":            {func(h *envelope.Head) { h.Sum[0]++ }, 2, Greeting},
		"beyond what is held":    {func(h *envelope.Head) { h.Seq = 9 }, 2, Greeting},
		"another epoch":          {func(h *envelope.Head) { h.Epoch[0]++ }, 2, Streaming},
		"another hub":            {func(h *envelope.Head) { h.Hub = "hub2" }, 2, Streaming},
		"another device":         {func(h *envelope.Head) { h.Device = "d2" }, 2, Streaming},
		"an old hello's answer":  {func(h *envelope.Head) { h.Nonce = "n0" }, 2, Streaming},
		"an older ack":           {func(h *envelope.Head) { h.Seq = 1; h.Sum = envelope.Sum{} }, 2, Streaming},
		"a fork":                 {func(h *envelope.Head) { h.Verdict = envelope.Fork }, 2, Greeting}, // it asks, and only the answer decides
		"refused":                {func(h *envelope.Head) { h.Verdict = envelope.Refused }, 2, Standing},
		"stopped":                {func(h *envelope.Head) { h.Verdict = envelope.Stopped }, 2, Standing},
		"a resend":               {func(h *envelope.Head) { h.Verdict = envelope.Resend }, 4, Streaming},
		"a resend from long ago": {func(h *envelope.Head) { h.Verdict, h.Seq = envelope.Resend, 1 }, 2, Greeting},
	} {
		t.Run(name, func(t *testing.T) {
			r := greeted(t, 6, 2)
			r.step()
			h := r.word(4, envelope.OK)
			c.change(&h)
			err := r.hear(h)
			if (err != nil) != (name == "another hub") {
				t.Errorf("error %v", err)
			}
			r.want(c.acked, c.phase)
			if len(r.q.forks) > 0 {
				t.Errorf("a word without our nonce opened a new epoch: %v", r.q.forks)
			}
		})
	}
}

// Answers to our own hello: they may move the head down, and what they cannot prove opens a new epoch.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *envelope.Head)
		acked  uint64
		phase  Phase
		forks  int
	}{
		"down, as after a restore": {func(h *envelope.Head) { h.Seq, h.Sum = 0, envelope.Sum{} }, 0, Streaming, 0},
		"another record there":     {func(h *envelope.Head) { h.Sum[3]++ }, 0, Greeting, 1},
		"a fork":                   {func(h *envelope.Head) { h.Verdict = envelope.Fork }, 0, Greeting, 1},
		"stopped":                  {func(h *envelope.Head) { h.Verdict = envelope.Stopped }, 2, Standing, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := greeted(t, 6, 2)
			r.f.Connected(r.at)
			h := r.word(2, envelope.OK)
			h.Nonce = r.hello()
			c.change(&h)
			if err := r.hear(h); err != nil {
				t.Fatal(err)
			}
			r.want(c.acked, c.phase)
			if len(r.q.forks) != c.forks {
				t.Errorf("%d new epochs, want %d: %v", len(r.q.forks), c.forks, r.q.forks)
			}
		})
	}
}

// Rows that are no longer here cannot be sent again: the stream goes on in a new epoch.
func TestHubEndsBeforeWhatIsKept(t *testing.T) {
	r := newRig(t, 6)
	r.q.rows, r.q.st.Oldest, r.q.st.Acked = r.q.rows[4:], 5, 4
	r.f.Connected(r.at)
	h := envelope.Head{Hub: "hub1", Nonce: r.hello(), Device: "d1", Stream: envelope.Sales, Epoch: r.q.st.Epoch, Seq: 1, Verdict: envelope.OK}
	if err := r.hear(h); err != nil || len(r.q.forks) != 1 {
		t.Errorf("%v, new epochs %v", err, r.q.forks)
	}
}

func TestDamagedRowDoesNotHoldUpTheRest(t *testing.T) {
	r := greeted(t, 3, 1)
	r.q.damaged = 2
	r.hello() // of the new epoch
	if len(r.q.forks) != 1 {
		t.Errorf("new epochs %v", r.q.forks)
	}
}

// In flight is counted against what is confirmed, however many messages the broker takes.
func TestWindowAndProbe(t *testing.T) {
	r := greeted(t, 5000, 0)
	var last uint64
	for m := r.step(); m != nil; m = r.step() {
		last = m.Last
	}
	if last < windowRows || last >= windowRows+batchRows {
		t.Fatalf("%d rows in flight", last)
	}
	r.at = r.at.Add(2 * waitLongest) // nobody answers
	m := r.step()
	if m == nil || m.Last != batchRows {
		t.Fatalf("after the stall it sends %+v, want the first batch again", m)
	}
	if m := r.step(); m != nil {
		t.Fatalf("beside the probe it sends %+v", m)
	}
	if err := r.hear(r.word(batchRows, envelope.OK)); err != nil {
		t.Fatal(err)
	}
	if m, n := r.step(), r.step(); m == nil || n == nil {
		t.Error("the window stays closed after the probe has landed")
	}
	r.want(batchRows, Streaming)
}

// After three silences in a row it asks where it stands instead of sending on.
func TestSilenceEndsInAHello(t *testing.T) {
	r := greeted(t, 10, 0)
	r.step()
	for range 2 {
		r.at = r.at.Add(3 * waitLongest)
		if m := r.step(); m == nil || m.Last == 0 {
			t.Fatalf("got %+v, want the batch again", m)
		}
	}
	r.at = r.at.Add(3 * waitLongest)
	r.hello()
	r.want(0, Greeting)
}

// The waits grow, never beyond their limit and never to nothing.
func TestJitter(t *testing.T) {
	r := newRig(t, 0)
	for r.f.tries = range 40 {
		for range 50 {
			most := min(time.Second<<min(r.f.tries, 10), waitLongest)
			if d := r.f.jitter(time.Second, waitLongest); d < most/10 || d > most+most/10 {
				t.Fatalf("try %d waits %v of %v", r.f.tries, d, most)
			}
		}
	}
}

package ingest

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// memory is an inbox and registry that behaves like the store.
type memory struct {
	mu     sync.Mutex
	rows   map[envelope.Epoch][]Accepted
	sender Sender
	open   map[string]bool
	fail   func(as []Advance) error // nil = the disk is well
	gate   chan struct{}            // nil = commits do not wait
}

func newMemory() *memory {
	return &memory{rows: map[envelope.Epoch][]Accepted{}, open: map[string]bool{}, sender: Sender{May: []Assignment{{Location: "*"}}}}
}

func (m *memory) headLocked(e envelope.Epoch) Head {
	r := m.rows[e]
	if len(r) == 0 {
		return Head{}
	}
	return Head{Lane: 1, Seq: uint64(len(r)), Sum: r[len(r)-1].Env.Sum}
}

func (m *memory) Head(_ context.Context, _ retail.DeviceID, _ envelope.Stream, e envelope.Epoch) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.headLocked(e), nil
}

func (m *memory) SumAt(_ context.Context, h Head, seq uint64) (envelope.Sum, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if h.Seq > 0 && len(r) >= int(h.Seq) && r[h.Seq-1].Env.Sum == h.Sum && int(seq) <= len(r) {
			return r[seq-1].Env.Sum, true, nil
		}
	}
	return envelope.Sum{}, false, nil
}

func (m *memory) Parts(_ context.Context, h Head, from, to uint64) (out [][]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		for i := from; i <= to && int(to) <= len(r) && r[h.Seq-1].Env.Sum == h.Sum; i++ {
			if int(r[i-1].Env.Part) != int(i-from)+1 {
				return nil, fault.Msg(fault.NotFound, "parts", "no parts")
			}
			out = append(out, r[i-1].Env.Body)
		}
	}
	return out, nil
}

func (m *memory) Commit(_ context.Context, as []Advance) error {
	if m.gate != nil {
		<-m.gate
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(as); err != nil {
			return err
		}
	}
	for _, a := range as {
		if h := m.headLocked(a.Envs[0].Env.Pos.Epoch); h.Seq != a.From.Seq || h.Sum != a.From.Sum {
			return fault.Msg(fault.Conflict, "commit", "the head moved")
		}
		e := a.Envs[0].Env.Pos.Epoch
		m.rows[e] = append(m.rows[e], a.Envs...)
	}
	return nil
}

func (m *memory) Sender(context.Context, retail.DeviceID) (Sender, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sender, nil
}

func (m *memory) Stop(_ context.Context, _ Head, _ retail.DeviceID, _ envelope.Stream, _ envelope.Epoch, c cases.Case) error {
	return m.Open(context.Background(), c)
}

func (m *memory) Open(_ context.Context, c cases.Case) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open[c.ID] = true
	return nil
}

func (m *memory) Settle(_ context.Context, id, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.open, id)
	return nil
}

func (m *memory) count(e envelope.Epoch) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows[e])
}

func begin(t *testing.T, m *memory) *Intake {
	t.Helper()
	in := New("h1", m, m, func(e *envelope.Envelope) Meaning {
		if string(e.Body) == "bad" {
			return Meaning{Refused: errors.New("cannot be read")}
		}
		if l, ok := strings.CutPrefix(string(e.Body), "ticket of "); ok {
			return Meaning{Record: retail.Ticket{Location: retail.LocationCode(l)}}
		}
		return Meaning{Warning: string(e.Body)}
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); _ = in.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return in
}

// give hands a batch over; words come on the channel.
func give(t *testing.T, in *Intake, b envelope.Batch) chan envelope.Head {
	t.Helper()
	got := make(chan envelope.Head, 8)
	in.Batch(t.Context(), "d1", envelope.Sales, envelope.NewCodec().Encode(b), func(h envelope.Head) { got <- h })
	return got
}

func word(t *testing.T, got <-chan envelope.Head) envelope.Head {
	t.Helper()
	select {
	case h := <-got:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("no word in 10 s")
		return envelope.Head{}
	}
}

func TestAFailedCommitIsNotAcknowledgedAndComesAgain(t *testing.T) {
	m := newMemory()
	in := begin(t, m)
	e := envelope.NewEpoch()
	b := chainOf(3, e, "x")
	failed := make(chan struct{}, 10)
	m.fail = func([]Advance) error {
		failed <- struct{}{}
		return fault.Msg(fault.Unavailable, "commit", "the disk is full")
	}
	got := give(t, in, b[:1])
	<-failed // in its group
	<-failed // and alone
	m.mu.Lock()
	m.fail = nil
	m.mu.Unlock()
	if len(got) != 0 || m.count(e) != 0 {
		t.Fatalf("acknowledged without a commit: %d words, %d rows", len(got), m.count(e))
	}
	for end := time.Now().Add(10 * time.Second); m.count(e) < 3; { // as the agent does that hears nothing
		if time.Now().After(end) {
			t.Fatalf("%d rows", m.count(e))
		}
		select {
		case h := <-give(t, in, b):
			if h.Verdict != envelope.OK || h.Seq != 3 {
				t.Errorf("got %+v", h)
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestARecordThatCannotBeStoredWithItsMeaningIsStoredRaw(t *testing.T) {
	m := newMemory()
	m.fail = func(as []Advance) error {
		for _, a := range as {
			for _, x := range a.Envs {
				if x.Meaning.Refused == nil {
					return fault.Msg(fault.Internal, "commit", "a bug of ours")
				}
			}
		}
		return nil
	}
	in := begin(t, m)
	e := envelope.NewEpoch()
	if h := word(t, give(t, in, chainOf(2, e, "x"))); h.Seq != 2 || m.count(e) != 2 {
		t.Fatalf("got %+v, %d rows", h, m.count(e))
	}
	if m.rows[e][0].Meaning.Refused == nil {
		t.Error("nobody is told that it was not understood")
	}
}

func TestOneDevicesTroubleIsItsOwn(t *testing.T) {
	m := newMemory()
	m.gate = make(chan struct{}, 100)
	in := begin(t, m)
	good, bad := chainOf(1, envelope.NewEpoch(), "x"), chainOf(2, envelope.NewEpoch(), "y")
	first := give(t, in, chainOf(1, envelope.NewEpoch(), "z")) // holds the committer while the others gather
	one, two := make(chan envelope.Head, 2), make(chan envelope.Head, 2)
	in.Batch(t.Context(), "d1", envelope.State, stateOf(good), func(h envelope.Head) { one <- h })
	in.Batch(t.Context(), "d1", envelope.History, envelope.NewCodec().Encode(bad[:1]), func(h envelope.Head) { two <- h }) // claims another stream
	for range 20 {
		m.gate <- struct{}{}
	}
	if h := word(t, first); h.Seq != 1 {
		t.Errorf("got %+v", h)
	}
	if h := word(t, one); h.Seq != 1 || h.Verdict != envelope.OK {
		t.Errorf("got %+v", h)
	}
	if len(two) != 0 {
		t.Error("a batch under a false name was answered")
	}
}

// stateOf seals a batch again as one of the state stream.
func stateOf(b envelope.Batch) []byte {
	var prev envelope.Sum
	for i := range b {
		b[i].Stream = envelope.State
		b[i] = b[i].Seal(prev)
		prev = b[i].Sum
	}
	return envelope.NewCodec().Encode(b)
}

func TestUnassignedLocationIsKeptAndRefused(t *testing.T) {
	m := newMemory()
	moved := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	m.sender = Sender{May: []Assignment{{Location: "S1", Until: moved}, {Location: "S2", Since: moved}}}
	in := begin(t, m)
	e := envelope.NewEpoch()
	var b envelope.Batch
	var prev envelope.Sum
	for i, c := range []struct {
		location retail.LocationCode
		at       time.Time
	}{{"S1", moved.Add(-time.Hour)}, {"S1", moved}, {"S2", moved.Add(-time.Hour)}, {"S2", moved}, {"", moved}} {
		x := envelope.Envelope{Device: "d1", Stream: envelope.Sales, Pos: envelope.Position{Epoch: e, Seq: uint64(i + 1)}, Location: c.location, At: c.at, Body: []byte("x")}.Seal(prev)
		prev = x.Sum
		b = append(b, x)
	}
	if h := word(t, give(t, in, b)); h.Seq != 5 {
		t.Fatalf("got %+v", h)
	}
	for i, refused := range []bool{false, true, true, false, false} {
		if got := m.rows[e][i].Meaning.Refused != nil; got != refused {
			t.Errorf("row %d: refused %v, want %v", i+1, got, refused)
		}
	}
}

// TestARecordSpeaksForItsOwnPlace: a device that names its own location on the envelope and another one in the record is refused, whatever
// the record is.
func TestARecordSpeaksForItsOwnPlace(t *testing.T) {
	sender := Sender{May: []Assignment{{Location: "S1"}}}
	for _, c := range []struct {
		envelope retail.LocationCode
		means    Meaning
		refused  bool
	}{
		{"S1", Meaning{Record: retail.Ticket{Location: "S1"}}, false},
		{"S1", Meaning{Record: retail.Ticket{Location: "S2"}}, true},
		{"", Meaning{Record: retail.Ticket{Location: "S2"}}, true},
		{"", Meaning{Record: retail.Ticket{Location: "S1"}}, false},
		{"S1", Meaning{Record: retail.Drawer{Location: "S2"}}, true},
		{"S1", Meaning{Record: retail.ReadTo{Location: "S2"}}, true},
		{"S1", Meaning{Record: retail.Control{Location: "S2"}}, true},
		{"S1", Meaning{Record: retail.Terminal{Location: "S2"}}, true},
		{"S1", Meaning{Record: retail.Location{Code: "S2"}}, true},
		{"S1", Meaning{Record: retail.Payment{Location: "S2"}}, true},
		{"S1", Meaning{Record: retail.Payment{}}, false},
		{"S1", Meaning{Place: "S2"}, true},
		{"S1", Meaning{}, false},
		{"S2", Meaning{}, true},
	} {
		err := sender.Refuses(&envelope.Envelope{Device: "d1", Location: c.envelope, At: time.Unix(1, 0)}, c.means)
		if (err != nil) != c.refused || err != nil && (!fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `"S2" is not assigned to device d1`)) {
			t.Errorf("on the envelope %q, in it %+v: %v", c.envelope, c.means, err)
		}
	}
}

func TestARecordOfAnotherLocationThanItsEnvelopesIsRefused(t *testing.T) {
	m := newMemory()
	m.sender = Sender{May: []Assignment{{Location: "S1"}}}
	in := begin(t, m)
	e := envelope.NewEpoch()
	var b envelope.Batch
	var prev envelope.Sum
	rows := []struct {
		location retail.LocationCode
		body     string
		refused  bool
	}{{"S1", "ticket of S1", false}, {"", "ticket of S1", false}, {"", "ticket of S2", true}, {"S1", "ticket of S2", true}, {"S2", "ticket of S1", true}}
	for i, c := range rows {
		x := envelope.Envelope{Device: "d1", Stream: envelope.Sales, Pos: envelope.Position{Epoch: e, Seq: uint64(i + 1)}, Location: c.location, Body: []byte(c.body)}.Seal(prev)
		prev = x.Sum
		b = append(b, x)
	}
	if h := word(t, give(t, in, b)); h.Seq != uint64(len(rows)) {
		t.Fatalf("got %+v", h)
	}
	for i, c := range rows {
		if got := m.rows[e][i].Meaning.Refused != nil; got != c.refused {
			t.Errorf("envelope of %q, %s: refused %v, want %v", c.location, c.body, got, c.refused)
		}
	}
}

func TestPartsAreJoinedAndTorsosRefused(t *testing.T) {
	m := newMemory()
	in := begin(t, m)
	e := envelope.NewEpoch()
	var b envelope.Batch
	var prev envelope.Sum
	add := func(part, parts uint16, body string) {
		x := envelope.Envelope{Device: "d1", Stream: envelope.Sales, Pos: envelope.Position{Epoch: e, Seq: uint64(len(b) + 1)}, Part: part, Parts: parts, Body: []byte(body)}.Seal(prev)
		prev = x.Sum
		b = append(b, x)
	}
	add(1, 3, "one ")
	add(2, 3, "two ")
	add(3, 3, "three")
	add(1, 3, "lost ") // its second part was damaged at the store
	add(3, 3, "end")
	add(1, 1, "alone")
	for _, cut := range [][2]int{{0, 1}, {1, 3}, {3, 6}} {
		if h := word(t, give(t, in, b[cut[0]:cut[1]])); h.Seq != uint64(cut[1]) || h.Verdict != envelope.OK {
			t.Fatalf("%v: got %+v", cut, h)
		}
	}
	if got := m.rows[e][2].Meaning.Warning; got != "one two three" {
		t.Errorf("joined to %q", got)
	}
	if m.rows[e][4].Meaning.Refused == nil {
		t.Error("a torso passed for a record")
	}
	if m.rows[e][5].Meaning.Refused != nil {
		t.Error("the record behind it was refused")
	}
}

func TestWhatIsTooMuchIsDroppedAndCounted(t *testing.T) {
	m := newMemory()
	m.gate = make(chan struct{})
	in := begin(t, m)
	b := chainOf(1, envelope.NewEpoch(), "x")
	payload := envelope.NewCodec().Encode(b)
	for end := time.Now().Add(10 * time.Second); in.Count.Dropped.Load() == 0; {
		if time.Now().After(end) {
			t.Fatal("the queue has no end")
		}
		in.Batch(t.Context(), "d1", envelope.Sales, payload, func(envelope.Head) {})
	}
	close(m.gate)
}

func TestARestoredHubsCaseClosesByItself(t *testing.T) {
	m := newMemory()
	in := begin(t, m)
	e := envelope.NewEpoch()
	b := chainOf(4, e, "x")
	word(t, give(t, in, b[:2]))
	answer := make(chan envelope.Head, 1)
	in.Hello(t.Context(), envelope.Hello{Nonce: "n", Device: "d1", Stream: envelope.Sales, Epoch: e, Oldest: 1, Last: 4, LastSum: b[3].Sum, Acked: 4}, func(h envelope.Head) { answer <- h })
	if h := word(t, answer); h.Seq != 2 || h.Sum != b[1].Sum {
		t.Fatalf("got %+v", h)
	}
	id := cases.ID(cases.HubRestored, "d1/sales")
	isOpen := func() bool { m.mu.Lock(); defer m.mu.Unlock(); return m.open[id] }
	if !isOpen() {
		t.Fatal("no case")
	}
	word(t, give(t, in, b[2:]))
	for end := time.Now().Add(10 * time.Second); isOpen(); {
		if time.Now().After(end) {
			t.Fatal("the case stays open")
		}
		<-time.After(time.Millisecond)
	}
}

// TestARestoredHubsCaseIsClosedBeforeItsHelloIsAnswered: a hello that finds the missing commit on its way waits for it, and must not swallow
// that the wait is over.
func TestARestoredHubsCaseIsClosedBeforeItsHelloIsAnswered(t *testing.T) {
	m := newMemory()
	m.gate = make(chan struct{}, 2)
	in := begin(t, m)
	e := envelope.NewEpoch()
	b := chainOf(4, e, "x")
	hello := envelope.Hello{Nonce: "n", Device: "d1", Stream: envelope.Sales, Epoch: e, Oldest: 1, Last: 4, LastSum: b[3].Sum, Acked: 4}
	answer := make(chan envelope.Head, 2)
	m.gate <- struct{}{}
	word(t, give(t, in, b[:2]))
	in.Hello(t.Context(), hello, func(h envelope.Head) { answer <- h })
	word(t, answer)
	got := give(t, in, b[2:]) // its commit waits at the gate
	in.Hello(t.Context(), hello, func(h envelope.Head) { answer <- h })
	m.gate <- struct{}{}
	if h := word(t, got); h.Seq != 4 {
		t.Fatalf("got %+v", h)
	}
	if h := word(t, answer); h.Seq != 4 {
		t.Fatalf("answered %+v", h)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open[cases.ID(cases.HubRestored, "d1/sales")] {
		t.Error("all is here again, and the case is still open")
	}
}

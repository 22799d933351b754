package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

var now = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// line is a till's stream as an agent would seal it.
type line struct {
	device retail.DeviceID
	epoch  envelope.Epoch
	seq    uint64
	prev   envelope.Sum
}

func (l *line) seal(kind envelope.Kind, key, body string) envelope.Envelope {
	l.seq++
	e := envelope.Envelope{Device: l.device, Stream: envelope.Sales, Pos: envelope.Position{Epoch: l.epoch, Seq: l.seq}, Location: "S1", Kind: kind, Key: key,
		ContentType: "application/json", At: now, Body: []byte(body)}.Seal(l.prev)
	l.prev = e.Sum
	return e
}

func body(id string, rev int, kind, cash string) string {
	return fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","kind":%q,"revision":%d,"customer":"C7","lines":[{"kind":"item","category":"Toys","amount":%s}],"tenders":[{"type":"cash","amount":%s}]}`, id, kind, rev, cash, cash)
}

func mean(e *envelope.Envelope) ingest.Meaning {
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

// start runs an intake over s for a device that may say everything.
func start(t *testing.T, s *store.Store) *ingest.Intake {
	t.Helper()
	in := ingest.New("hub1", s, s, mean, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go in.Run(ctx) //nolint:errcheck // it ends with the test
	if err := s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddDevice(ctx, "d1", "x", "test"); err != nil {
			return err
		}
		return tx.Assign(ctx, "d1", "*", now.AddDate(-1, 0, 0), "test")
	}); err != nil {
		t.Fatal(err)
	}
	return in
}

// send hands a batch over and waits for the hub's word.
func send(t *testing.T, in *ingest.Intake, b ...envelope.Envelope) envelope.Head {
	t.Helper()
	return sendRaw(t, in, envelope.NewCodec().Encode(b))
}

func sendRaw(t *testing.T, in *ingest.Intake, payload []byte) envelope.Head {
	t.Helper()
	got := make(chan envelope.Head, 1)
	in.Batch(t.Context(), "d1", envelope.Sales, payload, func(h envelope.Head) { got <- h })
	return wait(t, got)
}

// wait for the hub's word.
func wait(t *testing.T, got <-chan envelope.Head) envelope.Head {
	t.Helper()
	select {
	case h := <-got:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("no answer in 10 s")
		return envelope.Head{}
	}
}

func TestDuplicateGapForkDamage(t *testing.T) {
	s := open(t)
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	a, b, c := l.seal("ticket.v1", "1", body("1", 1, "sale", "10.00")), l.seal("ticket.v1", "2", body("2", 1, "sale", "5.00")), l.seal("ticket.v1", "3", body("3", 1, "sale", "1.00"))
	want := func(h envelope.Head, v envelope.Verdict, seq uint64) {
		t.Helper()
		if h.Verdict != v || h.Seq != seq {
			t.Errorf("got %s at %d (%s), want %s at %d", h.Verdict, h.Seq, h.Why, v, seq)
		}
	}
	want(send(t, in, a), envelope.OK, 1)
	want(send(t, in, a), envelope.OK, 1)
	want(send(t, in, c), envelope.Resend, 1)
	want(send(t, in, a, b), envelope.OK, 2)
	clone := &line{device: "d1", epoch: l.epoch, seq: 1, prev: a.Sum}
	x := clone.seal("ticket.v1", "9", body("9", 1, "sale", "99.00"))
	want(send(t, in, x), envelope.Fork, 2)
	damaged := envelope.NewCodec().Encode(envelope.Batch{c})
	damaged[len(damaged)-3] ^= 1
	want(sendRaw(t, in, damaged), envelope.Resend, 2)
	want(send(t, in, c), envelope.OK, 3)
	for range 2 {
		want(sendRaw(t, in, damaged), envelope.Resend, 3)
	}
	want(sendRaw(t, in, damaged), envelope.Stopped, 3)
	list, err := s.Cases(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	causes := map[cases.Cause]int{}
	for _, k := range list {
		causes[k.Cause]++
	}
	if causes[cases.Fork] != 1 || causes[cases.Stopped] != 1 {
		t.Errorf("cases: %v", causes)
	}
}

func TestRefusedIsKeptListedAndPassedBy(t *testing.T) {
	s := open(t)
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	h := send(t, in, l.seal("ticket.v1", "1", `{"broken`), l.seal("ticket.v1", "2", body("2", 1, "sale", "5.00")))
	if h.Verdict != envelope.OK || h.Seq != 2 {
		t.Fatalf("got %+v", h)
	}
	list, err := s.Cases(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, c := range list {
		if c.Cause == cases.Refused {
			refused++
			raw, err := s.Body(t.Context(), c.Envelope)
			if err != nil || string(raw) != `{"broken` {
				t.Errorf("raw record: %q %v", raw, err)
			}
		}
	}
	if refused != 1 {
		t.Errorf("%d refused, want 1: %+v", refused, list)
	}
}

func TestErasedCustomerLeavesTheChainWhole(t *testing.T) {
	s := open(t)
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	a, b := l.seal("ticket.v1", "1", body("1", 1, "sale", "10.00")), l.seal("ticket.v1", "2", body("2", 1, "sale", "5.00"))
	send(t, in, a, b)
	if raw, err := s.Body(t.Context(), 1); err != nil || string(raw) != string(a.Body) {
		t.Fatalf("before: %q %v", raw, err)
	}
	if _, err := s.Erase(t.Context(), "", "tillpost", "C7", "test", "asked for it"); err != nil {
		t.Fatal(err)
	}
	if raw, err := s.Body(t.Context(), 1); err == nil {
		t.Errorf("after: %q can still be read", raw)
	}
	if h := send(t, in, a, b); h.Verdict != envelope.OK || h.Sum != b.Sum {
		t.Errorf("the chain broke: %+v", h)
	}
}

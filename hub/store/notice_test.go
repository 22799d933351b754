package store_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/notify"
	"github.com/tillpost/tillpost/hub/store"
)

// letters takes messages, or refuses them while down.
type letters struct {
	down bool
	got  []notify.Notice
}

func (l *letters) Name() string { return "mail" }

func (l *letters) Send(_ context.Context, n notify.Notice) error {
	if l.down {
		return errors.New("the process was killed")
	}
	l.got = append(l.got, n)
	return nil
}

func tellAll(t *testing.T, s *store.Store, l *letters) {
	t.Helper()
	if err := (&notify.Teller{Store: store.Notices{Store: s}, Channels: []notify.Channel{l}, Log: slog.New(slog.DiscardHandler)}).Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What was decided survives the process that decided it, and is told once, whoever tells it.
func TestANoticeOutlivesItsHub(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	clock := time.Now()
	s.Now = func() time.Time { return clock }
	c := cases.New(cases.MissingProof, "S1 2026-11-20", clock)
	c.Location, c.Day = "S1", "2026-11-20"
	gap := cases.New(cases.Gap, "S2 2026-11-20", clock)
	if err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.OpenCase(t.Context(), c), tx.OpenCase(t.Context(), gap))
	}); err != nil {
		t.Fatal(err)
	}
	l := &letters{down: true}
	tellAll(t, s, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openIn(t, dir)
	s.Now = func() time.Time { return clock }
	l.down = false
	tellAll(t, s, l)
	if len(l.got) != 0 {
		t.Fatal("a refused message is tried again at once")
	}
	clock = clock.Add(time.Minute)
	tellAll(t, s, l)
	tellAll(t, s, l)
	if len(l.got) != 1 || l.got[0].Kind != notify.Begin || !strings.Contains(l.got[0].Subject(), "S1") {
		t.Fatalf("got %+v; a gap that holds nothing is no message", l.got)
	}
	if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.CloseCase(t.Context(), c.ID, "hub", "it came") }); err != nil {
		t.Fatal(err)
	}
	tellAll(t, s, l)
	tellAll(t, s, l)
	if len(l.got) != 2 || l.got[1].Kind != notify.End {
		t.Fatalf("got %+v", l.got)
	}
}

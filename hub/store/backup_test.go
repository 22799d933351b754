package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

func openIn(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestRestoredHubIsFilledAgain: after a backup the hub takes more, is put back, and is told again what it lost; nothing is doubled and the
// case closes by itself.
func TestRestoredHubIsFilledAgain(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openIn(t, dir)
	id, err := s.HubID(ctx)
	if err != nil || id == "" {
		t.Fatalf("hub id %q %v", id, err)
	}
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	a, b := l.seal("ticket.v1", "1", body("1", 1, "sale", "10.00")), l.seal("ticket.v1", "2", body("2", 1, "sale", "5.00"))
	send(t, in, a)
	path := filepath.Join(t.TempDir(), "backup.db")
	info, err := s.Backup(ctx, path)
	if err != nil || info.Envelopes != 1 || info.Bytes == 0 {
		t.Fatalf("backup: %+v %v", info, err)
	}
	if _, err := s.Backup(ctx, path); !fault.Is(err, fault.Conflict) {
		t.Errorf("a backup was overwritten: %v", err)
	}
	send(t, in, b)
	if _, err := store.Restore(ctx, path, dir); !fault.Is(err, fault.Conflict) {
		t.Fatalf("restored under a running hub: %v", err)
	}
	s.Close()

	aside, err := store.Restore(ctx, path, dir)
	if err != nil || aside == "" {
		t.Fatalf("restore: %q %v", aside, err)
	}
	s = openIn(t, dir)
	if again, err := s.HubID(ctx); err != nil || again != id {
		t.Errorf("hub id %q %v, want %q: agents would not obey it", again, err, id)
	}
	if at, err := s.Restored(ctx); err != nil || at.IsZero() {
		t.Errorf("nobody tells the Odoo writer to wait: %v %v", at, err)
	}
	in = start(t, s)
	h := hello(t, in, envelope.Hello{Nonce: "n1", Device: "d1", Stream: envelope.Sales, Epoch: l.epoch, Oldest: 1, Last: 2, LastSum: b.Sum, Acked: 2})
	if h.Seq != 1 || h.Sum != a.Sum || h.Verdict != envelope.OK {
		t.Fatalf("answer %+v", h)
	}
	if !isOpen(t, s, cases.HubRestored) {
		t.Error("no case tells of the restore")
	}
	if h := send(t, in, b); h.Seq != 2 {
		t.Fatalf("the replay: %+v", h)
	}
	hello(t, in, envelope.Hello{Nonce: "n2", Device: "d1", Stream: envelope.Sales, Epoch: l.epoch, Oldest: 1, Last: 2, LastSum: b.Sum, Acked: 2})
	if isOpen(t, s, cases.HubRestored) {
		t.Error("the case did not close by itself")
	}
	r, err := s.VerifyChain(ctx)
	if err != nil || r.Envelopes != 2 || len(r.Bad) != 0 {
		t.Errorf("chain: %+v %v", r, err)
	}
	if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.RestoreSettled(ctx, "2 documents adopted") }); err != nil {
		t.Fatal(err)
	}
	if at, _ := s.Restored(ctx); !at.IsZero() {
		t.Error("the wait does not end")
	}
}

func hello(t *testing.T, in *ingest.Intake, h envelope.Hello) envelope.Head {
	t.Helper()
	got := make(chan envelope.Head, 1)
	in.Hello(t.Context(), h, func(a envelope.Head) { got <- a })
	return wait(t, got)
}

func isOpen(t *testing.T, s *store.Store, cause cases.Cause) bool {
	t.Helper()
	list, err := s.Cases(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Cause == cause {
			return true
		}
	}
	return false
}

// TestErasureLeavesAllElseValid: chain, sums and the other customers' records; and neither the files nor a restored backup know the erased.
func TestErasureLeavesAllElseValid(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openIn(t, dir)
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	other := strings.Replace(body("2", 1, "sale", "5.00"), "C7", "C8", 1)
	a, b := l.seal("ticket.v1", "1", body("1", 1, "sale", "10.00")), l.seal("ticket.v1", "2", other)
	send(t, in, a, b)
	path := filepath.Join(t.TempDir(), "backup.db")
	if _, err := s.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	before, err := s.VerifyChain(ctx)
	if err != nil || len(before.Bad) != 0 || before.Erased != 0 {
		t.Fatalf("before: %+v %v", before, err)
	}
	if _, err := s.Erase(ctx, "", "tillpost", "C7", "test", "asked for it"); err != nil {
		t.Fatal(err)
	}
	check := func(s *store.Store) {
		t.Helper()
		r, err := s.VerifyChain(ctx)
		if err != nil || len(r.Bad) != 0 || r.Erased != 1 || r.Envelopes != 2 {
			t.Errorf("chain: %+v %v", r, err)
		}
		if _, err := s.Body(ctx, 1); err == nil {
			t.Error("the erased record can be read")
		}
		if raw, err := s.Body(ctx, 2); err != nil || !bytes.Equal(raw, b.Body) {
			t.Errorf("the other record: %q %v", raw, err)
		}
		if e, err := s.Envelope(ctx, 1); err == nil || e.Sum != a.Sum {
			t.Errorf("the erased envelope keeps its sum: %v %v", e.Sum, err)
		}
	}
	check(s)
	s.Close()
	for _, f := range []string{"hub.db", "hub.db-wal"} {
		if raw, err := os.ReadFile(filepath.Join(dir, f)); err == nil && bytes.Contains(raw, []byte(`"customer":"C7"`)) {
			t.Errorf("%s holds the record in the clear", f)
		}
	}
	if _, err := store.Restore(ctx, path, dir); err != nil {
		t.Fatal(err)
	}
	check(openIn(t, dir))
}

func TestRestoreRefusesWhatWouldLose(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openIn(t, dir)
	path := filepath.Join(t.TempDir(), "backup.db")
	if _, err := s.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := store.Restore(ctx, path, t.TempDir()); !fault.Is(err, fault.Conflict) {
		t.Errorf("without hub.secret: %v", err)
	}
	elsewhere := t.TempDir()
	openIn(t, elsewhere).Close()
	if _, err := store.Restore(ctx, path, elsewhere); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "hub.secret") {
		t.Errorf("with another hub.secret: %v", err)
	}
	broken := filepath.Join(t.TempDir(), "broken.db")
	if err := os.WriteFile(broken, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(ctx, broken, dir); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broken file: %v", err)
	}
	if s := openIn(t, dir); s == nil {
		t.Error("the database is gone")
	}
}

// TestDamageIsFound: a byte that changed in the record is named by position.
func TestDamageIsFound(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openIn(t, dir)
	in := start(t, s)
	l := &line{device: "d1", epoch: envelope.NewEpoch()}
	plain := strings.Replace(body("1", 1, "sale", "10.00"), `"customer":"C7",`, "", 1)
	send(t, in, l.seal("ticket.v1", "1", plain), l.seal("ticket.v1", "2", body("2", 1, "sale", "5.00")))
	if err := s.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE block SET bytes = CAST(substr(bytes, 1, length(bytes) - 9) || x'000000000000000000' AS BLOB)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r, err := s.VerifyChain(ctx)
	if err != nil || len(r.Bad) != 1 || r.Bad[0].Pos.Seq != 1 {
		t.Errorf("got %+v %v", r, err)
	}
}

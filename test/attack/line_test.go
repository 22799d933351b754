package attack

import (
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/envelope"
)

func openDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(path)+"?_query_only=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A broker keeps an old PC's ack and gives it to the new PC. Positions of another epoch, or of the right one with another checksum, must
// not let go of a single ticket.
func TestNewPCAndAnAckOfTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		defer h.stop()
		for range 300 {
			a.add(ticket("n", "1.00"))
		}
		st := a.state()
		for _, w := range []envelope.Head{
			{Hub: hubID, Device: device, Stream: envelope.Sales, Epoch: envelope.NewEpoch(), Seq: 500, Verdict: envelope.OK},
			{Hub: hubID, Device: device, Stream: envelope.Sales, Epoch: st.Epoch, Seq: 300, Sum: envelope.Sum{1}, Verdict: envelope.OK},
			{Hub: hubID, Device: device, Stream: envelope.Sales, Epoch: st.Epoch, Seq: 300, Sum: st.Sum, Verdict: envelope.OK, Nonce: "old"},
		} {
			a.hear(w)
			a.fw.Connected(a.now)
			a.hear(w)
			if got := a.state(); got.Acked != 0 {
				t.Fatalf("%d of 300 tickets count as delivered after %+v", got.Acked, w)
			}
		}
		connect(a, h)
		a.wantSettled(h)
		if got := h.booked()["n"]; got != 100 {
			t.Errorf("booked %d", got)
		}
	})
}

// A cloned PC: two machines write the same positions. Both tickets must reach the books.
func TestClone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, copied := t.TempDir(), t.TempDir()
		a, h := newAgent(t, dir), newHub(t, t.TempDir())
		defer h.stop()
		a.add(ticket("before", "1.00"))
		connect(a, h)
		copyDir(t, dir, copied)
		b := newAgent(t, copied)
		a.add(ticket("A1", "2.00"))
		b.add(ticket("B1", "3.00"))
		connect(a, h)
		connect(b, h)
		for i := range 5 { // and on, in turns
			a.add(ticket("A"+string(rune('2'+i)), "2.00"))
			b.add(ticket("B"+string(rune('2'+i)), "3.00"))
			talk(b, h)
			talk(a, h)
		}
		a.wantSettled(h)
		b.wantSettled(h)
		if got := h.booked(); len(got) != 13 || got["A1"] != 200 || got["B1"] != 300 {
			t.Errorf("booked %v", slices.Sorted(maps.Keys(got)))
		}
		if h.causes()[cases.Fork] == 0 {
			t.Error("nobody is told of the second machine")
		}
	})
}

// A hub put back from a backup holds less than it promised: the agent still has it and sends it again.
func TestRestoredHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		for i := range 40 {
			a.add(ticket("x"+string(rune('A'+i)), "1.00"))
		}
		connect(a, h)
		backup := t.TempDir()
		copyDir(t, h.dir, backup)
		for i := range 10 {
			a.add(ticket("y"+string(rune('A'+i)), "1.00"))
		}
		talk(a, h)
		a.wantSettled(h)
		if n, err := a.buf.Trim(t.Context(), 30*24*60*60*1e9); err != nil || n != 0 {
			t.Fatalf("%d confirmed rows are gone after a moment, %v", n, err)
		}
		h.stop()
		h = newHub(t, backup)
		defer h.stop()
		connect(a, h)
		a.wantSettled(h)
		if got := h.booked(); len(got) != 50 {
			t.Errorf("%d of 50 tickets are booked", len(got))
		}
		if h.causes()[cases.HubRestored] != 1 {
			t.Error("nobody is told that the hub was put back")
		}
	})
}

// Damage on the way: whichever bit flips, the hub commits nothing of it, and the good copy arrives later.
func TestDamageOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := newAgent(t, t.TempDir()), newHub(t, t.TempDir())
		defer h.stop()
		a.add(ticket("A1", "100.00"))
		a.fw.Connected(a.now)
		for _, w := range h.take(a.step()) {
			a.hear(w)
		}
		m := a.step()
		c := envelope.NewCodec()
		good, err := c.Decode(m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(m.Payload) * 8 {
			spoiled := slices.Clone(m.Payload)
			spoiled[bit/8] ^= 1 << (bit % 8)
			if got, err := c.Decode(spoiled); err == nil && got[0].Sum == good[0].Sum && string(got[0].Body) != string(good[0].Body) {
				t.Fatalf("bit %d: another body under the same checksum", bit)
			}
		}
		bad := *m
		bad.Payload = slices.Clone(m.Payload)
		bad.Payload[len(bad.Payload)-3] ^= 1
		for _, w := range h.take(&bad) {
			a.hear(w)
		}
		if n := len(h.booked()); n != 0 || a.state().Acked != 0 {
			t.Fatalf("%d booked from a damaged batch, %d counted as delivered", n, a.state().Acked)
		}
		a.now = a.now.Add(30 * 60 * 1e9) // its own timer at the latest
		talk(a, h)
		a.wantSettled(h)
		if got := h.booked()["A1"]; got != 10000 {
			t.Errorf("booked %d", got)
		}
	})
}

// A buffer file that was damaged: what can be read goes on in a new epoch, whatever the epochs' numbers, and is booked once.
func TestSalvage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a, h := newAgent(t, dir), newHub(t, t.TempDir())
		defer h.stop()
		a.add(ticket("old", "1.00"), ticket("sent", "2.00"))
		connect(a, h)
		a.add(ticket("unsent", "4.00"))
		old := a.state().Epoch
		if err := a.buf.Close(); err != nil {
			t.Fatal(err)
		}
		// The row that proves the file's end is gone: the file may not be continued.
		db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, "buffer.db")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`UPDATE stream SET last = last + 1 WHERE name = 'sales'`); err != nil {
			t.Fatal(err)
		}
		db.Close()
		b := newAgent(t, dir)
		if b.buf.Salvage == nil || b.state().Epoch == old {
			t.Fatalf("the damage went unnoticed: %+v", b.state())
		}
		b.add(ticket("new", "8.00"))
		connect(b, h)
		b.wantSettled(h)
		if got := h.booked(); len(got) != 4 || got["unsent"] != 400 || got["new"] != 800 {
			t.Errorf("booked %v", got)
		}
		if _, err := os.Stat(b.buf.Salvage.Aside); err != nil {
			t.Errorf("the damaged file was not kept: %v", err)
		}
	})
}

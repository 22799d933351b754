package buffer

import (
	"errors"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
)

// TestRowsAreWhatWasGiven: however many rows come together, of whichever streams and sizes, each is stored as it was given and in its order.
func TestRowsAreWhatWasGiven(t *testing.T) {
	b := open(t, options(t.TempDir()))
	n := map[envelope.Stream]int{}
	want := map[envelope.Stream][]string{}
	next := func(s envelope.Stream, size int) source.Draft {
		n[s]++
		d := draft(n[s])
		d.Stream, d.Body = s, make([]byte, size)
		for i := range d.Body {
			d.Body[i] = byte(n[s] + i)
		}
		want[s] = append(want[s], d.Key+string(d.Body))
		return d
	}
	for count := range 2*together + 3 {
		var ds []source.Draft
		for i := range count {
			s := envelope.Sales
			if i%7 == 3 {
				s = envelope.State
			}
			ds = append(ds, next(s, (i*i*977)%(togetherBytes/2)))
		}
		if err := b.Append(t.Context(), "till", "", ds); err != nil {
			t.Fatal(err)
		}
		// One that fails with rows waiting leaves nothing behind, in the file or in the room for the next.
		failed := errors.New("on purpose")
		if err := b.do(t.Context(), func() error {
			return b.inTx(func(w *writing) error {
				l := *b.streams[envelope.Sales]
				d := draft(count)
				if err := b.put(w, &l, &d); err != nil {
					return err
				}
				return failed
			})
		}); !errors.Is(err, failed) {
			t.Fatalf("got %v", err)
		}
	}
	for s, all := range want {
		batch, err := b.Peek(t.Context(), s, 0, len(all)+1, 1<<30)
		if err != nil || len(batch) != len(all) {
			t.Fatalf("%s: %d rows, %v, want %d", s, len(batch), err, len(all))
		}
		for i, e := range batch {
			if e.Pos.Seq != uint64(i+1) || e.Key+string(e.Body) != all[i] {
				t.Fatalf("%s: row %d is another", s, i+1)
			}
		}
	}
	if _, err := b.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestACommitThatFailsLeavesNothingBehind: what it held is not stored, and the next one goes. A commit fails here by a promise that is kept only then.
func TestACommitThatFailsLeavesNothingBehind(t *testing.T) {
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 1)
	for _, q := range []string{`PRAGMA foreign_keys = ON`, `CREATE TABLE of (id INTEGER PRIMARY KEY)`, `CREATE TABLE a (of INTEGER REFERENCES of DEFERRABLE INITIALLY DEFERRED)`} {
		if _, err := b.write.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.inTx(func(tx *writing) error { _, err := tx.Exec(`INSERT INTO a VALUES (7)`); return err }); err == nil {
		t.Fatal("a promise that was not kept is committed")
	}
	fill(t, b, 2, 2)
	var kept int
	if err := b.write.QueryRow(`SELECT count(*) FROM a`).Scan(&kept); err != nil || kept != 0 || b.State(envelope.Sales).Last != 2 {
		t.Errorf("%d rows of it were kept, %d records are stored, %v", kept, b.State(envelope.Sales).Last, err)
	}
}

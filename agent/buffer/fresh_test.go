package buffer

import (
	"context"
	"reflect"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
)

// What has just been appended goes on as it was sealed, without a look at the file; it is the very thing that the file gives back later.
func TestWhatWasJustAppendedIsNotReadBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		rows     int // of the last append
		after    uint64
		max      int
		maxBytes int
		read     bool // the file is asked
	}{
		{"a lone ticket", 1, 3, 10, 1 << 20, false},
		{"some", 4, 3, 10, 1 << 20, false},
		{"more than are remembered", 10, 3, 10, 1 << 20, true},
		{"more than are asked for", 4, 3, 2, 1 << 20, true},
		{"more bytes than are asked for", 4, 3, 10, 4000, true},
		{"from before them", 1, 2, 10, 1 << 20, true},
		{"from between them", 4, 4, 10, 1 << 20, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, dir := context.Background(), t.TempDir()
			b := open(t, options(dir))
			fill(t, b, 1, 3)
			var ds []source.Draft
			for i := range c.rows {
				ds = append(ds, draft(4+i))
			}
			if err := b.Append(ctx, "till", "", ds); err != nil {
				t.Fatal(err)
			}
			for i := range ds {
				clear(ds[i].Body) // it is the caller's again
			}
			spoil(t, b, `body = zeroblob(length(body))`, int(c.after)+1)
			got, err := b.Peek(ctx, envelope.Sales, c.after, c.max, c.maxBytes)
			if read := err != nil; read != c.read {
				t.Fatalf("the file was read: %v (%v)", read, err)
			}
			if c.read {
				return
			}
			old := b.box.seal(nil, got[0].Body, got[0].Sum[:])
			if _, err := b.write.Exec(`UPDATE sales SET body = ? WHERE seq = ?`, old, c.after+1); err != nil {
				t.Fatal(err)
			}
			b.Close()
			b = open(t, options(dir))
			if filed, err := b.Peek(ctx, envelope.Sales, c.after, c.max, c.maxBytes); err != nil || !reflect.DeepEqual(got, filed) {
				t.Errorf("the file gives back\n%+v (%v), sent was\n%+v", filed, err, got)
			}
		})
	}
}

// Whoever proves the buffer, or writes it out, reads what the disk holds, and not what is remembered of it.
func TestAProofReadsTheFile(t *testing.T) {
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 1)
	spoil(t, b, `body = zeroblob(length(body))`, 1)
	if rows, err := b.Verify(context.Background()); err == nil {
		t.Errorf("a damaged row passes: %d rows are good", rows)
	}
}

// What was remembered is of one epoch.
func TestAForkForgetsWhatIsRemembered(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 3)
	if err := b.Fork(ctx, envelope.Sales, "test"); err != nil {
		t.Fatal(err)
	}
	page, err := b.Peek(ctx, envelope.Sales, 2, 10, 1<<20)
	if err != nil || len(page) != 2 || page[0].Pos.Epoch != b.State(envelope.Sales).Epoch || page[0].Key != "2" {
		t.Fatalf("behind a fork: %+v, %v", page, err)
	}
}

package source_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
)

func drafts(n int) (ds []source.Draft) {
	for i := range n {
		ds = append(ds, source.Draft{Key: strconv.Itoa(i)})
	}
	return ds
}

func keys(ds []source.Draft) (out []string) {
	for _, d := range ds {
		out = append(out, d.Key)
	}
	return out
}

// Whatever fails in between, every draft is stored, in order, and a piece is repeated only when it was not stored.
func TestPieces(t *testing.T) {
	for _, n := range []int{0, 1, 3, 7} {
		for fail := range 4 {
			var p source.Pieces
			at, stored := source.Cursor(`{"a":1}`), []string(nil)
			p.Put(at, drafts(n), `{"a":2}`)
			for turn := 0; ; turn++ {
				ds, next, ok := p.Next(at, 3)
				if !ok {
					break
				}
				if turn == fail {
					continue // the disk was full
				}
				stored, at = append(stored, keys(ds)...), next
			}
			if !slices.Equal(stored, keys(drafts(n))) || n > 0 && at != `{"a":2}` {
				t.Errorf("%d drafts, failing at %d: stored %v, cursor %q", n, fail, stored, at)
			}
		}
	}
	// A new process finds all anew, whatever piece the old one had come to.
	var old, now source.Pieces
	old.Put("x", drafts(9), "y")
	_, mid, _ := old.Next("x", 3)
	if source.Whole(mid) != "x" {
		t.Errorf("%q", mid)
	}
	now.Put(mid, drafts(9), "y")
	if ds, _, _ := now.Next(mid, 3); ds[0].Key != "0" {
		t.Errorf("the new process begins with %s", ds[0].Key)
	}
}

package buffer

import (
	"context"
	"testing"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// Page follows page without reading the row between them again; what that remembers holds for this page's end alone.
func TestPagesFollowEachOther(t *testing.T) {
	ctx := context.Background()
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 10)
	peek := func(after uint64, max int) (envelope.Batch, error) {
		return b.Peek(ctx, envelope.Sales, after, max, 1<<20)
	}
	first, err := peek(0, 4)
	if err != nil || len(first) != 4 {
		t.Fatalf("%d envelopes, %v", len(first), err)
	}
	spoil(t, b, `sum = zeroblob(32)`, 4) // it has left already: what follows it is proven by what was sent
	next, err := peek(4, 4)
	if err != nil || len(next) != 4 || next[0].Prev != first[3].Sum {
		t.Fatalf("%d envelopes behind the first page, %v", len(next), err)
	}
	if _, err := peek(3, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("the damaged row is read as if it were whole: %v", err)
	}
	if _, err := peek(4, 1); !fault.Is(err, fault.Invalid) { // a page from 8 came between
		t.Errorf("what stood behind an older page is still believed: %v", err)
	}
	if err := b.Fork(ctx, envelope.Sales, "a row is damaged"); err != nil {
		t.Fatal(err)
	}
	again, err := peek(8, 1)
	if err != nil || len(again) != 1 || again[0].Verify() != nil || again[0].Prev == next[3].Sum {
		t.Errorf("behind a fork a page goes on from the old epoch: %+v, %v", again, err)
	}
}

func TestAReadThatWasGivenUpReadsNothing(t *testing.T) {
	b := open(t, options(t.TempDir()))
	fill(t, b, 1, 3)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if batch, err := b.Peek(ctx, envelope.Sales, 0, 10, 1<<20); err == nil {
		t.Errorf("%d envelopes", len(batch))
	}
}

// Package ingest takes batches off the wire and decides what becomes of them: what follows the head is committed with its meaning, what is
// known is acknowledged again, what is damaged or missing is asked for again, and what contradicts the record is a fork. It acknowledges
// only what is committed. It is pure: the store and the link are behind interfaces.
package ingest

import (
	"fmt"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
)

// Head is the last position of a lane that is committed; Seq 0 with a zero Sum is the beginning.
type Head struct {
	Lane int64 // the store's number for device + stream + epoch, 0 = none yet
	Seq  uint64
	Sum  envelope.Sum
	Stop string // why the stream waits for a person, "" = it does not
}

// Placing is what Place decides of a batch.
type Placing struct {
	Verdict envelope.Verdict
	Skip    int    // how many leading envelopes are known already; with OK and Skip = len(batch) there is nothing to commit
	Ask     uint64 // with a non-zero Ask the verdict is open: call again with the Sum that is held at this sequence
	Why     string
}

// Place compares a batch, whose own chain is proven, with the head. held is the Sum that the hub keeps at sequence Ask, once asked for.
func Place(h Head, b envelope.Batch, held *envelope.Sum) Placing {
	first, last := &b[0], &b[len(b)-1]
	switch {
	case h.Stop != "":
		return Placing{Verdict: envelope.Stopped, Why: h.Stop}
	case first.Pos.Seq > h.Seq+1 && bug.GapAccepted:
		return Placing{Verdict: envelope.OK}
	case first.Pos.Seq > h.Seq+1:
		return Placing{Verdict: envelope.Resend, Why: fmt.Sprintf("sequence %d came, %d is next", first.Pos.Seq, h.Seq+1)}
	case first.Pos.Seq == h.Seq+1:
		if first.Prev != h.Sum && !bug.PositionsOnly {
			return Placing{Verdict: envelope.Resend, Why: fmt.Sprintf("sequence %d does not continue the chain", first.Pos.Seq)}
		}
		return Placing{Verdict: envelope.OK}
	case last.Pos.Seq > h.Seq: // it begins in what is known and goes on
		known := int(h.Seq - first.Pos.Seq + 1)
		if b[known-1].Sum != h.Sum && !bug.PositionsOnly {
			return forked(h.Seq)
		}
		return Placing{Verdict: envelope.OK, Skip: known}
	case last.Pos.Seq == h.Seq:
		held = &h.Sum
	}
	if held == nil {
		return Placing{Ask: last.Pos.Seq}
	}
	if *held != last.Sum && !bug.PositionsOnly {
		return forked(last.Pos.Seq)
	}
	return Placing{Verdict: envelope.OK, Skip: len(b)}
}

func forked(seq uint64) Placing {
	return Placing{Verdict: envelope.Fork, Why: fmt.Sprintf("sequence %d is held with another content: two machines write this stream", seq)}
}

// Answer is the hub's word on a hello. held is the Sum kept at the agent's last sequence, nil when the hub has nothing there.
func Answer(hub envelope.HubID, h Head, hello envelope.Hello, held *envelope.Sum) envelope.Head {
	a := envelope.Head{Hub: hub, Nonce: hello.Nonce, Device: hello.Device, Stream: hello.Stream, Epoch: hello.Epoch, Seq: h.Seq, Sum: h.Sum, Verdict: envelope.OK}
	switch {
	case h.Stop != "":
		a.Verdict, a.Why = envelope.Stopped, h.Stop
	case hello.Last != 0 && hello.Last <= h.Seq && held != nil && *held != hello.LastSum && !bug.PositionsOnly:
		p := forked(hello.Last)
		a.Verdict, a.Why = p.Verdict, p.Why
	case hello.Last < h.Seq: // the hub has more than the agent ever wrote: the PC went back to an old disk
		a.Verdict, a.Why = envelope.Fork, fmt.Sprintf("the hub holds sequence %d, the agent ends at %d: an older copy of its disk is running", h.Seq, hello.Last)
	}
	return a
}

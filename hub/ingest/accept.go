package ingest

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// arrival is how a batch came.
type arrival struct {
	packed []byte
	sender Sender
	reply  Reply
}

// accept hands a continuation of the head to the committer and acknowledges it once it is committed.
func (l *lane) accept(ctx context.Context, b envelope.Batch, as arrival) {
	adv := Advance{From: l.head, Envs: make([]Accepted, len(b)), Packed: as.packed}
	for i := range b {
		m, err := l.mean(ctx, as.sender, &b[i])
		if err != nil {
			l.in.Log.WarnContext(ctx, "cannot take a batch; it will be sent again", "device", l.key.device, "position", b[i].Pos, "err", err)
			l.known = false
			return
		}
		if m.Refused != nil {
			l.in.Count.Refused.Add(1)
			if bug.RefusedBlocks {
				l.known = false
				return
			}
		}
		adv.Envs[i] = Accepted{Env: &b[i], Meaning: m}
	}
	last := &b[len(b)-1]
	l.head.Seq, l.head.Sum, l.damaged = last.Pos.Seq, last.Sum, 0
	ack := l.word(envelope.OK, "")
	if bug.AckBeforeCommit {
		as.reply(ack)
	}
	l.waiting++
	done := func(err error) {
		if err == nil {
			l.in.Count.Batches.Add(1)
			l.in.Count.Envelopes.Add(int64(len(b)))
			failpoint.Hit("ack.before")
			as.reply(ack)
			failpoint.Hit("ack.after")
		} else {
			l.in.Log.WarnContext(ctx, "cannot commit a batch; it will be sent again", "device", l.key.device, "position", b[0].Pos, "err", err)
		}
		l.flight <- err // there is room: a lane has at most laneFlight with the committer
	}
	select {
	case l.in.commit <- submission{adv, done}:
	case <-l.in.stopped:
	}
}

// mean decodes and posts one envelope, and refuses what its device may not tell, whatever else is wrong with it.
func (l *lane) mean(ctx context.Context, sender Sender, e *envelope.Envelope) (Meaning, error) {
	m, err := l.read(ctx, e)
	if err != nil || bug.AssignmentUnchecked {
		return m, err
	}
	if err := sender.Refuses(e, m); err != nil {
		return Meaning{Record: m.Record, Key: m.Key, Day: m.Day, Refused: err}, nil
	}
	return m, nil
}

// read is what an envelope means; a record in parts is put together when its last part is here.
func (l *lane) read(ctx context.Context, e *envelope.Envelope) (Meaning, error) {
	if e.Parts <= 1 {
		return l.in.Mean(e), nil
	}
	if err := l.earlier(ctx, e); err != nil {
		if fault.Is(err, fault.NotFound) {
			return Meaning{Refused: fault.New(fault.Invalid, "record "+e.Key, fmt.Errorf("part %d of %d came without all the parts before it: export it at the store, it cannot be put together here", e.Part, e.Parts))}, nil
		}
		return Meaning{}, err
	}
	l.parts, l.partAt = append(l.parts, e.Body), e.Pos.Seq
	if e.Part < e.Parts {
		return Meaning{}, nil
	}
	whole := *e
	whole.Body, whole.Part, whole.Parts = join(l.parts), 1, 1
	l.parts = nil
	return l.in.Mean(&whole), nil
}

// earlier sees that parts holds the parts before e. Code not_found: they are not there and never will be, as after a salvage that could not
// read them all.
func (l *lane) earlier(ctx context.Context, e *envelope.Envelope) error {
	if e.Part <= 1 {
		l.parts = nil
		return nil
	}
	if len(l.parts) == int(e.Part)-1 && l.partAt == e.Pos.Seq-1 || bug.PartsForgotten {
		return nil
	}
	l.parts = nil
	first := e.Pos.Seq - uint64(e.Part) + 1
	if uint64(e.Part) > e.Pos.Seq || e.Pos.Seq-1 > l.head.Seq {
		return fault.Msg(fault.NotFound, "read parts", "what stands before it in its batch is no part of it")
	}
	if l.drain(); !l.known {
		return fault.Msg(fault.Unavailable, "read parts", "a commit before it failed")
	}
	got, err := l.in.Inbox.Parts(ctx, l.head, first, e.Pos.Seq-1)
	if err == nil && len(got) != int(e.Part)-1 {
		err = fault.Msg(fault.NotFound, "read parts", "some are not kept")
	}
	l.parts = got
	return err
}

func join(parts [][]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

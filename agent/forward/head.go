package forward

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// Head takes the hub's word: an ack, or the answer to a hello. Errors are the buffer's, and invalid for a word that is not ours.
func (f *Forwarder) Head(ctx context.Context, now time.Time, h envelope.Head) error {
	if h.Device != f.o.Device || h.Stream != f.o.Stream || f.phase == Offline {
		return nil
	}
	if h.Nonce != "" && (f.phase != Greeting || h.Nonce != f.nonce) {
		return nil // the answer to an older hello
	}
	if ok, err := f.ours(ctx, h); err != nil || !ok {
		return err
	}
	if h.Epoch != f.queue.State(f.o.Stream).Epoch {
		return nil // of a time before a fork
	}
	if h.Nonce != "" {
		return f.answer(ctx, now, h)
	}
	if f.phase != Streaming {
		return nil
	}
	return f.ack(ctx, now, h)
}

// ours: the first hub that answers a hello is pinned; from then on no other is obeyed.
func (f *Forwarder) ours(ctx context.Context, h envelope.Head) (bool, error) {
	pinned, err := f.pin.Hub(ctx)
	if err != nil {
		return false, err
	}
	if pinned == "" && h.Nonce != "" && h.Hub != "" {
		return true, f.pin.SetHub(ctx, h.Hub)
	}
	if (h.Hub != pinned || pinned == "") && !bug.NoPin {
		f.foreign = h.Hub
		return false, fault.Msg(fault.Conflict, "hear the hub", fmt.Sprintf("hub %q answered, this agent belongs to hub %q; nothing is lost, the sales wait here", h.Hub, pinned))
	}
	f.foreign = ""
	return true, nil
}

// answer acts on the answer to our hello: only it may move the head down.
func (f *Forwarder) answer(ctx context.Context, now time.Time, h envelope.Head) error {
	f.nonce = ""
	st := f.queue.State(f.o.Stream)
	switch h.Verdict {
	case envelope.Refused, envelope.Stopped:
		f.stand(now, h.Why)
		return nil
	case envelope.Fork:
		return f.fork(ctx, now, h.Why)
	}
	if st.Oldest > 0 && h.Seq+1 < st.Oldest {
		return f.fork(ctx, now, fmt.Sprintf("the hub ends at %d and the rows up to %d are no longer here", h.Seq, st.Oldest-1))
	}
	holds, err := f.queue.Holds(ctx, f.o.Stream, h.Epoch, h.Seq, h.Sum)
	if err != nil {
		return err
	}
	if !holds && !bug.PositionsOnly {
		return f.fork(ctx, now, fmt.Sprintf("the hub holds another record at sequence %d", h.Seq))
	}
	if bug.HeadNeverDown && h.Seq < st.Acked {
		h.Seq = st.Acked
	}
	f.queue.SetAcked(f.o.Stream, h.Epoch, h.Seq)
	f.rewind(h.Seq)
	f.phase, f.why, f.tries, f.probe = Streaming, "", 0, false
	return nil
}

func (f *Forwarder) fork(ctx context.Context, now time.Time, why string) error {
	if err := f.queue.Fork(ctx, f.o.Stream, why); err != nil {
		f.due = now.Add(helloRetry)
		return err
	}
	f.greet(now)
	return nil
}

// ack acts on a word without a nonce: it moves the head up, or makes us ask.
func (f *Forwarder) ack(ctx context.Context, now time.Time, h envelope.Head) error {
	switch h.Verdict {
	case envelope.Refused, envelope.Stopped:
		f.stand(now, h.Why)
		return nil
	case envelope.Fork:
		f.greet(now) // only an answer decides that
		return nil
	}
	acked := f.queue.State(f.o.Stream).Acked
	if h.Seq < acked && !bug.HeadNotMonotone {
		if h.Verdict == envelope.Resend {
			f.greet(now) // the hub is behind what it promised: it was put back, or this is an old word
		}
		return nil
	}
	holds, err := f.queue.Holds(ctx, f.o.Stream, h.Epoch, h.Seq, h.Sum)
	if err != nil {
		return err
	}
	if !holds && !bug.PositionsOnly {
		f.greet(now)
		return nil
	}
	if h.Verdict == envelope.Resend {
		f.resend(now, h.Seq, acked)
		return nil
	}
	if h.Seq > acked || bug.HeadNotMonotone {
		f.queue.SetAcked(f.o.Stream, h.Epoch, h.Seq)
		f.landed(now, h.Seq)
	}
	return nil
}

// resend goes back to the head once: every batch behind a gap makes the hub ask, and one answer is enough.
func (f *Forwarder) resend(now time.Time, seq, acked uint64) {
	if f.probe && seq == acked && len(f.flights) > 0 {
		return
	}
	f.queue.SetAcked(f.o.Stream, f.queue.State(f.o.Stream).Epoch, seq)
	f.rewind(seq)
	f.probe = true
}

// landed takes what is acknowledged out of the window and starts the clock anew for the rest.
func (f *Forwarder) landed(now time.Time, seq uint64) {
	n := 0
	for n < len(f.flights) && f.flights[n].last <= seq {
		n++
	}
	f.flights = append(f.flights[:0], f.flights[n:]...)
	f.sent = max(f.sent, seq)
	f.tries, f.probe = 0, false
	f.due = now.Add(f.jitter(stallAfter, waitLongest) + stallAfter)
}

package ingest

import (
	"context"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
)

// work is one thing that arrived for a lane, in order.
type work struct {
	payload []byte
	hello   *envelope.Hello
	reply   Reply
}

// lane serves one stream of one device. One goroutine owns it; done callbacks reach it through settle.
type lane struct {
	in    *Intake
	key   laneKey
	queue chan work

	epoch   envelope.Epoch
	known   bool
	head    Head // as far as handed to the committer: it may be ahead of what is committed
	damaged int
	owed    uint64 // a restored hub waits for everything up to here
	told    bool   // a hello has said so
	quiet   bool   // no case of a restored hub is open for this lane
	parts   [][]byte
	partAt  uint64     // where the last of parts stands
	flight  chan error // outcomes of submissions, in order; nil = nothing is in flight
	waiting int
}

func (l *lane) run(ctx context.Context) {
	l.flight = make(chan error, laneFlight)
	for {
		queue := l.queue
		if l.waiting == laneFlight {
			queue = nil // the committer is behind: what is not taken is dropped at the door
		}
		select {
		case <-l.in.stopped:
			return
		case err := <-l.flight:
			l.settle(err)
			l.repaid(ctx)
		case w := <-queue:
			l.outcomes()
			l.in.waiting.Add(-int64(len(w.payload)))
			l.in.workers <- struct{}{}
			if w.hello != nil {
				l.hello(ctx, *w.hello, w.reply)
			} else {
				l.batch(ctx, w.payload, w.reply)
			}
			<-l.in.workers
			l.repaid(ctx) // the work may have counted the commit that a restored hub waited for
		}
	}
}

// settle counts an outcome. After a failure the lane forgets its head, so that what was built on it is refused by compare-and-swap and the
// agent, which gets no ack, sends again from the committed head.
func (l *lane) settle(err error) {
	l.waiting--
	if err != nil {
		l.known = false
	}
}

// outcomes counts what is known already, so that nothing is built on a commit that failed.
func (l *lane) outcomes() {
	for {
		select {
		case err := <-l.flight:
			l.settle(err)
		default:
			return
		}
	}
}

// drain waits for everything in flight: an answer to a hello must tell the committed head.
func (l *lane) drain() {
	for l.waiting > 0 {
		select {
		case err := <-l.flight:
			l.settle(err)
		case <-l.in.stopped:
			return
		}
	}
}

func (l *lane) load(ctx context.Context, e envelope.Epoch) error {
	unnumbered := l.head.Lane == 0 && l.head.Seq > 0 && l.waiting == 0 // it was new, and its first commit gave it a number
	if l.known && l.epoch == e && !unnumbered {
		return nil
	}
	l.drain()
	h, err := l.in.Inbox.Head(ctx, l.key.device, l.key.stream, e)
	if err != nil {
		return err
	}
	if h.Seq != l.head.Seq || l.epoch != e {
		l.parts = nil
	}
	l.epoch, l.head, l.known = e, h, true
	return nil
}

func (l *lane) hello(ctx context.Context, h envelope.Hello, reply Reply) {
	if h.Device != l.key.device || h.Stream != l.key.stream {
		return
	}
	sender, err := l.in.Registry.Sender(ctx, h.Device)
	if err != nil {
		l.in.Log.WarnContext(ctx, "cannot answer a hello", "device", h.Device, "stream", h.Stream, "err", err)
		return
	}
	if sender.Refusal != "" {
		reply(envelope.Head{Hub: l.in.Hub, Nonce: h.Nonce, Device: h.Device, Stream: h.Stream, Epoch: h.Epoch, Verdict: envelope.Refused, Why: sender.Refusal})
		return
	}
	l.drain()
	l.known = false
	if err = l.load(ctx, h.Epoch); err == nil {
		var held *envelope.Sum
		if held, err = l.sumAt(ctx, h.Last); err == nil {
			a := Answer(l.in.Hub, l.head, h, held)
			l.report(ctx, a.Verdict, a.Why, h.Epoch, h.Last)
			if h.Acked > l.head.Seq && !bug.RestoreUnnoticed {
				l.restored(ctx, h)
			} else if !l.quiet {
				// Once all that it holds now is here, nothing is missing that it was ever promised: a case may be left of a run before this one.
				l.owed, l.told = max(l.owed, h.Last), true
				l.repaid(ctx) // before the answer: who hears that all is here finds no case of it
			}
			reply(a)
			return
		}
	}
	l.in.Log.WarnContext(ctx, "cannot answer a hello", "device", h.Device, "stream", h.Stream, "err", err)
}

func (l *lane) sumAt(ctx context.Context, seq uint64) (*envelope.Sum, error) {
	if seq == 0 || seq > l.head.Seq {
		return nil, nil
	}
	sum, ok, err := l.in.Inbox.SumAt(ctx, l.head, seq)
	if err != nil || !ok {
		return nil, err
	}
	return &sum, nil
}

func (l *lane) batch(ctx context.Context, payload []byte, reply Reply) {
	b, err := l.in.decode(l.key, payload)
	if err != nil {
		l.damage(ctx, err, reply)
		return
	}
	l.in.Count.Offered.Add(int64(len(b)))
	sender, err := l.in.Registry.Sender(ctx, l.key.device)
	if err == nil && sender.Refusal == "" {
		err = l.load(ctx, b[0].Pos.Epoch)
	}
	if err != nil {
		l.in.Log.WarnContext(ctx, "cannot take a batch; it will be sent again", "device", l.key.device, "position", b[0].Pos, "err", err)
		return
	}
	if sender.Refusal != "" {
		reply(envelope.Head{Hub: l.in.Hub, Device: l.key.device, Stream: l.key.stream, Epoch: b[0].Pos.Epoch, Verdict: envelope.Refused, Why: sender.Refusal})
		return
	}
	p := Place(l.head, b, nil)
	if p.Ask != 0 {
		held, err := l.sumAt(ctx, p.Ask)
		if err != nil || held == nil {
			return
		}
		p = Place(l.head, b, held)
	}
	if p.Verdict == envelope.OK && p.Skip < len(b) {
		l.accept(ctx, b[p.Skip:], arrival{payload, sender, reply})
		return
	}
	l.drain() // what is told must be committed
	if !l.known {
		return
	}
	l.count(p)
	l.report(ctx, p.Verdict, p.Why, b[0].Pos.Epoch, b[len(b)-1].Pos.Seq)
	reply(l.word(p.Verdict, p.Why))
}

func (l *lane) count(p Placing) {
	switch p.Verdict {
	case envelope.OK:
		l.in.Count.Duplicates.Add(1)
	case envelope.Resend:
		l.in.Count.Resends.Add(1)
	case envelope.Fork:
		l.in.Count.Forks.Add(1)
	}
}

func (l *lane) word(v envelope.Verdict, why string) envelope.Head {
	return envelope.Head{Hub: l.in.Hub, Device: l.key.device, Stream: l.key.stream, Epoch: l.epoch, Seq: l.head.Seq, Sum: l.head.Sum, Verdict: v, Why: why}
}

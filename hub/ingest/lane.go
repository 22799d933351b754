package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
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

// mean decodes and posts one envelope; a record in parts is put together when its last part is here.
func (l *lane) mean(ctx context.Context, sender Sender, e *envelope.Envelope) (Meaning, error) {
	if e.Parts <= 1 {
		return l.allowed(sender, e, l.in.Mean(e)), nil
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
	return l.allowed(sender, e, l.in.Mean(&whole)), nil
}

// allowed refuses a meaning that the device may not tell, whatever else is wrong with it.
func (l *lane) allowed(sender Sender, e *envelope.Envelope, m Meaning) Meaning {
	if err := sender.Refuses(e, m.Record); err != nil && !bug.AssignmentUnchecked {
		return Meaning{Record: m.Record, Refused: err}
	}
	return m
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

// damage asks for the batch again; the same trouble three times in a row stops the stream with a case.
func (l *lane) damage(ctx context.Context, why error, reply Reply) {
	l.in.Count.Damaged.Add(1)
	l.damaged++
	l.drain()
	if l.known && l.damaged < damageLimit {
		reply(l.word(envelope.Resend, why.Error()))
		return
	}
	if l.damaged < damageLimit {
		return // no epoch is known yet: the agent's own timer sends again
	}
	l.in.Log.ErrorContext(ctx, "a stream arrives damaged again and again", "device", l.key.device, "stream", l.key.stream, "err", why)
	c := cases.New(cases.Stopped, string(l.key.device)+"/"+string(l.key.stream), time.Time{})
	c.Detail = why.Error()
	if !l.known {
		if err := l.in.Registry.Open(ctx, c); err != nil {
			l.in.Log.ErrorContext(ctx, "cannot open a case", "case", c.ID, "err", err)
		}
		return
	}
	if err := l.in.Registry.Stop(ctx, l.head, l.key.device, l.key.stream, l.epoch, c); err != nil {
		l.in.Log.ErrorContext(ctx, "cannot stop a stream", "device", l.key.device, "err", err)
		return
	}
	l.head.Stop = c.Title
	reply(l.word(envelope.Stopped, c.Title))
}

// report opens a case for a fork; everything else heals by itself.
func (l *lane) report(ctx context.Context, v envelope.Verdict, why string, e envelope.Epoch, seq uint64) {
	if v != envelope.Fork {
		return
	}
	c := cases.New(cases.Fork, fmt.Sprintf("%s/%s/%s", l.key.device, l.key.stream, e), time.Time{})
	c.Detail = fmt.Sprintf("%s (sequence %d)", why, seq)
	if err := l.in.Registry.Open(ctx, c); err != nil {
		l.in.Log.ErrorContext(ctx, "cannot open a case", "case", c.ID, "err", err)
	}
}

// restored notes that an agent was promised more than this database holds: it was put back from a backup. The agent sends it again.
func (l *lane) restored(ctx context.Context, h envelope.Hello) {
	c := cases.New(cases.HubRestored, string(h.Device)+"/"+string(h.Stream), time.Time{})
	c.Detail = fmt.Sprintf("the agent holds an ack for sequence %d, the hub ends at %d", h.Acked, l.head.Seq)
	l.owed, l.told, l.quiet = h.Acked, true, false
	if err := l.in.Registry.Open(ctx, c); err != nil {
		l.in.Log.ErrorContext(ctx, "cannot open a case", "case", c.ID, "err", err)
	}
}

// repaid closes the case of a restored hub once everything that the agent was promised is committed again.
func (l *lane) repaid(ctx context.Context) {
	if l.quiet || !l.told || l.waiting > 0 || !l.known || l.head.Seq < l.owed {
		return
	}
	id := cases.ID(cases.HubRestored, string(l.key.device)+"/"+string(l.key.stream))
	if err := l.in.Registry.Settle(ctx, id, fmt.Sprintf("everything up to sequence %d is here again", l.head.Seq)); err != nil {
		l.in.Log.WarnContext(ctx, "cannot close a case", "case", id, "err", err)
		return
	}
	l.owed, l.told, l.quiet = 0, false, true
}

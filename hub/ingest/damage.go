package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/envelope"
)

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

package forward

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/meter"
)

// Link publishes. It may block while the line is slow; an error means that the connection is gone or going.
type Link interface {
	Publish(ctx context.Context, topic string, payload []byte) error
}

// Loop runs the forwarders of a device on real time: sales first, then state, then history.
type Loop struct {
	forwarders []*Forwarder
	log        *slog.Logger
	Count      meter.Stage // messages that were made, are with the broker, were refused by the hub, must be sent again

	mu     sync.Mutex
	link   Link
	events []func(context.Context, time.Time)
	wake   chan struct{}
	status map[envelope.Stream]StreamStatus
	heard  time.Time

	off      time.Duration // of our clock against the hub's
	offKnown bool
}

// StreamStatus is what a person or a health check wants to know of a stream.
type StreamStatus struct {
	Phase   Phase          `json:"phase"`
	Why     string         `json:"why,omitempty"`
	Foreign envelope.HubID `json:"foreign_hub,omitempty"`
	State
}

// NewLoop returns a loop over one Forwarder per stream; they share o's codec.
func NewLoop(o Options, q Queue, p Pin, log *slog.Logger) *Loop {
	l := &Loop{log: log, wake: make(chan struct{}, 1), status: map[envelope.Stream]StreamStatus{}}
	o.Codec = envelope.NewCodec()
	for _, s := range envelope.Streams {
		o.Stream = s
		l.forwarders = append(l.forwarders, New(o, q, p))
	}
	return l
}

// Wake tells that something was appended. It never blocks.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Connected tells that link is up, or that the hub behind it is back.
func (l *Loop) Connected(link Link) {
	l.event(func(_ context.Context, now time.Time) {
		l.mu.Lock()
		l.link = link
		l.mu.Unlock()
		for _, f := range l.forwarders {
			f.Connected(now)
		}
	})
}

// Disconnected tells that the link is gone.
func (l *Loop) Disconnected() {
	l.event(func(context.Context, time.Time) {
		l.mu.Lock()
		l.link = nil
		l.mu.Unlock()
		for _, f := range l.forwarders {
			f.Disconnected()
		}
	})
}

// Head hands the hub's word over. It never blocks.
func (l *Loop) Head(h envelope.Head) {
	l.event(func(ctx context.Context, now time.Time) {
		for _, f := range l.forwarders {
			if f.o.Stream != h.Stream {
				continue
			}
			if h.Verdict == envelope.Resend {
				l.Count.Refused.Add(1)
			}
			if err := f.Head(ctx, now, h); err != nil {
				l.log.WarnContext(ctx, "cannot act on the hub's word", "stream", h.Stream, "err", err)
			} else {
				l.mu.Lock()
				l.heard = now
				if h.Nonce != "" && !h.At.IsZero() { // the answer to a hello has just been made: it waited for nobody
					l.off, l.offKnown = now.Sub(h.At), true
				}
				l.mu.Unlock()
			}
		}
	})
}

func (l *Loop) event(f func(context.Context, time.Time)) {
	l.mu.Lock()
	l.events = append(l.events, f)
	l.mu.Unlock()
	l.Wake()
}

// Clock is this PC's clock minus the hub's at the last hello, to some seconds; known is false before the first.
func (l *Loop) Clock() (off time.Duration, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.off, l.offKnown
}

// Status returns the streams as they stood after the last step, and when the hub was heard last.
func (l *Loop) Status() (streams map[envelope.Stream]StreamStatus, heard time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[envelope.Stream]StreamStatus, len(l.status))
	for s, st := range l.status {
		out[s] = st
	}
	return out, l.heard
}

// Run forwards until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		sleep := l.round(ctx)
		if sleep <= 0 {
			continue
		}
		timer.Reset(sleep)
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer.C:
		}
	}
	return nil
}

// round takes the events that wait and sends at most one message: that of the first stream that has one.
func (l *Loop) round(ctx context.Context) time.Duration {
	l.mu.Lock()
	events, link := l.events, l.link
	l.events = nil
	l.mu.Unlock()
	now := time.Now()
	for _, e := range events {
		e(ctx, now)
	}
	if len(events) > 0 {
		l.mu.Lock()
		link = l.link
		l.mu.Unlock()
	}
	defer l.note()
	sleep := time.Hour
	for _, f := range l.forwarders {
		m, idle, err := f.Step(ctx, now)
		if err != nil {
			l.log.ErrorContext(ctx, "cannot read the buffer", "stream", f.o.Stream, "err", err)
			sleep = min(sleep, 5*time.Second)
			continue
		}
		if m == nil {
			sleep = min(sleep, idle)
			continue
		}
		l.Count.In.Add(1)
		failpoint.Hit("publish.before")
		if err := link.Publish(ctx, m.Topic, m.Payload); err != nil {
			l.log.DebugContext(ctx, "cannot publish", "stream", f.o.Stream, "err", err)
			l.Count.Retried.Add(1)
			f.Disconnected() // the uplink will say when there is a line again
		} else {
			l.Count.Out.Add(1)
		}
		failpoint.Hit("publish.after")
		return 0
	}
	return sleep
}

func (l *Loop) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.forwarders {
		p, why, foreign := f.Status()
		l.status[f.o.Stream] = StreamStatus{Phase: p, Why: why, Foreign: foreign, State: f.queue.State(f.o.Stream)}
	}
}

// Package capture moves what a polled source reads into the buffer: drafts and cursor in one transaction, again and again.
package capture

import (
	"context"
	"log/slog"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/meter"
	"github.com/tillpost/tillpost/shared/mode"
)

// Sink is the buffer.
type Sink interface {
	source.Sink
	Cursor(ctx context.Context, name string) (source.Cursor, error)
}

// most is how many drafts one transaction takes: enough that the commit's cost is spread, few enough that a till's own append never
// waits noticeably behind it.
const most = 200

// Every is how often a source without news is asked again.
const Every = 5 * time.Second

// Stage says where a round failed.
type Stage string

const (
	Reading Stage = "reading" // the source: a folder that cannot be opened
	Storing Stage = "storing" // this PC's own disk
)

// Pump runs one source. Trouble is called with an error when a round fails, and with nil when the first succeeds and when one does after
// a failure.
type Pump struct {
	Source  source.Source
	Sink    Sink
	Log     *slog.Logger
	Every   time.Duration // 0 = Every
	Mode    mode.Mode     // of the source's connection: each record carries it
	Trouble func(Stage, error)
	Count   *meter.Stage // drafts that were read, are kept, and rounds that failed; nil = nobody counts
}

// Run polls until ctx ends. It never gives a source up.
func (p *Pump) Run(ctx context.Context) error {
	every := p.Every
	if every == 0 {
		every = Every
	}
	var wake <-chan struct{}
	if w, ok := p.Source.(source.Waker); ok {
		wake = w.Wake()
	}
	failed, said := false, false
	for ctx.Err() == nil {
		n, stage, err := p.Step(ctx)
		p.count(n, stage, err)
		if err != nil && ctx.Err() == nil {
			if !failed {
				p.Log.WarnContext(ctx, "cannot read a source; it is tried again", "source", p.Source.Name(), "err", err)
			}
			failed, said = true, true
			p.Trouble(stage, err)
		} else if err == nil && (failed || !said) {
			failed, said = false, true
			p.Trouble(stage, nil)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(every):
		}
	}
	return nil
}

func (p *Pump) count(n int, at Stage, err error) {
	if p.Count == nil {
		return
	}
	p.Count.In.Add(uint64(n))
	switch {
	case err == nil:
		p.Count.Out.Add(uint64(n))
	case at == Storing:
		p.Count.Refused.Add(uint64(n))
	default:
		p.Count.Retried.Add(1)
	}
}

// Step reads once and stores what came; n tells how many drafts, and counts a cursor that moved without any as one.
func (p *Pump) Step(ctx context.Context) (n int, s Stage, err error) {
	at, err := p.Sink.Cursor(ctx, p.Source.Name())
	if err != nil {
		return 0, Storing, err
	}
	failpoint.Hit("read.before")
	ds, next, err := p.Source.Read(ctx, at, most)
	if err != nil {
		return 0, Reading, err
	}
	if len(ds) == 0 && next == at {
		return 0, Reading, nil
	}
	failpoint.Hit("read.after")
	for i := range ds {
		ds[i].ContentType = mode.Mark(ds[i].ContentType, p.Mode)
	}
	return max(1, len(ds)), Storing, p.Sink.Append(ctx, p.Source.Name(), next, ds)
}

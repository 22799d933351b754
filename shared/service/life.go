package service

import (
	"context"
	"log/slog"
	"time"
)

// stage is where a life stands.
type stage int

const (
	starting stage = iota
	running
	stopping
)

// report is what a service manager is told.
type report struct {
	Stage stage
	Check uint32 // grows while a start or a stop goes on
	Pulse bool   // running, and alive was asked just now
}

// ask is what a service manager wants.
type ask int

const (
	askStatus ask = iota
	askStop
	askShutdown
	askPreshutdown
)

func (a ask) within() time.Duration {
	return map[ask]time.Duration{askStop: stopWithin, askShutdown: shutdownWithin, askPreshutdown: preshutdown}[a]
}

// life drives one run of the service: it starts the work, tells how it stands, and ends it when asked.
type life struct {
	work  Work
	asks  <-chan ask
	tell  func(report)
	pulse time.Duration // how often alive is asked; 0 = never
	hung  time.Duration // after so long without life it ends itself; 0 = the manager sees to that

	now   report
	alive func() error
	good  time.Time // when alive last said yes
}

// drive returns nil when the end was asked for, also when it did not wait for it.
func (l *life) drive(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	up, done := &Up{ready: make(chan func() error, 1)}, make(chan error, 1)
	go func() { done <- l.work(ctx, up) }()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	l.tell(l.now)
	ended, end, late := ctx.Done(), askStop, (<-chan time.Time)(nil)
	for {
		select {
		case err := <-done:
			if err == nil && l.now.Stage != stopping && ctx.Err() == nil {
				err = errEnded
			}
			return err
		case <-ended:
			ended, late = nil, time.After(end.within())
			l.now = report{Stage: stopping, Check: 1}
			tick.Reset(tellEvery)
			l.tell(l.now)
		case a := <-l.asks:
			if a == askStatus {
				l.tell(l.now)
			} else if l.now.Stage != stopping {
				end = a
				cancel()
			}
		case l.alive = <-up.ready:
			l.began(tick)
		case <-tick.C:
			if err := l.beat(ctx); err != nil {
				return err
			}
		case <-late:
			slog.WarnContext(ctx, "the stop was not waited for any longer; nothing is lost, the next start checks more")
			return nil
		}
	}
}

func (l *life) began(tick *time.Ticker) {
	l.good = time.Now()
	if l.now.Stage == starting {
		l.now = report{Stage: running}
		if l.pulse > 0 {
			tick.Reset(l.pulse)
		} else {
			tick.Stop()
		}
		l.tell(l.now)
	}
}

// beat tells that a start or a stop goes on, or that the work does.
func (l *life) beat(ctx context.Context) error {
	if l.now.Stage != running {
		l.now.Check++
		l.tell(l.now)
		return nil
	}
	err := l.alive()
	if err == nil {
		l.good = time.Now()
		l.tell(report{Stage: running, Pulse: true})
		return nil
	}
	slog.WarnContext(ctx, "no sign of life", "err", err)
	if l.hung > 0 && time.Since(l.good) > l.hung {
		return errHung
	}
	return nil
}

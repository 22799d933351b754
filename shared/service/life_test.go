package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// watched is a life whose reports are kept.
type watched struct {
	asks chan ask
	told []report
	end  chan error
}

func live(ctx context.Context, l life) *watched {
	w := &watched{asks: make(chan ask), end: make(chan error, 1)}
	l.asks, l.tell = w.asks, func(r report) { w.told = append(w.told, r) }
	go func() { w.end <- l.drive(ctx) }()
	return w
}

func (w *watched) last() report { return w.told[len(w.told)-1] }

func good() error { return nil }

// A start that takes long says so again and again; a stop too, and it is waited for.
func TestALifeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := live(t.Context(), life{pulse: 30 * time.Second, work: func(ctx context.Context, up *Up) error {
			time.Sleep(5500 * time.Millisecond) // a salvage
			up.Ready(good)
			<-ctx.Done()
			time.Sleep(3500 * time.Millisecond) // a drain
			return nil
		}})
		time.Sleep(5200 * time.Millisecond)
		if got := w.last(); got != (report{Stage: starting, Check: 5}) {
			t.Errorf("while it starts: %+v", got)
		}
		time.Sleep(time.Second)
		if got := w.last(); got != (report{Stage: running}) {
			t.Errorf("once it works: %+v", got)
		}
		time.Sleep(30 * time.Second)
		if got := w.last(); got != (report{Stage: running, Pulse: true}) {
			t.Errorf("later: %+v", got)
		}
		w.asks <- askStatus
		synctest.Wait()
		if got := w.last(); got != (report{Stage: running}) {
			t.Errorf("asked: %+v", got)
		}
		w.asks <- askStop
		time.Sleep(3200 * time.Millisecond)
		if got := w.last(); got.Stage != stopping || got.Check != 4 {
			t.Errorf("while it stops: %+v", got)
		}
		began := time.Now()
		if err := <-w.end; err != nil || time.Since(began) > time.Second {
			t.Errorf("a stop that was asked for ends with %v", err)
		}
	})
}

// Each way of going down has its time: a machine that is switched off gives 4 seconds, a person 20.
func TestAStopIsNotWaitedForForEver(t *testing.T) {
	for a, within := range map[ask]time.Duration{askStop: stopWithin, askShutdown: shutdownWithin, askPreshutdown: preshutdown} {
		synctest.Test(t, func(t *testing.T) {
			hang := make(chan struct{})
			defer close(hang)
			w := live(t.Context(), life{work: func(_ context.Context, up *Up) error {
				up.Ready(good)
				<-hang
				return nil
			}})
			synctest.Wait()
			began := time.Now()
			w.asks <- a
			if err := <-w.end; err != nil || time.Since(began) != within {
				t.Errorf("ask %d: %v after %v, want nil after %v", a, err, time.Since(began), within)
			}
		})
	}
}

// What ends by itself, well or badly, ends with an error: only then does a manager start it again.
func TestWhatEndsByItself(t *testing.T) {
	broken := errors.New("broken")
	for _, work := range map[error]Work{errEnded: func(context.Context, *Up) error { return nil }, broken: func(context.Context, *Up) error { return broken }} {
		synctest.Test(t, func(t *testing.T) {
			if err := <-live(t.Context(), life{work: work}).end; err == nil {
				t.Error("no error")
			}
		})
	}
}

// A work without a sign of life gets no pulse told, and where no manager sees to it, ends.
func TestNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := errors.New("dead")
		var sick error
		work := func(ctx context.Context, up *Up) error {
			up.Ready(func() error { return sick })
			<-ctx.Done()
			return nil
		}
		w := live(t.Context(), life{work: work, pulse: 30 * time.Second, hung: 90 * time.Second})
		time.Sleep(31 * time.Second)
		if !w.last().Pulse {
			t.Errorf("healthy: %+v", w.last())
		}
		told := len(w.told)
		sick = dead
		time.Sleep(80 * time.Second)
		if len(w.told) != told {
			t.Errorf("sick, and it was told %+v", w.told[told:])
		}
		if err := <-w.end; !errors.Is(err, errHung) {
			t.Errorf("it ends with %v", err)
		}
	})
}

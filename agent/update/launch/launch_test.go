package launch

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/slots"
)

// sleeper is a program on a PC that falls asleep: at one look everything stands still, and afterwards it has been silent for hours.
type sleeper struct {
	looks, kills atomic.Int32
	done         chan struct{}
}

func (s *sleeper) Sign() update.Sign {
	sign := update.Sign{Ready: true, Up: time.Second}
	if s.looks.Add(1) == 3 {
		time.Sleep(100 * time.Millisecond)
	}
	if s.looks.Load() >= 3 {
		sign.Silent, sign.Up = 8*time.Hour, 8*time.Hour
	}
	return sign
}

func (s *sleeper) Stop()                                          { s.kills.Add(1); close(s.done) }
func (s *sleeper) Kill()                                          {}
func (s *sleeper) Done() <-chan struct{}                          { return s.done }
func (s *sleeper) Start(context.Context, string) (Program, error) { return s, nil }
func (s *sleeper) Ask(context.Context, string) update.Answer      { return update.Answer{} }
func (s *sleeper) Detail(Program) string                          { return "" }

// TestAPCThatSlept: a laptop that was closed for a night has no hanging agent in the morning.
func TestAPCThatSlept(t *testing.T) {
	s := &sleeper{done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	l := &Launcher{Store: slots.At(t.TempDir()), Starter: s, Installed: "1.0.0", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Every: 2 * time.Millisecond}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx, func(func() error) {}) }()
	for s.looks.Load() < 20 {
		select {
		case err := <-ended:
			t.Fatalf("the launcher ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if n := s.kills.Load(); n != 0 {
		t.Error("it took the agent for hanging")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

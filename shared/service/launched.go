package service

import (
	"context"
	"errors"
	"io"
	"time"
)

// Words is what a launcher is told of the work that it started.
type Words interface {
	Ready()
	Alive()
}

// Launched does the work for a launcher instead of a service manager: it tells how the work stands each pulse, and ends it in order when the
// input ends, as the launcher asks or dies. Unlike under a manager, work that ends by itself without an error is no fault: the launcher knows.
func Launched(ctx context.Context, in io.Reader, to Words, pulse time.Duration, work Work) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // an input that breaks has ended, too
		cancel()
	}()
	tell := func(r report) {
		switch {
		case r.Stage == running && r.Pulse:
			to.Alive()
		case r.Stage == running:
			to.Ready()
		}
	}
	err := (&life{work: work, tell: tell, pulse: pulse}).drive(ctx)
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

//go:build !windows

package service

import (
	"context"
	"os"
)

// run tells systemd, if that has started us. In a console, and under managers that only send signals, ctx ends the work.
func run(ctx context.Context, _ Spec, _ bool, work Work) error {
	s := openSystemd(os.Getenv, os.Getpid())
	defer s.Close()
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name) // what we start must not speak for us
	}
	l := life{work: work, tell: s.tell, pulse: s.watchdog / 3}
	return l.drive(ctx)
}

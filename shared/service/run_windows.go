package service

import (
	"context"

	"golang.org/x/sys/windows/svc"
)

// run speaks with the service manager by itself: kardianos/service accepts no pre-shutdown and tells nothing while a stop goes on.
func run(ctx context.Context, s Spec, asService bool, work Work) error {
	if !asService {
		is, err := svc.IsWindowsService()
		if err != nil || !is {
			return (&life{work: work, tell: func(report) {}}).drive(ctx)
		}
	}
	h := &handler{ctx: ctx, work: work}
	if err := svc.Run(s.Name, h); err != nil {
		return err
	}
	return h.err
}

// handler is what the service manager calls.
type handler struct {
	ctx  context.Context // of the process: svc gives none
	work Work
	err  error
}

// Execute runs one life. An exit code other than 0 makes the manager do its recovery actions: they are set for ends without a crash, too.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, changes chan<- svc.Status) (bool, uint32) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	asks := make(chan ask)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-requests:
				if a, ok := meant(r.Cmd); ok {
					select {
					case asks <- a:
					case <-ctx.Done():
						return
					}
				}
			}
		}
	}()
	l := life{work: h.work, asks: asks, tell: func(r report) { changes <- status(r) }, pulse: hungAfter / 3, hung: hungAfter}
	if h.err = l.drive(ctx); h.err != nil {
		return true, 1
	}
	return false, 0
}

func meant(c svc.Cmd) (ask, bool) {
	a, ok := map[svc.Cmd]ask{svc.Interrogate: askStatus, svc.Stop: askStop, svc.Shutdown: askShutdown, svc.PreShutdown: askPreshutdown}[c]
	return a, ok
}

func status(r report) svc.Status {
	switch r.Stage {
	case starting:
		return svc.Status{State: svc.StartPending, CheckPoint: r.Check, WaitHint: uint32(hint.Milliseconds())}
	case stopping:
		return svc.Status{State: svc.StopPending, CheckPoint: r.Check, WaitHint: uint32(hint.Milliseconds())}
	default:
		return svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown | svc.AcceptPreShutdown}
	}
}

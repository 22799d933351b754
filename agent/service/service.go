// Package service runs the agent as a Windows or Linux service, or in a console: the same Run for all of them.
package service

import (
	"context"
	"errors"
	"time"

	"github.com/kardianos/service"
)

// stopWithin is how long a stop may take: Windows kills a service that needs longer at shutdown. Nothing is lost then either; a clean
// stop only saves the checks of the next start.
const stopWithin = 4 * time.Second

// Name is the service's name in the system's list.
const Name = "tillpost-agent"

// Run calls run until it returns or the system asks to stop. Under a service manager it reports to it; in a console it ends with Ctrl-C
// through ctx. A run that fails ends the process with an error, so that the manager starts it again.
func Run(ctx context.Context, run func(context.Context) error) error {
	if service.Interactive() {
		return run(ctx)
	}
	p := &program{ctx: ctx, run: run, done: make(chan struct{})}
	s, err := service.New(p, &service.Config{Name: Name, DisplayName: "Tillpost agent", Description: "Carries this store's tickets to head office."})
	if err != nil {
		return err
	}
	p.service = s
	return errors.Join(s.Run(), p.err)
}

// program is what kardianos/service drives.
type program struct {
	ctx     context.Context
	run     func(context.Context) error
	service service.Service
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // read after done
}

// Start must return fast: Windows waits 30 s at most.
func (p *program) Start(service.Service) error {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel = cancel
	go func() {
		p.err = p.run(ctx)
		close(p.done)
		if ctx.Err() == nil { // it ended by itself: let the manager see that
			go func() { _ = p.service.Stop() }()
		}
	}()
	return nil
}

// Stop asks run to end and waits for it, but not for ever.
func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case <-p.done:
	case <-time.After(stopWithin):
	}
	return nil
}

// Shutdown is a Stop while the machine goes down.
func (p *program) Shutdown(s service.Service) error { return p.Stop(s) }

// Package app puts the agent together: sources, buffer, forwarders and the line to the hub, by plain constructor calls.
package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/localapi"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/shared/crash"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/meter"
	"github.com/tillpost/tillpost/shared/version"
)

// stuckAfter is how long the hub may be silent while records wait before the connection is made anew.
const stuckAfter = 90 * time.Second

// App is one agent. Make it with New, run it with Run, then Close it.
type App struct {
	Config Config
	Buffer *buffer.Buffer
	Health health.Registry
	Crash  *crash.Report            // the last run's, nil = it ended in order
	Ready  func(alive func() error) // nil, or told once the agent does its work; alive says whether it still does

	log     *slog.Logger
	lock    *lock.Lock
	loop    *forward.Loop
	uplink  *uplink.Uplink
	sources []source.Source
	watches []func(context.Context) error
	door    *localapi.API // nil = closed
	started time.Time
	vital   vital
	page    atomic.Bool // the store manager's page is open

	captured meter.Stage // of all polled sources together

	said    said     // of the sources, how their last round went
	ends    ends     // of commands
	desirer *desirer // nil = the hub does not set anything here

	again  chan struct{} // the line is to be made anew
	keeper *keeper       // of the certificate, nil = this PC comes in by password

	accounts    accounts
	connections []*connection
	looking     sync.Mutex // of what lookConnections remembers: a status asks from its own goroutine
	updates     *updates   // nil = no launcher started this process

	conditions      map[string]*health.Condition // of connections, by code and name
	connectionsTold time.Time
}

// New opens the buffer and builds the rest. Codes: invalid for settings that cannot work, conflict when another agent uses the folder.
func New(ctx context.Context, c Config, log *slog.Logger) (*App, error) {
	return open(ctx, c, log, nil)
}

// open is New for a process that also obeys the hub's word on what it shall be; nil = it does not.
func open(ctx context.Context, c Config, log *slog.Logger, d *desirer) (*App, error) {
	a := &App{Config: c, log: log, started: time.Now(), desirer: d}
	var err error
	if a.lock, err = lock.Take(c.DataDir, "agent"); err != nil {
		return nil, err
	}
	if err = a.open(ctx); err == nil {
		_ = os.RemoveAll(spill(c)) // what a killed agent left; what cannot be removed is overwritten
		err = a.openSources(cardSecret)
	}
	if err == nil {
		err = a.recallDuties(ctx)
	}
	if err == nil {
		err = a.unmixed()
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if a.Config.Enrolled {
		a.keeper = newKeeper(a)
	}
	if a.Buffer.Salvage != nil {
		a.Health.Set(damaged, a.Buffer.Salvage.Text(), time.Now())
		log.ErrorContext(ctx, "the buffer was damaged", "detail", a.Buffer.Salvage.Text())
	}
	return a, nil
}

func (a *App) open(ctx context.Context) (err error) {
	if a.Buffer, err = openBuffer(ctx, a.Config, func(envelope.Stream) {
		if a.loop != nil {
			a.loop.Wake()
		}
	}); err != nil {
		return err
	}
	if pin := a.Config.Hub.ID; pin != "" {
		have, err := a.Buffer.Hub(ctx)
		if err != nil {
			return err
		}
		if have == "" {
			if err := a.Buffer.SetHub(ctx, pin); err != nil {
				return err
			}
		} else if have != pin {
			return fault.Msg(fault.Invalid, "hub.id", "this PC's tickets belong to hub "+string(have)+", the settings name "+string(pin)+
				"; nothing is sent to another hub. Correct hub.id, or give this agent a new data_dir")
		}
	}
	a.loop = forward.NewLoop(forward.Options{Device: a.Config.Device, Version: version.String()}, a.Buffer, a.Buffer, a.log)
	o, err := lineOf(a.Config)
	if err != nil {
		return err
	}
	a.again = make(chan struct{}, 1)
	o.RetryLongest, o.Log, o.Stuck, o.Polls, o.Polled, o.Again = time.Duration(a.Config.Hub.RetryLongest), a.log, a.stuck, a.Config.Source.polls(), a.polled, a.again
	if a.desirer != nil && a.Config.Enrolled {
		o.Desired = a.desirer.hear
	}
	a.uplink, err = uplink.New(o, a.loop)
	return err
}

// stuck tells that the hub owes us an answer for too long.
func (a *App) stuck(connected time.Time) bool {
	streams, heard := a.loop.Status()
	if time.Since(connected) < stuckAfter || time.Since(heard) < stuckAfter {
		return false
	}
	for _, s := range streams {
		if s.Waiting() > 0 && s.Phase != forward.Standing {
			return true
		}
	}
	return false
}

// Run captures and forwards until ctx ends. What fails by itself is tried again; an error is a reason to start the process anew.
func (a *App) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	start := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				cancel(fault.New(fault.CodeOf(err), name, err))
			}
		})
	}
	start("forward", a.loop.Run)
	start("uplink", a.uplink.Run)
	start("watch", a.watch)
	start("verify", a.proveBuffer)
	start("control", a.serveControl)
	if a.Config.Status.Listen != "" {
		start("status page", a.servePage)
	}
	if a.Config.Enrolled {
		start("certificate", a.keeper.run)
	}
	if a.desirer != nil && a.Config.Enrolled {
		start("desired state", func(ctx context.Context) error { return a.desirer.run(ctx, a) })
	}
	if a.door != nil {
		start("localapi", a.serveDoor)
	}
	for _, w := range a.watches {
		start("folder events", w)
	}
	for _, s := range a.sources {
		p := &capture.Pump{Source: s, Sink: a.Buffer, Log: a.log, Mode: a.modeOf(s), Trouble: a.trouble(s), Count: &a.captured}
		start("source "+s.Name(), p.Run)
	}
	if a.vital.moved(time.Now()); a.Ready != nil {
		a.Ready(a.vital.alive)
	}
	a.log.InfoContext(ctx, "agent started", "device", a.Config.Device, "version", version.String())
	<-ctx.Done()
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close ends the buffer cleanly.
func (a *App) Close() error {
	var err error
	for _, s := range a.accounts.sources {
		err = errors.Join(err, s.Close())
	}
	if a.Buffer != nil {
		err = errors.Join(err, a.Buffer.Close())
	}
	return errors.Join(err, a.lock.Release())
}

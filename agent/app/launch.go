package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/launch"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/logs"
	system "github.com/tillpost/tillpost/shared/service"
	"github.com/tillpost/tillpost/shared/version"
)

// launcherMemory: the launcher holds next to nothing, and shares a PC with a till. It has 5 MB with what Go itself needs; a limit near that has
// it swept a few times a second for ever, which costs three times what the agent does.
const launcherMemory = 12 << 20

// predecessor is how long an agent may take to be gone that was killed with its launcher, as when somebody ends the service by force.
const predecessor = 10 * time.Second

// launch is the process that the service manager starts: it starts the version that is to run, and changes versions (DESIGN D18). It reads of
// the settings where the data is, and nothing else: they may be of a newer version than itself.
func (c *cli) launch(ctx context.Context) error {
	debug.SetMemoryLimit(launcherMemory)
	debug.SetGCPercent(20)
	spec, err := c.spec()
	if err != nil {
		return err
	}
	file := &logs.File{Path: filepath.Join(spec.State, "log", "launcher.log"), Max: 256 << 10, Keep: 1}
	defer file.Close()
	events, err := logs.OpenEvents(spec.Name)
	if err != nil {
		events = nil // without an event log there is the file
	}
	log := allLogs([]io.Writer{c.err, file}, events, slog.LevelInfo)
	slog.SetDefault(log)
	settings, err := filepath.Abs(c.file)
	if err != nil {
		return err
	}
	err = system.Run(ctx, spec, true, func(ctx context.Context, up *system.Up) error {
		one, err := lock.Take(spec.State, "launcher")
		if err != nil {
			return err
		}
		l := &launch.Launcher{Store: slots.At(spec.State), Starter: launch.NewProcesses(settings, c.err), Installed: version.String(), Log: log, Every: min(time.Second, update.Pulse)}
		return errors.Join(l.Run(ctx, up.Ready), one.Release())
	})
	if err != nil {
		log.ErrorContext(ctx, "the launcher ends", "err", err)
	}
	return err
}

// launched is the agent that a launcher started. It ends when the launcher says so: a signal to all of the service's processes is the
// launcher's to answer.
func (c *cli) launched(ctx context.Context, work func(context.Context, *system.Up, *updates) error, log *slog.Logger) error {
	ctx = context.WithoutCancel(ctx)
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	settings, err := filepath.Abs(c.file)
	if err != nil {
		return err
	}
	lock.Await(ctx, cfg.DataDir, program, predecessor)
	voice := launch.NewVoice(os.Stdout)
	return system.Launched(ctx, os.Stdin, voice, update.Pulse, func(ctx context.Context, up *system.Up) error {
		plantedAtStart(ctx)
		ctx, handOver := context.WithCancel(ctx)
		defer handOver()
		u := newUpdates(cfg, settings, voice, log, handOver)
		go u.prove(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = u.Updater.Run(ctx) // it has no error
		}()
		err := work(ctx, up, u)
		handOver()
		<-done
		return err
	})
}

// plantedAtStart is what bad releases do; it is empty in every good one.
func plantedAtStart(ctx context.Context) {
	switch {
	case bug.ReleaseCrash:
		panic("BUG: planted: this release ends as soon as it is to work")
	case bug.ReleaseHang:
		<-ctx.Done()
	case bug.ReleaseEats:
		go func() {
			var held [][]byte
			for ctx.Err() == nil && len(held) < 64 {
				b := make([]byte, 16<<20)
				for i := range b {
					b[i] = byte(i)
				}
				held = append(held, b)
				pauseFor(ctx, 5*time.Millisecond)
			}
			<-ctx.Done()
			_ = held
		}()
	case bug.ReleaseLater:
		hour, err := time.ParseDuration(bug.Hour)
		if err == nil {
			time.AfterFunc(hour, func() { panic("BUG: planted: this release is fine for an hour") })
		}
	case bug.ReleaseWindows:
		plantedOnWindows()
	}
}

// plantedOffline ends a bad release at a store without a line.
func (a *App) plantedOffline(now time.Time) {
	if bug.ReleaseOffline && now.Sub(a.started) > update.Pulse && !a.uplink.State().Connected {
		panic("BUG: planted: this release ends when head office cannot be reached")
	}
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// errNoLauncher: only a package can bring another version.
var errNoLauncher = fault.Msg(fault.Invalid, "update", "the agent on this PC was not started by its service, so it cannot change its own version: install the new package, or start the service")

package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"reflect"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/crash"
)

// hooks are what a run is given by the process around it.
type hooks struct {
	ready func(alive func() error) // told each time that the agent does its work
	crash *crash.Report            // the last run's

	updates *updates // nil = no launcher started this process
}

// runWatching runs the agent, and anew whenever its settings file holds other settings that can be used (DESIGN D15): everything is closed as
// at an ordinary stop and opened as at an ordinary start, which takes a moment and costs nothing, because tickets are safe in the buffer
// before anybody is told so. Settings with a fault change nothing. Which device this is and where its buffer stands changes with a restart
// only: another buffer is another stream.
func runWatching(ctx context.Context, file string, log func(level string) *slog.Logger, h hooks) error {
	have, err := LoadConfig(file)
	if err != nil {
		return err
	}
	for {
		next, err := runUntilChanged(ctx, file, have, log(have.LogLevel), h)
		if err != nil || next == nil {
			return err
		}
		have = *next
	}
}

// runUntilChanged runs one agent; next is what to go on with, nil = ctx ended.
func runUntilChanged(ctx context.Context, file string, have Config, log *slog.Logger, h hooks) (next *Config, err error) {
	a, err := New(ctx, have, log)
	if err != nil {
		return nil, err
	}
	a.Ready, a.Crash, a.updates = h.ready, h.crash, h.updates
	if h.updates != nil {
		h.updates.app.Store(a)
		defer h.updates.app.Store(nil)
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan Config, 1)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		config.Watch(run, file, func() {
			if c, ok := usable(ctx, file, have, log); ok && len(changed) == 0 {
				changed <- c
				stop()
			}
		})
	}()
	err = errors.Join(a.Run(run), a.Close())
	stop()
	<-watched
	if err != nil || ctx.Err() != nil || len(changed) == 0 {
		return nil, err
	}
	c := <-changed
	return &c, nil
}

// usable reads changed settings and says whether the agent can go on with them; why not is logged.
func usable(ctx context.Context, file string, have Config, log *slog.Logger) (Config, bool) {
	c, err := LoadConfig(file)
	switch {
	case err != nil:
		log.ErrorContext(ctx, "the changed settings cannot be used; what held before goes on", "file", file, "err", err)
		return c, false
	case c.Device != have.Device || c.DataDir != have.DataDir:
		log.WarnContext(ctx, "another device or data_dir holds from the next start on; nothing was changed", "file", file)
		return c, false
	case reflect.DeepEqual(c, have):
		return c, false
	}
	for _, d := range c.Source.FileDrop {
		if _, err := findProfile(c.Profiles.Dir, d.Profile); err != nil {
			log.ErrorContext(ctx, "the changed settings cannot be used; what held before goes on", "file", file, "err", err)
			return c, false
		}
	}
	if at := c.Source.LocalAPI.Listen; at != "" && at != have.Source.LocalAPI.Listen {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", at)
		if err != nil {
			log.ErrorContext(ctx, "the changed settings cannot be used; what held before goes on", "file", file, "err", err)
			return c, false
		}
		l.Close()
	}
	log.InfoContext(ctx, "the settings changed; the agent goes on with them", "file", file)
	return c, true
}

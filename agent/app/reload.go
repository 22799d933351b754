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
func runWatching(ctx context.Context, file string, newLog func(slog.Leveler) *slog.Logger, h hooks) error {
	d := newDesirer(file)
	log := newLog(&d.level)
	have, err := d.open(ctx, nil, log)
	for err == nil {
		var next *Config
		next, err = runUntilChanged(ctx, file, have, log, h, d)
		switch {
		case err != nil && d.trial && ctx.Err() == nil:
			if err = d.giveBack(ctx, err, log); err == nil {
				have, err = d.open(ctx, &have, log)
			}
		case err != nil || ctx.Err() != nil:
			return err
		case next != nil:
			have = *next
			d.says(have)
		default:
			have, err = d.open(ctx, &have, log)
		}
	}
	return err
}

// runUntilChanged runs one agent; next is what to go on with. nil = ctx ended, or the hub's word says to open anew.
func runUntilChanged(ctx context.Context, file string, have Config, log *slog.Logger, h hooks, d *desirer) (next *Config, err error) {
	a, err := open(ctx, have, log, d)
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
	go func() {
		select {
		case <-run.Done():
		case <-d.again:
			stop()
		}
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
		if _, err := c.Profiles.find(d.Profile); err != nil {
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

package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/lock"
)

// desirer makes of this PC what the hub wants. It lives as long as the process and drives one App after another; run is its only goroutine,
// and between two runs runWatching's.
type desirer struct {
	file  string
	level slog.LevelVar
	heard chan []byte   // the newest word, unread
	again chan struct{} // open anew

	own     string        // the settings' log level
	trial   bool          // the settings in use have not proven themselves yet
	closing bool          // open anew was said
	word    *wire.Message // the newest that counts
	strange string        // the last word that was refused, so that it is said once
	well    time.Time     // since when everything is, zero = it is not
	release *wire.Release // that is wanted, once wished
	wished  bool
}

func newDesirer(file string) *desirer {
	return &desirer{file: file, heard: make(chan []byte, 1), again: make(chan struct{}, 1)}
}

// hear implements uplink.Options.Desired.
func (d *desirer) hear(sealed []byte) {
	for {
		select {
		case d.heard <- sealed:
			return
		default:
		}
		select {
		case <-d.heard: // an older one
		default:
		}
	}
}

// says takes over what settings say of the log.
func (d *desirer) says(c Config) {
	d.own = c.LogLevel
	d.setLevel(c, time.Now())
}

func (d *desirer) setLevel(c Config, now time.Time) {
	level := d.own
	if c.Enrolled {
		if l := desired.In(c.DataDir).Ledger().Level(now); l != "" {
			level = l
		}
	}
	d.level.Set(levelOf(level))
}

// open reads the settings to go on with, after it has healed what a kill left. have is what held until now, nil = the process starts: a file
// that was spoiled meanwhile then ends nothing.
func (d *desirer) open(ctx context.Context, have *Config, log *slog.Logger) (Config, error) {
	d.trial, d.closing, d.well, d.word = false, false, time.Time{}, nil
	select {
	case <-d.again:
	default:
	}
	c, err := LoadConfig(d.file)
	if err != nil && have != nil {
		log.ErrorContext(ctx, "the settings file cannot be used; what held before goes on", "file", d.file, "err", err)
		c, err = *have, nil
	}
	if err != nil || !c.Enrolled {
		d.says(c)
		return c, err
	}
	mine, err := lock.Take(c.DataDir, program) // another agent that runs here has its trial, and this one ends
	if err != nil {
		return c, err
	}
	defer mine.Release() //nolint:errcheck // it is taken again in a moment
	f := desired.In(c.DataDir)
	m, err := f.Open(time.Now())
	if err != nil { // a full disk: what holds is used, and the next start tries again
		log.WarnContext(ctx, "cannot note how the hub's settings stand", "err", err)
	}
	if c, err = d.load(c); err != nil {
		return c, err
	}
	if c.Desired.Trial && c.Desired.Unused != "" {
		if _, err := f.Give(m, c.Desired.Unused, time.Now()); err != nil {
			return c, err
		}
		if c, err = d.load(c); err != nil {
			return c, err
		}
	}
	d.trial = c.Desired.Trial
	d.endCutOff(f, log)
	d.says(c)
	return c, nil
}

func (d *desirer) load(have Config) (Config, error) {
	c, err := LoadConfig(d.file)
	if err != nil {
		return have, nil //nolint:nilerr // it was read a moment ago, or held before
	}
	return c, nil
}

// giveBack ends a trial with which the agent could not run.
func (d *desirer) giveBack(ctx context.Context, why error, log *slog.Logger) error {
	c, err := LoadConfig(d.file)
	if err != nil {
		return err
	}
	f := desired.In(c.DataDir)
	log.ErrorContext(ctx, "the agent does not run with the hub's new settings; those before hold again", "err", why)
	_, err = f.Give(f.Marker(), "the agent does not run with them: "+why.Error(), time.Now())
	return err
}

// lookEvery is how often a trial is looked at, and commands.
const lookEvery = time.Second

// run obeys until ctx ends.
func (d *desirer) run(ctx context.Context, a *App) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case sealed := <-d.heard:
			d.read(ctx, a, sealed)
		case <-tick.C:
		}
		if d.closing {
			continue
		}
		f := desired.In(a.Config.DataDir)
		d.watch(ctx, a, f)
		d.noteEnds(ctx, a, f)
		if !d.closing && !d.trial {
			d.obey(ctx, a, f, &wg)
		}
		d.tell(ctx, a, f)
		d.wish(ctx, a, f)
		d.setLevel(a.Config, time.Now())
	}
}

// reopen closes the agent and opens it again.
func (d *desirer) reopen() {
	d.closing = true
	select {
	case d.again <- struct{}{}:
	default:
	}
}

package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/service"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/crash"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/logs"
	system "github.com/tillpost/tillpost/shared/service"
	"github.com/tillpost/tillpost/shared/version"
)

// A log of 100 MB holds some weeks of many stores.
const (
	logMax  = 20 << 20
	logKeep = 4
)

func logFile(dir string) *logs.File {
	return &logs.File{Path: filepath.Join(dir, "log", "hub.log"), Max: logMax, Keep: logKeep}
}

// runCommand is `hub run`.
func (c *cli) runCommand() *cobra.Command {
	var asService bool
	cmd := &cobra.Command{Use: "run", Short: "run the service", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), asService) }}
	cmd.Flags().BoolVar(&asService, "service", false, "the system's service manager started this")
	_ = cmd.Flags().MarkHidden("service")
	return cmd
}

func (c *cli) run(ctx context.Context, asService bool) error {
	spec, err := c.spec()
	if err != nil {
		return err
	}
	file := logFile(spec.State)
	defer file.Close()
	level := new(slog.LevelVar)
	log := c.allLogs(file, spec.Name, asService, level)
	slog.SetDefault(log)
	err = system.Run(ctx, spec, asService, func(ctx context.Context, up *system.Up) error { return c.serve(ctx, log, level, up) })
	if err != nil && asService {
		log.ErrorContext(ctx, "the hub ends", "err", err)
	}
	return err
}

func (c *cli) serve(ctx context.Context, log *slog.Logger, level *slog.LevelVar, up *system.Up) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	if !lock.Held(cfg.DataDir, program) { // else this one ends at once, and must not take the other's report
		rep, err := crash.Watch(filepath.Join(cfg.DataDir, "crash"), version.String(), time.Now())
		if err != nil {
			log.WarnContext(ctx, "a crash would leave no report", "err", err)
		}
		if rep != nil {
			log.ErrorContext(ctx, "the hub had ended by a fault of its own; nothing is lost, and the report says where", "report", rep.File, "what", rep.What)
		}
	}
	level.Set(levelOf(cfg.LogLevel).Level())
	a, err := New(ctx, cfg, log)
	if err != nil {
		return err
	}
	a.File, a.Level, a.Ready = c.file, level, up.Ready
	return errors.Join(a.Run(ctx), a.Close())
}

// allLogs writes to the console, a file and the event log; no card data gets past it.
func (c *cli) allLogs(file io.Writer, name string, asService bool, level slog.Leveler) *slog.Logger {
	hs := []slog.Handler{logger(c.err, level).Handler(), logger(file, level).Handler()}
	if asService {
		if events, err := logs.OpenEvents(name); err == nil && events != nil { // without an event log there is the file
			hs = append(hs, guard.Handler(logs.ToEvents(events, slog.LevelWarn)))
		}
	}
	return slog.New(logs.Both(hs...))
}

// serviceCommand is `hub service …`.
func (c *cli) serviceCommand() *cobra.Command {
	return system.Desk{Spec: c.spec, Out: c.out, JSON: &c.json}.Command()
}

// spec is the service with the settings as they are: also ones with faults, so that a service with such can be stopped and removed.
func (c *cli) spec() (system.Spec, error) {
	file, err := filepath.Abs(c.file)
	if err != nil {
		return system.Spec{}, err
	}
	cfg, _ := LoadConfig(file)
	owns, reads := config.Files(cfg)
	return service.Spec(file, cfg.DataDir, owns, reads), nil
}

// vital tells that the hub still moves: its database answers.
type vital struct{ last atomic.Int64 }

const (
	vitalEvery = 10 * time.Second
	stale      = time.Minute // how old the last answer may be
)

var errStale = errors.New("the hub's database has not answered for a minute")

func (v *vital) moved(now time.Time) { v.last.Store(now.UnixNano()) }

func (v *vital) alive() error {
	if time.Since(time.Unix(0, v.last.Load())) > stale {
		return errStale
	}
	return nil
}

// keepVital asks the database for a sign of life.
func (a *App) keepVital(ctx context.Context) error {
	tick := time.NewTicker(vitalEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := a.Store.HubID(ctx); err == nil {
				a.vital.moved(time.Now())
			}
		}
	}
}

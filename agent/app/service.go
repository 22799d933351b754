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

	"github.com/tillpost/tillpost/agent/service"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/crash"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/logs"
	system "github.com/tillpost/tillpost/shared/service"
	"github.com/tillpost/tillpost/shared/version"
)

// A log of 20 MB holds some weeks of a busy store.
const (
	logMax  = 4 << 20
	logKeep = 4
)

// program names the agent's lock in its folder.
const program = "agent"

// logFile is the agent's own log; the support bundle takes its end.
func logFile(dir string) *logs.File {
	return &logs.File{Path: filepath.Join(dir, "log", "agent.log"), Max: logMax, Keep: logKeep}
}

// runCommand is `agent run`.
func (c *cli) runCommand() *cobra.Command {
	var asService, launched bool
	cmd := &cobra.Command{Use: "run", Short: "run the service", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if asService {
			return c.launch(cmd.Context())
		}
		return c.run(cmd.Context(), launched)
	}}
	cmd.Flags().BoolVar(&asService, "service", false, "the system's service manager started this")
	cmd.Flags().BoolVar(&launched, "launched", false, "a launcher started this: it is told how the work stands")
	_ = cmd.Flags().MarkHidden("service")
	_ = cmd.Flags().MarkHidden("launched")
	return cmd
}

// run is the agent itself: in a console, or as the process that a launcher started.
func (c *cli) run(ctx context.Context, launched bool) error {
	spec, err := c.spec()
	if err != nil {
		return err
	}
	file := logFile(spec.State)
	defer file.Close()
	to := []io.Writer{c.err, file}
	var events logs.Events
	if launched {
		if events, err = logs.OpenEvents(spec.Name); err != nil {
			events = nil // without an event log there is the file
		}
	}
	newLog := func(level slog.Leveler) *slog.Logger {
		log := allLogs(to, events, level)
		slog.SetDefault(log)
		return log
	}
	work := func(ctx context.Context, up *system.Up, u *updates) error {
		var rep *crash.Report
		if !lock.Held(spec.State, program) { // else this one ends at once, and must not take the other's report
			var err error
			if rep, err = crash.Watch(crashDir(spec.State), version.String(), time.Now()); err != nil {
				slog.WarnContext(ctx, "a crash would leave no report", "err", err)
			}
		}
		return runWatching(ctx, c.file, newLog, hooks{ready: up.Ready, crash: rep, updates: u})
	}
	if launched {
		err = c.launched(ctx, work, newLog(slog.LevelInfo))
	} else {
		err = system.Run(ctx, spec, false, func(ctx context.Context, up *system.Up) error { return work(ctx, up, nil) })
	}
	if err != nil && launched {
		newLog(slog.LevelInfo).ErrorContext(ctx, "the agent ends", "err", err)
	}
	return err
}

// allLogs writes to every place; no card data gets past it. The event log is for people: it has what they should know.
func allLogs(to []io.Writer, events logs.Events, level slog.Leveler) *slog.Logger {
	hs := make([]slog.Handler, 0, len(to)+1)
	for _, w := range to {
		hs = append(hs, logger(w, level).Handler())
	}
	if events != nil {
		hs = append(hs, guard.Handler(logs.ToEvents(events, slog.LevelWarn)))
	}
	return slog.New(logs.Both(hs...))
}

// serviceCommand is `agent service …`.
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
	if cfg.Profiles.Dir != "" {
		reads = append(reads, cfg.Profiles.Dir)
	}
	return service.Spec(file, cfg.DataDir, owns, reads), nil
}

// vital tells that the agent still moves: its watch looks at everything every few seconds, and at the buffer.
type vital struct{ last atomic.Int64 }

// stale is how old the last look may be.
const stale = time.Minute

var errStale = errors.New("the agent has not looked after itself for a minute")

func (v *vital) moved(now time.Time) { v.last.Store(now.UnixNano()) }

func (v *vital) alive() error {
	if time.Since(time.Unix(0, v.last.Load())) > stale {
		return errStale
	}
	return nil
}

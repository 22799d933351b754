package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"reflect"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/logs"
	system "github.com/tillpost/tillpost/shared/service"
	"github.com/tillpost/tillpost/shared/version"
)

// errQuiet ends with exit code 1 after the command has said everything itself.
var errQuiet = errors.New("")

// Main runs the command line; it returns the process's exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{out: logs.Plain(stdout), err: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		c.complain(err)
		return 1
	}
	return 0
}

// complain says what went wrong, unless the command has said it itself: in words, or as JSON for a program that asked for it.
func (c *cli) complain(err error) {
	switch {
	case errors.Is(err, errQuiet), errors.Is(err, system.ErrSaid):
	case c.json:
		_ = json.NewEncoder(c.err).Encode(map[string]string{"error": err.Error(), "code": string(fault.CodeOf(err))})
	default:
		fmt.Fprintln(logs.Plain(c.err), "hub:", err)
	}
}

// cli is one invocation.
type cli struct {
	out, err io.Writer
	file     string
	json     bool
	reason   string
}

// action is what a command does, with the settings read and the database open.
type action func(ctx context.Context, s *desk, args []string) error

// desk is what commands work on.
type desk struct {
	store.Clerk
	cfg Config
	who string
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{Use: "hub", Short: "Tillpost's centre: takes in what the stores sold, posts it to Odoo, shows it", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().StringVar(&c.file, "config", defaultFile(), "settings")
	root.PersistentFlags().BoolVar(&c.json, "json", false, "answer in JSON")
	root.PersistentFlags().StringVar(&c.reason, "reason", "", "why, for the audit trail")
	cfg := &cobra.Command{Use: "config", Short: "the settings"}
	cfg.AddCommand(c.plain("print", "show the settings that are in force", c.printConfig))
	root.AddCommand(c.runCommand(), c.serviceCommand(), cfg, c.plain("check-config", "say everything that is wrong with the settings", c.checkConfig),
		c.plain("version", "tell the version", c.version),
		c.plain("recovery-key", "make the key with which a dead PC's disk can be read, and print its public half for agent.toml", c.recoveryKey))
	root.AddCommand(c.dayCommands()...)
	root.AddCommand(c.caseCommands()...)
	root.AddCommand(c.locationCommand(), c.on("locations", "list locations with their tills and agents", 0, c.locations), c.deviceCommand(), c.rolloutCommand(), c.userCommand(), c.mappingCommand(), c.profileCommand())
	root.AddCommand(c.keepCommands()...)
	root.AddCommand(c.odooCommand(), c.shadowCommand(), c.connectionsCommand(), c.plain("doctor", "try everything that the settings name and say what is wrong and what to do", c.doctor))
	root.AddCommand(c.paymentCommands()...)
	root.AddCommand(c.settleCommands()...)
	root.AddCommand(c.booksCommand(), c.findCommand(), c.giftCardCommand(), c.releaseCommand())
	root.AddCommand(c.webhookCommand(), c.on("accounts", "who could read which vendor account, and who does", 0, c.accounts))
	helpful(root)
	return root
}

// plain is a command without the database.
func (c *cli) plain(use, short string, run func(context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context()) }}
}

// on is a command on the database. n is how many arguments it takes.
func (c *cli) on(use, short string, n int, run action) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(n), RunE: func(cmd *cobra.Command, args []string) error {
		cfg, err := LoadConfig(c.file)
		if err != nil {
			return err
		}
		s, clerk, err := OpenStore(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		return errors.Join(run(cmd.Context(), &desk{Clerk: clerk, cfg: cfg, who: whoami()}, args), s.Close())
	}}
}

// whoami names the person at the command line for the audit trail.
func whoami() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "command line: " + u.Username
	}
	return "command line"
}

func defaultFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Tillpost", "hub.toml")
	}
	return "/etc/tillpost/hub.toml"
}

// Logger writes JSON lines to w; no card data gets past it.
func Logger(w io.Writer, level string) *slog.Logger { return logger(w, levelOf(level)) }

func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(guard.Handler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})))
}

func levelOf(name string) *slog.LevelVar {
	var l slog.LevelVar
	_ = l.UnmarshalText([]byte(name)) // the settings were checked
	return &l
}

func (c *cli) checkConfig(context.Context) error {
	_, err := LoadConfig(c.file)
	if c.json {
		words := ""
		if err != nil {
			words, err = err.Error(), errQuiet
		}
		return errors.Join(c.encode(map[string]any{"file": c.file, "good": err == nil, "error": words}), err)
	}
	if err == nil {
		fmt.Fprintf(c.out, "The settings in %s are good.\n", c.file)
	}
	return err
}

func (c *cli) printConfig(context.Context) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	b, err := config.Print(cfg)
	if err != nil {
		return err
	}
	return c.tell(cfg, func(w io.Writer) { _, _ = w.Write(b) })
}

func (c *cli) version(context.Context) error {
	return c.tell(map[string]string{"version": version.String()}, func(w io.Writer) { fmt.Fprintln(w, version.String()) })
}

// group is a command of commands.
func group(use, short string, cmds ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short}
	g.AddCommand(cmds...)
	return g
}

// tell answers in JSON or in words. An empty list is [] and not null: programs count it.
func (c *cli) tell(v any, words func(io.Writer)) error {
	if c.json {
		if l := reflect.ValueOf(v); l.Kind() == reflect.Slice && l.IsNil() {
			v = []struct{}{}
		}
		return c.encode(v)
	}
	words(c.out)
	return nil
}

func (c *cli) encode(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// done answers an act.
func (c *cli) done(words string) error {
	return c.tell(map[string]string{"done": words}, func(w io.Writer) { fmt.Fprintln(w, words) })
}

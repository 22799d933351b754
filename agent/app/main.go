package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/logs"
	system "github.com/tillpost/tillpost/shared/service"
	"github.com/tillpost/tillpost/shared/version"
)

// errQuiet ends with exit code 1 after the command has said everything itself.
var errQuiet = errors.New("")

// memory is what the agent's own heap may come to before it is swept more eagerly: it shares a PC with a till, which must not feel it. A file
// of any size is read within it.
const memory = 20 << 20

// Main runs the command line; it returns the process's exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	debug.SetMemoryLimit(memory)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{out: logs.Plain(stdout), err: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(c.out)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errQuiet) && !errors.Is(err, system.ErrSaid) {
			fmt.Fprintln(logs.Plain(stderr), "agent:", err)
		}
		return 1
	}
	return 0
}

// cli is one invocation.
type cli struct {
	out, err io.Writer
	file     string
	json     bool
	lang     string
	details  bool
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{Use: "agent", Short: "Tillpost's service in the store: keeps what the tills sell and sends it to head office", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().StringVar(&c.file, "config", defaultFile(), "settings")
	root.PersistentFlags().BoolVar(&c.json, "json", false, "answer in JSON")
	buf := &cobra.Command{Use: "buffer", Short: "what waits on this PC"}
	buf.AddCommand(c.bufferCommands()...)
	cfg := &cobra.Command{Use: "config", Short: "the settings"}
	cfg.AddCommand(c.command("print", "show the settings that are in force", c.printConfig))
	root.AddCommand(c.enrolCommand(), c.command("renew", "ask head office for a new certificate now; it happens by itself", c.renew), c.secretsCommand())
	root.AddCommand(c.importCommand(), c.connectionCommand(), c.command("doctor", "try everything that the settings name and say what is wrong and what to do", c.doctor))
	root.AddCommand(c.updateCommand(), c.runCommand(), c.serviceCommand(), c.bundleCommand(), c.statusCommand(), buf, cfg,
		c.command("check-config", "say everything that is wrong with the settings", c.checkConfig), c.command("version", "tell the version", c.version))
	return root
}

func (c *cli) command(use, short string, run func(context.Context, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args) }}
}

func defaultFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Tillpost", "agent.toml")
	}
	return "/etc/tillpost/agent.toml"
}

// Logger writes JSON lines to w; no card data gets past it.
func Logger(w io.Writer, level string) *slog.Logger {
	return logger(w, levelOf(level))
}

func logger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(guard.Handler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})))
}

func levelOf(name string) (l slog.Level) {
	_ = l.UnmarshalText([]byte(name)) // the settings were checked
	return l
}

func (c *cli) checkConfig(context.Context, []string) error {
	_, err := LoadConfig(c.file)
	if c.json {
		return c.tell(err, map[string]any{"file": c.file, "good": err == nil, "error": text(err)}, "")
	}
	return c.tell(err, nil, "The settings in "+c.file+" are good.\n")
}

func (c *cli) printConfig(context.Context, []string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	b, err := config.Print(cfg)
	if err != nil {
		return err
	}
	return c.tell(nil, cfg, string(b))
}

func (c *cli) version(context.Context, []string) error {
	return c.tell(nil, map[string]string{"version": version.String()}, version.String()+"\n")
}

// leftFile stands beside the settings of a PC that was given up; the installer writes it and takes it away.
const leftFile = "left"

func (c *cli) status(ctx context.Context, _ []string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	st := Status{Device: cfg.Device, Version: version.String()}
	if _, err := ask(ctx, cfg.DataDir, "status", &st); fault.Is(err, fault.NotFound) {
		c.waiting(ctx, cfg, &st)
	} else if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(c.file), leftFile)); err == nil {
		st.GivenUp = !st.Running
	}
	if c.json {
		err = c.tell(nil, st, "")
	} else if st.Text(c.out, c.language(cfg)); c.details {
		st.Details(c.out)
	}
	if err == nil && !st.Good() {
		return errQuiet
	}
	return err
}

// statusCommand is `agent status`.
func (c *cli) statusCommand() *cobra.Command {
	cmd := c.command("status", "how this store stands and what to do; fails when somebody must act", c.status)
	cmd.Flags().StringVar(&c.lang, "lang", "", "en or es; empty: as the settings say, else the system's")
	cmd.Flags().BoolVar(&c.details, "details", false, "also what only IT asks for: each stream of records, and the vendors' accounts")
	return cmd
}

func (c *cli) language(cfg Config) words.Lang {
	if wish := cmp.Or(c.lang, cfg.Status.Language); wish != "" {
		return words.Prefer(wish)
	}
	return words.OfSystem()
}

// waiting looks at what waits while no service runs. A buffer that cannot be read is told as unknown: nobody may take it for empty.
func (c *cli) waiting(ctx context.Context, cfg Config, st *Status) {
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "buffer.db")); err != nil {
		st.Unknown = !errors.Is(err, fs.ErrNotExist)
		return
	}
	l, err := lock.Take(cfg.DataDir, program)
	if err != nil { // one that is just starting or ending has it
		st.Unknown = true
		return
	}
	b, err := openBuffer(ctx, cfg, nil)
	if err == nil {
		for _, s := range envelope.Streams {
			st.Waiting += b.State(s).Waiting()
		}
		st.Oldest, st.LastTicket, err = b.Times(ctx)
		err = errors.Join(err, b.Close())
	}
	if err = errors.Join(err, system.HandOver(cfg.DataDir)); err != nil {
		st.Unknown = true
		fmt.Fprintln(c.err, "agent: the buffer cannot be read:", err)
	}
	_ = l.Release() // the process ends
}

// tell prints v as JSON or text; err is what the command then ends with.
func (c *cli) tell(err error, v any, words string) error {
	if c.json {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		if jerr := e.Encode(v); jerr != nil {
			return jerr
		}
		if err != nil {
			return errQuiet
		}
		return nil
	}
	if err == nil {
		fmt.Fprint(c.out, words)
	}
	return err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

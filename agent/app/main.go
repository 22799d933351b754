package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/service"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/version"
)

// errQuiet ends with exit code 1 after the command has said everything itself.
var errQuiet = errors.New("")

// Main runs the command line; it returns the process's exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{out: stdout, err: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errQuiet) {
			fmt.Fprintln(stderr, "agent:", err)
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
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{Use: "agent", Short: "Tillpost's service in the store: keeps what the tills sell and sends it to head office", SilenceUsage: true, SilenceErrors: true}
	root.PersistentFlags().StringVar(&c.file, "config", defaultFile(), "settings")
	root.PersistentFlags().BoolVar(&c.json, "json", false, "answer in JSON")
	buf := &cobra.Command{Use: "buffer", Short: "what waits on this PC"}
	buf.AddCommand(c.command("verify", "prove that every record that is held is whole", c.verify), c.command("export FILE", "write every record that is held as NDJSON", c.export))
	cfg := &cobra.Command{Use: "config", Short: "the settings"}
	cfg.AddCommand(c.command("print", "show the settings that are in force", c.printConfig))
	root.AddCommand(c.importCommand(), c.connectionCommand(), c.command("doctor", "try everything that the settings name and say what is wrong and what to do", c.doctor))
	root.AddCommand(c.command("run", "run the service", c.run), c.command("status", "how this store stands; fails when somebody must act", c.status), buf, cfg,
		c.command("check-config", "say everything that is wrong with the settings", c.checkConfig), c.command("version", "tell the version", c.version))
	return root
}

func (c *cli) command(use, short string, run func(context.Context, []string) error) *cobra.Command {
	args := cobra.NoArgs
	if use == "export FILE" {
		args = cobra.ExactArgs(1)
	}
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args) }}
}

func defaultFile() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Tillpost", "agent.toml")
	}
	return "/etc/tillpost/agent.toml"
}

// Logger writes JSON lines to w; no card data gets past it.
func Logger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // the settings were checked
	return slog.New(guard.Handler(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})))
}

func (c *cli) run(ctx context.Context, _ []string) error {
	return service.Run(ctx, func(ctx context.Context) error {
		return runWatching(ctx, c.file, func(level string) *slog.Logger { return Logger(c.err, level) })
	})
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

func (c *cli) status(ctx context.Context, _ []string) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	st := Status{Device: cfg.Device, Version: version.String()}
	if _, err := ask(ctx, cfg.DataDir, "status", &st); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if c.json {
		err = c.tell(nil, st, "")
	} else {
		st.Text(c.out)
	}
	if err == nil && !st.Good() {
		return errQuiet
	}
	return err
}

func (c *cli) verify(ctx context.Context, _ []string) error {
	var v verified
	err := c.buffer(ctx, "verify", &v, func(a *App) (err error) {
		v.Rows, err = a.Buffer.Verify(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return c.tell(nil, v, fmt.Sprintf("%d records, every one whole.\n", v.Rows))
}

func (c *cli) export(ctx context.Context, args []string) error {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.New(fault.Invalid, "export", err)
	}
	err = c.buffer(ctx, "export", f, func(a *App) error { return a.Buffer.Export(ctx, f) })
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return c.tell(nil, map[string]string{"file": args[0]}, "Written to "+args[0]+"\n")
}

// buffer asks the running service, or opens the buffer itself when none runs.
func (c *cli) buffer(ctx context.Context, what string, into any, alone func(*App) error, body ...any) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	if running, err := ask(ctx, cfg.DataDir, what, into, body...); running || err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	a := &App{Config: cfg, log: Logger(c.err, cfg.LogLevel)}
	if a.lock, err = lock.Take(cfg.DataDir, "agent"); err != nil {
		return err
	}
	if a.Buffer, err = openBuffer(ctx, cfg, nil); err != nil {
		return errors.Join(err, a.lock.Release())
	}
	return errors.Join(alone(a), a.Close())
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

// importCommand takes a file in, inside the running service or, when none runs, by itself.
func (c *cli) importCommand() *cobra.Command {
	var o ImportOptions
	cmd := &cobra.Command{Use: "import FILE", Short: "take a file in and tell what became of every row", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) (err error) {
		ctx := cmd.Context()
		if o.Path, err = filepath.Abs(args[0]); err != nil {
			return err
		}
		var rep filedrop.Report
		if err := c.buffer(ctx, "import", &rep, func(a *App) error {
			rep, err = importFile(ctx, a.Config, a.Buffer, o)
			return err
		}, o); err != nil {
			return err
		}
		return c.tell(nil, rep, importText(rep))
	}}
	cmd.Flags().StringVar(&o.Profile, "profile", "", "how the file is to be read")
	cmd.Flags().StringVar((*string)(&o.Location), "location", "", "for a file that names none")
	cmd.Flags().BoolVar(&o.Today, "today", false, "send it with today's sales, not behind them")
	return cmd
}

func importText(r filedrop.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows = %d in %d tickets + %d that become cases.\n", r.File, r.Rows, r.Lines, r.Tickets, r.Cases)
	fmt.Fprintf(&b, "Source total %s, booked %s, rounding %s.\n", r.Source, r.Booked, r.Rounded)
	for _, x := range r.Bad {
		fmt.Fprintf(&b, "  row %d: %s\n", x.Row, x.Why)
	}
	b.WriteString("Everything is safe on this PC and goes to head office by itself.\n")
	return b.String()
}

// ask puts a question to the service that runs on dir. Code not_found: none runs.
func ask(ctx context.Context, dir, what string, into any, body ...any) (running bool, err error) {
	b, err := os.ReadFile(controlFile(dir))
	if err != nil {
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	var at control
	if err := json.Unmarshal(b, &at); err != nil {
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	method, sent := http.MethodGet, io.Reader(nil)
	if len(body) > 0 {
		b, err := json.Marshal(body[0])
		if err != nil {
			return false, err
		}
		method, sent = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+at.Addr+"/"+what, sent)
	if err != nil {
		return false, fault.New(fault.Internal, "reach the service", err)
	}
	req.Header.Set("Authorization", "Bearer "+at.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil { // the file is of a service that was killed
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var r refusal
		_ = json.NewDecoder(resp.Body).Decode(&r)
		return true, fault.Msg(r.Code, what, r.Error)
	}
	if w, ok := into.(io.Writer); ok {
		_, err = io.Copy(w, resp.Body)
		return true, err
	}
	return true, json.NewDecoder(resp.Body).Decode(into)
}

// Package app is the installer's command line: it looks at the PC, asks what it has to ask, and does the steps that installer/plan names.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/installer/console"
	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/installer/payload"
	"github.com/tillpost/tillpost/installer/plan"
	"github.com/tillpost/tillpost/installer/program"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/logs"
	"github.com/tillpost/tillpost/shared/version"
)

// Main runs the installer and returns the process's exit code: 0 done, 1 not done and said why.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &run{in: stdin, out: logs.Plain(stdout), now: time.Now, may: machine.Elevated, elevate: machine.RunElevated, window: machine.OwnWindow}
	return r.whole(ctx, args, logs.Plain(stderr))
}

// whole is a run from its words to its end: whoever started it with a double click reads why it ended before the window goes.
func (r *run) whole(ctx context.Context, args []string, stderr io.Writer) int {
	root := r.command()
	root.SetArgs(args)
	root.SetOut(r.out)
	root.SetErr(stderr)
	r.args = args
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "\ninstaller:", err)
	}
	if !r.handed {
		r.await()
	}
	if err != nil {
		return 1
	}
	return 0
}

// options are the command line's.
type options struct {
	hub, code, location, zone string
	proxy                     string
	accept, none, settle      bool
	folders                   []string
	deleteData, downgrade     bool
	takeIn, root              string
	drainFor, upWithin        time.Duration
	lineWithin                time.Duration
}

func (r *run) command() *cobra.Command {
	o := &r.opt
	root := &cobra.Command{
		Use: "installer [install|repair|upgrade|re-enrol|leave|uninstall]", Short: "Puts Tillpost's agent on this PC, and keeps it right",
		Long: `Puts Tillpost's agent on this PC. Without a word it does what the PC needs: it installs, goes on with what was cut off, upgrades, or repairs,
and may be run any number of times. It asks what it needs; with --accept it asks nothing:

  installer --hub hub.example.com --code ABCD-EFGH-JKLM-NPQR --location S-17 --accept

  repair      register the service anew, start it anew
  upgrade     put this version in place; the one before comes back if it does not come up
  re-enrol    redeem a new code on this PC
  leave       give this PC up: send what waits, write the rest to a file for the next PC, start nothing any more
  uninstall   take everything away but what was not sent; --delete-data takes that away, too`,
		Args: cobra.MaximumNArgs(1), SilenceUsage: true, SilenceErrors: true, Version: version.String(),
		RunE: func(cmd *cobra.Command, args []string) error { return r.main(cmd.Context(), args) },
	}
	f := root.Flags()
	f.StringVar(&o.hub, "hub", "", "head office's address, such as hub.example.com")
	f.StringVar(&o.code, "code", "", "the code that head office gave for this PC; - reads it from the standard input")
	f.StringVar(&o.location, "location", "", "this store's code, such as S-17; needed when the PC serves several")
	f.StringVar(&o.proxy, "proxy", "", "the store's web proxy on the way to head office, http://host:port; empty: what the system names, or none")
	f.StringVar(&o.zone, "zone", "", "the store's time zone, such as America/Chicago; empty: this PC's")
	f.BoolVar(&o.accept, "accept", false, "ask nothing: accept the licence (Apache-2.0) and what is proposed")
	f.StringArrayVar(&o.folders, "folder", nil, "read a folder: DIR=PROFILE, such as C:\\Exports=heartland-retail-sales-history; may be repeated")
	f.BoolVar(&o.none, "no-search", false, "do not look for the till's folders")
	f.BoolVar(&o.deleteData, "delete-data", false, "uninstall: delete also what was not sent")
	f.BoolVar(&o.downgrade, "downgrade", false, "put an older version in place on purpose")
	f.StringVar(&o.takeIn, "take-in", "", "the file that `installer leave` or `agent buffer export --recover` wrote on the PC before this one")
	f.DurationVar(&o.drainFor, "send-for", 2*time.Minute, "leave: how long to wait until everything was sent")
	f.DurationVar(&o.upWithin, "up-within", time.Minute, "how long the service may take to come up; a new version that takes longer makes room for the one before")
	f.DurationVar(&o.lineWithin, "line-within", 10*time.Second, "how long to wait for head office's first word before the run ends without it")
	f.BoolVar(&o.settle, "settle", false, "what a package calls after it has put the program there: a PC without a certificate and without a code is left for later")
	_ = f.MarkHidden("settle")
	f.StringVar(&o.root, "root", "", "install into this folder: for images and tests")
	_ = f.MarkHidden("root")
	return root
}

// errHanded ends this process: another one, with the rights, does the work.
var errHanded = errors.New("handed over")

// run is one run of the installer.
type run struct {
	in      io.Reader
	out     io.Writer
	now     func() time.Time
	may     func() bool          // may this process change the system
	elevate func([]string) error // asks the person for the rights, and runs the installer with them
	window  func() bool          // does the window close with this process
	args    []string
	handed  bool
	opt     options
	con     *console.Console

	lay     machine.Layout
	agent   program.Agent
	service Service
	enrol   Enroller
	carried payload.Payload
	facts   plan.Facts
	want    plan.Want
	granted program.Granted
	sources chosen
	put     bool   // this run put another program in place
	waits   string // the file that holds what still waits
}

// Service is the agent's service as the system knows it; every call may be repeated.
type Service interface {
	Install(context.Context) error
	Uninstall(context.Context) error
	Start(context.Context) error
	Stop(context.Context) error
}

// Enroller redeems a code.
type Enroller interface {
	Enrol(ctx context.Context, hub, proxy, codeFile, data string) (program.Granted, error)
}

func (r *run) main(ctx context.Context, args []string) error {
	if len(args) > 0 {
		r.want.Action = plan.Action(args[0])
		if !slices.Contains(plan.Actions, r.want.Action) {
			return fault.Msg(fault.Invalid, args[0], "there is no such action. Use one of install, repair, upgrade, re-enrol, leave, uninstall, or none")
		}
	}
	if err := r.prepare(ctx); errors.Is(err, errHanded) {
		return nil
	} else if err != nil {
		return err
	}
	l, err := lock.Take(r.lay.SettingsDir(), "installer")
	if fault.Is(err, fault.Conflict) {
		return fault.Msg(fault.Conflict, "installer", "another installer is at work on this PC. Wait until it has ended")
	}
	if err != nil {
		return err
	}
	defer func() { _ = l.Release() }() // the process ends
	past, err := r.look(ctx)
	if err != nil {
		return err
	}
	if r.opt.settle {
		r.opt.accept = true
		if r.facts.Left || !r.facts.Identity && (r.opt.hub == "" || r.opt.code == "") {
			r.con.Say("The program is in place. To make this PC known to head office, run:  %s", quoted(filepath.Join(r.lay.Program, "installer"+filepath.Ext(r.lay.Agent))))
			return nil
		}
	}
	if err := r.ask(ctx, past); err != nil {
		return err
	}
	action, steps, err := plan.Steps(r.facts, r.want)
	if err != nil {
		return err
	}
	if err := r.carryOut(ctx, action, steps); err != nil {
		return err
	}
	return r.tell(ctx, action)
}

// prepare checks what can be checked before anything is touched.
func (r *run) prepare(ctx context.Context) error {
	o := &r.opt
	if !r.may() && o.root == "" {
		if r.window() { // a double click: the system asks the person, and the run goes on in another window
			if err := r.elevate(r.args); err == nil {
				r.handed = true
				return errHanded
			}
		}
		return fault.Msg(fault.Invalid, "installer", "it may not change this system. "+machine.Elevate)
	}
	if o.root != "" {
		abs, err := filepath.Abs(o.root)
		if err != nil {
			return err
		}
		o.root = abs
	}
	if o.takeIn != "" {
		abs, err := filepath.Abs(o.takeIn)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			return fault.Msg(fault.Invalid, "--take-in", err.Error())
		}
		o.takeIn = abs
	}
	r.con = console.New(r.in, r.out)
	if o.code == "-" {
		b := make([]byte, 256)
		n, err := io.ReadFull(r.in, b)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fault.Msg(fault.Invalid, "--code", "nothing could be read from the standard input")
		}
		o.code = strings.TrimSpace(string(b[:n]))
	}
	for _, f := range o.folders {
		dir, prof, ok := strings.Cut(f, "=")
		if !ok || !filepath.IsAbs(dir) || prof == "" {
			return fault.Msg(fault.Invalid, "--folder", fmt.Sprintf("%q is not of the form DIR=PROFILE with a whole path", f))
		}
	}
	r.want.Code, r.want.DeleteData, r.want.Downgrade, r.want.File = o.code != "", o.deleteData, o.downgrade, o.takeIn != ""
	r.lay = machine.At(o.root)
	r.agent = program.Agent{Path: r.lay.Agent, Settings: r.lay.Settings}
	r.service, r.enrol = program.Service{Agent: r.agent}, r.agent
	exe, err := os.Executable()
	if err != nil {
		return fault.New(fault.Internal, "find the installer's own file", err)
	}
	r.carried, err = payload.Find(ctx, filepath.Dir(exe))
	return err
}

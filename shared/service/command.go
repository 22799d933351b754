package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// ErrSaid ends a command that has said everything itself.
var ErrSaid = errors.New("")

// Desk is what the commands need of the program that they belong to.
type Desk struct {
	Spec func() (Spec, error) // from the settings in force
	Out  io.Writer
	JSON *bool
}

// Command is `service install|uninstall|start|stop|status|unit`.
func (d Desk) Command() *cobra.Command {
	c := &cobra.Command{Use: "service", Short: "this program as a service of the system"}
	c.AddCommand(
		d.on("install", "make the service, or mend it; may be run again at any time", func(ctx context.Context, s Spec) error {
			did, err := Install(ctx, s)
			return d.did(err, did, "The service "+s.Name+" is installed.", "The service "+s.Name+" was installed already; nothing was changed.")
		}),
		d.on("uninstall", "stop the service and remove it; its data stays", func(ctx context.Context, s Spec) error {
			did, err := Uninstall(ctx, s)
			return d.did(err, did, "The service "+s.Name+" is removed. Its data stays in "+s.State+".", "The service "+s.Name+" was not installed; nothing was changed.")
		}),
		d.on("start", "start the service and wait until it works", func(ctx context.Context, s Spec) error {
			return d.did(Start(ctx, s), []string{"started"}, "The service "+s.Name+" runs.", "")
		}),
		d.on("stop", "stop the service and wait until it has", func(ctx context.Context, s Spec) error {
			return d.did(Stop(ctx, s), []string{"stopped"}, "The service "+s.Name+" does not run.", "")
		}),
		d.on("status", "how the system sees the service; fails unless it runs as it should", d.status),
		d.on("unit", "print the unit file for systemd", func(_ context.Context, s Spec) error {
			s, err := s.complete()
			if err == nil {
				_, err = io.WriteString(d.Out, s.Unit())
			}
			return err
		}),
	)
	return c
}

func (d Desk) on(use, short string, run func(context.Context, Spec) error) *cobra.Command {
	var exe, root string
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		s, err := d.Spec()
		if err != nil {
			return err
		}
		s.Exe, s.Root = exe, root
		return run(cmd.Context(), s)
	}}
	c.Flags().StringVar(&exe, "exe", "", "the program that the service runs; empty: this one")
	c.Flags().StringVar(&root, "root", "", "another system's root folder, for an image that is being made")
	return c
}

// did tells what was done, or that nothing had to be.
func (d Desk) did(err error, did []string, some, none string) error {
	if err != nil {
		return err
	}
	words := some
	if len(did) == 0 {
		words = none
	}
	if *d.JSON {
		if did == nil {
			did = []string{}
		}
		return d.encode(map[string]any{"done": words, "steps": did})
	}
	fmt.Fprintln(d.Out, words)
	return nil
}

func (d Desk) encode(v any) error {
	e := json.NewEncoder(d.Out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (d Desk) status(ctx context.Context, s Spec) error {
	st, err := Ask(ctx, s)
	if err != nil {
		return err
	}
	if *d.JSON {
		err = d.encode(st)
	} else {
		st.text(d.Out)
	}
	if err == nil && !st.Good() {
		err = ErrSaid
	}
	return err
}

// text tells it to a person, with the one thing to do.
func (s Status) text(w io.Writer) {
	switch {
	case !s.Installed:
		fmt.Fprintf(w, "The service %s is not installed. Nothing runs: service install, then service start.\n", s.Name)
	case len(s.Differs) > 0:
		fmt.Fprintf(w, "The service %s is not set up as it should be: service install mends it.\n  %s\n", s.Name, strings.Join(s.Differs, "\n  "))
	case !s.Running:
		fmt.Fprintf(w, "The service %s does not run (%s). Nothing is lost, but nothing is taken either: service start.\n", s.Name, s.State)
	case !s.Enabled:
		fmt.Fprintf(w, "The service %s runs, but will not after the next restart of the system: service install mends it.\n", s.Name)
	default:
		fmt.Fprintf(w, "The service %s runs and starts with the system.\n", s.Name)
	}
}

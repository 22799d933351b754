package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

// updateOptions are what `agent update` is given, and what it hands to the service.
type updateOptions struct {
	To     string `json:"to,omitempty"`
	Bundle string `json:"bundle,omitempty"` // the service's own copy of the file
	Back   bool   `json:"back,omitempty"`
}

// updateAnswer is what the service says to it.
type updateAnswer struct {
	Version string `json:"version"` // that is wished
	Order   string `json:"order"`
	Already bool   `json:"already,omitempty"`
}

// updateCommand is `agent update`.
func (c *cli) updateCommand() *cobra.Command {
	var o updateOptions
	var wait time.Duration
	cmd := &cobra.Command{Use: "update", Short: "another version on this PC: from head office, from a file, or the one before; without a flag, how an update stands", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.update(cmd.Context(), o, wait) }}
	cmd.Flags().StringVar(&o.To, "to", "", "the version, from head office's releases or from --bundle")
	cmd.Flags().StringVar(&o.Bundle, "bundle", "", "a file of signed releases, as on a stick; without --to its newest version")
	cmd.Flags().BoolVar(&o.Back, "back", false, "go back to the version that ran before")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for the final word; 0: do not wait")
	self := c.command("self", "what this program is", func(context.Context, []string) error {
		c.json = true
		return c.tell(nil, Self{Version: version.String(), Schema: buffer.Schema, Least: buffer.Least}, "")
	})
	look := c.command("look", "look at the buffer and the line beside the version that runs", func(ctx context.Context, _ []string) error {
		c.json = true
		return c.tell(nil, lookBeside(ctx, c.file), "")
	})
	rehearse := &cobra.Command{Use: "rehearse DIR", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		c.json = true
		if err := Rehearse(cmd.Context(), args[0], 2); err != nil {
			return err
		}
		return c.tell(nil, rehearsed{1}, "")
	}}
	for _, hidden := range []*cobra.Command{self, look, rehearse} {
		hidden.Hidden = true
		cmd.AddCommand(hidden)
	}
	return cmd
}

func (c *cli) update(ctx context.Context, o updateOptions, wait time.Duration) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	if o == (updateOptions{}) {
		return c.updateStatus(ctx, cfg)
	}
	if o.Back && (o.To != "" || o.Bundle != "") {
		return fault.Msg(fault.Invalid, "update", "--back goes to the version before: it takes no --to and no --bundle")
	}
	if o.Bundle != "" {
		if o.Bundle, err = c.handIn(cfg, o.Bundle); err != nil {
			return err
		}
	}
	var a updateAnswer
	if _, err := ask(ctx, cfg.DataDir, "update", &a, o); fault.Is(err, fault.NotFound) {
		return fault.Msg(fault.Unavailable, "update", "the service does not run, and an update needs it: start it (agent service start), then give this command again")
	} else if err != nil {
		return err
	}
	if a.Already {
		return c.tell(nil, a, "Version "+a.Version+" runs already.\n")
	}
	if wait <= 0 {
		return c.tell(nil, a, "Version "+a.Version+" comes as soon as no sale is under way. How it stands: agent update\n")
	}
	return c.final(ctx, cfg, a, wait)
}

// handIn copies a bundle to where the service's account can read it: it may see no stick.
func (c *cli) handIn(cfg Config, file string) (string, error) {
	to := filepath.Join(cfg.DataDir, "release.bundle")
	in, err := os.Open(file)
	if err != nil {
		return "", fault.New(fault.Invalid, "read the bundle", err)
	}
	defer in.Close()
	out, err := os.OpenFile(to+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return "", fault.New(fault.Internal, "copy the bundle", err)
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err == nil {
		err = os.Rename(to+".new", to)
	}
	if err != nil {
		os.Remove(to + ".new")
	}
	return to, fault.New(fault.Internal, "copy the bundle", err)
}

// final waits for the last word.
func (c *cli) final(ctx context.Context, cfg Config, a updateAnswer, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	store := slots.At(cfg.DataDir)
	for {
		if o := carry.Stands("", store.Plan(), store.Watch()).Of(a.Order); o != nil {
			err := c.tell(nil, o, outcomeWords(*o)+"\n")
			if err == nil && o.Result != update.Committed {
				return errQuiet
			}
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Msg(fault.Unavailable, "update", "there is no final word yet; it goes on by itself. How it stands: agent update")
		case <-time.After(500 * time.Millisecond):
		}
	}
}

func (c *cli) updateStatus(ctx context.Context, cfg Config) error {
	st := Status{}
	if _, err := ask(ctx, cfg.DataDir, "status", &st); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if !st.Running {
		store := slots.At(cfg.DataDir)
		s := carry.Stands(version.String(), store.Plan(), store.Watch())
		st.Update = &Update{Installed: store.Watch().Base, Phase: s.Phase, To: s.To, Why: s.Why, Last: s.Last}
	}
	if st.Update == nil {
		return errNoLauncher
	}
	return c.tell(nil, st.Update, fmt.Sprintln(updateWords(*st.Update, c.language(cfg))))
}

// startUpdate is the service's side of `agent update`.
func (a *App) startUpdate(ctx context.Context, o updateOptions) (updateAnswer, error) {
	if a.updates == nil {
		return updateAnswer{}, errNoLauncher
	}
	w := update.Want{Version: o.To, Back: o.Back, Now: true, Order: "by hand " + time.Now().UTC().Format(time.RFC3339Nano)}
	from := a.updates.Releases
	if o.Bundle != "" {
		b, err := openBundle(a.Config, o.Bundle, a.hubTime)
		if err != nil {
			return updateAnswer{}, err
		}
		from = b
	}
	switch {
	case o.Back:
		kept := a.updates.Store.Watch()
		if kept.Kept == nil {
			return updateAnswer{}, fault.Msg(fault.Invalid, "update", "no version before lies on this PC")
		}
		w.Version = kept.KeptV
	case w.Version == "" && from != nil:
		t, err := from.Find(ctx, a.updates.Version, "")
		if err != nil {
			return updateAnswer{}, err
		}
		w.Version = t.Release.Version
	case from == nil:
		return updateAnswer{}, fault.Msg(fault.Invalid, "update", "this PC knows no place where releases are; give a file of signed releases with --bundle")
	}
	if !o.Back && update.Same(w.Version, a.updates.Version) {
		return updateAnswer{Version: w.Version, Already: true}, nil
	}
	a.updates.Offer(w, from)
	return updateAnswer{Version: w.Version, Order: w.Order}, nil
}

package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/store"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// usualLimit is the usual time limit of what a PC is asked for: one that is switched off overnight still does it in the morning.
const usualLimit = 24 * time.Hour

// askCommands ask a PC for something, once.
func (c *cli) askCommands() []*cobra.Command {
	within := usualLimit
	ask := func(use, short string, k wire.Kind) *cobra.Command {
		x := c.on(use, short, 1, func(ctx context.Context, s *desk, args []string) error {
			return c.ask(ctx, s, retail.DeviceID(args[0]), wire.Command{Kind: k}, within)
		})
		x.Flags().DurationVar(&within, "within", usualLimit, "it is not begun later than so")
		return x
	}
	hold := time.Hour
	level := c.on("log-level DEVICE LEVEL", "let a PC log debug, info, warn or error for a while; then it falls back by itself", 2, func(ctx context.Context, s *desk, args []string) error {
		return c.ask(ctx, s, retail.DeviceID(args[0]), wire.Command{Kind: wire.LogLevel, Level: args[1], For: hold}, within)
	})
	level.Flags().DurationVar(&hold, "for", time.Hour, "how long")
	level.Flags().DurationVar(&within, "within", usualLimit, "it is not begun later than so")
	var save string
	bundle := c.on("bundle DEVICE", "let a PC send its support bundle here; --save writes the newest that came into a file", 1, func(ctx context.Context, s *desk, args []string) error {
		if save != "" {
			return c.saveBundle(ctx, s, retail.DeviceID(args[0]), save)
		}
		return c.ask(ctx, s, retail.DeviceID(args[0]), wire.Command{Kind: wire.Bundle}, within)
	})
	bundle.Flags().DurationVar(&within, "within", usualLimit, "it is not begun later than so")
	bundle.Flags().StringVar(&save, "save", "", "write the newest that came to this file, and ask for none")
	asked := c.on("asked DEVICE", "what a PC was asked for, and how it ended", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.asked(ctx, s, retail.DeviceID(args[0]))
	})
	return []*cobra.Command{ask("restart DEVICE", "let a PC's agent close everything and open it again", wire.Restart),
		ask("doctor DEVICE", "let a PC try everything that its settings name, and say what is wrong", wire.Doctor), level, bundle, asked}
}

func (c *cli) ask(ctx context.Context, s *desk, d retail.DeviceID, x wire.Command, within time.Duration) error {
	if err := s.InTx(ctx, func(tx *store.Tx) (err error) {
		x, err = tx.Command(ctx, d, x, within, s.who, c.reason)
		return err
	}); err != nil {
		return err
	}
	return c.tell(map[string]any{"device": d, "id": x.ID, "command": x.Kind, "expires": x.Expires}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is asked for %s, until %s: hub device asked %s tells how it ended.\n", d, x.Kind, x.Expires.Local().Format(time.DateTime), d)
	})
}

func (c *cli) asked(ctx context.Context, s *desk, d retail.DeviceID) error {
	if _, err := deviceView(ctx, s.Store, d); err != nil {
		return err
	}
	all, err := s.Commands(ctx, d)
	if err != nil {
		return err
	}
	return c.tell(all, func(w io.Writer) {
		for _, x := range all {
			what := string(x.Kind)
			if x.Kind == wire.LogLevel {
				what = fmt.Sprintf("%s %s for %v", what, x.Level, x.For)
			}
			fmt.Fprintf(w, "%s  %s  asked %s by %s  %s  %s\n", x.ID, what, when(x.Made), x.Who, x.State(time.Now()), when(x.Ended))
			for line := range strings.Lines(x.Detail) {
				fmt.Fprint(w, "    ", strings.TrimRight(line, "\n"), "\n")
			}
		}
	})
}

func (c *cli) saveBundle(ctx context.Context, s *desk, d retail.DeviceID, file string) error {
	all, err := s.Commands(ctx, d)
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Bundle == 0 {
			continue
		}
		body, err := s.BundleOf(ctx, d, x.ID)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, body, 0o600); err != nil {
			return fault.New(fault.Invalid, "write the support bundle", err)
		}
		return c.done(fmt.Sprintf("The support bundle of %s, asked for %s, is in %s.", d, when(x.Made), file))
	}
	return fault.Msg(fault.NotFound, "support bundle", "none came from "+string(d)+": hub device bundle "+string(d)+" asks for it, hub device asked "+string(d)+" tells how it went")
}

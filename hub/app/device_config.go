package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/store"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// maxSettingsFile bounds what is read of a file before it is looked at.
const maxSettingsFile = 1 << 20

// layerOf says which layer a command is about: one device, or by a flag a location or all.
type layerOf struct {
	fleet    bool
	location string
}

func (l *layerOf) flags(c *cobra.Command) *cobra.Command {
	c.Args = cobra.MaximumNArgs(1)
	c.Flags().BoolVar(&l.fleet, "fleet", false, "what holds for all PCs, instead of one's own")
	c.Flags().StringVar(&l.location, "location", "", "what holds for all PCs of a location, instead of one's own")
	return c
}

func (l *layerOf) key(args []string) (desired.Key, error) {
	n := len(args)
	if l.fleet {
		n++
	}
	if l.location != "" {
		n++
	}
	switch {
	case n != 1:
		return desired.Key{}, fault.Msg(fault.Invalid, "device config", "name one device, or --location CODE, or --fleet; nothing was changed")
	case l.fleet:
		return desired.Key{Scope: desired.Fleet}, nil
	case l.location != "":
		return desired.Key{Scope: desired.Location, Name: l.location}, nil
	}
	return desired.Key{Scope: desired.Device, Name: args[0]}, nil
}

// deviceConfigCommand sets what stores' PCs shall be.
func (c *cli) deviceConfigCommand() *cobra.Command {
	show := c.on("show DEVICE", "what a PC shall be, from which layers, and what became of it", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.showDesired(ctx, s, retail.DeviceID(args[0]))
	})
	var in layerOf
	var file string
	set := in.flags(c.on("set [DEVICE]", "give a PC, a location's PCs or all of them settings; each PC checks, tries and keeps them, or gives them back", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.setDesired(ctx, s, &in, args, file)
	}))
	set.Flags().StringVar(&file, "file", "-", "the settings, in the form of agent.toml; - = what is typed or piped in; an empty one sets nothing any more")
	set.Example = "  hub device config set pc-s17 --file pc-s17.toml --reason \"the new till's export folder\"\n  hub device config set --fleet --file fleet.toml --reason \"debugging\""
	var dl layerOf
	var dfile string
	diff := dl.flags(c.on("diff [DEVICE]", "what setting a file would change, line by line; nothing is changed", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.diffDesired(ctx, s, &dl, args, dfile)
	}))
	diff.Flags().StringVar(&dfile, "file", "-", "the settings, in the form of agent.toml; - = what is typed or piped in")
	var hl layerOf
	history := hl.flags(c.on("history [DEVICE]", "every version of the settings, who made it and why", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.desiredHistory(ctx, s, &hl, args)
	}))
	var rl layerOf
	var to int
	rollback := rl.flags(c.on("rollback [DEVICE]", "set the settings again that were there before the last version, or those of --to", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.rollbackDesired(ctx, s, &rl, args, to)
	}))
	rollback.Flags().IntVar(&to, "to", -1, "the version; 0 = set nothing; -1 = the one before the last")
	return group("config", "what stores' PCs shall be: sources, profiles, windows, how much they log", show, set, diff, history, rollback)
}

func readSettings(file string) (string, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fault.New(fault.Invalid, "read settings", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSettingsFile))
	return strings.TrimPrefix(string(b), "\ufeff"), fault.New(fault.Invalid, "read settings", err)
}

func (c *cli) setDesired(ctx context.Context, s *desk, in *layerOf, args []string, file string) error {
	k, err := in.key(args)
	if err != nil {
		return err
	}
	text, err := readSettings(file)
	if err != nil {
		return err
	}
	return c.putLayer(ctx, s, k, text)
}

func (c *cli) putLayer(ctx context.Context, s *desk, k desired.Key, text string) error {
	if c.reason == "" {
		return fault.Msg(fault.Invalid, "device config", "it needs --reason, for the audit trail; nothing was changed")
	}
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	var l desired.Layer
	if err := s.InTx(ctx, func(tx *store.Tx) (err error) {
		l, err = tx.SetLayer(ctx, k, text, s.who, c.reason)
		return err
	}); err != nil {
		return err
	}
	ask := "hub device config show DEVICE"
	if k.Scope == desired.Device {
		ask = "hub device config show " + k.Name
	}
	return c.tell(map[string]any{"layer": k.String(), "version": l.Version}, func(w io.Writer) {
		fmt.Fprintf(w, "Version %d of the settings of %s is set. Each PC checks it, tries it and keeps it, or gives it back and says why: %s tells.\n", l.Version, k, ask)
	})
}

func (c *cli) diffDesired(ctx context.Context, s *desk, in *layerOf, args []string, file string) error {
	k, err := in.key(args)
	if err != nil {
		return err
	}
	text, err := readSettings(file)
	if err != nil {
		return err
	}
	all, err := s.Layers(ctx, k)
	if err != nil {
		return err
	}
	before := ""
	if len(all) > 0 {
		before = all[0].Text
	}
	_, problem := wire.Parse(text)
	d := desired.Diff(before, text)
	if err := c.tell(map[string]string{"layer": k.String(), "diff": d}, func(w io.Writer) {
		if d == "" {
			d = "Nothing would change.\n"
		}
		fmt.Fprint(w, d)
	}); err != nil {
		return err
	}
	return problem
}

func (c *cli) desiredHistory(ctx context.Context, s *desk, in *layerOf, args []string) error {
	k, err := in.key(args)
	if err != nil {
		return err
	}
	all, err := s.Layers(ctx, k)
	if err != nil {
		return err
	}
	return c.tell(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintf(w, "Nothing was ever set for %s.\n", k)
		}
		for i, l := range all {
			before := ""
			if i+1 < len(all) {
				before = all[i+1].Text
			}
			fmt.Fprintf(w, "version %d  %s  %s  %s\n", l.Version, when(l.At), l.Who, l.Reason)
			for line := range strings.Lines(desired.Diff(before, l.Text)) {
				if !strings.HasPrefix(line, "  ") {
					fmt.Fprint(w, "    ", line)
				}
			}
		}
	})
}

func (c *cli) rollbackDesired(ctx context.Context, s *desk, in *layerOf, args []string, to int) error {
	k, err := in.key(args)
	if err != nil {
		return err
	}
	all, err := s.Layers(ctx, k)
	if err != nil {
		return err
	}
	if to < 0 && len(all) > 0 {
		to = all[0].Version - 1
	}
	text, found := "", to == 0
	for _, l := range all {
		if l.Version == to {
			text, found = l.Text, true
		}
	}
	if !found || len(all) == 0 {
		return fault.Msg(fault.NotFound, "roll back", fmt.Sprintf("the settings of %s have no version %d; nothing was changed", k, to))
	}
	if c.reason == "" {
		c.reason = fmt.Sprintf("back to version %d", to)
	}
	return c.putLayer(ctx, s, k, text)
}

func (c *cli) showDesired(ctx context.Context, s *desk, d retail.DeviceID) error {
	if _, err := deviceView(ctx, s.Store, d); err != nil {
		return err
	}
	v, err := s.Desired(ctx, d)
	if err != nil {
		return err
	}
	return c.tell(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", d, standingWords(v.Standing))
		if v.Version > 0 {
			fmt.Fprintf(w, "  said %s, version %d\n", when(v.Made), v.Version)
		}
		if v.Report.State != "" {
			fmt.Fprintf(w, "  the PC said %s: %s %s\n", when(v.Report.At), v.Report.State, strings.ReplaceAll(v.Report.Reason, "\n", "\n    "))
		}
		for _, n := range v.Report.Notes {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
		if v.Fault != "" {
			fmt.Fprintf(w, "  NOT SAID: %s\n", v.Fault)
		}
		for _, l := range v.Layers {
			fmt.Fprintf(w, "  layer %s, version %d, %s, %s: %s\n", l.Key, l.Version, when(l.At), l.Who, l.Reason)
		}
		fmt.Fprintf(w, "\n%s", v.Text)
	})
}

func standingWords(x desired.Standing) string {
	switch x {
	case desired.Unset:
		return "nothing was ever set; the PC's own settings count alone"
	case desired.Applied:
		return "it runs with what is wanted"
	case desired.Refused:
		return "it REFUSED what is wanted and runs with what it had before"
	case desired.RolledBk:
		return "it tried what is wanted, did not come to run well, and runs with what it had before"
	}
	return "it was told and has not answered yet: it tries for up to two minutes, or is away"
}

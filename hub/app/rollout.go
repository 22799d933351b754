package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/retail"
)

// rolloutCommand is how IT brings a release to the stores.
func (c *cli) rolloutCommand() *cobra.Command {
	r := fleet.Rollout{}
	var rings string
	start := c.on("start VERSION", "bring a release to the fleet, ring by ring", 1, func(ctx context.Context, s *desk, args []string) error {
		r.Version = args[0]
		return c.startRollout(ctx, s, r, rings)
	})
	start.Flags().StringVar(&r.Previous, "previous", "", "what a PC goes back to when the hub does not know what it ran; empty: the fleet's release")
	start.Flags().StringVar(&rings, "rings", "", "JSON file with the rings, such as [{\"name\":\"test\",\"group\":\"test\",\"soak\":\"4h\"},{\"name\":\"all\",\"percent\":100}]; empty: test stores, 25 canaries, 10, 50 and 100 %")
	start.Flags().IntVar(&r.InFlight, "in-flight", 50, "devices that update at a time")
	start.Flags().IntVar(&r.Failing, "stop-at", 2, "percent of failed devices that stops it")
	start.Flags().Int64Var(&r.Rate, "rate", 0, "bytes per second of all downloads together; 0 = no limit")
	start.Flags().Int64Var(&r.Size, "size", 0, "bytes of one download, for --rate")
	start.Example = "  hub rollout start 1.5.0\n  hub rollout start 1.5.0 --rate 5000000 --size 9000000 --stop-at 1"
	cmds := []*cobra.Command{start,
		c.on("list", "rollouts, and what runs where", 0, c.rollouts),
		c.on("device DEVICE", "one device and every step of its releases", 1, c.releaseOf)}
	for _, o := range []struct {
		order fleet.Order
		short string
		done  string
	}{
		{fleet.Pause, "tell nobody new until it is resumed", "Nobody new is told. Who was told goes on."},
		{fleet.Resume, "let a paused or stopped rollout go on; what failed before does not stop it again", "It goes on."},
		{fleet.Abort, "end a rollout; who runs the release goes on with it", "It has ended. Who runs the release goes on with it."},
		{fleet.Return, "call every device back to what it ran before", "Every device is told to go back; it stands on its disk."},
	} {
		cmds = append(cmds, c.on(string(o.order)+" ROLLOUT", o.short, 1, func(ctx context.Context, s *desk, args []string) error {
			if c.reason == "" && o.order != fleet.Pause {
				return fault.Msg(fault.Invalid, string(o.order)+" rollout", "say why with --reason: the next one who looks will ask. Nothing was changed")
			}
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.OrderRollout(ctx, args[0], o.order, s.who, c.reason) }); err != nil {
				return err
			}
			return c.done(o.done)
		}))
	}
	return group("rollout", "releases on their way through the fleet", append(append(cmds, c.holdCommands()...), c.nightCommand())...)
}

func (c *cli) startRollout(ctx context.Context, s *desk, r fleet.Rollout, rings string) error {
	r.Rings = fleet.Usual()
	if rings != "" {
		var err error
		if r.Rings, err = ringsIn(rings); err != nil {
			return err
		}
	}
	if err := released(s.cfg, r.Version); err != nil {
		return err
	}
	if r.Previous == "" {
		v, err := s.FleetView(ctx)
		if err != nil {
			return err
		}
		if r.Previous = v.Release; r.Previous == "" && len(v.Spread) > 0 {
			r.Previous = v.Spread[0].Version
		}
	}
	var id string
	if err := s.InTx(ctx, func(tx *store.Tx) (err error) { id, err = tx.StartRollout(ctx, r, s.who); return err }); err != nil {
		return err
	}
	return c.done(fmt.Sprintf("Rollout %s brings %s to the fleet, beginning with %s. It stops by itself when devices do not keep it, and they go back to what they ran before. hub rollout list shows how it goes.", id, r.Version, r.Rings[0].Name))
}

// ringsIn reads the rings of a file, in which a time is written as people do: 4h.
func ringsIn(file string) (out []fleet.Ring, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--rings", err)
	}
	var rings []struct {
		fleet.Ring
		Soak config.Duration `json:"soak"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&rings); err != nil {
		return nil, fault.New(fault.Invalid, "--rings "+file, err)
	}
	for _, x := range rings {
		x.Ring.Soak = time.Duration(x.Soak)
		out = append(out, x.Ring)
	}
	return out, nil
}

// released refuses a version that no PC would be given: with it a rollout would wait for ever.
func released(c Config, version string) error {
	r := c.releases()
	if !r.Exists() {
		return fault.Msg(fault.Conflict, "start rollout", "this hub has no releases yet: hub release init and hub release add come first (CEREMONY.md). Nothing was changed")
	}
	o, err := r.List()
	if err != nil {
		return err
	}
	for _, t := range o.Releases {
		if string(t.Version) != strings.TrimPrefix(version, "v") {
			continue
		}
		if t.Channel == release.Stable {
			return nil
		}
		return fault.Msg(fault.Conflict, "start rollout", fmt.Sprintf("%s is a candidate of channel %s, and a rollout reaches every store: give it to single PCs (hub rollout channel DEVICE %s, then hub rollout pin DEVICE %s). Nothing was changed", version, t.Channel, t.Channel, version))
	}
	return fault.Msg(fault.NotFound, "start rollout", fmt.Sprintf("no release %s is published for all stores: hub release list names those that are. Nothing was changed", version))
}

func (c *cli) rollouts(ctx context.Context, s *desk, _ []string) error {
	v, err := s.FleetView(ctx)
	if err != nil {
		return err
	}
	return c.tell(v, func(w io.Writer) {
		fmt.Fprintf(w, "The fleet's release: %s\n", cmp.Or(v.Release, "none has gone through yet"))
		for _, x := range v.Spread {
			fmt.Fprintf(w, "  %5d run %s\n", x.Devices, cmp.Or(x.Version, "a version they never told"))
		}
		for _, r := range v.Rollouts {
			printRollout(w, r)
		}
	})
}

func printRollout(w io.Writer, r view.RolloutView) {
	fmt.Fprintf(w, "\nrollout %s  %s  %s, begun %s by %s  %s\n", r.ID, r.Version, r.State, when(r.Made), r.Who, r.Why)
	for _, g := range r.Rings {
		mark := " "
		if g.Now {
			mark = ">"
		}
		fmt.Fprintf(w, " %s %-12s %5d devices: %d keep it, %d on the way, %d told, %d failed, %d lost\n", mark, g.Name, g.All, g.Kept, g.Working, g.Waiting, g.Failed, g.Lost)
		for _, m := range g.Missing {
			fmt.Fprintf(w, "       %s\n", m)
		}
	}
	for _, x := range r.Causes {
		fmt.Fprintf(w, "   %d did not keep it: %s (%s)\n", len(x.Devices), cmp.Or(x.Why, "no reason given"), strings.Join(x.Devices[:min(5, len(x.Devices))], ", "))
	}
}

func (c *cli) releaseOf(ctx context.Context, s *desk, args []string) error {
	v, err := s.ReleaseOf(ctx, retail.DeviceID(args[0]))
	if err != nil {
		return err
	}
	return c.tell(v, func(w io.Writer) {
		fmt.Fprintf(w, "%s at %s (%s) runs %s", v.Device, v.Location, cmp.Or(v.Platform, "platform not told"), cmp.Or(v.Running, "a version it never told"))
		switch {
		case v.Deaf:
			fmt.Fprint(w, "; it has no certificate, so it cannot be told anything and no rollout waits for it: hub device code enrols it")
		case v.Excluded:
			fmt.Fprint(w, "; no rollout touches it")
		case v.Pin != "":
			fmt.Fprintf(w, "; held at %s", v.Pin)
		}
		if v.Channel != "" {
			fmt.Fprintf(w, "; it may be given candidates of channel %s", v.Channel)
		}
		fmt.Fprintln(w)
		if v.Told != "" {
			fmt.Fprintf(w, "told to run %s: %s since %s %s\n", v.Told, cmp.Or(v.Step, "it has not begun"), when(v.Since), v.Why)
		}
		for _, st := range v.Steps {
			fmt.Fprintf(w, "  %s  %-10s %s %s\n", st.At.Local().Format(time.DateTime), st.Version, st.What, st.Why)
		}
	})
}

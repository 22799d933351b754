package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/retail"
)

// holdCommands say of single devices how rollouts treat them.
func (c *cli) holdCommands() []*cobra.Command {
	var cfg Config
	set := func(f func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, args []string) error, done string) func(context.Context, *desk, []string) error {
		return func(ctx context.Context, s *desk, args []string) error {
			cfg = s.cfg
			if err := s.InTx(ctx, func(tx *store.Tx) error { return f(tx, ctx, retail.DeviceID(args[0]), s.who, args[1:]) }); err != nil {
				return err
			}
			return c.done(done)
		}
	}
	return []*cobra.Command{
		c.on("pin DEVICE VERSION", "hold a device at a version, whatever the others get", 2, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, a []string) error {
			channel, err := tx.Channel(ctx, d)
			if err == nil {
				err = visible(cfg, a[0], channel)
			}
			if err != nil {
				return err
			}
			return tx.PinRelease(ctx, d, a[0], who, c.reason)
		}, "It is held there until hub rollout unpin.")),
		c.on("unpin DEVICE", "let a device go with the others again", 1, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, _ []string) error {
			return tx.PinRelease(ctx, d, "", who, c.reason)
		}, "It goes with the others again.")),
		c.on("exclude DEVICE", "keep a device out of every rollout", 1, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, _ []string) error {
			return tx.ExcludeRelease(ctx, d, true, who, c.reason)
		}, "No rollout touches it until hub rollout include.")),
		c.on("include DEVICE", "let rollouts touch a device again", 1, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, _ []string) error {
			return tx.ExcludeRelease(ctx, d, false, who, c.reason)
		}, "Rollouts touch it again.")),
		c.on("group DEVICE GROUP", "put a device into a group that goes first together, such as test; - = none", 2, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, a []string) error {
			return tx.SetFamily(ctx, d, strings.TrimPrefix(a[0], "-"), who)
		}, "Rollouts that begin or go on from now know it.")),
		c.on("channel DEVICE CHANNEL", "let a device be given candidates of a channel, such as beta; stable = none any more", 2, set(func(tx *store.Tx, ctx context.Context, d retail.DeviceID, who string, a []string) error {
			return tx.SetChannel(ctx, d, a[0], who, c.reason)
		}, "What it runs stays. A candidate reaches it when hub rollout pin names it.")),
	}
}

// visible refuses to hold a PC at a candidate of a channel that is not its own: it would never find it. Of a version that is not here, a static
// host or a stick may know.
func visible(c Config, version, channel string) error {
	r := c.releases()
	if !r.Exists() {
		return nil
	}
	o, err := r.List()
	if err != nil {
		return err
	}
	other := ""
	for _, t := range o.Releases {
		switch {
		case string(t.Version) != strings.TrimPrefix(version, "v"):
		case t.Channel == release.Stable || t.Channel == channel:
			return nil
		default:
			other = t.Channel
		}
	}
	if other == "" {
		return nil
	}
	return fault.Msg(fault.Conflict, "pin", fmt.Sprintf("%s is a candidate of channel %s, and this device is in %s: hub rollout channel DEVICE %s comes first. Nothing was changed", version, other, channel, other))
}

// nightCommand says when stores' programs may be changed.
func (c *cli) nightCommand() *cobra.Command {
	cmd := c.on("night LOCATION HOURS", "when a location's PCs may change their programs, such as 02:00-04:30, or always; - = as the others", 2, func(ctx context.Context, s *desk, args []string) error {
		var n *store.Night
		if args[1] != "-" {
			at, err := store.ParseNight(args[1])
			if err != nil {
				return err
			}
			n = &at
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SetNight(ctx, retail.LocationCode(args[0]), n, s.who, c.reason) }); err != nil {
			return err
		}
		return c.done("Its PCs know it with their next word, also those that wait for their night already.")
	})
	cmd.Long = "Hours are the store's own. Location * is every store that has none of its own; without a word they are " + store.UsualNight.String() + ". What is called back waits for no night."
	cmd.Example = "  hub rollout night '*' 00:30-04:00\n  hub rollout night S-17 always   (nobody is there at any hour: a kiosk)\n  hub rollout night S-17 -"
	return cmd
}

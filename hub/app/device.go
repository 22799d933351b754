package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func (c *cli) deviceCommand() *cobra.Command {
	var at []string
	add := c.on("add DEVICE", "register an agent and print its password", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.addDevice(ctx, s, retail.DeviceID(args[0]), at)
	})
	add.Flags().StringSliceVar(&at, "location", []string{store.AllLocations}, "locations it speaks for; * = all")
	add.Example = "  hub device add store-17 --location S-17"
	var f deviceChange
	set := c.on("set DEVICE", "change which locations a device speaks for, its password, or whether it may send", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.setDevice(ctx, s, retail.DeviceID(args[0]), f)
	})
	set.Flags().StringSliceVar(&f.more, "location", nil, "locations it speaks for as well; * = all")
	set.Flags().StringSliceVar(&f.less, "not-location", nil, "locations it does not speak for any more, from now on")
	set.Flags().BoolVar(&f.renew, "new-password", false, "give it a new password, printed once; the old one ends")
	set.Flags().BoolVar(&f.enable, "enable", false, "let a disabled device send again")
	set.Example = "  hub device set store-17 --not-location S-17 --location S-18   (the PC moved)"
	disable := c.on("disable DEVICE", "stop a device from sending; what it sent stays", 1, func(ctx context.Context, s *desk, args []string) error {
		if err := s.InTx(ctx, func(tx *store.Tx) error {
			return tx.DisableDevice(ctx, retail.DeviceID(args[0]), true, s.who, c.reason)
		}); err != nil {
			return err
		}
		return c.done("Device " + args[0] + " may not send any more. What its store sells waits there until it is enabled or another takes its place.")
	})
	list := c.on("list", "list devices", 0, func(ctx context.Context, s *desk, _ []string) error {
		ds, err := s.DeviceViews(ctx, "")
		if err != nil {
			return err
		}
		return c.tell(ds, func(w io.Writer) {
			for _, d := range ds {
				printDevice(w, d)
			}
		})
	})
	return group("device", "agents that may send", append(append(c.enrolCommands(), c.askCommands()...), add, set, disable, list, c.deviceConfigCommand())...)
}

func printDevice(w io.Writer, d view.DeviceView) {
	there := "away"
	if d.Online {
		there = "connected"
	}
	fmt.Fprintf(w, "%s  %s  for %s  %s, seen %s  %s  %s\n", d.ID, d.Version, d.Locations, there, when(d.Seen), credential(d, time.Now()), d.Stopped)
	for _, h := range d.Health {
		fmt.Fprintf(w, "        %s: %s %s %s\n", h.Severity, h.Title+".", h.Do, h.Detail)
	}
}

// addDevice registers a device. One that is known keeps its password: a typing error must not lock a store out.
func (c *cli) addDevice(ctx context.Context, s *desk, d retail.DeviceID, at []string) error {
	secret, hash := broker.NewPassword()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		if has, err := tx.HasDevice(ctx, d); err != nil || has {
			if has {
				err = fault.Msg(fault.Conflict, "add device", fmt.Sprintf("device %s is registered already and keeps its password; nothing was changed. For a new one: hub device set %s --new-password", d, d))
			}
			return err
		}
		if err := tx.AddDevice(ctx, d, hash, s.who); err != nil {
			return err
		}
		return assign(ctx, tx, d, at, time.Unix(0, 0), s.who)
	})
	if err != nil {
		return err
	}
	return c.tellPassword(d, secret)
}

func (c *cli) tellPassword(d retail.DeviceID, secret string) error {
	return c.tell(map[string]string{"device": string(d), "password": secret}, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", secret)
		fmt.Fprintln(c.err, "This is the device's password; it is shown once. Put it into the file that password_file names on that PC.")
	})
}

// deviceChange is what set was told.
type deviceChange struct {
	more, less    []string
	renew, enable bool
}

func (c *cli) setDevice(ctx context.Context, s *desk, d retail.DeviceID, f deviceChange) error {
	if len(f.more)+len(f.less) == 0 && !f.renew && !f.enable {
		return fault.Msg(fault.Invalid, "set device", "say what is to change: --location, --not-location, --new-password or --enable")
	}
	secret, hash := broker.NewPassword()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		has, err := tx.HasDevice(ctx, d)
		if err == nil && !has {
			err = fault.Msg(fault.NotFound, "set device", "there is no device "+string(d)+"; nothing was changed")
		}
		if err == nil && f.enable {
			err = tx.DisableDevice(ctx, d, false, s.who, c.reason)
		}
		if err == nil && f.renew {
			err = comesByPassword(ctx, tx, d)
		}
		if err == nil && f.renew {
			err = tx.AddDevice(ctx, d, hash, s.who)
		}
		for _, l := range f.less {
			if err == nil {
				err = tx.Unassign(ctx, d, retail.LocationCode(l), tx.Now, s.who)
			}
		}
		if err == nil {
			err = assign(ctx, tx, d, f.more, time.Unix(0, 0), s.who)
		}
		return err
	})
	if err != nil {
		return err
	}
	s.Done()
	if f.renew {
		return c.tellPassword(d, secret)
	}
	var what []string
	for word, list := range map[string][]string{"speaks for ": f.more, "does not speak any more for ": f.less} {
		if len(list) > 0 {
			what = append(what, word+strings.Join(list, ", "))
		}
	}
	if f.enable {
		what = append(what, "may send")
	}
	return c.done("Device " + string(d) + " " + strings.Join(what, " and ") + ".")
}

// comesByPassword refuses a password for a PC that has a certificate: it would be a second, weaker way in.
func comesByPassword(ctx context.Context, tx *store.Tx, d retail.DeviceID) error {
	n, err := tx.Holding(ctx, d)
	if err == nil && n > 0 {
		err = fault.Msg(fault.Conflict, "set device", fmt.Sprintf("%s comes in by its certificate, and a password beside it would be a second way in; nothing was changed. To go back to a password: hub device revoke %s first", d, d))
	}
	return err
}

func assign(ctx context.Context, tx *store.Tx, d retail.DeviceID, at []string, since time.Time, who string) error {
	for _, l := range at {
		if err := tx.Assign(ctx, d, retail.LocationCode(l), since, who); err != nil {
			return err
		}
	}
	return nil
}

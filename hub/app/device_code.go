package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	defaultValid = 72 * time.Hour // a code is made today, typed in tomorrow or after the weekend
	longestValid = 30 * 24 * time.Hour
)

// enrolCommands give stores' PCs their certificates and take them away.
func (c *cli) enrolCommands() []*cobra.Command {
	var device string
	valid := defaultValid
	code := c.on("code LOCATION", "make the one-time code with which a PC of a location is enrolled; it is shown once", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.makeCode(ctx, s, codeFor{location: retail.LocationCode(args[0]), device: retail.DeviceID(device), valid: valid})
	})
	code.Aliases = []string{"enrol"}
	code.Flags().StringVar(&device, "device", "", "the PC's name here; empty: the location's only one, or a new one")
	code.Example = "  hub device code S-17\n  hub device code S-17 --device back-office --valid 24h"
	replace := c.on("replace DEVICE", "make a code for the PC that takes a device's place; the old PC's certificate ends when it is used", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.makeCode(ctx, s, codeFor{device: retail.DeviceID(args[0]), valid: valid, replace: true})
	})
	for _, x := range []*cobra.Command{code, replace} {
		x.Flags().DurationVar(&valid, "valid", defaultValid, "how long the code is good")
	}
	revoke := c.on("revoke DEVICE", "end a device's certificate, password and code at once; what it has not sent waits on it", 1, func(ctx context.Context, s *desk, args []string) error {
		if c.reason == "" {
			return fault.Msg(fault.Invalid, "revoke", "it needs --reason, for the audit trail; nothing was changed")
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.Revoke(ctx, retail.DeviceID(args[0]), s.who, c.reason) }); err != nil {
			return err
		}
		return c.done("Device " + args[0] + " has no right any more; a hub that runs cuts its line within a second. What it has not sent waits on that PC: hub device code LOCATION --device " + args[0] + " lets it, or another PC, come back.")
	})
	show := c.on("show DEVICE", "a device's certificates, codes and state", 1, func(ctx context.Context, s *desk, args []string) error {
		return c.showDevice(ctx, s, retail.DeviceID(args[0]))
	})
	ca := c.on("ca", "print the certificate of the hub's authority, for a broker of your own that is to let devices in by certificate", 0, func(ctx context.Context, s *desk, _ []string) error {
		a, err := s.Store.Authority(ctx)
		if err != nil {
			return err
		}
		return c.tell(map[string]string{"certificate": a.PEM()}, func(w io.Writer) { fmt.Fprint(w, a.PEM()) })
	})
	out := ""
	crl := c.on("crl", "write the list of revoked certificates, for a broker of your own (Mosquitto: crlfile); enrol.crl_file has the hub keep it", 0, func(ctx context.Context, s *desk, _ []string) error {
		list, err := revokedList(ctx, s.Store)
		if err != nil {
			return err
		}
		if out != "" {
			if err := replaceFile(out, list); err != nil {
				return fault.New(fault.Invalid, "write "+out, err)
			}
			return c.done("The list is in " + out + ". Have the broker read it anew (Mosquitto: SIGHUP).")
		}
		return c.tell(map[string]string{"crl": string(list)}, func(w io.Writer) { fmt.Fprint(w, string(list)) })
	})
	crl.Flags().StringVar(&out, "out", "", "the file; empty: the standard output")
	return []*cobra.Command{code, replace, revoke, show, ca, crl}
}

// codeFor is what a code is to be made for.
type codeFor struct {
	location retail.LocationCode // "" = the device's own
	device   retail.DeviceID     // "" = the location's
	valid    time.Duration
	replace  bool
}

// newCode makes a code, and the device that it is for when the location has none.
func newCode(ctx context.Context, s *store.Store, cfg Config, f codeFor, who, reason string) (made view.CodeMade, err error) {
	if !cfg.Enrol.on() {
		return made, fault.Msg(fault.Invalid, "make a code", "PCs cannot enrol at this hub: set [enrol] listen in its settings and start it again. Nothing was changed")
	}
	if f.valid <= 0 || f.valid > longestValid {
		return made, fault.Msg(fault.Invalid, "make a code", "--valid is between 1m and 720h")
	}
	var code enrol.Code
	err = s.InTx(ctx, func(tx *store.Tx) (err error) {
		if f.location != "" {
			if f.device, err = deviceAt(ctx, tx, f, who); err != nil {
				return err
			}
		}
		made.Expires = tx.Now.Add(f.valid)
		code, err = tx.MakeCode(ctx, f.device, made.Expires, f.replace, who, reason)
		return err
	})
	if err != nil {
		return made, err
	}
	made.Device, made.Code, made.Replaces = f.device, code.ForPerson(), f.replace
	_, made.Port, _ = net.SplitHostPort(cfg.Enrol.Listen)
	return made, nil
}

func (c *cli) makeCode(ctx context.Context, s *desk, f codeFor) error {
	m, err := newCode(ctx, s.Store, s.cfg, f, s.who, c.reason)
	if err != nil {
		return err
	}
	return c.tell(map[string]any{"device": m.Device, "code": m.Code, "expires": m.Expires, "port": m.Port}, func(w io.Writer) {
		fmt.Fprintln(w, m.Code)
		fmt.Fprintf(c.err, "For one PC, as device %s, until %s. It is shown once; tell it to the store by telephone, not by mail.\nOn that PC: start the installer, which asks for head office's address, THIS-HUB:%[3]s, and for this code. Where the agent is there already: agent enrol --hub THIS-HUB:%[3]s --code %[4]s\n",
			m.Device, m.Expires.Local().Format(time.DateTime), m.Port, m.Code)
		if m.Replaces {
			fmt.Fprintln(c.err, "When it is used, the old PC's certificate ends. What the old PC has not sent yet: start it once more before, or read its disk with agent buffer export --recover.")
		}
	})
}

// devices is what the pages do with stores' PCs.
type devices struct{ *App }

// MakeCode makes the code for a location's PC, or for the PC that takes a device's place.
func (d devices) MakeCode(ctx context.Context, l retail.LocationCode, device retail.DeviceID, replace bool, who string) (view.CodeMade, error) {
	f := codeFor{location: l, device: device, valid: defaultValid, replace: replace}
	return newCode(ctx, d.Store, d.Config, f, who, "")
}

// Revoke ends a device's rights.
func (d devices) Revoke(ctx context.Context, device retail.DeviceID, who, reason string) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Revoke(ctx, device, who, reason) })
}

// deviceAt finds the device that a location's code is for, and makes it when the location has none.
func deviceAt(ctx context.Context, tx *store.Tx, f codeFor, who string) (retail.DeviceID, error) {
	here, err := tx.DevicesOf(ctx, f.location)
	if err != nil {
		return "", err
	}
	d := f.device
	switch {
	case d == "" && len(here) == 1:
		return here[0], nil
	case d == "" && len(here) > 1:
		return "", fault.Msg(fault.Conflict, "make a code", fmt.Sprintf("location %s has %d devices: say which with --device (%s), or name a new one. Nothing was changed", f.location, len(here), strings.Join(names(here), ", ")))
	case d == "":
		if d, err = tx.FreeName(ctx, f.location); err != nil {
			return "", err
		}
	}
	has, err := tx.HasDevice(ctx, d)
	if err != nil {
		return "", err
	}
	for _, x := range here {
		if x == d {
			return d, nil
		}
	}
	if has {
		return "", fault.Msg(fault.Conflict, "make a code", fmt.Sprintf("device %s does not speak for location %s; nothing was changed. If it is to: hub device set %s --location %s", d, f.location, d, f.location))
	}
	if err := tx.AddDevice(ctx, d, "", who); err != nil { // no password opens
		return "", err
	}
	return d, tx.Assign(ctx, d, f.location, time.Unix(0, 0), who)
}

func names(ds []retail.DeviceID) (out []string) {
	for _, d := range ds {
		out = append(out, string(d))
	}
	return out
}

// deviceShown is what show tells.
type deviceShown struct {
	view.DeviceView
	Codes        []view.CodeView
	Certificates []view.CertificateView
	DaysLeft     *int `json:",omitempty"`
}

func (c *cli) showDevice(ctx context.Context, s *desk, d retail.DeviceID) error {
	list, err := s.DeviceViews(ctx, "")
	if err != nil {
		return err
	}
	for _, v := range list {
		if v.ID != d {
			continue
		}
		out, now := deviceShown{DeviceView: v}, time.Now()
		if out.Codes, err = s.Store.WaitingCodes(ctx, d); err != nil {
			return err
		}
		if out.Certificates, err = s.Store.Certificates(ctx, d); err != nil {
			return err
		}
		if v.Certificate.Holds(now) {
			n := v.Certificate.DaysLeft(now)
			out.DaysLeft = &n
		}
		return c.tell(out, func(w io.Writer) {
			printDevice(w, v)
			for _, k := range out.Codes {
				state := "until " + when(k.Expires)
				if !now.Before(k.Expires) {
					state = "ran out " + when(k.Expires)
				}
				fmt.Fprintf(w, "  code %s-…  %s, made by %s\n", k.ID, state, k.Who)
			}
			for _, k := range out.Certificates {
				fmt.Fprintf(w, "  certificate %s  %s to %s, first seen %s  %s\n", k.Serial[:min(8, len(k.Serial))], when(k.Begins), when(k.Ends), when(k.Used), certificateState(k, now))
			}
		})
	}
	return fault.Msg(fault.NotFound, "device", "there is no device "+string(d))
}

func certificateState(k view.CertificateView, now time.Time) string {
	switch {
	case !k.Ended.IsZero():
		return k.Why + " " + when(k.Ended)
	case !now.Before(k.Ends):
		return "ran out"
	}
	return fmt.Sprintf("holds, %d days left", k.DaysLeft(now))
}

// credential words how a device comes in.
func credential(d view.DeviceView, now time.Time) string {
	switch k := d.Certificate; {
	case k.Holds(now):
		return fmt.Sprintf("certificate, %d days left", k.DaysLeft(now))
	case k.Serial != "":
		return "its certificate ran out " + k.Ends.Format(time.DateOnly) + "; it renews it when it is switched on"
	case d.Enrolled:
		return "not enrolled"
	}
	return "password"
}

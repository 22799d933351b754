package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/installer/journal"
	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/installer/plan"
	"github.com/tillpost/tillpost/installer/settings"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	look = 250 * time.Millisecond // between two looks at a service that comes up
)

// carryOut does the steps in order, each noted before and after. An error names what to do; the next run goes on from there.
func (r *run) carryOut(ctx context.Context, action plan.Action, steps []plan.Step) error {
	if len(steps) == 0 {
		return nil
	}
	j, err := journal.Open(r.lay.Journal, string(action), r.facts.Payload, r.now)
	if err != nil {
		return err
	}
	fmt.Fprintln(r.out)
	for i, s := range steps {
		r.con.Say("%2d/%d  %s ...", i+1, len(steps), plan.Says[s])
		if err := j.Begin(string(s)); err != nil {
			return err
		}
		if err := r.step(ctx, s); err != nil {
			err = fmt.Errorf("%s: %w", strings.ToLower(plan.Says[s]), err)
			if ctx.Err() != nil {
				return fmt.Errorf("ended by you at %q. Run the installer again: it goes on from there", strings.ToLower(plan.Says[s]))
			}
			return errors.Join(err, j.Finish(string(s), err), r.goOn(ctx, action))
		}
		if err := j.Done(string(s)); err != nil {
			return err
		}
	}
	return j.Finish("", nil)
}

// goOn starts the service that was there before a run that failed: a store that was selling goes on selling.
func (r *run) goOn(ctx context.Context, action plan.Action) error {
	if !r.facts.Registered || r.facts.Left || action == plan.Leave || action == plan.Uninstall {
		return nil
	}
	if err := r.service.Start(ctx); err != nil {
		return fmt.Errorf("and the service that ran before does not start: %w", err)
	}
	r.con.Say("       the service that was there runs on")
	return nil
}

func (r *run) step(ctx context.Context, s plan.Step) error {
	do := map[plan.Step]func(context.Context) error{
		plan.Folders: func(context.Context) error { return errors.Join(r.lay.MakeFolders(), r.lay.Sweep()) },
		plan.Stop:    r.stop, plan.Program: r.program, plan.Enrol: r.redeem, plan.Settings: r.write, plan.TakeIn: r.takeIn,
		plan.Service: r.service.Install, plan.Start: r.service.Start, plan.Prove: r.prove, plan.Doctor: r.doctor,
		plan.Drain: r.drain, plan.Carry: r.carry, plan.Unregister: r.unregister, plan.Data: r.data, plan.Remove: r.remove,
	}[s]
	if do == nil {
		return fault.Msg(fault.Internal, string(s), "the installer does not know this step")
	}
	return do(ctx)
}

// stop does nothing where no program is, or one that does not start: what does not start does not run.
func (r *run) stop(ctx context.Context) error {
	if !machine.Exists(r.lay.Agent) || r.agent.Version(ctx) == "" {
		return nil
	}
	return r.service.Stop(ctx)
}

// program keeps the one that is there and puts the new one in its place; between the two there is no moment without a program.
func (r *run) program(ctx context.Context) error {
	wait := func(d time.Duration) { pause(ctx, d) }
	if r.facts.Installed != "" { // one that does not start is not worth keeping
		if err := r.lay.Keep(wait); err != nil {
			return err
		}
	}
	body, err := r.carried.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	if err := machine.Put(r.lay.Agent, 0o755, body, wait); err != nil {
		return err
	}
	r.put = true
	if r.want.Downgrade { // else a newer version that came by itself would run on
		if err := machine.Delete(filepath.Join(r.lay.Data, "versions", "current")); err != nil {
			return err
		}
	}
	if machine.Sum(r.lay.Agent) != r.carried.Sum {
		return fault.Msg(fault.Internal, "write "+r.lay.Agent, "what was written cannot be read back: have the disk looked at, then run the installer again")
	}
	if err := r.own(wait); err != nil {
		return err
	}
	return machine.Announce(r.lay, r.facts.Payload)
}

// own puts the installer itself beside the program, for the day of an uninstall.
func (r *run) own(wait func(time.Duration)) error {
	exe, err := os.Executable()
	if err != nil {
		return fault.New(fault.Internal, "find the installer's own file", err)
	}
	to := filepath.Join(r.lay.Program, "installer"+filepath.Ext(r.lay.Agent))
	if same(exe, to) {
		return nil
	}
	f, err := os.Open(exe)
	if err != nil {
		return fault.New(fault.Internal, "read the installer's own file", err)
	}
	defer f.Close()
	return machine.Put(to, 0o755, f, wait)
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func (r *run) redeem(ctx context.Context) error {
	if err := secret(r.lay.Code(), r.opt.code); err != nil {
		return fault.New(fault.Internal, "hand the code on", err)
	}
	g, err := r.enrol.Enrol(ctx, r.opt.hub, r.opt.proxy, r.lay.Code(), r.lay.Data)
	if err = errors.Join(err, machine.Delete(r.lay.Code())); err != nil {
		return err
	}
	r.granted = g
	r.con.Say("       head office knows this PC as %s%s", g.Device, forLocations(g.Locations))
	return machine.Delete(r.lay.Left) // with a certificate of its own it is no twin of another PC
}

func forLocations(l string) string {
	if l == "" {
		return ""
	}
	return ", for " + l
}

// location is what the sources carry: what was named, else the only one that the hub told.
func (r *run) location() (retail.LocationCode, error) {
	if r.granted.Locations == "" { // an earlier run redeemed the code
		r.granted.Locations = r.lay.Locations()
	}
	known := strings.FieldsFunc(r.granted.Locations, func(c rune) bool { return c == ',' || c == ' ' })
	want := r.opt.location
	switch {
	case want == "" && len(known) == 1:
		return retail.LocationCode(known[0]), nil
	case want == "" && len(known) == 0:
		return "", fault.Msg(fault.Invalid, "location", "head office did not say which store this PC serves. Run the installer again with --location and the store's code")
	case want == "":
		return "", fault.Msg(fault.Invalid, "location", "this PC serves several stores ("+r.granted.Locations+"). Run the installer again with --location and the one whose till is read here")
	case len(known) > 0 && !slices.Contains(known, want):
		return "", fault.Msg(fault.Conflict, "location", "the code was made for "+r.granted.Locations+", and --location says "+want+". Ask head office which is right: with the wrong one, tickets would be booked for another store")
	}
	return retail.LocationCode(want), nil
}

// write adds the sources to the settings that enrolment made, and has the agent judge the whole before it counts.
func (r *run) write(ctx context.Context) error {
	t := r.sources.take
	if !t.Empty() {
		at, err := r.location()
		if err != nil {
			return err
		}
		t.Location, t.Zone = at, r.zone()
		if t.Zone == "" && len(t.Databases)+len(t.Terminals) > 0 {
			return fault.Msg(fault.Invalid, "time zone", "this PC's is not known here, and with a wrong one sales would be booked on another day. Run the installer again with --zone and the store's, such as America/Chicago")
		}
		for i := range t.Databases {
			t.Databases[i].PasswordFile = filepath.Join(r.lay.SettingsDir(), "cresql.password")
			if err := secret(t.Databases[i].PasswordFile, r.sources.password); err != nil {
				return fault.New(fault.Internal, "keep the database's password", err)
			}
		}
	}
	body, err := os.ReadFile(r.lay.Settings)
	if errors.Is(err, fs.ErrNotExist) { // somebody deleted them, or a package that was purged: who this PC is stands with its data
		body, err = settings.Draft(r.lay.Data), nil
	}
	if err != nil {
		return fault.New(fault.Internal, "read the settings", err)
	}
	if !settings.Finished(body) {
		body = append(bytes.TrimRight(body, "\n"), []byte("\n"+t.TOML())...)
		if err := machine.Put(r.lay.Settings, 0o644, bytes.NewReader(body), func(d time.Duration) { pause(ctx, d) }); err != nil {
			return err
		}
	}
	return r.agent.CheckSettings(ctx)
}

func (r *run) takeIn(ctx context.Context) error { return r.agent.TakeIn(ctx, r.opt.takeIn) }

// prove waits until the service of the right version answers. After an upgrade that does not come up, the program before it does.
func (r *run) prove(ctx context.Context) error {
	why := r.comesUp(ctx)
	if why == nil {
		r.hears(ctx)
	}
	if why == nil || !r.put || !machine.Exists(r.lay.Before()) || ctx.Err() != nil {
		return why
	}
	if err := errors.Join(r.stop(ctx), r.lay.Back(func(d time.Duration) { pause(ctx, d) }), r.service.Install(ctx), r.service.Start(ctx)); err != nil {
		return fault.Msg(fault.Internal, "upgrade", fmt.Sprintf("%s did not come up (%v), and %s could not be put back (%v). What the tills sold is safe on the disk. Run the installer of %s, or call head office",
			r.facts.Payload, why, r.facts.Installed, err, r.facts.Installed))
	}
	return fault.Msg(fault.Conflict, "upgrade", fmt.Sprintf("%s did not come up, so %s runs again; nothing was lost. Send this to head office: %v", r.facts.Payload, r.facts.Installed, why))
}

// hears gives the line to head office a moment, so that what the manager reads is how it will be. Without one nothing is wrong.
func (r *run) hears(ctx context.Context) {
	for waited := time.Duration(0); waited < r.opt.lineWithin; waited += look {
		if st, err := r.agent.Status(ctx); err != nil || st.Connected || !pause(ctx, look) {
			return
		}
	}
}

func (r *run) comesUp(ctx context.Context) error {
	wanted := r.agent.Version(ctx)
	if wanted == "" {
		return fault.Msg(fault.Internal, "agent", "the program does not start on this PC")
	}
	var last error
	for waited := time.Duration(0); waited < r.opt.upWithin; waited += look {
		st, err := r.agent.Status(ctx)
		switch {
		case err != nil:
			last = err
		case st.Running && st.Of(wanted):
			return nil
		case st.Running:
			last = fault.Msg(fault.Conflict, "service", "version "+st.Version+" still runs")
		default:
			last = fault.Msg(fault.Unavailable, "service", "it is not running")
		}
		if !pause(ctx, look) {
			return ctx.Err()
		}
	}
	if err := r.agent.CheckSettings(ctx); err != nil {
		last = err
	}
	return fmt.Errorf("the service did not come up within %s: %w", r.opt.upWithin, last)
}

// doctor tells what is wrong with one next step each; what is wrong now may be right later, so it ends no installation.
func (r *run) doctor(ctx context.Context) error {
	rep, err := r.agent.Doctor(ctx)
	if err != nil {
		r.con.Say("       The doctor could not look: %v", err)
		return nil
	}
	for _, f := range rep.Findings {
		if f.State == "good" {
			continue
		}
		r.con.Say("       %s: %s", f.What, f.Found)
		if f.Do != "" {
			r.con.Say("         To do: %s", f.Do)
		}
	}
	return nil
}

// pause waits, and tells whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/shared/fault"
)

// drain waits until everything was sent, or nothing moves any more.
func (r *run) drain(ctx context.Context) error {
	const still = 30 * time.Second // without a step forward it is not waited for
	best, since := -1, time.Duration(0)
	for waited := time.Duration(0); waited < r.opt.drainFor; waited += time.Second {
		st, err := r.agent.Status(ctx)
		if err != nil || !st.Running || st.Waiting == 0 {
			return nil //nolint:nilerr // what still waits is carried in a file
		}
		if best < 0 || st.Waiting < best {
			best, since = st.Waiting, 0
		}
		if since += time.Second; since > still {
			break
		}
		if !pause(ctx, time.Second) {
			return ctx.Err()
		}
	}
	if best > 0 {
		r.con.Say("       %d tickets could not be sent now", best)
	}
	return nil
}

// carry writes what waits to a file, and says on the disk that this PC was given up before it can start again.
func (r *run) carry(ctx context.Context) error {
	if n := r.waiting(ctx); n != 0 {
		file := filepath.Join(r.lay.SettingsDir(), "tickets-that-wait.ndjson")
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) { // half a file of a run that was cut off
			return fault.New(fault.Internal, "write what waits", err)
		}
		if err := r.agent.Export(ctx, file); err != nil {
			return err
		}
		r.waits = file
	}
	said := "This PC was given up on " + r.now().Format(time.DateOnly) + ".\n"
	return machine.Put(r.lay.Left, 0o644, strings.NewReader(said), func(d time.Duration) { pause(ctx, d) })
}

func (r *run) unregister(ctx context.Context) error {
	if r.agent.Version(ctx) == "" {
		return fault.Msg(fault.Internal, "service", "the agent's program does not start, so its service cannot be taken out. Run: installer repair, then again")
	}
	return r.service.Uninstall(ctx)
}

// data deletes everything that was kept, unless tickets came in since it was looked.
func (r *run) data(ctx context.Context) error {
	if n := r.waiting(ctx); n != 0 && !r.want.DeleteData {
		r.con.Say("       tickets that head office has not got are kept")
		r.facts.Waiting = n
		return nil
	}
	if err := machine.Delete(r.lay.Data, r.lay.Left); err != nil {
		return err
	}
	es, err := os.ReadDir(r.lay.SettingsDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Internal, "delete the settings", err)
	}
	for _, e := range es {
		if p := filepath.Join(r.lay.SettingsDir(), e.Name()); p != r.lay.Journal && e.Name() != "installer.lock" && e.Name() != "hub.toml" {
			if err := machine.Delete(p); err != nil {
				return err
			}
		}
	}
	return machine.DropAccount(ctx, r.lay.Account)
}

// remove takes the programs away; the installer itself stays where it was started from.
func (r *run) remove(ctx context.Context) error {
	if err := machine.Withdraw(r.lay); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fault.New(fault.Internal, "find the installer's own file", err)
	}
	es, err := os.ReadDir(r.lay.Program)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.New(fault.Internal, "delete the program", err)
	}
	for _, e := range es {
		p := filepath.Join(r.lay.Program, e.Name())
		if same(p, exe) {
			if err := machine.DeleteRunning(p); err != nil {
				return err
			}
			continue
		}
		for waited := time.Duration(0); ; waited += look {
			err := machine.Delete(p)
			if err == nil {
				break
			}
			if waited > 20*time.Second || !pause(ctx, look) {
				return err
			}
		}
	}
	_ = os.Remove(r.lay.Program) // empty, or it goes with the installer that still runs
	return nil
}

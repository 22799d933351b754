//go:build !windows

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	kardianos "github.com/kardianos/service"

	"github.com/tillpost/tillpost/shared/fault"
)

// manager is systemd where that is process 1, or for an image that is being made; else whatever kardianos/service finds.
func (s Spec) manager() (manager, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	if s.Root != "" {
		return systemdManager{s}, nil
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		return systemdManager{s}, nil
	}
	k, err := kardianos.New(nothing{}, &kardianos.Config{Name: s.Name, DisplayName: s.Display, Description: s.Description, Executable: s.Exe, Arguments: s.Args, UserName: s.Name})
	if err != nil {
		return nil, fault.New(fault.Unavailable, "find this system's service manager", err)
	}
	return otherManager{s, k}, nil
}

type nothing struct{}

func (nothing) Start(kardianos.Service) error { return nil }
func (nothing) Stop(kardianos.Service) error  { return nil }

// systemdManager installs by a unit file. Each step leaves what the next start of it takes up.
type systemdManager struct{ Spec }

func (m systemdManager) file() string { return m.Name + ".service" }

func (m systemdManager) own() string { return filepath.Join(m.Root, "/etc/systemd/system", m.file()) }

// shipped is a package's unit file, "" = none.
func (m systemdManager) shipped() string {
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		if path := filepath.Join(m.Root, dir, m.file()); exists(path) {
			return path
		}
	}
	return ""
}

// inForce is the unit file that systemd reads, "" = none.
func (m systemdManager) inForce() string {
	if exists(m.own()) {
		return m.own()
	}
	return m.shipped()
}

func (m systemdManager) install(ctx context.Context) (did []string, err error) {
	if did, err = m.giveRights(ctx); err != nil {
		return did, err
	}
	want := []byte(m.Unit())
	have, err := os.ReadFile(m.inForce())
	if err != nil || !slices.Equal(have, want) {
		if err := writeWhole(m.own(), want, 0o644); err != nil {
			return did, rightsMissing(err)
		}
		did = append(did, "wrote "+m.own())
		if err := m.reload(ctx); err != nil {
			return did, err
		}
	}
	if !m.enabled(ctx) {
		if _, err := m.ctl(ctx, "enable", m.file()); err != nil {
			return did, err
		}
		did = append(did, "it starts with the system")
	}
	return did, nil
}

func (m systemdManager) uninstall(ctx context.Context) (did []string, err error) {
	st, err := m.status(ctx)
	if err != nil || !st.Installed {
		return nil, err
	}
	if st.Running {
		if err := m.stop(ctx); err != nil {
			return nil, err
		}
		did = append(did, "stopped")
	}
	if m.enabled(ctx) {
		if _, err := m.ctl(ctx, "disable", m.file()); err != nil {
			return did, err
		}
		did = append(did, "it starts no longer with the system")
	}
	if exists(m.own()) {
		if err := os.Remove(m.own()); err != nil {
			return did, rightsMissing(err)
		}
		did = append(did, "removed "+m.own())
	}
	return did, m.reload(ctx)
}

func (m systemdManager) start(ctx context.Context) error {
	_, err := m.ctl(ctx, "start", m.file())
	return err
}

func (m systemdManager) stop(ctx context.Context) error {
	_, err := m.ctl(ctx, "stop", m.file())
	if err != nil && m.inForce() == "" {
		return nil // there is none: nothing runs, and who mends an installation goes on
	}
	return err
}

func (m systemdManager) status(ctx context.Context) (Status, error) {
	st := Status{Name: m.Name, Manager: "linux-systemd", Installed: m.inForce() != ""}
	if !st.Installed {
		return st, nil
	}
	have, err := os.ReadFile(m.inForce())
	if err != nil {
		return st, fault.New(fault.Internal, "read the unit file", err)
	}
	st.Differs = unitDiffers(string(have), m.Unit())
	st.Enabled = m.enabled(ctx)
	if m.Root == "" {
		out, err := m.ctl(ctx, "show", "--property=ActiveState", "--value", m.file())
		if err != nil {
			return st, err
		}
		st.State = strings.TrimSpace(out)
		st.Running = st.State == "active" || st.State == "reloading"
	}
	return st, nil
}

// enabled asks systemctl, which knows it with an error code.
func (m systemdManager) enabled(ctx context.Context) bool {
	out, _ := m.ctl(ctx, "is-enabled", m.file())
	return strings.TrimSpace(out) == "enabled"
}

func (m systemdManager) reload(ctx context.Context) error {
	if m.Root != "" {
		return nil // nothing runs there
	}
	_, err := m.ctl(ctx, "daemon-reload")
	return err
}

// ctl asks systemd.
func (m systemdManager) ctl(ctx context.Context, args ...string) (string, error) {
	if m.Root != "" {
		args = append([]string{"--root=" + m.Root}, args...)
	}
	out, err := exec.CommandContext(ctx, "systemctl", args...).Output()
	if x := (*exec.ExitError)(nil); errors.As(err, &x) {
		said := strings.TrimSpace(string(x.Stderr))
		return string(out), fault.Msg(fault.Unavailable, "systemctl "+strings.Join(args, " "), said+". What the service itself says: journalctl -u "+m.Name)
	}
	return string(out), fault.New(fault.Unavailable, "systemctl", err)
}

// unitDiffers compares line by line; comments and order count too, as nobody but us writes it. A person's own wishes belong in a drop-in
// (systemctl edit), which is not looked at.
func unitDiffers(have, want string) (out []string) {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for _, l := range w {
		if !slices.Contains(h, l) {
			out = append(out, "the unit file lacks: "+l)
		}
	}
	for _, l := range h {
		if !slices.Contains(w, l) {
			out = append(out, "the unit file has: "+l)
		}
	}
	return out
}

// otherManager is what kardianos/service knows: SysV, OpenRC, upstart, …
type otherManager struct {
	Spec
	k kardianos.Service
}

func (m otherManager) install(ctx context.Context) (did []string, err error) {
	st, err := m.status(ctx)
	if err != nil || st.Installed {
		return nil, err
	}
	if did, err = m.giveRights(ctx); err == nil {
		if err = m.k.Install(); err == nil {
			did = append(did, "installed with "+m.k.Platform())
		}
	}
	return did, rightsMissing(err)
}

func (m otherManager) uninstall(ctx context.Context) ([]string, error) {
	st, err := m.status(ctx)
	if err != nil || !st.Installed {
		return nil, err
	}
	if st.Running {
		if err := m.stop(ctx); err != nil {
			return nil, err
		}
	}
	return []string{"removed from " + m.k.Platform()}, rightsMissing(m.k.Uninstall())
}

func (m otherManager) start(ctx context.Context) error {
	err := bounded(ctx, m.k.Start)
	if x := (*exec.ExitError)(nil); errors.As(err, &x) { // its number alone helps nobody
		return fault.Msg(fault.Unavailable, "start "+m.Name, fmt.Sprintf("this system is not run by systemd, and what runs it (%s) did not start the service (%v). Have it start this by itself: %s", m.k.Platform(), err, strings.Join(append([]string{m.Exe}, m.Args...), " ")))
	}
	return err
}

func (m otherManager) stop(ctx context.Context) error { return bounded(ctx, m.k.Stop) }

// bounded does not wait longer than ctx: kardianos/service may wait for ever.
func bounded(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "wait for the service manager", ctx.Err())
	}
}

func (m otherManager) status(context.Context) (Status, error) {
	st := Status{Name: m.Name, Manager: m.k.Platform()}
	s, err := m.k.Status()
	if errors.Is(err, kardianos.ErrNotInstalled) {
		return st, nil
	}
	if err != nil {
		st.State = err.Error()
	}
	st.Installed, st.Enabled, st.Running = true, true, s == kardianos.StatusRunning
	return st, nil
}

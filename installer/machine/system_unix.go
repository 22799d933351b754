//go:build !windows

package machine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// AccountName is the account that the service runs under; the service's unit names the same.
const AccountName = "tillpost-agent"

func standard() Layout {
	return Layout{
		Program: "/opt/tillpost", Agent: "/opt/tillpost/agent", Settings: "/etc/tillpost/agent.toml", Data: "/var/lib/tillpost-agent",
		Journal: "/etc/tillpost/install.journal", Packaged: "/opt/tillpost/packaged", Left: "/etc/tillpost/left", Account: AccountName,
	}
}

// Elevated reports whether this process may change the system.
func Elevated() bool { return os.Geteuid() == 0 }

// Elevate says how a person gets there.
const Elevate = "Run it again with sudo in front."

// RunElevated asks for the rights; here only a person at a console can.
func RunElevated([]string) error { return errors.ErrUnsupported }

// DropAccount deletes the account; it is there no longer when DropAccount returns nil.
func DropAccount(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	if _, err := user.Lookup(name); err != nil {
		return nil //nolint:nilerr // there is none: that is what was wanted
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "userdel", name).CombinedOutput()
	if err != nil {
		return fault.Msg(fault.Internal, "delete the account "+name, strings.TrimSpace(string(out)))
	}
	return nil
}

// MakeFolders makes the folders of programs, settings and data, data open to the administrator alone: `agent service install` then
// gives the service's account what it needs, and nobody else anything.
func (l Layout) MakeFolders() error {
	return fault.New(fault.Internal, "make the folders", errors.Join(os.MkdirAll(l.Program, 0o755), os.MkdirAll(l.SettingsDir(), 0o755), os.MkdirAll(l.Data, 0o700), os.Chmod(l.SettingsDir(), 0o755)))
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// commandLink makes `tillpost-agent` a command.
const commandLink = "/usr/local/bin/tillpost-agent"

// Announce makes the program a command of its own name.
func Announce(l Layout, _ string) error {
	if l.Account == "" || Exists(commandLink) {
		return nil
	}
	return fault.New(fault.Internal, "make the command tillpost-agent", os.Symlink(l.Agent, commandLink))
}

// Withdraw takes back what Announce made.
func Withdraw(l Layout) error {
	if to, err := os.Readlink(commandLink); l.Account == "" || err != nil || to != l.Agent {
		return nil //nolint:nilerr // it is somebody else's, or none
	}
	return Delete(commandLink)
}

// DeleteRunning deletes a program that runs.
func DeleteRunning(path string) error { return Delete(path) }

// OwnWindow reports whether the console closes with this process.
func OwnWindow() bool { return false }

// Zone is this PC's time zone by its name, "" = it cannot be told.
func Zone() string {
	if b, err := os.ReadFile("/etc/timezone"); err == nil {
		if z := strings.TrimSpace(string(b)); z != "" {
			if _, err := time.LoadLocation(z); err == nil {
				return z
			}
		}
	}
	if to, err := os.Readlink("/etc/localtime"); err == nil {
		if _, z, ok := strings.Cut(to, "zoneinfo/"); ok {
			return z
		}
	}
	return ""
}

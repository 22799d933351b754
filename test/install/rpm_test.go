//go:build linux

package install_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/centre"
	"github.com/tillpost/tillpost/test/port"
)

// withRPM is a fresh system that has rpm; it is Debian's, which runs packages and their scripts as every other does. What is below them is there, but
// not as packages: --nodeps.
func withRPM(t *testing.T, here string) *fresh {
	t.Helper()
	f := laid(t, here)
	if _, err := os.Stat(filepath.Join(f.root, "usr/bin/rpm")); err != nil {
		if out, err := command(t, 6*time.Minute, "chroot", f.root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "rpm"); err != nil {
			t.Skipf("NOT RUN: rpm could not be fetched: %v\n%s", err, tail(out))
		}
	}
	f.boot()
	return f
}

func (f *fresh) rpm(args ...string) string {
	f.t.Helper()
	return f.do("", append([]string{"rpm", "--nodeps"}, args...)...)
}

// next is the release after the one that made tells, "" where that one was made elsewhere and its next is not there.
func next(t *testing.T) string {
	t.Helper()
	if os.Getenv("TILLPOST_DIST") != "" {
		if d := os.Getenv("TILLPOST_DIST_NEXT"); d != "" {
			return d
		}
		t.Skip("NOT RUN: TILLPOST_DIST is a release that was made elsewhere; TILLPOST_DIST_NEXT names its next")
	}
	out, err := makeRelease("v1.2.4")
	must(t, err)
	return out
}

// TestTheRPMsLife installs the agent's and the hub's rpm, scripts and all, on a system with systemd: enrolled, a ticket, the next version over it, and
// erased. The service runs on with the new program, settings that a person wrote stay, and what was not sent stays when all else goes.
func TestTheRPMsLife(t *testing.T) {
	debian := mayBoot(t)
	dist := made(t)
	agent, hub := one(t, dist, "tillpost-agent-*-linux-"+runtime.GOARCH+".rpm"), one(t, dist, "tillpost-hub-*-linux-"+runtime.GOARCH+".rpm")
	then := next(t)
	f := withRPM(t, debian)
	said := t.TempDir()
	if out, err := command(t, time.Minute, "tar", "-xzf", one(t, dist, "tillpost-v*-linux-"+runtime.GOARCH+".tar.gz"), "-C", said, "--strip-components=1"); err != nil {
		t.Fatal(err, out)
	}
	c := centre.New(t, filepath.Join(said, "hub"))
	c.Why = f.state
	must(t, os.MkdirAll(filepath.Join(f.root, "srv/till"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.root, "srv/till/sales.csv"), []byte(centre.Sales), 0o644))
	for from, to := range map[string]string{
		agent: "agent.rpm", hub: "hub.rpm",
		one(t, then, "tillpost-agent-*-linux-"+runtime.GOARCH+".rpm"): "agent-next.rpm", one(t, then, "tillpost-hub-*-linux-"+runtime.GOARCH+".rpm"): "hub-next.rpm",
	} {
		f.bring(from, "/root/"+to)
	}

	t.Run("agent", func(t *testing.T) {
		f := f.of(t)
		says(t, f.rpm("-i", "/root/agent.rpm"), "The program is in place.")
		f.asListed("tillpost-agent")
		for path, want := range map[string]string{"/opt/tillpost/agent": "root root 755", "/opt/tillpost/installer": "root root 755", "/opt/tillpost/packaged": "root root 644"} {
			if got := strings.TrimSpace(f.do("", "stat", "-c", "%U %G %a", path)); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		if out, _ := f.try("", "systemctl", "is-enabled", "tillpost-agent"); strings.TrimSpace(out) == "enabled" {
			t.Error("a PC that nobody enrolled has a service")
		}
		says(t, f.do("", "tillpost-installer", "--hub", c.Door, "--code", c.Code("code", "S-17"), "--location", "S-17", "--accept"), "Everything is fine")
		c.Ticket("1002")
		f.isClosed()
		was := f.do("", "sha256sum", "/etc/tillpost/agent.toml", "/var/lib/tillpost-agent/identity.json")

		says(t, f.rpm("-U", "/root/agent-next.rpm"), "Everything is fine")
		f.asListed("tillpost-agent")
		f.runs("tillpost-agent", "/opt/tillpost/agent")
		if is := f.do("", "sha256sum", "/etc/tillpost/agent.toml", "/var/lib/tillpost-agent/identity.json"); is != was {
			t.Errorf("settings or identity after an upgrade:\n%s%s", was, is)
		}
		if out, err := f.try("", "rpm", "--nodeps", "-U", "/root/agent.rpm"); err == nil || !strings.Contains(out, "newer") {
			t.Errorf("the old one over the new one: %v %s", err, out)
		}
		f.runs("tillpost-agent", "/opt/tillpost/agent")

		f.rpm("-e", "tillpost-agent")
		f.gone("tillpost-agent", "/opt/tillpost/agent", "/opt/tillpost/installer", "/usr/bin/tillpost-agent")
		f.do("", "test", "-e", "/var/lib/tillpost-agent/buffer.db")
		says(t, f.rpm("-i", "/root/agent-next.rpm"), "Everything is fine") // it was enrolled, and goes on
		f.runs("tillpost-agent", "/opt/tillpost/agent")
	})

	t.Run("hub", func(t *testing.T) {
		f := f.of(t)
		says(t, f.rpm("-i", "/root/hub.rpm"), "Fill in /etc/tillpost/hub.toml")
		f.asListed("tillpost-hub")
		if got := strings.TrimSpace(f.do("", "stat", "-c", "%U %a", "/etc/tillpost/hub.toml")); got != "root 640" {
			t.Errorf("its settings: %s", got)
		}
		mine := "data_dir = \"/var/lib/tillpost-hub\"\n[web]\nlisten = \"" + port.Free(t) + "\"\n[metrics]\nlisten = \"\"\n[broker]\nlisten = \"" + port.Free(t) + "\"\n"
		f.do(mine, "sh", "-c", "cat >/etc/tillpost/hub.toml")
		says(t, f.do("", "tillpost-hub", "check-config"), "are good")
		f.do("", "tillpost-hub", "service", "install")
		f.do("", "tillpost-hub", "service", "start")
		f.runs("tillpost-hub", "/opt/tillpost/hub")
		pid := f.do("", "systemctl", "show", "-p", "MainPID", "--value", "tillpost-hub")
		f.rpm("-U", "/root/hub-next.rpm")
		f.runs("tillpost-hub", "/opt/tillpost/hub")
		if now := f.do("", "systemctl", "show", "-p", "MainPID", "--value", "tillpost-hub"); now == pid {
			t.Error("the old program runs on")
		}
		if got := f.do("", "cat", "/etc/tillpost/hub.toml"); got != mine {
			t.Errorf("its settings after an upgrade:\n%s", got)
		}
		if got := f.do("", "stat", "-c", "%U %a", "/var/lib/tillpost-hub"); !strings.HasSuffix(strings.TrimSpace(got), " 700") {
			t.Errorf("its data: %s", got)
		}
		f.rpm("-e", "tillpost-hub")
		f.gone("tillpost-hub", "/opt/tillpost/hub", "/usr/bin/tillpost-hub")
		f.do("", "test", "-e", "/var/lib/tillpost-hub/hub.db")
		if got, _ := f.try("", "cat", "/etc/tillpost/hub.toml.rpmsave"); got != mine {
			t.Errorf("settings that a person wrote went with the package: %s", got)
		}
	})
}

// of is the same system in a part of its test.
func (f *fresh) of(t *testing.T) *fresh {
	c := *f
	c.t = t
	return &c
}

// asListed is rpm's own look at what it laid down: bytes, modes, owners.
func (f *fresh) asListed(pkg string) {
	f.t.Helper()
	if out, err := f.try("", "rpm", "--nodeps", "-V", pkg); err != nil {
		f.t.Errorf("rpm -V %s: %v\n%s", pkg, err, out)
	}
}

// runs waits until a service is up with a program whose file is the one on the disk, not one that was replaced.
func (f *fresh) runs(service, program string) {
	f.t.Helper()
	var out string
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		out, _ = f.try("", "sh", "-c", "systemctl is-active "+service+" && readlink /proc/$(systemctl show -p MainPID --value "+service+")/exe")
		if strings.Fields(out + " -")[0] == "active" && strings.HasSuffix(strings.TrimSpace(out), program) {
			return
		}
	}
	f.t.Errorf("%s does not run with %s:\n%s", service, program, out)
}

func (f *fresh) gone(service string, files ...string) {
	f.t.Helper()
	if out, _ := f.try("", "systemctl", "is-active", service); strings.TrimSpace(out) == "active" {
		f.t.Errorf("%s runs on without its program", service)
	}
	if out, err := f.try("", "systemctl", "cat", service); err == nil {
		f.t.Errorf("systemd still knows %s:\n%s", service, out)
	}
	for _, path := range files {
		if _, err := os.Lstat(filepath.Join(f.root, path)); err == nil {
			f.t.Errorf("%s is still there", path)
		}
	}
}

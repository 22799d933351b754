//go:build linux

package install_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/centre"
)

// fresh is a Debian with systemd as process 1, in a container of systemd-nspawn; its network is this machine's.
type fresh struct {
	t      *testing.T
	root   string
	leader int // its process 1, seen from outside
}

// mayBoot skips by name where a stranger's run cannot be made, before anything is built for it: one that was not made never counts as passed.
// debian is a folder that debootstrap made before, "" = one is fetched.
func mayBoot(t *testing.T) (debian string) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT RUN: the stranger's run boots a Debian; left out of short runs")
	}
	debian = os.Getenv("TILLPOST_DEBIAN")
	if debian == "" && os.Getenv("TILLPOST_RELEASE") != "all" {
		t.Skip("NOT RUN: the stranger's run fetches a Debian; set TILLPOST_RELEASE=all, as .ci/run does, or TILLPOST_DEBIAN to a folder that holds one")
	}
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: the stranger's run needs root to boot a container with systemd as process 1")
	}
	need := map[string]string{"systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
	if debian == "" {
		need["debootstrap"] = "debootstrap"
	}
	for name, pkg := range need {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("NOT RUN: the stranger's run needs %s (apt-get install %s)", name, pkg)
		}
	}
	return debian
}

// newFresh boots one of the folder that mayBoot told.
func newFresh(t *testing.T, here string) *fresh {
	t.Helper()
	f := laid(t, here)
	f.boot()
	return f
}

// laid is one that was not booted yet.
func laid(t *testing.T, here string) *fresh {
	t.Helper()
	f := &fresh{t: t, root: filepath.Join(t.TempDir(), "debian")}
	if here == "" {
		var err error
		if here, err = fetchOnce(); err != nil {
			t.Skipf("NOT RUN: a fresh Debian could not be fetched: %v", err)
		}
	}
	if out, err := command(t, 6*time.Minute, "cp", "-a", "--reflink=auto", here, f.root); err != nil {
		t.Fatal(err, out)
	}
	return f
}

// fetchOnce fetches the Debian that all tests copy.
var fetchOnce = sync.OnceValues(func() (string, error) {
	to := filepath.Join(dir(), "debian")
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", to).CombinedOutput(); err != nil {
		return "", fmt.Errorf("debootstrap: %w\n%s", err, tail(string(out)))
	}
	return to, nil
})

// boot starts the container and waits until systemd is up.
func (f *fresh) boot() {
	f.t.Helper()
	log, err := os.Create(filepath.Join(filepath.Dir(f.root), "boot.log"))
	must(f.t, err)
	cmd := exec.Command("systemd-nspawn", "-b", "-q", "-D", f.root, "--register=no", "--keep-unit", "--console=pipe", "--hostname=till-pc")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(f.t, cmd.Start())
	f.t.Cleanup(func() {
		if f.leader > 0 {
			_ = syscall.Kill(f.leader, syscall.Signal(34+4)) // systemd's word for power off
		}
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		log.Close()
		if f.t.Failed() {
			b, _ := os.ReadFile(log.Name())
			f.t.Logf("the container said:\n%s", tail(string(b)))
		}
	})
	for deadline := time.Now().Add(4 * time.Minute); ; {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid)); err == nil {
			if pids := strings.Fields(string(b)); len(pids) > 0 {
				f.leader, _ = strconv.Atoi(pids[len(pids)-1])
			}
		}
		if f.leader > 0 {
			if out, _ := f.try("", "systemctl", "is-system-running"); strings.Contains(out, "running") || strings.Contains(out, "degraded") {
				return
			}
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log.Name())
			f.t.Skipf("NOT RUN: systemd does not come up in a container here:\n%s", tail(string(b)))
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// try runs a program in the container.
func (f *fresh) try(typed string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(f.leader), "-m", "-u", "-i", "-p", "-C", "--root", "--wd", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=dumb"}
	cmd.Stdin = strings.NewReader(typed)
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	return b.String(), err
}

// do wants success.
func (f *fresh) do(typed string, args ...string) string {
	f.t.Helper()
	out, err := f.try(typed, args...)
	if err != nil {
		j, _ := f.try("", "journalctl", "-u", "tillpost-agent", "--no-pager", "-n", "40")
		f.t.Fatalf("%v: %v\n%s\n%s", args, err, out, j)
	}
	return out
}

func (f *fresh) bring(from, to string) {
	f.t.Helper()
	b, err := os.ReadFile(from)
	must(f.t, err)
	must(f.t, os.MkdirAll(filepath.Dir(filepath.Join(f.root, to)), 0o755))
	must(f.t, os.WriteFile(filepath.Join(f.root, to), b, 0o755))
}

func command(t *testing.T, within time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// made is a release for this system: of TILLPOST_DIST, else made now, once for all tests.
func made(t *testing.T) string {
	t.Helper()
	if d := os.Getenv("TILLPOST_DIST"); d != "" {
		return d
	}
	out, err := makeOnce()
	must(t, err)
	return out
}

var makeOnce = sync.OnceValues(func() (string, error) { return makeRelease("v1.2.3") })

// makeRelease makes a release of a version, for this system alone.
func makeRelease(version string) (string, error) {
	out := filepath.Join(dir(), "dist-"+version)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "run", "./packaging/make", "-version", version, "-only", "linux/"+runtime.GOARCH, "-out", out)
	cmd.Dir = "../.."
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make package: %w\n%s", err, b)
	}
	return out, nil
}

func one(t *testing.T, dist, pattern string) string {
	t.Helper()
	fs, _ := filepath.Glob(filepath.Join(dist, pattern))
	if len(fs) != 1 {
		t.Skipf("NOT RUN: make package made no %s here", pattern)
	}
	return fs[0]
}

// TestAStrangersRun: from a fresh Debian, the package that make package made, three answers, and tickets are at the hub, in less than five
// minutes. Then what a store's PC goes through: a restart of the service, the package again, an uninstall that keeps what was not sent.
func TestAStrangersRun(t *testing.T) {
	debian := mayBoot(t)
	dist := made(t)
	deb := one(t, dist, "tillpost-agent-*-linux-"+runtime.GOARCH+".deb")
	f := newFresh(t, debian)
	said := t.TempDir()
	if out, err := command(t, time.Minute, "tar", "-xzf", one(t, dist, "tillpost-v*-linux-"+runtime.GOARCH+".tar.gz"), "-C", said, "--strip-components=1"); err != nil {
		t.Fatal(err, out)
	}
	centre.Enrols(t, filepath.Join(said, "agent"))
	c := centre.New(t, filepath.Join(said, "hub"))
	c.Why = f.state
	must(t, os.MkdirAll(filepath.Join(f.root, "srv/till"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.root, "srv/till/sales.csv"), []byte(centre.Sales), 0o644))

	begun := time.Now()
	f.bring(deb, "/root/tillpost-agent.deb")
	says(t, f.do("", "dpkg", "-i", "/root/tillpost-agent.deb"), "The program is in place.")
	out := f.do(fmt.Sprintf("%s\n%s\n1\n", c.Door, c.Code("code", "S-17")), "tillpost-installer")
	t.Logf("the installer's transcript:\n%s", out)
	says(t, out, "/srv/till  (1 files", "for S-17", "Everything is fine")
	c.Ticket("1002")
	took := time.Since(begun)
	t.Logf("from the package to tickets at the hub: %s, three answers", took.Round(time.Second))
	if took > 5*time.Minute {
		t.Errorf("it took %s", took)
	}
	f.isClosed()

	f.do("", "systemctl", "restart", "tillpost-agent")
	says(t, f.do("", "tillpost-installer", "--accept"), "Everything is fine")
	says(t, f.do("", "dpkg", "-i", "/root/tillpost-agent.deb"), "Everything is fine")
	f.do("", "dpkg", "-r", "tillpost-agent")
	if out, _ := f.try("", "systemctl", "is-active", "tillpost-agent"); strings.TrimSpace(out) == "active" {
		t.Error("the service runs on without its program")
	}
	if _, err := os.Stat(filepath.Join(f.root, "var/lib/tillpost-agent/buffer.db")); err != nil {
		t.Error("removing the package took the data:", err)
	}
	f.do("", "dpkg", "-P", "tillpost-agent") // settings too; who this PC is and what it sold stay
	says(t, f.do("", "dpkg", "-i", "/root/tillpost-agent.deb"), "Everything is fine")
	f.do("", "sh", "-c", "systemctl stop tillpost-agent; rm /etc/systemd/system/tillpost-agent.service; systemctl daemon-reload")
	says(t, f.do("", "tillpost-installer", "repair", "--accept"), "Everything is fine")
	must(t, os.WriteFile(filepath.Join(f.root, "srv/till/more.csv"), []byte(strings.ReplaceAll(centre.Sales, "1002", "1003")), 0o644))
	c.Ticket("1003")
}

// state is what the agent says when tickets do not come.
func (f *fresh) state() string {
	out, _ := f.try("", "sh", "-c", "/opt/tillpost/agent status; cat /etc/tillpost/agent.toml; journalctl -u tillpost-agent --no-pager -n 30")
	return out
}

// isClosed looks who may read what: data and key are the service's alone.
func (f *fresh) isClosed() {
	f.t.Helper()
	for path, want := range map[string]string{"/var/lib/tillpost-agent": "tillpost-agent 700", "/var/lib/tillpost-agent/identity.json": "tillpost-agent 600", "/opt/tillpost/agent": "root 755"} {
		if got := strings.TrimSpace(f.do("", "stat", "-c", "%U %a", path)); got != want {
			f.t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := f.do("", "sh", "-c", "ps -o user= -C agent || stat -c %U /proc/$(systemctl show -p MainPID --value tillpost-agent)"); !strings.Contains(got, "tillpost") {
		f.t.Errorf("the service runs as %q", got)
	}
}

// TestAStrangersSilentRun: the one file, no package manager, no question; and uninstalled while head office is away.
func TestAStrangersSilentRun(t *testing.T) {
	debian := mayBoot(t)
	dist := made(t)
	file := one(t, dist, "tillpost-installer-*-linux-"+runtime.GOARCH)
	f := newFresh(t, debian)
	said := t.TempDir()
	if out, err := command(t, time.Minute, "tar", "-xzf", one(t, dist, "tillpost-v*-linux-"+runtime.GOARCH+".tar.gz"), "-C", said, "--strip-components=1"); err != nil {
		t.Fatal(err, out)
	}
	centre.Enrols(t, filepath.Join(said, "agent"))
	c := centre.New(t, filepath.Join(said, "hub"))
	c.Why = f.state
	must(t, os.MkdirAll(filepath.Join(f.root, "srv/till"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.root, "srv/till/sales.csv"), []byte(centre.Sales), 0o644))
	f.bring(file, "/root/tillpost")
	code := c.Code("code", "S-17")
	for range 2 { // a second run changes nothing
		says(t, f.do("", "/root/tillpost", "--hub", c.Door, "--code", code, "--location", "S-17", "--accept"), "Everything is fine")
	}
	c.Ticket("1002")
	f.isClosed()
	says(t, f.do("", "/opt/tillpost/installer", "repair", "--accept"), "Everything is fine")
	f.do("", "systemctl", "stop", "tillpost-agent")
	says(t, f.do("", "/root/tillpost", "--accept"), "Everything is fine")
	says(t, f.do("", "/opt/tillpost/installer", "uninstall", "--accept"), "Tillpost is off this PC")
	for _, gone := range []string{"opt/tillpost/agent", "etc/systemd/system/tillpost-agent.service", "usr/local/bin/tillpost-agent"} {
		if _, err := os.Lstat(filepath.Join(f.root, gone)); err == nil {
			t.Errorf("%s is still there", gone)
		}
	}
}

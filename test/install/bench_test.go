//go:build unix

// Package install_test runs the built installer: in a folder with a pretended hub and service manager, where it is killed at every step; and,
// where systemd can be had as process 1, as a stranger would, with everything real.
package install_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const module = "github.com/tillpost/tillpost/"

var dir = sync.OnceValue(func() string {
	d, err := os.MkdirTemp("", "install-test-")
	if err != nil {
		panic(err)
	}
	return d
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(dir())
	os.Exit(code)
}

var built sync.Map

// build makes a program once a run and tells its path. The version is that of a fake agent.
func build(t *testing.T, pkg, version, tags string) string {
	t.Helper()
	path := filepath.Join(dir(), "built", strings.ReplaceAll(pkg, "/", "-")+"-"+version+tags)
	once, _ := built.LoadOrStore(path, &sync.Once{})
	once.(*sync.Once).Do(func() {
		cmd := exec.Command("go", "build", "-tags", tags, "-ldflags", "-X main.Version="+version+" -X "+module+"shared/version.Version="+version, "-o", path, module+pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	})
	return path
}

// box is a PC in a folder.
type box struct {
	t         *testing.T
	root      string
	installer string // a download folder with installer and agent
}

func newBox(t *testing.T, version string) *box {
	b := &box{t: t, root: t.TempDir()}
	b.write("hub.json", `{"codes":{"AAAA-BBBB-CCCC":{"Device":"store-17","Locations":"S-17"},"DDDD-EEEE-FFFF":{"Device":"store-17","Locations":"S-17"},"MANY-MANY-MANY":{"Device":"store-17","Locations":"S-17, S-18"}}}`)
	b.download(version)
	return b
}

// download puts an installer and its agent into a folder of their own.
func (b *box) download(version string) {
	b.t.Helper()
	at := filepath.Join(b.root, "download-"+version)
	must(b.t, os.MkdirAll(at, 0o755))
	for from, name := range map[string]string{build(b.t, "installer", version, "failpoint"): "installer", build(b.t, "test/fake/agent", version, "failpoint"): "agent"} {
		if _, err := os.Stat(filepath.Join(at, name)); err != nil {
			must(b.t, os.Link(from, filepath.Join(at, name)))
		}
	}
	b.installer = filepath.Join(at, "installer")
}

func (b *box) path(name string) string { return filepath.Join(b.root, name) }

func (b *box) write(name, body string) {
	b.t.Helper()
	must(b.t, os.MkdirAll(filepath.Dir(b.path(name)), 0o755))
	must(b.t, os.WriteFile(b.path(name), []byte(body), 0o600))
}

func (b *box) read(name string) string {
	body, _ := os.ReadFile(b.path(name))
	return string(body)
}

func (b *box) exists(name string) bool { _, err := os.Stat(b.path(name)); return err == nil }

// run runs the installer to its end; env goes on top of the system's.
func (b *box) run(env []string, typed string, args ...string) (out string, code int) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.installer, append(args, "--root", b.root, "--line-within", "200ms")...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(typed)
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err := cmd.Run()
	var x *exec.ExitError
	if err != nil && !errors.As(err, &x) {
		b.t.Fatalf("installer %v: %v", args, err)
	}
	if ctx.Err() != nil {
		b.t.Fatalf("installer %v did not end:\n%s", args, buf.String())
	}
	return buf.String(), cmd.ProcessState.ExitCode()
}

// good runs it and wants success.
func (b *box) good(args ...string) string {
	b.t.Helper()
	out, code := b.run(nil, "", args...)
	if code != 0 {
		b.t.Fatalf("installer %v: ended with %d\n%s", args, code, out)
	}
	return out
}

// boot is the PC's next start: a service that is registered starts with the program that is in place.
func (b *box) boot() {
	b.t.Helper()
	var sys struct {
		Registered bool
		Running    string
	}
	if json.Unmarshal([]byte(b.read("system.json")), &sys) != nil || !sys.Registered {
		return
	}
	b.write("system.json", `{"Registered":true,"Running":""}`)
	if out, err := exec.Command(b.path("opt/tillpost/agent"), "service", "start", "--config", b.path("etc/tillpost/agent.toml")).CombinedOutput(); err != nil {
		b.t.Fatalf("the PC starts and its service does not: %v\n%s", err, out)
	}
}

func (b *box) running() string {
	var sys struct{ Running string }
	_ = json.Unmarshal([]byte(b.read("system.json")), &sys)
	return sys.Running
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

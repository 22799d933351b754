//go:build unix

package windows_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/centre"
)

// patience bounds every command: a Windows service that hangs must not hang the tests.
const patience = 4 * time.Minute

// installers builds the installer and the agent of a version into a folder of drive C, side by side.
func (w *wine) installers(t *testing.T, version string) (installer string) {
	t.Helper()
	dir := w.path(`download-` + version)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	agent := w.build(t, version)
	if err := os.Rename(agent, filepath.Join(dir, "agent.exe")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X github.com/tillpost/tillpost/shared/version.Version="+version, "-o", filepath.Join(dir, "installer.exe"), "github.com/tillpost/tillpost/installer")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build installer.exe: %v\n%s", err, out)
	}
	return filepath.Join(dir, "installer.exe")
}

// says runs a program under Wine and wants words and success.
func (w *wine) says(t *testing.T, want string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, code := w.output(t, w.command(ctx, w.loader, args...))
	if code != 0 || !strings.Contains(out, want) {
		log, _ := os.ReadFile(w.path(`ProgramData\Tillpost\agent\log\agent.log`))
		t.Fatalf("%v: ended with %d, wanted %q\n%s\n%s", args, code, want, out, log)
	}
	return out
}

// hubProgram builds a hub for this machine.
func hubProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"hub", "agent"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name), "github.com/tillpost/tillpost/"+name).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	centre.Enrols(t, filepath.Join(dir, "agent"))
	return filepath.Join(dir, "hub")
}

// TestTheInstallerUnderWine is a store's life: installed as a service by one silent command, tickets at the hub, stopped and started, upgraded,
// taken off. Wine shows no recovery, no delayed start and no rights: packaging/windows-checklist.md lists what only real Windows can show.
func TestTheInstallerUnderWine(t *testing.T) {
	w := newWine(t)
	w.logOn(t)
	hub := hubProgram(t)
	c := centre.New(t, hub)
	c.Why = func() string {
		b, _ := os.ReadFile(w.path(`ProgramData\Tillpost\agent\log\agent.log`))
		return string(b)
	}
	w.write(t, `Heartland\Exports\sales.csv`, centre.Sales)
	out := w.says(t, "for S-17", w.installers(t, "v1.0.0"), "--hub", c.Door, "--code", c.Code("code", "S-17"), "--location", "S-17", "--accept")
	t.Logf("the transcript:\n%s", out)
	c.Ticket("1002")
	agent := w.path(`Program Files\Tillpost\agent.exe`)
	w.says(t, "v1.0.0", agent, "version")
	w.says(t, "", agent, "service", "stop")
	w.says(t, "", agent, "service", "start")
	w.says(t, "Tillpost v1.1.0", w.installers(t, "v1.1.0"), "--accept")
	w.says(t, "v1.1.0", agent, "version")
	w.says(t, "Tillpost v1.1.0", w.path(`Program Files\Tillpost\installer.exe`), "repair", "--accept")
	w.says(t, "Tillpost is off this PC", w.path(`download-v1.1.0\installer.exe`), "uninstall", "--accept")
	if _, err := os.Stat(agent); err == nil {
		t.Error("the agent's program is still there")
	}
}

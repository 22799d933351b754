//go:build !windows

package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	kardianos "github.com/kardianos/service"
)

// TestInstallIntoAnImage installs with the real systemctl into a folder: again, after somebody changed the file, after it was broken off, and
// beside a package's own file.
func TestInstallIntoAnImage(t *testing.T) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		t.Skip("systemctl is not installed: nothing was installed with it")
	}
	s := unitSpec(t)
	s.Root = t.TempDir()
	own := filepath.Join(s.Root, "etc/systemd/system/tillpost-test.service")
	wants := filepath.Join(s.Root, "etc/systemd/system/multi-user.target.wants/tillpost-test.service")
	step := func(name string, steps int) {
		t.Helper()
		did, err := Install(t.Context(), s)
		if err != nil || len(did) != steps {
			t.Fatalf("%s: %v %v", name, did, err)
		}
		st, err := Ask(t.Context(), s)
		if err != nil || !st.Installed || !st.Enabled || len(st.Differs) != 0 {
			t.Fatalf("%s: %+v %v", name, st, err)
		}
	}
	step("anew", 2)
	step("again", 0)
	if b, err := os.ReadFile(own); err != nil || string(b) != s.Unit() {
		t.Errorf("the file: %v\n%s", err, b)
	}
	if err := os.Remove(wants); err != nil {
		t.Fatal(err)
	}
	step("broken off before it was enabled", 1)
	if err := os.WriteFile(own, []byte("[Service]\nUser=root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if st, err := Ask(t.Context(), s); err != nil || len(st.Differs) == 0 || !strings.Contains(strings.Join(st.Differs, "\n"), "User=root") {
		t.Errorf("changed by somebody: %+v %v", st, err)
	}
	step("changed by somebody", 1)
	if did, err := Uninstall(t.Context(), s); err != nil || len(did) != 2 || exists(own) {
		t.Errorf("uninstall: %v %v", did, err)
	}
	if did, err := Uninstall(t.Context(), s); err != nil || len(did) != 0 {
		t.Errorf("uninstall again: %v %v", did, err)
	}
	if err := writeWhole(filepath.Join(s.Root, "usr/lib/systemd/system/tillpost-test.service"), []byte(s.Unit()), 0o644); err != nil {
		t.Fatal(err)
	}
	step("beside a package's file", 1)
	if exists(own) {
		t.Error("a package's file is the same and was written over")
	}
}

// refuses is a service manager that starts nothing.
type refuses struct{ kardianos.Service }

func (refuses) Platform() string { return "unix-systemv" }
func (refuses) Start() error     { return exec.Command("false").Run() }

// Where systemd does not run the system, a number that another manager ends with is no word for a person: what to do is.
func TestAManagerThatStartsNothing(t *testing.T) {
	err := otherManager{Spec{Name: "tillpost-test", Exe: "/opt/agent", Args: []string{"run", "--service"}}, refuses{}}.start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "not run by systemd") || !strings.HasSuffix(err.Error(), "/opt/agent run --service") {
		t.Error(err)
	}
}

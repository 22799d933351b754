package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample() Spec {
	return Spec{Name: "tillpost-test", Display: "Tillpost test", Description: "is a test", Exe: `C:\Program Files\Tillpost\agent.exe`, Args: []string{"run", "--service", "--config", `C:\Program Data\a.toml`},
		State: "/var/lib/tillpost-test"}
}

// Windows' own service has an identity that everybody knows: ours is reckoned in the same way.
func TestIdentity(t *testing.T) {
	if got, want := (Spec{Name: "TrustedInstaller"}).SID(), "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" + sample().SID() + ")"
	if got := sample().sddl(rightModify); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCommandLine(t *testing.T) {
	if got, want := sample().commandLine(), `"C:\Program Files\Tillpost\agent.exe" run --service --config "C:\Program Data\a.toml"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for in, want := range map[string]string{`a b\`: `"a b\\"`, `say "x"`: `"say \"x\""`, ``: `""`, `plain`: `plain`} {
		if got := quoteWindows(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// Everything that is written is compared; each single difference is told, and only what this Windows does not know is passed over.
func TestEveryDifferenceIsTold(t *testing.T) {
	want := sample().Wanted()
	if d := want.differs(want, nil); len(d) != 0 {
		t.Errorf("the same differs: %v", d)
	}
	var k Kept
	if d := k.differs(want, nil); len(d) != 11 {
		t.Errorf("%d differences: %v", len(d), d)
	}
	if d := k.differs(want, map[string]bool{"delayed": true, "own_sid": true}); len(d) != 9 {
		t.Errorf("%d differences without two: %v", len(d), d)
	}
	other := sample().Wanted()
	other.Recovery = append([]time.Duration(nil), other.Recovery[:2]...)
	if d := other.differs(want, nil); len(d) != 1 || !strings.Contains(d[0], "recovery") {
		t.Errorf("a missing restart: %v", d)
	}
}

func unitSpec(t *testing.T) Spec {
	t.Helper()
	exe, err := exec.LookPath("true")
	if err != nil {
		t.Skip("no /bin/true here")
	}
	return Spec{Name: "tillpost-test", Display: "Tillpost test", Description: "is a test", Exe: exe, Args: []string{"run", "--config", "/etc/a b$c%d.toml"}, State: "/var/lib/tillpost-test"}
}

func TestUnit(t *testing.T) {
	s := unitSpec(t)
	unit := s.Unit()
	for _, want := range []string{"Type=notify\n", "WatchdogSec=90\n", "Restart=always\n", "RestartSec=5\n", "StartLimitIntervalSec=0\n", "User=tillpost-test\n", "StateDirectory=tillpost-test\n",
		"ProtectSystem=strict\n", "NoNewPrivileges=yes\n", "CapabilityBoundingSet=\n", `run --config "/etc/a b$$c%%d.toml"` + "\n"} {
		if !strings.Contains(unit, want) {
			t.Errorf("no %q in\n%s", want, unit)
		}
	}
	s.State, s.LowPorts = "/srv/till data", true
	for _, want := range []string{`ReadWritePaths="/srv/till data"` + "\n", "AmbientCapabilities=CAP_NET_BIND_SERVICE\n"} {
		if !strings.Contains(s.Unit(), want) {
			t.Errorf("no %q in\n%s", want, s.Unit())
		}
	}
}

// systemd itself reads the unit, and finds nothing to say.
func TestSystemdReadsTheUnit(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: the unit file was not read by systemd")
	}
	s := unitSpec(t)
	file := filepath.Join(t.TempDir(), "tillpost-test.service")
	if err := os.WriteFile(file, []byte(s.Unit()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "tillpost-test") && !strings.Contains(line, "not running as root") {
			t.Errorf("systemd says: %s", line)
		}
	}
	if err != nil {
		t.Logf("verify: %v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), tool, "security", "--offline=true", "--threshold=25", "--no-pager", file).CombinedOutput()
	if err != nil {
		t.Errorf("exposed by more than 2.5 of 10: %v\n%s", err, out)
	}
	if i := strings.Index(string(out), "Overall exposure"); i >= 0 {
		t.Logf("%s", string(out)[i:])
	}
}

package main

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An MSI around stand-ins for the programs: its tables are what Windows reads, and it is the same again a moment later.
func TestTheMSIHasItsRowsAndIsTheSameAgain(t *testing.T) {
	for _, name := range []string{"wixl", "msibuild", "msiinfo"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: no MSI was made (apt-get install wixl msitools)", name)
		}
	}
	t.Chdir("../..")
	var sums [2][sha256.Size]byte
	for i := range sums {
		r := release{version: "v1.2.3-rc.1", out: t.TempDir(), epoch: time.Unix(1796083200, 0).UTC()}
		dir := t.TempDir()
		for _, name := range []string{"agent.exe", "installer.exe", thirdParty} {
			p := filepath.Join(dir, name)
			if err := os.WriteFile(p, []byte("stands for "+name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := r.dated(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.msi(t.Context(), targets[2], dir); err != nil {
			t.Fatal(err)
		}
		msi := filepath.Join(r.out, "tillpost-agent-v1.2.3-rc.1-windows-amd64.msi")
		body, err := os.ReadFile(msi)
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(body)
		all := ""
		for _, table := range []string{"Property", "CustomAction", "InstallExecuteSequence", "Upgrade"} {
			out, err := exec.Command("msiinfo", "export", msi, table).Output()
			if err != nil {
				t.Fatal(err)
			}
			all += strings.ReplaceAll(string(out), "\r", "")
		}
		for _, want := range []string{"ProductVersion\t1.2.3\n", "MsiHiddenProperties\tCODE\n", ";HUB;CODE;LOCATION;PROXY;ACCEPT\n", "Settle\t11282\tinstaller.exe\t--settle", "RemoveExistingProducts\t\t1501\n", "\t513\t\tWIX_UPGRADE_DETECTED", "Halved\t19\t", "Halved\tNOT Installed"} {
			if !strings.Contains(all, want) {
				t.Errorf("it lacks %q:\n%s", want, all)
			}
		}
	}
	if sums[0] != sums[1] {
		t.Error("made again it is another")
	}
}

func TestVersions(t *testing.T) {
	for _, c := range [][3]string{{"v1.2.3", "1.2.3", "1.2.3"}, {"v1.2.3-rc.1", "1.2.3", "1.2.3-rc.1"}, {"v1.2.3-4-gabc", "1.2.3", "1.2.3-4-gabc"}, {"3b1e58c", "0.0.0", "0.0.0-3b1e58c"}, {"dev-dirty", "0.0.0", "0.0.0-dev.dirty"}} {
		if n, p := number(c[0]), packaged(c[0]); n != c[1] || p != c[2] {
			t.Errorf("%s: got %s and %s", c[0], n, p)
		}
	}
	if guid("a") == guid("b") || guid("a") != guid("a") || len(guid("a")) != 36 || guid("a")[14] != '5' {
		t.Error(guid("a"))
	}
}

//go:build linux

package release_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheMSIInstallsUnderWine: without a hub it lays the programs down and leaves them for later; a wrong set of properties changes nothing; and
// it goes again. test/windows runs the installer with a hub.
func TestTheMSIInstallsUnderWine(t *testing.T) {
	msi := file(t, msiEnd)
	tool(t, "wine", "wine wine64")
	tool(t, "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
	home, run := winePrefix(t)
	agent := filepath.Join(home, "prefix/drive_c/Program Files/Tillpost/agent.exe")
	if out, code := run("wine", "msiexec", "/i", msi, "/qn", "HUB=hub.example.com", "CODE=ABCD-EFGH-JKMN-PQRS"); code == 0 || exists(agent) {
		t.Errorf("HUB without ACCEPT: %d, program there: %v\n%s", code, exists(agent), out)
	}
	if out, code := run("wine", "msiexec", "/i", msi, "/qn", "HUB=hub.example.com", "COD=ABCD-EFGH-JKMN-PQRS", "ACCEPT=1"); code == 0 || exists(agent) {
		t.Errorf("HUB without CODE: %d, program there: %v\n%s", code, exists(agent), out)
	}
	if out, code := run("wine", "msiexec", "/i", msi, "/qn"); code != 0 || !exists(agent) {
		t.Fatalf("install: %d\n%s", code, out)
	}
	if out, code := run("wine", agent, "version"); code != 0 || !strings.Contains(out, version) {
		t.Errorf("the agent: %d %s", code, out)
	}
	if out, code := run("wine", filepath.Join(filepath.Dir(agent), "installer.exe"), "--settle"); code != 0 || !strings.Contains(out, "The program is in place") {
		t.Errorf("settle: %d %s", code, out)
	}
	if out, code := run("wine", "msiexec", "/x", msi, "/qn"); code != 0 || exists(agent) {
		t.Errorf("uninstall: %d, program there: %v\n%s", code, exists(agent), out)
	}
}

// TestAnMSIOverAnMSI is what Intune does with the next version: one program on the PC afterwards, the data as it was; the old one over the new is
// refused and changes nothing.
func TestAnMSIOverAnMSI(t *testing.T) {
	old := file(t, msiEnd)
	for name, packages := range map[string]string{"msiinfo": "msitools", "wine": "wine wine64", "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64"} {
		tool(t, name, packages)
	}
	const next = "v1.2.4"
	out := filepath.Join(t.TempDir(), "dist")
	if err := makeVersion(root(), out, next, nil, "-only", "windows/amd64"); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(out, "*"+msiEnd))
	if len(found) != 1 {
		t.Fatalf("%d MSIs of the next version", len(found))
	}
	was, is := properties(t, old), properties(t, found[0])
	if was["UpgradeCode"] == "" || was["UpgradeCode"] != is["UpgradeCode"] || was["ProductCode"] == is["ProductCode"] || was["ProductVersion"] != "1.2.3" || is["ProductVersion"] != "1.2.4" {
		t.Errorf("the two are not versions of one program:\n%v\n%v", was, is)
	}
	upgrade := strings.ReplaceAll(said(t, "msiinfo", "export", found[0], "Upgrade"), "\r", "")
	has(t, "Upgrade of the next", upgrade, was["UpgradeCode"]+"\t\t1.2.4\t", "WIX_UPGRADE_DETECTED", "WIX_DOWNGRADE_DETECTED")

	home, run := winePrefix(t)
	agent := filepath.Join(home, "prefix/drive_c/Program Files/Tillpost/agent.exe")
	runs := func(want string) {
		t.Helper()
		if out, code := run("wine", agent, "version"); code != 0 || strings.TrimSpace(out) != want {
			t.Errorf("the agent on the PC: %d %q, want %s", code, out, want)
		}
		reg, _ := run("wine", "reg", "query", `HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall`, "/s")
		if n := strings.Count(reg, "Tillpost agent"); n != 1 || !strings.Contains(reg, strings.TrimPrefix(want, "v")) {
			t.Errorf("Windows lists %d programs of ours, want %s alone:\n%s", n, want, reg)
		}
	}
	if out, code := run("wine", "msiexec", "/i", old, "/qn"); code != 0 {
		t.Fatalf("install: %d\n%s", code, out)
	}
	runs(version)
	data := filepath.Join(home, "prefix/drive_c/ProgramData/Tillpost")
	kept := map[string]string{"agent.toml": "# kept\n", "agent/buffer.db": "what was not sent"}
	for name, text := range kept {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(data, name)), 0o755), os.WriteFile(filepath.Join(data, name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := run("wine", "msiexec", "/i", found[0], "/qn"); code != 0 {
		t.Fatalf("the next over it: %d\n%s", code, out)
	}
	runs(next)
	if out, code := run("wine", "msiexec", "/i", old, "/qn"); code == 0 {
		t.Errorf("the old one over the new one is taken:\n%s", out)
	}
	runs(next)
	for name, text := range kept {
		if b, err := os.ReadFile(filepath.Join(data, name)); err != nil || string(b) != text {
			t.Errorf("%s after the upgrade: %q %v", name, b, err)
		}
	}
	if out, code := run("wine", "msiexec", "/x", found[0], "/qn"); code != 0 || exists(agent) {
		t.Errorf("uninstall: %d, program there: %v\n%s", code, exists(agent), out)
	}
}

func properties(t *testing.T, msi string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for line := range strings.Lines(said(t, "msiinfo", "export", msi, "Property")) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t"); ok {
			m[name] = value
		}
	}
	return m
}

// winePrefix is a fresh Windows, as far as Wine is one; run gives a command's words and exit code. Skips where Wine does not start.
func winePrefix(t *testing.T) (home string, run func(args ...string) (string, int)) {
	t.Helper()
	home = t.TempDir()
	run = func(args ...string) (string, int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		out, err := os.CreateTemp(home, "out-") // Wine's server lives on and would hold a pipe open
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "WINEPREFIX=" + filepath.Join(home, "prefix"), "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
		cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, home
		var x *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &x) {
			t.Fatalf("%v: %v", args, err)
		}
		b, _ := os.ReadFile(out.Name())
		return string(b), cmd.ProcessState.ExitCode()
	}
	t.Cleanup(func() { endWine(home) })
	if out, code := run("wine", "wineboot", "--init"); code != 0 {
		t.Skipf("wine does not start here: %d %s", code, out)
	}
	dll := filepath.Join(home, "prefix/drive_c/windows/system32/bcryptprimitives.dll")
	if _, err := os.Stat(dll); err != nil {
		said(t, "x86_64-w64-mingw32-gcc", "-shared", "-O2", "-s", "-o", dll, "../windows/testdata/prng.c", "-ladvapi32")
	}
	return home, run
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// endWine ends Wine's server.
func endWine(home string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, how := range []string{"-k", "-w"} {
		cmd := exec.CommandContext(ctx, "wineserver", how)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "WINEPREFIX=" + filepath.Join(home, "prefix")}
		_ = cmd.Run() // none may run
	}
}

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
	home := t.TempDir()
	run := func(args ...string) (string, int) {
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
	agent := filepath.Join(home, "prefix/drive_c/Program Files/Tillpost/agent.exe")
	if out, code := run("wine", "msiexec", "/i", msi, "/qn", "HUB=hub.example.com", "CODE=ABCD-EFGH-JKMN-PQRS"); code == 0 || exists(agent) {
		t.Errorf("HUB without ACCEPT: %d, program there: %v\n%s", code, exists(agent), out)
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

//go:build unix

// Package windows_test builds the agent for Windows, with SQLite, and runs it under Wine where that is installed: the same program that a
// store's PC gets, its paths, locks, key protection and time zones.
package windows_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const compiler = "x86_64-w64-mingw32-gcc"

// wine is a Windows of its own in a folder.
type wine struct {
	loader, dir string
	env         []string
	ctx         context.Context // ends before the run's own limit, so that what is slow is told and not only stopped
}

// newWine makes one, or skips and says what is missing.
func newWine(t *testing.T) *wine {
	t.Helper()
	if testing.Short() {
		t.Skip("cross-builds and runs the agent for Windows; left out of short runs")
	}
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skipf("%s is not installed: the agent was not built for Windows (apt-get install gcc-mingw-w64-x86-64)", compiler)
	}
	w := &wine{dir: t.TempDir(), ctx: untilNearTheLimit(t)}
	for _, name := range []string{"wine", "wine64", "/usr/lib/wine/wine64"} { // the last is where a distribution hides it
		if path, err := exec.LookPath(name); err == nil {
			w.loader = path
			break
		}
	}
	if w.loader == "" {
		t.Skip("wine is not installed: the agent was not run on Windows (apt-get install wine wine64)")
	}
	// Nothing of the outer system's Go, home and screen is seen inside.
	w.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "WINEPREFIX=" + filepath.Join(w.dir, "prefix"), "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml="}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = w.server(ctx, "-k")
		_ = w.server(ctx, "-w")
	})
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	if out, code := w.output(t, w.command(ctx, w.loader, "wineboot", "--init")); code != 0 {
		t.Skipf("wine does not start here: %d %s", code, out)
	}
	w.settle(t)
	w.randomness(t)
	return w
}

// settle waits until Wine has shut all of its own down after the last program: services that are installed in between go down with it.
func (w *wine) settle(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	if err := w.server(ctx, "-w"); err != nil {
		t.Logf("Wine was not seen at rest after its first start (%v): a service that is installed now may vanish with it", err)
	}
}

// server runs Wine's own server: with -w it waits until all of Wine has ended, with -k it ends it.
func (w *wine) server(ctx context.Context, option string) (err error) {
	for _, name := range []string{"wineserver", "/usr/lib/wine/wineserver64"} { // the last is where a distribution hides it
		var path string
		if path, err = exec.LookPath(name); err == nil {
			return w.command(ctx, path, option).Run()
		}
	}
	return err
}

// untilNearTheLimit ends a minute before the run's time is over: enough to say so and to tidy up.
func untilNearTheLimit(t *testing.T) context.Context {
	limit, ok := t.Deadline()
	if !ok {
		return t.Context()
	}
	ctx, cancel := context.WithDeadline(t.Context(), limit.Add(-time.Minute))
	t.Cleanup(cancel)
	return ctx
}

// randomness gives Wine the library that it may lack.
func (w *wine) randomness(t *testing.T) {
	t.Helper()
	dll := w.path(`windows\system32\bcryptprimitives.dll`)
	if _, err := os.Stat(dll); err == nil {
		return
	}
	cmd := exec.CommandContext(w.ctx, compiler, "-shared", "-O2", "-s", "-o", dll, "testdata/prng.c", "-ladvapi32")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build bcryptprimitives.dll: %v\n%s", err, out)
	}
}

// path is where a file of drive C lies outside.
func (w *wine) path(inside string) string {
	return filepath.Join(w.dir, "prefix", "drive_c", filepath.FromSlash(strings.ReplaceAll(inside, `\`, "/")))
}

func (w *wine) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Dir = w.env, w.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// output runs a command to its end. What it says goes through a file: Wine's server lives on and would hold a pipe open.
func (w *wine) output(t *testing.T, cmd *exec.Cmd) (out string, code int) {
	t.Helper()
	f, err := os.CreateTemp(w.dir, "out-")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	began := time.Now()
	var x *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &x) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	t.Logf("%.1f s: %v", time.Since(began).Seconds(), cmd.Args[1:])
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r", ""), cmd.ProcessState.ExitCode()
}

// write puts a file on drive C.
func (w *wine) write(t *testing.T, inside, body string) {
	t.Helper()
	path := w.path(inside)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// build makes agent.exe.
func (w *wine) build(t *testing.T, version string) string {
	t.Helper()
	exe := filepath.Join(w.dir, "agent.exe")
	cmd := exec.CommandContext(w.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/tillpost/tillpost/shared/version.Version="+version,
		"-o", exe, "github.com/tillpost/tillpost/agent")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=1", "CC="+compiler)
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build agent.exe: %v after %.1f s\n%s", err, time.Since(began).Seconds(), out)
	}
	t.Logf("%.1f s: agent.exe is built", time.Since(began).Seconds())
	return exe
}

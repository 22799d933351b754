// Package e2e_test runs built binaries and pulls the plug on them: agent, hub, broker and Odoo are killed at every commit boundary and at
// random while tickets flow. In the end nothing may be lost, doubled or a cent off.
package e2e_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// proc is a program that is started again whenever it dies.
type proc struct {
	name string
	args []string
	log  *os.File

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
}

// soon is within what everything that must happen happens, however busy the machine is. It is a limit for what hangs, no measure: each wait ends
// with what it waits for.
const soon = 2 * time.Minute

// worlds is how many tests run side by side, on any machine: they wait more than they compute.
const worlds = 4

// TestMain lets worlds stand side by side, and removes the binaries.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", strconv.Itoa(worlds))
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// build makes the binaries with fail points in them, once for all tests, and returns their folder.
func build(t *testing.T) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// built is where they are, for TestMain to remove.
var built string

var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tillpost-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	for out, pkg := range map[string]string{"agent": "agent", "hub": "hub", "odoo": "test/fake/odoo/cmd"} {
		cmd := exec.Command("go", "build", "-tags", "failpoint", "-o", filepath.Join(dir, out), "github.com/tillpost/tillpost/"+pkg)
		if b, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", pkg, err, b)
		}
	}
	return dir, nil
})

// begin runs the program once more, with a fail point or without.
func (p *proc) begin(point string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), "TILLPOST_FAILPOINT="+point)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // end tells how it ended
		close(done)
	}()
	p.cmd, p.done = cmd, done
	return nil
}

// ending is how a program stands.
type ending int

const (
	running ending = iota
	pulled         // by SIGKILL: the test's, or its fail point's
	itself         // it crashed or gave up: no kill of ours, and a finding
)

// end waits for the program's end, but not longer than so.
func (p *proc) end(within time.Duration) ending {
	select {
	case <-p.done:
	default:
		select {
		case <-p.done:
		case <-time.After(within):
			return running
		}
	}
	if ws, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return pulled
	}
	return itself
}

// pullPlug kills it as a power cut does: no handler runs.
func (p *proc) pullPlug() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// waitFor waits until something listens on addr.
func waitFor(t *testing.T, addr string) {
	t.Helper()
	for end := time.Now().Add(soon); ; <-time.After(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nothing listens on %s", addr)
		}
	}
}

func writeFile(t *testing.T, path, format string, args ...any) string {
	t.Helper()
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command runs a hub command to its end.
func command(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	b, err := exec.CommandContext(ctx, args[0], args[1:]...).Output()
	if err != nil {
		var words string
		if x, ok := err.(*exec.ExitError); ok {
			words = string(x.Stderr)
		}
		t.Fatalf("%v: %v\n%s%s", args, err, b, words)
	}
	return string(b)
}

// tail shows the end of a log when a test fails.
func tail(t *testing.T, path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	var last []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if last = append(last, s.Text()); len(last) > 15 {
			last = last[1:]
		}
	}
	for _, l := range last {
		t.Log(l)
	}
}

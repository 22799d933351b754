// Package e2e_test runs built binaries and pulls the plug on them: agent, hub with its broker, and Odoo are killed at every commit boundary
// and at random while tickets flow. In the end nothing may be lost, doubled or a cent off.
package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
	ran  string // the fail point of this run
}

// build makes the binaries with fail points in them.
func build(t *testing.T, dir string) {
	t.Helper()
	for out, pkg := range map[string]string{"agent": "agent", "hub": "hub", "odoo": "test/fake/odoo/cmd"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoint", "-o", filepath.Join(dir, out), "github.com/tillpost/tillpost/"+pkg)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, b)
		}
	}
}

// start runs the program once more, with a fail point or without.
func (p *proc) start(point string) error {
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
		_ = cmd.Wait() // how it died is the test's own doing
		close(done)
	}()
	p.cmd, p.done, p.ran = cmd, done, point
	return nil
}

// died waits until the fail point has struck; false when it did not within the time.
func (p *proc) died(within time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(within):
		return false
	}
}

// kill pulls the plug.
func (p *proc) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop ends it as an operator would.
func (p *proc) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if !p.died(10 * time.Second) {
		p.kill()
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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

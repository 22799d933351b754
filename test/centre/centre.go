// Package centre is a real hub on this machine, for tests that run a real agent somewhere else: in a container, or under Wine.
package centre

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// Sales are two tickets of location S-17 as a till exports them (profile heartland-retail-sales-history); the last is 1002.
const Sales = `Ticket #,Location #,Sales Rep,Customer #,Completed At,Item #,Item Qty,Item Adjusted Unit Price,Tax Total
1001,S-17,anna,,2026-11-25T10:00:00Z,COFFEE,2,3.50,0.58
1002,S-17,anna,,2026-11-25T11:00:00Z,TEA,1,3.00,0.25
`

// Centre is the hub: built, running, with the location S-17.
type Centre struct {
	t           *testing.T
	Door        string        // where PCs enrol
	Why         func() string // what is said when a ticket does not come
	hub, config string
}

// New starts a hub; it stops with the test.
func New(t *testing.T, hub string) *Centre {
	t.Helper()
	dir := t.TempDir()
	c := &Centre{t: t, hub: hub, config: filepath.Join(dir, "hub.toml"), Door: port.Free(t)}
	must(t, os.WriteFile(c.config, fmt.Appendf(nil, "data_dir = %q\n[web]\nlisten = %q\n[metrics]\nlisten = \"\"\n[broker]\nlisten = %q\n[enrol]\nlisten = %q\n", filepath.Join(dir, "data"), port.Free(t), port.Free(t), c.Door), 0o600))
	c.says("location", "add", "S-17", "--name", "Springfield", "--zone", "America/Chicago")
	log, err := os.Create(filepath.Join(dir, "hub.log"))
	must(t, err)
	cmd := exec.Command(hub, "run", "--config", c.config)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		log.Close()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("the hub said:\n%s", tail(string(b)))
		}
	})
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if x, err := net.Dial("tcp", c.Door); err == nil {
			x.Close()
			return c
		}
		if time.Now().After(deadline) {
			t.Fatal("the hub does not come up")
		}
	}
}

func (c *Centre) says(args ...string) string {
	c.t.Helper()
	out, err := command(c.t, time.Minute, c.hub, append(args, "--config", c.config)...)
	if err != nil {
		c.t.Fatalf("hub %v: %v\n%s", args, err, out)
	}
	return out
}

// Code makes a one-time code by a command of `hub device`: code S-17, or replace DEVICE.
func (c *Centre) Code(args ...string) string {
	c.t.Helper()
	out := c.says(append([]string{"device"}, args...)...)
	for _, w := range strings.FieldsFunc(out, func(r rune) bool { return r == ' ' || r == '\n' || r == ':' || r == ',' }) {
		if len(w) == 19 && strings.Count(w, "-") == 3 && strings.ToUpper(w) == w {
			return w
		}
	}
	c.t.Fatalf("no code in: %s", out)
	return ""
}

// Ticket waits until a ticket is there by its number.
func (c *Centre) Ticket(want string) {
	c.t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
		out, err := command(c.t, time.Minute, c.hub, "ticket", want, "--config", c.config)
		if err == nil && strings.Contains(out, want) {
			return
		}
		if time.Now().After(deadline) {
			why := ""
			if c.Why != nil {
				why = c.Why()
			}
			c.t.Fatalf("the hub has no ticket %s:\n%s\n%s", want, out, why)
		}
	}
}

func command(t *testing.T, within time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Enrols skips the test by name when the agent that was built has no enrolment: then nothing of a stranger's run can be shown.
func Enrols(t *testing.T, agent string) {
	t.Helper()
	if out, err := command(t, time.Minute, agent, "enrol", "--help"); err != nil || !strings.Contains(out, "--code-file") {
		t.Skipf("NOT RUN: this build's agent cannot enrol: %s", out)
	}
}

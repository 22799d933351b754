// Package rig runs built binaries for tests: a hub with its broker and database, agents beside it, and the fake Odoo, in a folder of their
// own, with what they log.
package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// Rig is one hub with what belongs to it. Make it with New.
type Rig struct {
	T      *testing.T
	Dir    string
	Broker string // its address
	Odoo   string // the fake Odoo's address
	hub    string // its settings
}

// New builds the binaries and starts the fake Odoo and the hub; locations are [[location]] tables of hub.toml, setup what hub odoo setup is
// told.
func New(t *testing.T, locations string, setup ...string) *Rig {
	t.Helper()
	r := &Rig{T: t, Dir: t.TempDir(), Broker: port.Free(t), Odoo: port.Free(t)}
	for out, pkg := range map[string]string{"agent": "agent", "hub": "hub", "odoo": "test/fake/odoo/cmd"} {
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", r.At(out), "github.com/tillpost/tillpost/"+pkg)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, b)
		}
	}
	r.Start("odoo", r.At("odoo"), "-listen", r.Odoo, "-state", r.At("odoo.json"))
	r.listens(r.Odoo)
	r.Write("key", "key\n")
	r.hub = r.Write("hub.toml", "data_dir=%q\n[web]\nlisten=%q\n[broker]\nlisten=%q\n[odoo]\nurl=\"http://%s\"\ndatabase='odoo'\nuser='tillpost'\nkey_file=%q\n"+
		"[posting]\ngrace='0s'\nsettle='0s'\nticket_gaps='absent'\n%s", r.At("hubdata"), port.Free(t), r.Broker, r.Odoo, r.At("key"), locations)
	r.Start("hub", r.At("hub"), "run", "--config", r.hub)
	r.listens(r.Broker)
	r.Hub(append([]string{"odoo", "setup"}, setup...)...)
	return r
}

// At is a path in the rig's folder.
func (r *Rig) At(name string) string { return filepath.Join(r.Dir, name) }

// Write writes a file of the rig's folder.
func (r *Rig) Write(name, format string, args ...any) string {
	r.T.Helper()
	if err := os.MkdirAll(filepath.Dir(r.At(name)), 0o700); err != nil {
		r.T.Fatal(err)
	}
	if err := os.WriteFile(r.At(name), fmt.Appendf(nil, format, args...), 0o600); err != nil {
		r.T.Fatal(err)
	}
	return r.At(name)
}

// Agent registers a device and writes its settings; more are further TOML.
func (r *Rig) Agent(device, more string) (settings string) {
	r.T.Helper()
	secret := r.Write(device+".password", "%s\n", strings.TrimSpace(r.Hub("device", "add", device)))
	return r.Write(device+".toml", "device=%q\ndata_dir=%q\n[hub]\nurl=\"mqtt://%s\"\npassword_file=%q\nretry_longest='300ms'\n%s", device, r.At(device+"-data"), r.Broker, secret, more)
}

// Hub runs a hub command and returns what it says; it must succeed.
func (r *Rig) Hub(args ...string) string {
	r.T.Helper()
	out, err := r.Run(r.At("hub"), append(args, "--config", r.hub)...)
	if err != nil {
		r.T.Fatalf("hub %v: %v", args, err)
	}
	return out
}

// HubJSON runs a hub command and reads its answer.
func (r *Rig) HubJSON(into any, args ...string) {
	r.T.Helper()
	if err := json.Unmarshal([]byte(r.Hub(append(args, "--json")...)), into); err != nil {
		r.T.Fatalf("hub %v: %v", args, err)
	}
}

// Run runs a program to its end; the error holds what it said on its error output.
func (r *Rig) Run(name string, args ...string) (string, error) {
	out, err := exec.CommandContext(r.T.Context(), name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(out), err
}

// Start runs a program until the test ends or stop is called; it logs to name.log.
func (r *Rig) Start(name string, program string, args ...string) (stop func()) {
	r.T.Helper()
	log, err := os.OpenFile(r.At(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.T.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.T.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is ended by us; what it said stands in the log
		close(done)
	}()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		log.Close()
		if r.T.Failed() {
			body, _ := os.ReadFile(r.At(name + ".log"))
			r.T.Logf("%s ends with:\n%s", name, body[max(0, len(body)-2000):])
		}
	}
	r.T.Cleanup(stop)
	return stop
}

// Until waits for what must come.
func (r *Rig) Until(within time.Duration, what string, ok func() bool) {
	r.T.Helper()
	ctx, cancel := context.WithTimeout(r.T.Context(), within)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			r.T.Fatalf("%s did not come in %s", what, within)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *Rig) listens(addr string) {
	r.T.Helper()
	r.Until(30*time.Second, "an answer of "+addr, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

//go:build linux

package release_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/centre"
	"github.com/tillpost/tillpost/test/port"
)

// emulator runs programs for arm64 here.
const emulator = "qemu-aarch64-static"

// TestAgentAndHubOnARM runs the programs for arm64 in an emulator, as far as a ticket from the one to the other: sold at the agent's door, and dropped
// as a file; then the doctor, the status, and an end when they are told to.
func TestAgentAndHubOnARM(t *testing.T) {
	archive := file(t, "tillpost-"+version+"-linux-arm64.tar.gz")
	tool(t, emulator, "qemu-user-static")
	dir := t.TempDir()
	said(t, "tar", "-xzf", archive, "-C", dir, "--strip-components=1")
	for _, name := range []string{"agent", "hub", "installer"} { // as the kernel would, were it told of the emulator
		arm := filepath.Join(dir, name+".arm64")
		if err := os.Rename(filepath.Join(dir, name), arm); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "#!/bin/sh\nexec %s %q \"$@\"\n", emulator, arm), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	agent := filepath.Join(dir, "agent")
	for name, arg := range map[string]string{"agent": "version", "hub": "version", "installer": "--version"} {
		has(t, name, said(t, filepath.Join(dir, name), arg), version)
	}

	c := centre.New(t, filepath.Join(dir, "hub"))
	drop, conf := filepath.Join(dir, "drop"), filepath.Join(dir, "agent.toml")
	if err := os.Mkdir(drop, 0o755); err != nil {
		t.Fatal(err)
	}
	door, page := port.Free(t), port.Free(t)
	for path, text := range map[string]string{
		filepath.Join(dir, "token"): "till\n",
		conf: fmt.Sprintf("data_dir = %q\n[hub]\nretry_longest = '1s'\n[status]\nlisten = %q\n[source.localapi]\nlisten = %q\ntoken_file = %q\n[[source.filedrop]]\nname = 'sales'\ndir = %q\nprofile = 'heartland-retail-sales-history'\nlocation = 'S-17'\nsettle = '100ms'\n",
			filepath.Join(dir, "data"), page, door, filepath.Join(dir, "token"), drop),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said(t, agent, "enrol", "--hub", "https://"+c.Door, "--code", c.Code("code", "S-17"), "--config", conf)
	said(t, agent, "check-config", "--config", conf)
	log, err := os.Create(filepath.Join(dir, "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	run := exec.Command(agent, "run", "--config", conf)
	run.Stdout, run.Stderr = log, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	t.Cleanup(func() { _ = run.Process.Kill() })
	c.Why = func() string { b, _ := os.ReadFile(log.Name()); return string(b) }

	sell(t, door, "arm-1")
	c.Ticket("arm-1")
	if err := os.WriteFile(filepath.Join(drop, "sales.csv"), []byte(centre.Sales), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Ticket("1002")
	has(t, "status", said(t, agent, "status", "--config", conf), "Everything is fine")
	said(t, agent, "doctor", "--config", conf)
	_ = run.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("told to stop it ends with %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Error("it does not stop when it is told to")
	}
}

// sell hands a ticket over at the agent's door, and asks again until it is told that it is safe.
func sell(t *testing.T, door, id string) {
	t.Helper()
	body := fmt.Sprintf(`{"id":%q,"location":"S-17","till":"T1","at":%q,"currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`,
		id, time.Now().UTC().Format(time.RFC3339))
	last := ""
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+door+"/v1/tickets", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer till")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			var b bytes.Buffer
			_, _ = b.ReadFrom(resp.Body)
			resp.Body.Close()
			last = resp.Status + " " + b.String()
		} else {
			last = err.Error()
		}
		cancel()
		if err == nil && resp.StatusCode == http.StatusCreated {
			return
		}
	}
	t.Fatalf("the agent does not take a ticket: %s", last)
}

//go:build linux

// Package service_test runs the built agent and hub as a service manager does: what they tell it, and how they stop.
package service_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

var builds struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builds.dir != "" {
		os.RemoveAll(builds.dir)
	}
	os.Exit(code)
}

// binary builds a program once.
func binary(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	builds.Lock()
	defer builds.Unlock()
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "tillpost-service-")
		if err != nil {
			t.Fatal(err)
		}
		builds.dir = dir
	}
	path := filepath.Join(builds.dir, name)
	if _, err := os.Stat(path); err != nil {
		if b, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/tillpost/tillpost/"+name).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, b)
		}
	}
	return path
}

// ear is what systemd listens with.
type ear struct {
	t     *testing.T
	conn  *net.UnixConn
	path  string
	mu    sync.Mutex
	heard []string
}

func listen(t *testing.T) *ear {
	t.Helper()
	dir, err := os.MkdirTemp("", "ear-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{t: t, path: filepath.Join(dir, "notify")}
	if e.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: e.path, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.conn.Close(); os.RemoveAll(dir) })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := e.conn.Read(b)
			if err != nil {
				return
			}
			e.mu.Lock()
			e.heard = append(e.heard, string(b[:n]))
			e.mu.Unlock()
		}
	}()
	return e
}

func (e *ear) count(word string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.heard {
		if strings.Contains("\n"+h+"\n", "\n"+word+"\n") {
			n++
		}
	}
	return n
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s in vain for %s", what)
		}
	}
}

// process is a started program.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string
	done chan error
}

func start(t *testing.T, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), log: filepath.Join(t.TempDir(), "out"), done: make(chan error, 1)}
	f, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(os.Environ(), env...), f, f
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		p.done <- p.cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-ended
		if b, err := os.ReadFile(p.log); err == nil && t.Failed() {
			t.Logf("%s says:\n%s", filepath.Base(program), b)
		}
	})
	return p
}

// stop asks it to end and returns how it did.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		return err
	case <-time.After(30 * time.Second):
		p.t.Fatal("it did not stop in 30 s")
		return nil
	}
}

// write writes a file of the test's folder.
func write(t *testing.T, path, format string, args ...any) string {
	t.Helper()
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// agentTOML writes the settings of an agent that a till pushes to; more are further lines.
func agentTOML(t *testing.T, broker, door, more string) (file, data string) {
	t.Helper()
	dir := t.TempDir()
	data = filepath.Join(dir, "data")
	token := write(t, filepath.Join(dir, "token"), "till\n")
	return write(t, filepath.Join(dir, "agent.toml"), "device='pc'\ndata_dir=%q\n%s\n[hub]\nurl=\"mqtt://%s\"\n[source.localapi]\nlisten=%q\ntoken_file=%q\n", data, more, broker, door, token), data
}

// sell pushes a ticket; said is the agent's answer, 0 = none.
func sell(ctx context.Context, door, id string) (said int) {
	body := fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`, id)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+door+"/v1/tickets", strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer till")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestTheAgentTellsSystemd: it is ready when a till can push, gives signs of life, says that it stops, finishes what a till was told is safe,
// and leaves a database that nothing has to be recovered of.
func TestTheAgentTellsSystemd(t *testing.T) { tellsSystemd(t) }

// The launcher tells the same of the agent that it starts, hears the same signal as the agent does, and ends as it ends.
func TestTheLauncherTellsSystemd(t *testing.T) { tellsSystemd(t, "--service") }

func tellsSystemd(t *testing.T, how ...string) {
	t.Helper()
	e, door := listen(t), port.Free(t)
	file, data := agentTOML(t, port.Free(t), door, "")
	p := start(t, binary(t, "agent"), []string{"NOTIFY_SOCKET=" + e.path, "WATCHDOG_USEC=600000"}, append([]string{"run", "--config", file}, how...)...)
	until(t, "READY=1", func() bool { return e.count("READY=1") == 1 })
	until(t, "three signs of life", func() bool { return e.count("WATCHDOG=1") >= 3 })
	until(t, "an open door", func() bool { return sell(t.Context(), door, "first") == http.StatusCreated })

	told, wait := []string{"first"}, sync.WaitGroup{}
	var mu sync.Mutex
	for i := range 4 { // tills that go on while it stops
		wait.Go(func() {
			for n := range 10_000 {
				id := fmt.Sprintf("t%d-%d", i, n)
				if sell(t.Context(), door, id) != http.StatusCreated {
					return
				}
				mu.Lock()
				told = append(told, id)
				mu.Unlock()
			}
		})
	}
	until(t, "many tickets", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) > 100 })
	if err := p.stop(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	wait.Wait()
	if e.count("STOPPING=1") != 1 || e.count("READY=1") != 1 {
		t.Errorf("heard %q", e.heard)
	}
	if _, err := os.Stat(filepath.Join(data, "buffer.db-wal")); !os.IsNotExist(err) {
		t.Errorf("the write-ahead log was left behind: %v", err)
	}
	out := filepath.Join(t.TempDir(), "all.ndjson")
	if b, err := exec.CommandContext(t.Context(), binary(t, "agent"), "buffer", "export", out, "--config", file).CombinedOutput(); err != nil {
		t.Fatalf("export: %v %s", err, b)
	}
	held, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range told {
		if !strings.Contains(string(held), `"`+id+`"`) {
			t.Fatalf("the till was told that %s is safe, and it is not held", id)
		}
	}
}

// TestTheLauncherLeavesNobodyBehind: killed, it takes the agent with it, and the next one starts at once; an agent that is killed ends the
// launcher with an error, which systemd answers.
func TestTheLauncherLeavesNobodyBehind(t *testing.T) {
	door := port.Free(t)
	file, _ := agentTOML(t, port.Free(t), door, "")
	for _, who := range []string{"launcher", "agent"} {
		p := start(t, binary(t, "agent"), nil, "run", "--service", "--config", file)
		until(t, "an open door", func() bool { return sell(t.Context(), door, who) == http.StatusCreated })
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.cmd.Process.Pid, p.cmd.Process.Pid))
		kids := strings.Fields(string(children))
		for task, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid)); len(kids) == 0 && len(task) > 0; task = task[1:] {
			children, err = os.ReadFile(task[0])
			kids = strings.Fields(string(children))
		}
		if err != nil || len(kids) != 1 {
			t.Fatalf("the launcher's children: %q %v", children, err)
		}
		kid, err := strconv.Atoi(kids[0])
		if err != nil {
			t.Fatal(err)
		}
		victim := map[string]int{"launcher": p.cmd.Process.Pid, "agent": kid}[who]
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-p.done:
			if err == nil {
				t.Errorf("the %s was killed and the launcher ended as if nothing was", who)
			}
			p.done <- err
		case <-time.After(20 * time.Second):
			t.Fatalf("the %s was killed and the launcher goes on", who)
		}
		until(t, "the agent to be gone", func() bool { return sell(t.Context(), door, "nobody") == 0 })
	}
}

// A hub tells the same.
func TestTheHubTellsSystemd(t *testing.T) {
	e, dir := listen(t), t.TempDir()
	file := write(t, filepath.Join(dir, "hub.toml"), "data_dir=%q\n[web]\nlisten=%q\n[broker]\nlisten=%q\n", filepath.Join(dir, "data"), port.Free(t), port.Free(t))
	p := start(t, binary(t, "hub"), []string{"NOTIFY_SOCKET=" + e.path, "WATCHDOG_USEC=600000"}, "run", "--config", file)
	until(t, "READY=1", func() bool { return e.count("READY=1") == 1 })
	until(t, "a sign of life", func() bool { return e.count("WATCHDOG=1") >= 1 })
	if err := p.stop(); err != nil || e.count("STOPPING=1") != 1 {
		t.Errorf("it ends with %v, heard %q", err, e.heard)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "data", "*-wal")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Settings that cannot be used end the start with an error, and no manager believes that it works.
func TestABadStartIsNotReady(t *testing.T) {
	e := listen(t)
	dir := t.TempDir()
	file := write(t, filepath.Join(dir, "agent.toml"), "device='PC 1'\ndata_dir=%q\n", filepath.Join(dir, "data"))
	p := start(t, binary(t, "agent"), []string{"NOTIFY_SOCKET=" + e.path}, "run", "--config", file)
	select {
	case err := <-p.done:
		if err == nil {
			t.Error("it ends well")
		}
		p.done <- err
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on")
	}
	if e.count("READY=1") != 0 {
		t.Errorf("heard %q", e.heard)
	}
}

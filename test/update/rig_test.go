//go:build linux

// Package update_test updates built agents as a store's PC would: a launcher that runs on, versions that come, fail, go back and come again.
package update_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/test/port"
)

// hurry divides the times of updates in the programs that are built here.
const hurry = "120"

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

// build builds an agent of a version once, with a planted bug or none.
func build(t *testing.T, version, planted string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs agents; left out of short runs")
	}
	builds.Lock()
	defer builds.Unlock()
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "tillpost-update-")
		if err != nil {
			t.Fatal(err)
		}
		builds.dir = dir
	}
	path, tags := filepath.Join(builds.dir, version+planted), "update_double"
	if planted != "" {
		tags += ",bug_" + planted
	}
	if _, err := os.Stat(path); err != nil {
		const in = "-X github.com/tillpost/tillpost/"
		flags := "-s -w " + in + "shared/version.Version=" + version + " " + in + "agent/update.pace=" + hurry + " " + in + "shared/bug.Hour=8s"
		began := time.Now()
		if b, err := exec.CommandContext(t.Context(), "go", "build", "-tags", tags, "-ldflags", flags, "-o", path, "github.com/tillpost/tillpost/agent").CombinedOutput(); err != nil {
			t.Fatalf("build %s %s: %v\n%s", version, planted, err, b)
		}
		t.Logf("%.1f s: version %s %s is built", time.Since(began).Seconds(), version, planted)
	}
	return path
}

// all reports whether every bad release is wanted.
func all(t *testing.T) {
	t.Helper()
	if os.Getenv("TILLPOST_UPDATES") != "all" {
		t.Skip("builds seven bad releases: TILLPOST_UPDATES=all runs it")
	}
}

// pc is a store's PC.
type pc struct {
	t                     *testing.T
	dir, data, conf, door string
	exe                   string // the installed program
	cmd                   *exec.Cmd
	log                   string
}

func newPC(t *testing.T) *pc {
	t.Helper()
	dir := t.TempDir()
	p := &pc{t: t, dir: dir, data: filepath.Join(dir, "data"), conf: filepath.Join(dir, "agent.toml"), door: port.Free(t), log: filepath.Join(dir, "log")}
	p.exe = filepath.Join(dir, "agent")
	p.install(build(t, "v1.0.0", ""))
	p.write("token", "till\n")
	p.write("agent.toml", fmt.Sprintf("device='pc'\ndata_dir=%q\n[hub]\nurl='mqtt://%s'\nretry_longest='300ms'\n[source.localapi]\nlisten=%q\ntoken_file=%q\n", p.data, port.Free(t), p.door, filepath.Join(dir, "token")))
	if err := os.MkdirAll(filepath.Join(p.data, "releases"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if b, err := os.ReadFile(p.log); err == nil && t.Failed() {
			t.Logf("the service's log:\n%s", b)
		}
	})
	return p
}

func (p *pc) write(name, body string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(body), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// install puts a program in the package's place.
func (p *pc) install(exe string) {
	p.t.Helper()
	b, err := os.ReadFile(exe)
	if err == nil {
		err = os.WriteFile(p.exe+".new", b, 0o755)
	}
	if err = errors.Join(err, os.Rename(p.exe+".new", p.exe)); err != nil {
		p.t.Fatal(err)
	}
}

// publish puts a release where the double finds it.
func (p *pc) publish(version, planted string) {
	p.t.Helper()
	b, err := os.ReadFile(build(p.t, version, planted))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.data, "releases", version), b, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// start starts the service and waits until it works.
func (p *pc) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(p.exe, "run", "--service", "--config", p.conf)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.until("the service to work", func() bool { return p.status().Running })
}

// stop stops the service as systemd does.
func (p *pc) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the service did not end in order: %v", err)
	}
	p.cmd = nil
}

// kill pulls the plug.
func (p *pc) kill() {
	if p.cmd != nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *pc) run(args ...string) (out string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.exe, append(args, "--config", p.conf)...)
	b, err := cmd.CombinedOutput()
	var x *exec.ExitError
	if err != nil && !errors.As(err, &x) {
		p.t.Fatalf("%v: %v", args, err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// state is what is read of a status.
type state struct {
	Version string
	Running bool
	Update  struct {
		Installed, Phase, To, Why string
		Last                      *outcome
	}
}

type outcome struct{ Version, From, Result, Cause, Detail string }

func (p *pc) status() (st state) {
	p.t.Helper()
	out, _ := p.run("status", "--json")
	_ = json.Unmarshal([]byte(out), &st) // a service that is just coming up may say nothing yet
	return st
}

func (p *pc) until(what string, ok func() bool) {
	p.t.Helper()
	for began := time.Now(); !ok(); <-time.After(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			p.t.Fatalf("waited a minute in vain for %s", what)
		}
	}
}

// update updates and waits for the final word.
func (p *pc) update(args ...string) (o outcome) {
	p.t.Helper()
	out, _ := p.run(append([]string{"update", "--json", "--wait", "100s"}, args...)...)
	if err := json.Unmarshal([]byte(out), &o); err != nil || o.Result == "" {
		p.t.Fatalf("update %v: %s", args, out)
	}
	p.t.Logf("%v: %+v", args, o)
	return o
}

// sell pushes a ticket as a till does: it tries until it is taken, as tills do.
func (p *pc) sell(id string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`, id)
	p.until("ticket "+id+" to be taken", func() bool {
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, "http://"+p.door+"/v1/tickets", strings.NewReader(body))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer till")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode == http.StatusCreated
	})
}

// holds proves that every ticket that was sold is there, once.
func (p *pc) holds(want ...string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "all.ndjson")
	if out, code := p.run("buffer", "export", file); code != 0 {
		p.t.Fatalf("export: %s", out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	have := map[string]int{}
	for l := range bytes.Lines(b) {
		var row struct{ Kind, Key string }
		if err := json.Unmarshal(l, &row); err != nil {
			p.t.Fatal(err)
		}
		if row.Kind == "ticket.v1" {
			have[row.Key]++
		}
	}
	for _, id := range want {
		if have[id] != 1 {
			p.t.Errorf("ticket %s is held %d times", id, have[id])
		}
	}
	if aside, _ := filepath.Glob(filepath.Join(p.data, "*damaged*")); len(aside) > 0 {
		p.t.Errorf("the buffer was taken for damaged: %v", aside)
	}
}

var planted = bug.Releases

// Package people_test runs the built hub and agent as people use them: commands, settings that change, and pages in a real browser.
package people_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// rig is a hub, an agent and the fake Odoo, each a process of its own.
type rig struct {
	t                      *testing.T
	dir, hubTOML           string
	agentTOML              string
	web, broker, api, page string
	odoo                   string
	stopOdoo               func()
	hubLog, agentLog       string
	hubProc, agentProc     *exec.Cmd
	hubEnded, agentDone    chan struct{}
}

// builds keeps the binaries of one test run.
var builds struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builds.dir != "" {
		os.RemoveAll(builds.dir)
	}
	os.Exit(code)
}

// binary builds the programs once.
func binary(t *testing.T, name string) string {
	t.Helper()
	builds.once.Do(func() {
		if builds.dir, builds.err = os.MkdirTemp("", "tillpost-people-"); builds.err != nil {
			return
		}
		for out, pkg := range map[string]string{"agent": "agent", "hub": "hub", "odoo": "test/fake/odoo/cmd"} {
			if b, err := exec.Command("go", "build", "-o", filepath.Join(builds.dir, out), "github.com/tillpost/tillpost/"+pkg).CombinedOutput(); err != nil {
				builds.err = fmt.Errorf("build %s: %w\n%s", pkg, err, b)
				return
			}
		}
	})
	if builds.err != nil {
		t.Fatal(builds.err)
	}
	return filepath.Join(builds.dir, name)
}

const postingTOML = "grace = '0s'\nsettle = '0s'\nticket_gaps = 'absent'\n"

// newRig prepares settings and starts the fake Odoo; nothing else runs yet.
func newRig(t *testing.T) *rig {
	t.Helper()
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	g := &rig{t: t, dir: t.TempDir(), web: port.Free(t), broker: port.Free(t), api: port.Free(t), page: port.Free(t), odoo: port.Free(t)}
	g.hubTOML, g.agentTOML = filepath.Join(g.dir, "hub.toml"), filepath.Join(g.dir, "agent.toml")
	g.hubLog, g.agentLog = filepath.Join(g.dir, "hub.log"), filepath.Join(g.dir, "agent.log")
	for name, text := range map[string]string{"key": "key\n", "token": "token\n"} {
		g.write(filepath.Join(g.dir, name), text)
	}
	g.hubSettings("info", postingTOML)
	odoo := exec.Command(binary(t, "odoo"), "-listen", g.odoo)
	g.ok(odoo.Start())
	g.stopOdoo = sync.OnceFunc(func() { _ = odoo.Process.Kill(); _ = odoo.Wait() })
	t.Cleanup(g.stopOdoo)
	until(t, "the fake Odoo", func() bool { return listens(g.odoo) })
	return g
}

func (g *rig) hubSettings(level, posting string) {
	g.t.Helper()
	g.write(g.hubTOML, fmt.Sprintf("data_dir = %q\nlog_level = %q\n[web]\nlisten = %q\n[broker]\nlisten = %q\n[odoo]\nurl = \"http://%s\"\ndatabase = 'odoo'\nuser = 'tillpost'\nkey_file = %q\n[posting]\n%s",
		filepath.Join(g.dir, "hub"), level, g.web, g.broker, g.odoo, filepath.Join(g.dir, "key"), posting))
}

func (g *rig) agentSettings(api string) {
	g.t.Helper()
	g.write(g.agentTOML, fmt.Sprintf("device = 'pc'\ndata_dir = %q\n[hub]\nurl = \"mqtt://%s\"\npassword_file = %q\nretry_longest = '300ms'\n[status]\nlisten = %q\n[source.localapi]\nlisten = %q\ntoken_file = %q\n",
		filepath.Join(g.dir, "agent"), g.broker, filepath.Join(g.dir, "password"), g.page, api, filepath.Join(g.dir, "token")))
}

// startHub runs the service until the test's end.
func (g *rig) startHub() {
	g.t.Helper()
	g.hubProc, g.hubEnded = g.run(g.hubLog, binary(g.t, "hub"), "run", "--config", g.hubTOML)
	until(g.t, "the hub's pages", func() bool { return listens(g.web) })
}

// startAgent registers the device and runs its agent.
func (g *rig) startAgent() {
	g.t.Helper()
	g.write(filepath.Join(g.dir, "password"), g.hub(0, "device", "add", "pc"))
	g.agentSettings(g.api)
	g.agentProc, g.agentDone = g.run(g.agentLog, binary(g.t, "agent"), "run", "--config", g.agentTOML)
	until(g.t, "the agent's door", func() bool { return listens(g.api) })
}

func (g *rig) run(log string, args ...string) (*exec.Cmd, chan struct{}) {
	g.t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	g.ok(err)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = f, f
	g.ok(cmd.Start())
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); f.Close(); close(done) }()
	g.t.Cleanup(func() { stop(cmd, done) })
	return cmd, done
}

func stop(cmd *exec.Cmd, done chan struct{}) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// hub runs a command and returns what it printed; code is how it must end, and its words on an error are appended.
func (g *rig) hub(code int, args ...string) string { g.t.Helper(); return g.hubIn("", code, args...) }

func (g *rig) hubIn(stdin string, code int, args ...string) string {
	g.t.Helper()
	got, out, words := g.command(stdin, args...)
	if got != code {
		g.t.Fatalf("hub %v ended with %d, want %d\n%s%s", args, got, code, out, words)
	}
	if code != 0 {
		return out + words
	}
	return out
}

// try is hub for one whose end is not known before.
func (g *rig) try(code int, args ...string) (string, bool) {
	got, out, _ := g.command("", args...)
	return out, got == code
}

func (g *rig) command(stdin string, args ...string) (code int, out, words string) {
	cmd := exec.Command(binary(g.t, "hub"), append(args, "--config", g.hubTOML)...)
	var o, w bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &o, &w
	_ = cmd.Run() // how it ended is what is returned
	return cmd.ProcessState.ExitCode(), o.String(), w.String()
}

// list runs a command with --json and returns its list.
func (g *rig) list(code int, args ...string) (out []map[string]any) {
	g.t.Helper()
	g.ok(json.Unmarshal([]byte(g.hub(code, append(args, "--json")...)), &out))
	return out
}

// push hands something in as a till does.
func (g *rig) push(api, path, body string) error {
	req, err := http.NewRequest(http.MethodPost, "http://"+api+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer token")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("the agent answers %s", resp.Status)
	}
	return nil
}

func (g *rig) sell(id, location, at, tender string) {
	g.t.Helper()
	g.ok(g.push(g.api, "/v1/tickets", fmt.Sprintf(`{"id":%q,"number":%q,"location":%q,"till":"T1","at":%q,"currency":"USD","kind":"sale","customer":"C7","lines":[{"kind":"item","category":"Toys","description":"for Mrs Smith","amount":"10.00"}],"tenders":[{"type":%q,"amount":"10.00"}]}`,
		id, id, location, at, tender)))
}

func (g *rig) write(path, text string) {
	g.t.Helper()
	g.ok(os.WriteFile(path, []byte(text), 0o600))
}

func (g *rig) ok(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) logHas(path string, words ...string) bool {
	b, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(b)) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s did not come in three minutes", what)
		}
		<-time.After(30 * time.Millisecond)
	}
}

//go:build unix

package windows_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/service"
	system "github.com/tillpost/tillpost/shared/service"
)

// logOn keeps a program running: Wine ends its services with the last one.
func (w *wine) logOn(t *testing.T) {
	t.Helper()
	cmd := w.command(context.WithoutCancel(t.Context()), w.loader, "cmd", "/k")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
}

// service runs a service command, which must succeed, and returns its JSON answer's steps.
func (p *pc) service(args ...string) (steps []string) {
	p.t.Helper()
	out, code := p.run(append([]string{"service"}, append(args, "--json", "--config", `C:\tillpost\agent.toml`)...)...)
	var said struct{ Steps []string }
	if code != 0 || json.NewDecoder(strings.NewReader(out)).Decode(&said) != nil { // Wine's own words may follow
		p.t.Fatalf("service %v: %d %s", args, code, out)
	}
	return said.Steps
}

func (p *pc) serviceStatus() (st system.Status) {
	p.t.Helper()
	out, _ := p.run("service", "status", "--json", "--config", `C:\tillpost\agent.toml`)
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&st); err != nil {
		p.t.Fatalf("status: %v\n%s", err, out)
	}
	return st
}

// TestService installs the agent as a Windows service, reads back what Windows keeps of it, starts it, sells, stops it in order, installs a
// new version over it and removes it; every command may be given twice.
func TestService(t *testing.T) {
	p := newPC(t)
	p.logOn(t)
	if out, code := p.run("version"); code != 0 { // Wine has then started all of its own
		t.Fatal(out)
	}
	if steps := p.service("install"); len(steps) < 2 {
		t.Errorf("install did %v", steps)
	}
	p.kept(p.serviceStatus(), "Z:"+strings.ReplaceAll(p.exe, "/", `\`))
	if steps := p.service("install"); len(steps) != 0 {
		t.Errorf("install again did %v", steps)
	}
	p.service("start")
	p.service("start")
	if st := p.serviceStatus(); !st.Running || !st.Good() {
		t.Errorf("started: %+v", st)
	}
	p.sell("as-a-service")
	p.service("stop")
	p.service("stop")
	if st := p.serviceStatus(); st.Running {
		t.Errorf("stopped: %+v", st)
	}
	if _, err := os.Stat(p.path(`tillpost\data\buffer.db-wal`)); !os.IsNotExist(err) {
		t.Errorf("a stop left the write-ahead log behind: %v", err)
	}
	if keys := p.held(); keys["as-a-service"] != 1 {
		t.Errorf("held: %v", keys)
	}
	if b, err := os.ReadFile(p.path(`tillpost\data\log\agent.log`)); err != nil || !strings.Contains(string(b), "agent started") {
		t.Errorf("the service's own log: %v\n%s", err, b)
	}
	if steps := p.service("install", "--exe", `C:\Program Files\Tillpost\agent.exe`); !slices.Contains(steps, "wrote its settings") {
		t.Errorf("another program: %v", steps)
	}
	p.service("uninstall")
	if steps := p.service("uninstall"); len(steps) != 0 {
		t.Errorf("uninstall again did %v", steps)
	}
	if st := p.serviceStatus(); st.Installed {
		t.Errorf("uninstalled: %+v", st)
	}
}

// kept compares what was read back with what should be kept, but for what this Windows says it does not know.
func (p *pc) kept(st system.Status, exe string) {
	p.t.Helper()
	want := service.Spec(`C:\tillpost\agent.toml`, `C:\tillpost\data`, nil, nil)
	want.Exe = exe
	if st.Kept == nil || !st.Installed || !st.Enabled || len(st.Differs) != 0 {
		p.t.Fatalf("status: %+v", st)
	}
	have, should := fields(p.t, *st.Kept), fields(p.t, want.Wanted())
	for name := range should {
		if !slices.Contains(st.Without, name) && !reflect.DeepEqual(have[name], should[name]) {
			p.t.Errorf("%s: kept %v, should be %v", name, have[name], should[name])
		}
	}
	p.t.Logf("this Windows does not know: %v", st.Without)
}

func fields(t *testing.T, v any) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestServiceStructures runs shared/service's own tests for Windows: what is handed to Windows, byte for byte, and the rights to folders; and the
// installer's, of how Windows names time zones.
func TestServiceStructures(t *testing.T) {
	w := newWine(t)
	for of, want := range map[string]string{"shared/service": "TestWhatWindowsIsHanded", "installer/machine": "TestZone"} {
		exe := filepath.Join(w.dir, filepath.Base(of)+".test.exe")
		cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", exe, "github.com/tillpost/tillpost/"+of)
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		out, code := w.output(t, w.command(ctx, w.loader, exe, "-test.v", "-test.timeout=90s"))
		cancel()
		if code != 0 || !strings.Contains(out, "--- PASS: "+want) {
			t.Errorf("%s: %d\n%s", of, code, out)
		}
	}
}

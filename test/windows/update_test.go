//go:build unix

package windows_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// release builds agent.exe of a version with a planted bug or none, its updates in a hurry and its releases those of a folder.
func (w *wine) release(t *testing.T, version, planted string) string {
	t.Helper()
	exe, tags := filepath.Join(w.dir, "agent-"+version+planted+".exe"), "update_double"
	if planted != "" {
		tags += ",bug_" + planted
	}
	const in = "-X github.com/tillpost/tillpost/"
	cmd := exec.CommandContext(w.ctx, "go", "build", "-trimpath", "-tags", tags, "-ldflags", "-s -w "+in+"shared/version.Version="+version+" "+in+"agent/update.pace=120", "-o", exe, "github.com/tillpost/tillpost/agent")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=1", "CC="+compiler)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build agent.exe: %v\n%s", err, out)
	}
	return exe
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type word struct{ Version, From, Result, Cause, Detail string }

// update updates and waits for the final word.
func (p *pc) update(args ...string) (o word) {
	p.t.Helper()
	out, code := p.run(append(append([]string{"update", "--json"}, args...), "--config", `C:\tillpost\agent.toml`)...)
	if code != 0 {
		p.t.Fatalf("update %v: %d %s", args, code, out)
	}
	var order struct{ Order string }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&order); err != nil {
		p.t.Fatalf("update %v: %s", args, out)
	}
	p.until("the final word", func() bool {
		var st struct {
			Last *struct {
				word
				Order string
			}
		}
		out, _ := p.run("update", "--json", "--config", `C:\tillpost\agent.toml`)
		if json.NewDecoder(strings.NewReader(out)).Decode(&st) != nil || st.Last == nil || st.Last.Order != order.Order {
			return false
		}
		o = st.Last.word
		return true
	})
	p.t.Logf("%v: %+v", args, o)
	return o
}

func (p *pc) version() string {
	p.t.Helper()
	var st struct{ Version string }
	out, _ := p.run("status", "--json", "--config", `C:\tillpost\agent.toml`)
	_ = json.NewDecoder(strings.NewReader(out)).Decode(&st) // a service that is coming up says nothing yet
	return st.Version
}

// TestUpdates is the life of a Windows service through a good version, one whose file a virus scanner holds, and one that ends on Windows alone.
func TestUpdates(t *testing.T) {
	if os.Getenv("TILLPOST_UPDATES") != "all" {
		t.Skip("builds four agents and waits for a virus scanner: TILLPOST_UPDATES=all runs it")
	}
	p := newPC(t)
	p.exe = p.release(t, "v1.0.0", "")
	hold := filepath.Join(p.dir, "hold.exe")
	cmd := exec.CommandContext(p.ctx, "go", "build", "-o", hold, "./testdata/hold")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build hold.exe: %v\n%s", err, out)
	}
	for v, planted := range map[string]string{"v1.1.0": "", "v1.2.0": "", "v1.3.0": "release_windows_only"} {
		copyFile(t, p.release(t, v, planted), p.path(`tillpost\data\releases\`+v))
	}
	t.Cleanup(func() {
		for _, name := range []string{"launcher.log", "agent.log"} {
			if b, err := os.ReadFile(p.path(`tillpost\data\log\` + name)); err == nil && t.Failed() {
				t.Logf("%s:\n%s", name, b)
			}
		}
	})
	p.logOn(t)
	if out, code := p.run("version"); code != 0 {
		t.Fatal(out)
	}
	p.service("install")
	p.service("start")
	p.sell("on-1.0")
	if o := p.update("--to", "v1.1.0"); o.Result != "committed" || p.version() != "v1.1.0" {
		t.Fatalf("%+v, it runs %s", o, p.version())
	}
	p.sell("on-1.1")

	scanner := p.command(p.ctx, p.loader, hold, `C:\tillpost\data\versions\v1.2.0-*\*.new`, "30s")
	out, err := os.Create(filepath.Join(p.dir, "scanner"))
	if err != nil {
		t.Fatal(err)
	}
	scanner.Stdout = out
	if err := scanner.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	o := p.update("--to", "v1.2.0")
	took := time.Since(began)
	if o.Result != "committed" || p.version() != "v1.2.0" {
		t.Errorf("with a virus scanner: %+v, it runs %s", o, p.version())
	}
	if err := scanner.Wait(); err != nil || took < 30*time.Second {
		said, _ := os.ReadFile(out.Name())
		t.Errorf("the scanner held nothing: %v %s; the update took %s", err, said, took)
	}
	out.Close()

	if o := p.update("--to", "v1.3.0"); o.Result != "rolled_back" || o.Cause != "crash" || p.version() != "v1.2.0" {
		t.Errorf("%+v, it runs %s", o, p.version())
	}
	p.sell("after-the-crash")
	p.service("stop")
	if _, err := os.Stat(p.path(`tillpost\data\buffer.db-wal`)); !os.IsNotExist(err) {
		t.Errorf("a stop through the launcher left the write-ahead log behind: %v", err)
	}
	p.service("start")
	p.until("the same version after a stop", func() bool { return p.version() == "v1.2.0" })
	keys := p.held()
	for _, id := range []string{"on-1.0", "on-1.1", "after-the-crash"} {
		if keys[id] != 1 {
			t.Errorf("ticket %s is held %d times", id, keys[id])
		}
	}
	p.service("stop")
	p.service("uninstall")
}

//go:build unix

package windows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/test/port"
)

// pc is a store's PC with the agent on it.
type pc struct {
	*wine
	t          *testing.T
	exe, door  string
	brokerAddr string
}

// run runs an agent command to its end.
func (p *pc) run(args ...string) (out string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	return p.output(p.t, p.command(ctx, p.loader, append([]string{p.exe}, args...)...))
}

// answer runs a command that reports in JSON.
func (p *pc) answer(into any, args ...string) (code int) {
	p.t.Helper()
	out, code := p.run(append(args, "--json", "--config", `C:\tillpost\agent.toml`)...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		p.t.Fatalf("agent %v: %v\n%s", args, err, out)
	}
	return code
}

// serve starts the service; the returned function pulls the plug.
func (p *pc) serve() (kill func()) {
	p.t.Helper()
	log, err := os.OpenFile(filepath.Join(p.dir, "agent.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := p.command(context.WithoutCancel(p.t.Context()), p.loader, p.exe, "run", "--config", `C:\tillpost\agent.toml`)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	dead := false
	kill = func() {
		if !dead {
			dead = true
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
			log.Close()
			// Wine's server holds a dead program's door for a moment more and still lets callers in, whom nobody ever answers.
			for end := time.Now().Add(10 * time.Second); p.listens() && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	p.t.Cleanup(func() {
		kill()
		if b, err := os.ReadFile(log.Name()); err == nil && p.t.Failed() {
			p.t.Logf("the agent's log:\n%s", b)
		}
	})
	p.until("the agent to listen", p.listens)
	return kill
}

func (p *pc) listens() bool {
	c, err := net.DialTimeout("tcp", p.door, 5*time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func (p *pc) until(what string, ok func() bool) {
	p.t.Helper()
	began := time.Now()
	for ; !ok(); <-time.After(50 * time.Millisecond) {
		if time.Since(began) > time.Minute || p.ctx.Err() != nil {
			p.t.Fatalf("waited %.0f s in vain for %s", time.Since(began).Seconds(), what)
		}
	}
	p.t.Logf("%.1f s: waited for %s", time.Since(began).Seconds(), what)
}

// anew calls on a connection of its own each time: Wine's server may keep a killed program's connections open, and one that is used again
// would wait for an answer for ever.
var anew = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// sell pushes a ticket as a till does.
func (p *pc) sell(id string) {
	p.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`, id)
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, "http://"+p.door+"/v1/tickets", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer till")
	resp, err := anew.Do(req)
	if err != nil {
		p.t.Fatalf("ticket %s at the agent's door: %v", id, err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusCreated {
		p.t.Fatalf("the agent answers %s to a ticket: %s", resp.Status, said)
	}
}

// held lists the keys of the tickets that the buffer holds.
func (p *pc) held() map[string]int {
	p.t.Helper()
	if err := os.Remove(p.path(`tillpost\all.ndjson`)); err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	if out, code := p.run("buffer", "export", `C:\tillpost\all.ndjson`, "--config", `C:\tillpost\agent.toml`); code != 0 {
		p.t.Fatalf("export: %s", out)
	}
	b, err := os.ReadFile(p.path(`tillpost\all.ndjson`))
	if err != nil {
		p.t.Fatal(err)
	}
	keys := map[string]int{}
	for l := range bytes.Lines(b) {
		var row struct{ Kind, Key string }
		if err := json.Unmarshal(l, &row); err != nil {
			p.t.Fatal(err)
		}
		if row.Kind == "ticket.v1" || row.Kind == "rows.v1" {
			keys[row.Key]++
		}
	}
	return keys
}

func newPC(t *testing.T) *pc {
	p := &pc{wine: newWine(t), t: t, door: port.Free(t), brokerAddr: port.Free(t)}
	p.exe = p.build(t, "v0.0.1-wine")
	p.write(t, `tillpost\token`, "till\r\n")
	p.write(t, `tillpost\profiles\sheet.toml`, "name='sheet'\nformat='csv'\nsystem='sheet'\ncurrency='USD'\nzone='America/New_York'\ntimes=['2006-01-02 15:04']\n[ticket]\nid='{No}'\nlocation='S1'\nat='{When}'\n"+
		"[[line]]\nkind='item'\ncategory='{What}'\namount='{Price}'\n[[tender]]\ntype='cash'\n")
	p.write(t, `tillpost\drop\readme.txt`, "CSV files only\r\n")
	p.write(t, `tillpost\agent.toml`, fmt.Sprintf("\ufeffdevice='pc'\r\ndata_dir='C:\\tillpost\\data'\r\n[hub]\r\nurl=\"mqtt://%s\"\r\nretry_longest='300ms'\r\n[profiles]\r\ndir='C:\\tillpost\\profiles'\r\n"+
		"[source.localapi]\r\nlisten=%q\r\ntoken_file='C:\\tillpost\\token'\r\n[[source.filedrop]]\r\nname='drop'\r\ndir='C:\\tillpost\\drop'\r\npattern='*.csv'\r\nprofile='sheet'\r\nsettle='50ms'\r\n", p.brokerAddr, p.door))
	return p
}

// TestAgent is a day of a store's PC: the settings are checked, an old file is taken in, the service takes tickets from a till and from a
// folder, loses its power and has everything afterwards, once.
func TestAgent(t *testing.T) {
	p := newPC(t)
	if out, code := p.run("version"); code != 0 || strings.TrimSpace(out) != "v0.0.1-wine" {
		t.Fatalf("version: %d %q", code, out)
	}
	p.write(t, `tillpost\bad.toml`, "device='PC 1'\ndata_dir='data'\nmisspelt=1\n")
	if out, code := p.run("check-config", "--config", `C:\tillpost\bad.toml`); code != 1 || !strings.Contains(out, "misspelt") || !strings.Contains(out, "data_dir") || !strings.Contains(out, "hub.url") {
		t.Errorf("bad settings: %d %s", code, out)
	}
	if out, code := p.run("check-config", "--config", `C:\tillpost\agent.toml`); code != 0 || !strings.Contains(out, "are good") {
		t.Fatalf("good settings: %d %s", code, out)
	}
	p.oldFile()
	kill := p.serve()
	p.sell("pushed-1")
	p.write(t, `tillpost\drop\new.csv`, "No,When,What,Price\r\nfolder-1,2026-11-20 12:00,Food,2.00\r\n")
	var st struct {
		Running bool
		Waiting int
	}
	p.until("the folder to be read", func() bool { p.answer(&st, "status"); return st.Waiting >= 5 })
	if !st.Running {
		t.Errorf("a running service says %+v", st)
	}
	p.sell("pushed-2")
	kill()
	p.afterTheKill()
}

// oldFile takes a file in while no service runs.
func (p *pc) oldFile() {
	p.t.Helper()
	p.write(p.t, `tillpost\old.csv`, "No,When,What,Price\r\nold-1,2026-11-19 12:00,Food,3.10\r\nold-1,2026-11-19 12:00,Bag,0.25\r\nold-2,2026-11-19 12:05,Food,much\r\nold-3,2026-11-19 12:06,Food,4.00\r\n")
	var rep struct {
		Rows     int
		Tickets  int
		CaseRows int    `json:"case_rows"`
		Booked   string `json:"booked_total"`
		Bad      []struct{ Row int }
	}
	if code := p.answer(&rep, "import", `C:\tillpost\old.csv`, "--profile", "sheet"); code != 0 || rep.Rows != 4 || rep.Tickets != 2 || rep.CaseRows != 1 || rep.Booked != "7.35" {
		p.t.Errorf("import: %d %+v", code, rep)
	}
}

// afterTheKill looks at what a power cut left, starts again and lets everything go.
func (p *pc) afterTheKill() {
	t := p.t
	var v struct{ Rows int }
	if code := p.answer(&v, "buffer", "verify"); code != 0 || v.Rows < 6 {
		t.Errorf("verify after the kill: %d %+v", code, v)
	}
	keys := p.held()
	if keys["pushed-1"] != 1 || keys["pushed-2"] != 1 || len(keys) != 6 {
		t.Errorf("held after the kill: %v", keys)
	}
	b, err := broker.Start(t.Context(), broker.Options{Listen: p.brokerAddr, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p.serve()
	p.sell("pushed-3")
	var st struct{ Running, Connected bool }
	p.until("a line to the broker", func() bool { p.answer(&st, "status"); return st.Connected })
	if again := p.held(); len(again) != 7 || again["pushed-3"] != 1 {
		t.Errorf("held in the end: %v", again)
	}
}

//go:build linux

package rollout_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// pc is a store's PC with its till.
type pc struct {
	w              *world
	name, store    string
	exe, conf, dir string
	door           string // where its till hands tickets in
	cmd            *exec.Cmd
	till           sync.WaitGroup
	close          context.CancelFunc // of the till
	mu             sync.Mutex
	told           []string       // tickets of which the till was told that they are safe
	tries          map[string]int // how often each was handed in
	n              int
	pause          time.Duration // of the till between two tickets
}

// night is a time zone in which it is two in the morning now, the stores': PCs change their programs in their stores' night.
func night() string { return zoneOf(2) }

// zoneOf is a time zone in which it is that hour now.
func zoneOf(hour int) string {
	ahead := (hour - time.Now().UTC().Hour() + 24) % 24
	if ahead > 14 {
		ahead -= 24
	}
	return fmt.Sprintf("Etc/GMT%+d", -ahead) // the sign of these is the other way round
}

// newPC enrols a PC at a store, with version v1.0.0 installed; more is further TOML of [hub].
func (w *world) newPC(store string, more string) *pc {
	w.t.Helper()
	p := &pc{w: w, store: store, dir: "pc-" + store, door: port(w.t), exe: agent(w.t, "v1.0.0", "", w.pace), pause: 1300 * time.Millisecond}
	w.write(p.dir+"/token", "till\n")
	p.conf = w.write(p.dir+"/agent.toml", fmt.Sprintf("data_dir=%q\n[hub]\nretry_longest='300ms'\n%s[source.localapi]\nlisten=%q\ntoken_file=%q\n", w.at(p.dir+"/data"), more, p.door, w.at(p.dir+"/token")))
	var made struct{ Device, Code string }
	must(w.t, json.Unmarshal([]byte(w.hub("device", "code", store, "--json")), &made))
	p.name = made.Device
	if out, code := p.run("enrol", "--hub", "https://"+w.enrol, "--code", made.Code); code != 0 {
		w.t.Fatalf("enrol %s: %s", store, out)
	}
	w.pcs = append(w.pcs, p)
	return p
}

func (p *pc) run(args ...string) (out string, code int) {
	p.w.t.Helper()
	ctx, cancel := context.WithTimeout(p.w.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.exe, append(args, "--config", p.conf)...)
	b, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		p.w.t.Fatalf("%v: %v", args, err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// start starts the PC's service.
func (p *pc) start() {
	p.w.t.Helper()
	log, err := os.OpenFile(p.w.at(p.dir+"/log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(p.w.t, err)
	defer log.Close()
	p.cmd = exec.Command(p.exe, "run", "--service", "--config", p.conf)
	p.cmd.Env = append(os.Environ(), "TZ="+zoneOf(13)) // a PC whose zone was never set counts for nothing
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	must(p.w.t, p.cmd.Start())
}

// kill pulls the plug.
func (p *pc) kill() {
	p.closeTill()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // what it started dies with it
		_ = p.cmd.Wait()
		p.cmd = nil
	}
	if p.w.t.Failed() {
		p.w.tail(p.dir+"/log", 3000)
	}
}

// knowsNoRoot takes the root of releases from a PC.
func (p *pc) knowsNoRoot() {
	p.w.t.Helper()
	file := p.w.at(p.dir + "/data/identity.json")
	b, err := os.ReadFile(file)
	must(p.w.t, err)
	id := map[string]any{}
	must(p.w.t, json.Unmarshal(b, &id))
	if id["release_root"] == nil {
		p.w.t.Fatal("it was given none")
	}
	delete(id, "release_root")
	b, err = json.Marshal(id)
	must(p.w.t, err)
	must(p.w.t, os.WriteFile(file, b, 0o600))
}

// status is what is read of a PC's own status.
type status struct {
	Version            string
	Running, Connected bool
	Waiting            int
	Update             struct {
		Installed, Phase, To, Why string
		Last                      *struct{ Version, From, Result, Cause, Detail string }
	}
}

func (p *pc) status() (st status) {
	p.w.t.Helper()
	out, _ := p.run("status", "--json")
	_ = json.Unmarshal([]byte(out), &st) // one that is just coming up may say nothing yet
	return st
}

// notes are what the PC has written down of its update, and what of it the hub was told.
func (p *pc) notes() string {
	var out strings.Builder
	for _, name := range []string{"versions/plan.json", "versions/watch.json"} {
		b, err := os.ReadFile(p.w.at(p.dir + "/data/" + name))
		fmt.Fprintf(&out, "%s %s %v\n", name, b, err)
	}
	db, err := sql.Open("sqlite3", "file:"+p.w.at(p.dir+"/data/buffer.db")+"?mode=ro&_busy_timeout=5000")
	must(p.w.t, err)
	defer db.Close()
	var told string
	err = db.QueryRowContext(p.w.t.Context(), `SELECT value FROM cursor WHERE source = 'release'`).Scan(&told)
	fmt.Fprintf(&out, "told %q %v\n", told, err)
	return out.String()
}

// sell opens the till: it sells until it is closed, and hands each ticket in until it is taken, as tills do.
func (p *pc) sell() {
	ctx, cancel := context.WithCancel(context.Background())
	p.close = cancel
	p.till.Add(1)
	go func() {
		defer p.till.Done()
		for ctx.Err() == nil {
			p.n++
			id := fmt.Sprintf("%s-%04d", p.store, p.n)
			at := time.Now().UTC()
			for p.tried(id); !p.hand(id, at); p.tried(id) {
				if ctx.Err() != nil {
					return // nobody said that it is safe
				}
				time.Sleep(100 * time.Millisecond)
			}
			select {
			case <-ctx.Done():
			case <-time.After(p.pause):
			}
		}
	}()
}

// tried counts how often a ticket was handed in: of one whose answer was lost the PC may keep each time, and head office books one.
func (p *pc) tried(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tries == nil {
		p.tries = map[string]int{}
	}
	p.tries[id]++
}

func (p *pc) closeTill() {
	if p.close != nil {
		p.close()
		p.till.Wait()
		p.close = nil
	}
}

// hand hands one ticket in, and tells whether it was taken.
func (p *pc) hand(id string, at time.Time) bool {
	body := fmt.Sprintf(`{"id":%q,"location":%q,"till":"T1","at":%q,"currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"1.00"}],"tenders":[{"type":"cash","amount":"1.00"}]}`,
		id, p.store, at.Format(time.RFC3339))
	req, err := http.NewRequest(http.MethodPost, "http://"+p.door+"/v1/tickets", strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer till")
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusOK { // 200: it was taken before, and the answer was lost
		return false
	}
	p.mu.Lock()
	p.told = append(p.told, id)
	p.mu.Unlock()
	return true
}

// sold lists what the till was told is safe.
func (p *pc) sold() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.told...)
}

// counts closes every till and proves that each ticket is at the hub exactly once.
func (w *world) counts(t *testing.T) (tickets int) {
	t.Helper()
	for _, p := range w.pcs {
		p.closeTill()
	}
	db := w.db()
	defer db.Close()
	count := func() (lost, doubled []string, foreign int) {
		raw, booked := map[string]int{}, map[string]int{}
		for q, into := range map[string]map[string]int{
			`SELECT key FROM envelope WHERE kind = 'ticket.v1'`:                                        raw,
			`SELECT substr(key, instr(key, '|') + 1) FROM ticket WHERE kind = 'ticket' AND entry <> 0`: booked,
		} {
			rows, err := db.QueryContext(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var k string
				must(t, rows.Scan(&k))
				into[k[strings.LastIndex(k, "|")+1:]]++
			}
			must(t, rows.Err())
			rows.Close()
		}
		tickets = 0
		for _, p := range w.pcs {
			for _, id := range p.sold() {
				tickets++
				if raw[id] == 0 || booked[id] == 0 {
					lost = append(lost, id)
				}
				if raw[id] > p.tries[id] || booked[id] > 1 {
					doubled = append(doubled, id)
				}
			}
		}
		return lost, doubled, len(booked) - tickets
	}
	for end := time.Now().Add(90 * time.Second); ; <-time.After(300 * time.Millisecond) {
		lost, doubled, foreign := count()
		if len(lost) == 0 && len(doubled) == 0 {
			t.Logf("%d tickets of %d stores are at the hub, each once; %d more of which the till was not told in time", tickets, len(w.pcs), foreign)
			return tickets
		}
		if time.Now().After(end) {
			t.Errorf("lost %v, doubled %v of %d", lost, doubled, tickets)
			return tickets
		}
	}
}

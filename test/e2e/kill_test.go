package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is read past the product's code

	"github.com/tillpost/tillpost/test/demo/books"
)

// points are the commit boundaries; a kill comes before and after each.
var points = map[string][]string{
	"agent": {"read", "buffer.commit", "publish"},
	"hub":   {"ingest.commit", "ack", "outbox", "load", "readback", "post"},
}

// world is all that runs.
type world struct {
	dir, door, odooAt string
	day               string
	agent, hub, odoo  *proc
	dice              *rand.Rand

	mu    sync.Mutex
	truth map[string]int64 // ticket id → cents that the till was told are safe
	n     int
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), day: time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly), dice: rand.New(rand.NewPCG(seed, 7)), truth: map[string]int64{}}
	build(t, w.dir)
	broker, web := freePort(t), freePort(t)
	w.door, w.odooAt = freePort(t), freePort(t)
	at := func(name string) string { return filepath.Join(w.dir, name) }
	for _, d := range []string{"drop", "agentdata", "hubdata", "profiles"} {
		if err := os.Mkdir(at(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, at("key"), "key\n")
	writeFile(t, at("token"), "till\n")
	writeFile(t, at("profiles/sheet.toml"), "name='sheet'\nformat='csv'\nsystem='sheet'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02 15:04']\n[ticket]\nid='{No}'\nlocation='S1'\nat='{When}'\n"+
		"[[line]]\nkind='item'\ncategory='{What}'\namount='{Price}'\n[[tender]]\ntype='cash'\n")
	hub := writeFile(t, at("hub.toml"), "data_dir=%q\n[web]\nlisten=%q\n[broker]\nlisten=%q\n[odoo]\nurl=\"http://%s\"\ndatabase='odoo'\nuser='tillpost'\nkey_file=%q\n[posting]\ngrace='0s'\nsettle='0s'\nticket_gaps='absent'\n"+
		"[[location]]\ncode='S1'\nname='One'\nzone='UTC'\ncutoff='00:00'\ncurrency='USD'\ntills=['T1']\n", at("hubdata"), web, broker, w.odooAt, at("key"))
	w.odoo = w.proc(t, "odoo", at("odoo"), "-listen", w.odooAt, "-state", at("odoo.json"))
	w.hub = w.proc(t, "hub", at("hub"), "run", "--config", hub)
	if err := w.odoo.start(""); err != nil {
		t.Fatal(err)
	}
	waitFor(t, w.odooAt)
	password := strings.TrimSpace(command(t.Context(), t, at("hub"), "device", "add", "pc", "--config", hub))
	writeFile(t, at("password"), "%s\n", password)
	if err := w.hub.start(""); err != nil { // its start confirms the locations of its settings, which setup then knows
		t.Fatal(err)
	}
	waitFor(t, broker)
	command(t.Context(), t, at("hub"), "odoo", "setup", "--config", hub)
	agent := writeFile(t, at("agent.toml"), "device='pc'\ndata_dir=%q\n[hub]\nurl=\"mqtt://%s\"\npassword_file=%q\nretry_longest='300ms'\n[profiles]\ndir=%q\n[source.localapi]\nlisten=%q\ntoken_file=%q\n"+
		"[[source.filedrop]]\nname='drop'\ndir=%q\nprofile='sheet'\nsettle='20ms'\n", at("agentdata"), broker, at("password"), at("profiles"), w.door, at("token"), at("drop"))
	w.agent = w.proc(t, "agent", at("agent"), "run", "--config", agent)
	if err := w.agent.start(""); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) proc(t *testing.T, name string, args ...string) *proc {
	t.Helper()
	log, err := os.Create(filepath.Join(w.dir, name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return &proc{name: name, args: args, log: log}
}

func waitFor(t *testing.T, addr string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if resp, err := http.Get("http://" + addr); err == nil || !strings.Contains(err.Error(), "refused") {
			if resp != nil {
				resp.Body.Close()
			}
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", addr)
}

// sell hands tickets in until ctx ends: one at a time over the door, now and then a sheet into the folder. A till asks again until it is
// told that its ticket is safe, as every till does.
func (w *world) sell(ctx context.Context) {
	for ctx.Err() == nil {
		w.n++
		cents := int64(100 + w.n%977)
		id := fmt.Sprintf("t%06d", w.n)
		if w.n%25 == 0 {
			w.sheet(id, cents)
			continue
		}
		body := fmt.Sprintf(`{"id":%q,"number":%q,"location":"S1","till":"T1","business_day":%q,"at":"%sT12:00:00Z","kind":"sale","currency":"USD","lines":[{"kind":"item","category":"Food","amount":"%s"}],"tenders":[{"type":"cash","amount":"%s"}]}`,
			id, id, w.day, w.day, decimal(cents), decimal(cents))
		for ctx.Err() == nil && !w.tell(ctx, body) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		if ctx.Err() == nil {
			w.mu.Lock()
			w.truth[id] = cents
			w.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (w *world) tell(ctx context.Context, body string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.door+"/v1/tickets", strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer till")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusCreated
}

// sheet drops a file of two rows of one ticket.
func (w *world) sheet(id string, cents int64) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "No,When,What,Price\n%s,%s 12:00,Food,%s\n%s,%s 12:00,Bag,0.25\n", id, w.day, decimal(cents), id, w.day)
	path := filepath.Join(w.dir, "drop", id+".csv")
	if os.WriteFile(path+".tmp", b.Bytes(), 0o600) == nil && os.Rename(path+".tmp", path) == nil {
		w.mu.Lock()
		w.truth[id] = cents + 25
		w.mu.Unlock()
	}
}

func decimal(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// TestKills pulls the plug TILLPOST_KILLS times (24 unless set), at each boundary in turn and at random, and then counts.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	kills, _ := strconv.Atoi(os.Getenv("TILLPOST_KILLS"))
	if kills == 0 {
		kills = 24
	}
	w := newWorld(t, 1)
	t.Cleanup(func() {
		for _, p := range []*proc{w.agent, w.hub, w.odoo} {
			p.kill()
			if t.Failed() {
				tail(t, filepath.Join(w.dir, p.name+".log"))
			}
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { w.sell(ctx) })
	hits := map[string]int{}
	order := boundaries()
	for i := range kills {
		w.pull(t, i, order, hits)
	}
	stop()
	wg.Wait()
	w.settled(t)
	lost, doubled, off := w.count(t)
	t.Logf("%d kills over %d tickets; hits per boundary: %v", kills, len(w.truth), sortedHits(hits))
	t.Logf("lost %d, doubled %d, cents off %d", lost, doubled, off)
	if lost+doubled != 0 || off != 0 {
		t.Errorf("lost %d, doubled %d, cents off %d", lost, doubled, off)
	}
}

// boundary is a fail point of a program.
type boundary struct{ program, point string }

func boundaries() (out []boundary) {
	for _, program := range []string{"agent", "hub"} {
		for _, p := range points[program] {
			out = append(out, boundary{program, p + ".before"}, boundary{program, p + ".after"})
		}
	}
	return out
}

// pull kills one program: at the next boundary in turn, every tenth time Odoo at random.
func (w *world) pull(t *testing.T, i int, order []boundary, hits map[string]int) {
	t.Helper()
	if i%10 == 9 {
		<-time.After(time.Duration(w.dice.IntN(150)) * time.Millisecond)
		w.odoo.kill()
		hits["odoo, at random"]++
		restart(t, w.odoo, "")
		return
	}
	b := order[(i-i/10)%len(order)]
	p := w.agent
	if b.program == "hub" {
		p = w.hub
	}
	p.kill()
	hits[b.program+", at random"]++
	restart(t, p, fmt.Sprintf("%s:%d", b.point, 1+w.dice.IntN(3)))
	if p.died(4 * time.Second) {
		hits[b.point]++
	} else {
		p.kill()
	}
	restart(t, p, "")
}

func restart(t *testing.T, p *proc, point string) {
	t.Helper()
	if err := p.start(point); err != nil {
		t.Fatal(err)
	}
}

// settled waits until the agent has nothing left and every document is verified.
func (w *world) settled(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; {
		lost, _, _ := w.count(t)
		if open := w.open(t); lost == 0 && open == "" {
			return
		} else if time.Now().After(end) {
			t.Fatalf("not settled: %d tickets are missing in the books; %s", lost, open)
		}
		<-time.After(200 * time.Millisecond)
	}
}

// db reads the hub's database file.
func (w *world) db(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.dir, "hubdata", "hub.db")+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// open tells what is not verified yet.
func (w *world) open(t *testing.T) string {
	db := w.db(t)
	defer db.Close()
	var docs, dirty int
	var why string
	if err := db.QueryRow(`SELECT count(*), COALESCE(max(state || ': ' || why), '') FROM document WHERE state <> 'verified'`).Scan(&docs, &why); err != nil {
		return err.Error()
	}
	if err := db.QueryRow(`SELECT count(*) FROM day WHERE state <> 'verified' OR dirty = 1 OR due > 0`).Scan(&dirty); err != nil {
		return err.Error()
	}
	if docs+dirty == 0 {
		return ""
	}
	return fmt.Sprintf("%d documents open (%s), %d days open", docs, why, dirty)
}

// count compares the till's truth with the ledger, ticket by ticket, and with Odoo's journal items, to the cent.
func (w *world) count(t *testing.T) (lost, doubled int, off int64) {
	t.Helper()
	db := w.db(t)
	defer db.Close()
	rows, err := db.Query(`SELECT t.key, e.gross + e.tax FROM ticket t JOIN entry e ON e.id = t.entry`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	have, sum := map[string]int64{}, int64(0)
	for rows.Next() {
		var key string
		var cents int64
		if err := rows.Scan(&key, &cents); err != nil {
			t.Fatal(err)
		}
		id := key[strings.LastIndex(key, "|")+1:]
		if _, twice := have[id]; twice {
			doubled++
		}
		have[id] = cents
		sum += cents
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, cents := range w.truth {
		got, ok := have[id]
		if !ok {
			lost++
			continue
		}
		off += max(got-cents, cents-got)
	}
	items, err := books.Read(t.Context(), books.Odoo{URL: "http://" + w.odooAt, DB: "odoo", User: "tillpost", Key: "key"}, "TPOS")
	if err != nil {
		return lost + 1, doubled, off // Odoo is not back yet
	}
	odoo := int64(0)
	for _, i := range items {
		if i.Label == "tender:cash" && i.State == "posted" && i.Date == w.day {
			odoo += i.Cents
		}
	}
	return lost, doubled, off + max(odoo-sum, sum-odoo)
}

func sortedHits(hits map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(hits)) {
		out = append(out, fmt.Sprintf("%s %d", k, hits[k]))
	}
	return strings.Join(out, ", ")
}

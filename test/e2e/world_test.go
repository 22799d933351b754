package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
	"github.com/tillpost/tillpost/test/port"
)

// store is the one store of these worlds; its tills do all that tills do.
var store = till.Store{Code: "S1", Name: "One", Zone: "America/Chicago", Cutoff: 4, Tills: 2, TellsDay: true, Tips: true,
	Taxes: []till.Tax{{Name: "IL State", Rate: 6250}, {Name: "Chicago", Rate: 1250}}}

// world is all that runs.
type world struct {
	dir      string
	programs map[string]*proc // "agent", "hub", "odoo", and "broker" where it is a program of its own
	addrs    map[string]string
	store    till.Store
	books    books.Odoo    // the fake one's, unless a real one was given
	pause    time.Duration // of the tills between two batches of tickets
	patience time.Duration // until everything must be in the books
	day      time.Time
	mode     string // as what its days go to Odoo, "" = as entries
	dice     *rand.Rand
	kills    int

	mu       sync.Mutex
	told     books.Told       // tickets of which the till was told that they are safe
	measures map[string]int64 // what the books must say
	n        int              // sheets
}

func newWorld(t *testing.T, bin string, seed uint64, ownBroker bool) *world {
	t.Helper()
	return newWorldOn(t, bin, seed, ownBroker, store, books.Odoo{})
}

// newWorldOn runs a store of its own code against a real Odoo, or against the fake one when real is empty.
func newWorldOn(t *testing.T, bin string, seed uint64, ownBroker bool, st till.Store, real books.Odoo) *world {
	t.Helper()
	return newWorldAs(t, bin, seed, ownBroker, st, real, "")
}

// newWorldAs is one whose days go to Odoo otherwise than as entries.
func newWorldAs(t *testing.T, bin string, seed uint64, ownBroker bool, st till.Store, real books.Odoo, mode string) *world {
	t.Helper()
	w := &world{store: st, mode: mode, books: real, patience: 5 * time.Minute, dir: t.TempDir(), programs: map[string]*proc{}, addrs: map[string]string{}, day: time.Now().AddDate(0, 0, -2), dice: rand.New(rand.NewPCG(seed, 7)),
		told: books.Told{}, measures: map[string]int64{}}
	for _, name := range []string{"broker", "web", "door", "odoo"} {
		w.addrs[name] = port.Free(t)
	}
	for _, d := range []string{"drop", "agentdata", "hubdata", "profiles"} {
		if err := os.Mkdir(w.at(d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, w.at("token"), "till\n")
	t.Cleanup(func() { w.close(t) })
	if w.books.URL == "" {
		w.books = books.Odoo{URL: "http://" + w.addrs["odoo"], DB: "odoo", User: "tillpost", Key: "key"}
		w.proc(t, "odoo", filepath.Join(bin, "odoo"), "-listen", w.addrs["odoo"], "-state", w.at("odoo.json"))
		w.start(t, w.programs["odoo"], "")
		waitFor(t, w.addrs["odoo"])
	}
	writeFile(t, w.at("key"), "%s\n", w.books.Key)
	brokerIs := fmt.Sprintf("listen=%q", w.addrs["broker"])
	if ownBroker {
		w.mosquitto(t)
		brokerIs = fmt.Sprintf("url=\"mqtt://%s\"", w.addrs["broker"])
	}
	w.theHub(t, filepath.Join(bin, "hub"), brokerIs)
	w.theAgent(t, filepath.Join(bin, "agent"))
	return w
}

func (w *world) at(name string) string { return filepath.Join(w.dir, name) }

func (w *world) proc(t *testing.T, name string, args ...string) {
	t.Helper()
	log, err := os.Create(w.at(name + ".log"))
	if err != nil {
		t.Fatal(err)
	}
	w.programs[name] = &proc{name: name, args: args, log: log}
}

// mosquitto is a broker as others run it.
func (w *world) mosquitto(t *testing.T) {
	t.Helper()
	_, port, _ := net.SplitHostPort(w.addrs["broker"])
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n", port)
	if me, err := user.Current(); err == nil {
		conf += "user " + me.Username + "\n" // it would leave root's rights and could not read its own files here
	}
	w.proc(t, "broker", "mosquitto", "-c", writeFile(t, w.at("mosquitto.conf"), "%s", conf))
	w.start(t, w.programs["broker"], "")
	waitFor(t, w.addrs["broker"])
}

// theHub starts a hub and lets it prepare the books.
func (w *world) theHub(t *testing.T, program, brokerIs string) {
	t.Helper()
	conf := writeFile(t, w.at("hub.toml"), "data_dir=%q\n[web]\nlisten=%q\n[broker]\n%s\n[odoo]\nurl=%q\ndatabase=%q\nuser=%q\nkey_file=%q\n"+
		"[posting]\ngrace='0s'\nsettle='0s'\n[[location]]\ncode=%q\nname='One'\nzone='America/Chicago'\ncutoff='04:00'\ncurrency='USD'\ntills=['T1','T2']\nposting=%q\n",
		w.at("hubdata"), w.addrs["web"], brokerIs, w.books.URL, w.books.DB, w.books.User, w.at("key"), w.store.Code, w.mode)
	w.proc(t, "hub", program, "run", "--config", conf)
	writeFile(t, w.at("password"), "%s\n", strings.TrimSpace(command(t.Context(), t, program, "device", "add", "pc", "--config", conf)))
	w.start(t, w.programs["hub"], "") // its start confirms the locations of its settings, which setup then knows
	waitFor(t, w.addrs["web"])
	waitFor(t, w.addrs["broker"])
	setup := []string{program, "odoo", "setup", "--config", conf}
	for _, x := range w.store.Taxes {
		setup = append(setup, "--tax", x.Name)
	}
	command(t.Context(), t, setup...)
}

func (w *world) theAgent(t *testing.T, program string) {
	t.Helper()
	writeFile(t, w.at("profiles/sheet.toml"), "name='sheet'\nformat='csv'\nsystem='sheet'\ncurrency='USD'\nzone='UTC'\ntimes=['2006-01-02 15:04']\n[ticket]\nid='{No}'\nlocation=%q\nat='{When}'\n"+
		"[[line]]\nkind='item'\ncategory='{What}'\namount='{Price}'\n[[tender]]\ntype='cash'\n", w.store.Code)
	conf := writeFile(t, w.at("agent.toml"), "device='pc'\ndata_dir=%q\n[hub]\nurl=\"mqtt://%s\"\npassword_file=%q\nretry_longest='300ms'\n[profiles]\ndir=%q\n[source.localapi]\nlisten=%q\ntoken_file=%q\n"+
		"[[source.filedrop]]\nname='drop'\ndir=%q\nprofile='sheet'\nsettle='20ms'\n", w.at("agentdata"), w.addrs["broker"], w.at("password"), w.at("profiles"), w.addrs["door"], w.at("token"), w.at("drop"))
	w.proc(t, "agent", program, "run", "--config", conf)
	w.start(t, w.programs["agent"], "")
}

// all lists the programs that run.
func (w *world) all() (out []*proc) {
	for _, name := range []string{"agent", "broker", "hub", "odoo"} {
		if p := w.programs[name]; p != nil && p.cmd != nil {
			out = append(out, p)
		}
	}
	return out
}

func (w *world) start(t *testing.T, p *proc, point string) {
	t.Helper()
	if err := p.begin(point); err != nil {
		t.Fatal(err)
	}
}

func (w *world) kill(t *testing.T, p *proc) {
	t.Helper()
	if p.end(0) != running {
		t.Errorf("%s ended by itself: its log tells why", p.name)
		return
	}
	p.pullPlug()
	w.kills++
}

func (w *world) close(t *testing.T) {
	for _, p := range w.all() {
		p.pullPlug()
		if t.Failed() {
			t.Logf("the end of %s's log:", p.name)
			tail(t, w.at(p.name+".log"))
		}
	}
	for _, p := range w.programs {
		p.log.Close()
	}
}

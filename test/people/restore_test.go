package people_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/port"
)

// TestAnOlderBackupIsPutBack puts a hub back to before most of what it posted: while the line of one store is cut, then while both are there. Nothing is
// lost, doubled or taken out of the books, and what waits says for whom.
func TestAnOlderBackupIsPutBack(t *testing.T) {
	g := newRig(t)
	place := "[[location]]\ncode = '%s'\nname = '%s'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n"
	g.hubSettings("info", postingTOML+fmt.Sprintf(place, "S1", "First Street")+fmt.Sprintf(place, "S2", "Second Street"))
	g.startHub()
	wire := g.cutWire(g.broker)
	doors := map[string]string{"S1": g.store("pc1", "S1", wire.addr), "S2": g.store("pc2", "S2", g.broker)}
	g.hub(0, "odoo", "setup")
	first, second := time.Now().UTC().AddDate(0, 0, -3).Format(time.DateOnly), time.Now().UTC().AddDate(0, 0, -2).Format(time.DateOnly)
	sold := map[string]int64{}
	sell := func(id, location, day string) {
		g.api = doors[location]
		g.sell(id, location, day+"T10:00:00Z", "cash")
		sold[location+" "+day] += 1000
	}
	booked := func(what string) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("the books say %v, sold was %v\n%s\n%s", g.cash(), sold, hubWords(g, "status"), hubWords(g, "cases"))
			}
		}()
		until(t, what, func() bool { return maps.Equal(g.cash(), sold) && strings.Contains(hubWords(g, "status"), "All good") })
	}

	sell("A-1", "S1", first)
	sell("B-1", "S2", first)
	booked("the first tickets")
	backup := filepath.Join(g.dir, "backup.db")
	g.hub(0, "backup", backup)
	sell("A-2", "S1", first)
	sell("A-3", "S1", second)
	sell("B-2", "S2", first)
	booked("what is sold after the backup")

	wire.cut(true)
	sell("A-4", "S1", second)
	g.putBack(backup)
	sell("B-3", "S2", first)
	delete(sold, "S1 "+second)
	sold["S1 "+second] = 1000 // the hub knows nothing of A-4 yet
	until(t, "the store that is there", func() bool { return g.cash()["S2 "+first] == sold["S2 "+first] })
	for _, day := range []string{first, second} {
		until(t, "the day that waits for its store", func() bool { return strings.Contains(g.hub(0, "day", "S1", day), "PC pc1 has not been here since") })
	}
	if got := g.cash(); !maps.Equal(got, sold) {
		t.Errorf("while a store is away the books say %v, it was %v", got, sold)
	}
	sold["S1 "+second] += 1000
	wire.cut(false)
	booked("all stores after the restore")

	entries := g.entries()
	g.putBack(backup) // once more, and everybody is there
	booked("all stores after the second restore")
	if got := g.entries(); got != entries {
		t.Errorf("the second restore left %d entries, there were %d", got, entries)
	}
	sell("A-5", "S1", second)
	sell("B-4", "S2", second)
	booked("what is sold afterwards")
	if got := g.entries(); got != entries+2 {
		t.Errorf("two tickets made %d entries of %d", got, entries)
	}
}

// putBack stops the hub, restores the backup and waits until it knows again what it posted.
func (g *rig) putBack(backup string) {
	g.t.Helper()
	stop(g.hubProc, g.hubEnded)
	g.hub(0, "restore", backup)
	if got := g.hub(1, "status"); !strings.Contains(got, "no store-day goes to Odoo until it has") {
		g.t.Errorf("what waits for the reading back is not told: %s", got)
	}
	before := g.logged("knows its entries in Odoo again")
	g.startHub()
	until(g.t, "the end of the reading back", func() bool { return g.logged("knows its entries in Odoo again") > before })
}

// logged counts the lines of the hub's log that have words.
func (g *rig) logged(words string) int {
	b, err := os.ReadFile(g.hubLog)
	g.ok(err)
	return strings.Count(string(b), words)
}

// cash sums what the books say was taken, by store and day. Nothing may ever have been taken out.
func (g *rig) cash() map[string]int64 {
	out := map[string]int64{}
	for _, i := range g.items() {
		if i.Label != "tender:cash" || i.State != "posted" {
			continue
		}
		if i.Cents <= 0 || i.Date != i.Day {
			g.t.Fatalf("%s says %s on %s: %s", i.Entry, books.Text(i.Cents), i.Date, i.Ref)
		}
		out[i.Location+" "+i.Day] += i.Cents
	}
	return out
}

func (g *rig) entries() int {
	all := map[int]bool{}
	for _, i := range g.items() {
		all[i.Move] = true
	}
	return len(all)
}

func (g *rig) items() []books.Item {
	items, err := books.Read(g.t.Context(), books.Odoo{URL: "http://" + g.odoo, DB: "odoo", User: "tillpost", Key: "key"}, "TPOS")
	g.ok(err)
	return items
}

// store registers a PC that speaks for one location, runs its agent and returns the door of its tills.
func (g *rig) store(device, location, broker string) (door string) {
	g.t.Helper()
	dir, door := filepath.Join(g.dir, device), port.Free(g.t)
	g.write(dir+".password", g.hub(0, "device", "add", device, "--location", location))
	g.write(dir+".toml", fmt.Sprintf("device = %q\ndata_dir = %q\n[hub]\nurl = \"mqtt://%s\"\npassword_file = %q\nretry_longest = '300ms'\n[status]\nlisten = %q\n[source.localapi]\nlisten = %q\ntoken_file = %q\nlocations = [%q]\n",
		device, dir, broker, dir+".password", port.Free(g.t), door, filepath.Join(g.dir, "token"), location))
	g.run(g.agentLog, binary(g.t, "agent"), "run", "--config", dir+".toml")
	until(g.t, "the agent's door", func() bool { return listens(door) })
	return door
}

// wire is a store's line to the hub.
type wire struct {
	addr string
	mu   sync.Mutex
	off  bool
	open []net.Conn
}

func (g *rig) cutWire(to string) *wire {
	g.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	g.ok(err)
	w := &wire{addr: l.Addr().String()}
	g.t.Cleanup(func() { l.Close(); w.cut(true) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c, to)
		}
	}()
	return w
}

func (w *wire) join(c net.Conn, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	far, err := net.Dial("tcp", to)
	if w.off || err != nil {
		c.Close()
		if err == nil {
			far.Close()
		}
		return
	}
	w.open = append(w.open, c, far)
	for _, ends := range [][2]net.Conn{{c, far}, {far, c}} {
		go func() { _, _ = io.Copy(ends[0], ends[1]); ends[0].Close(); ends[1].Close() }()
	}
}

func (w *wire) cut(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		c.Close()
	}
	w.off, w.open = off, nil
}

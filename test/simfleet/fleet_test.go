// Package simfleet plays rollouts over thousands of stores in virtual time: the hub's own decider of rollouts, the deciders of every PC's launcher
// and agent, and around them lines that break, power that goes between any two steps, nights, sales, and releases that are bad in each known way.
package simfleet

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/shared/retail"
)

var (
	seeds  = flag.Uint64("seeds", 20, "how many fleets to play")
	first  = flag.Uint64("first", 0, "seed of the first")
	stores = flag.Int("stores", 300, "how many stores a fleet has")
)

const old, fresh = "1.4.0", "1.5.0"

var begin = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// world is one fleet and its hub.
type world struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	now    time.Time
	of     release
	cuts   bool
	pcs    []*pc
	by     map[string]*pc
	r      fleet.Rollout
	wishes map[string]wish
	orders int
	met    map[string]bool // who ever was told the release
}

func newWorld(t *testing.T, seed uint64, of release) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 7)), now: begin, of: of, cuts: true, by: map[string]*pc{}, wishes: map[string]wish{}, met: map[string]bool{}}
	for i := range *stores {
		p := &pc{w: w, slots: map[update.Release]bool{}, online: w.rng.IntN(40) > 0, last: begin}
		p.Device = fleet.Device{ID: fmt.Sprintf("pc-%05d", i), Location: retail.LocationCode("S" + strconv.Itoa(i)), Platform: "linux/amd64", Sources: "filedrop", Running: old, Seen: begin}
		if w.rng.IntN(10) < 8 {
			p.Platform = "windows/amd64"
		}
		if w.rng.IntN(25) == 0 {
			p.Sources = "localapi"
		}
		switch w.rng.IntN(150) {
		case 0, 1:
			p.Group = "test"
		case 2:
			p.Excluded = true
		case 3:
			p.Pin = old
		}
		p.launch()
		w.pcs, w.by[p.ID] = append(w.pcs, p), p
	}
	w.r = fleet.Rollout{ID: strconv.FormatUint(seed, 10), Version: fresh, Previous: old, Rings: fleet.Usual(), Size: 6 << 20, Rate: 20 << 20, InFlight: max(50, *stores/20), State: fleet.Running, Since: begin}
	return w
}

// run plays until the rollout is in a state, or for so many days.
func (w *world) run(days int, until fleet.State) {
	for n := range days * int(24*time.Hour/tick) {
		w.now = w.now.Add(tick)
		for _, p := range w.pcs {
			p.live()
		}
		if n%3 == 0 { // the hub looks more often; it decides no other
			w.look()
		}
		if w.r.State == until {
			return
		}
	}
}

func (w *world) look() {
	ds := make([]fleet.Device, len(w.pcs))
	for i, p := range w.pcs {
		ds[i] = p.Device
	}
	var tells []fleet.Tell
	w.r, tells = fleet.Decide(w.r, ds, w.now)
	for _, t := range tells {
		p := w.by[t.Device]
		if p.Excluded || p.Pin != "" {
			w.t.Fatalf("seed %d: %s is left out, and told %s", w.seed, p.ID, t.Version)
		}
		w.orders++
		w.wishes[p.ID] = wish{t.Version, strconv.Itoa(w.orders), t.NotBefore, t.Back}
		p.Before = p.Running
		p.Told, p.ToldAt, p.Step, p.Why, p.Since = t.Version, w.now, fleet.Waiting, "", w.now
		if t.Version == fresh {
			w.met[p.ID] = true
		}
	}
}

// whole proves that nobody has lost a ticket and that every PC runs a version without a person, once its power and line are back.
func (w *world) whole(want func(*pc) string) {
	w.cuts = false
	for range int(48 * time.Hour / tick) {
		w.now = w.now.Add(tick)
		for _, p := range w.pcs {
			p.online = true
			p.live()
		}
		w.look()
	}
	for _, p := range w.pcs {
		if p.off || p.proc == nil {
			continue // its power went just now
		}
		if p.took < p.sold-1 {
			w.t.Errorf("seed %d: %s has %d of %d tickets", w.seed, p.ID, p.took, p.sold)
		}
		if v := want(p); p.proc.v != v {
			w.t.Errorf("seed %d: %s runs %s, want %s\n plan %+v\nwatch %+v\n step %q heard %+v", w.seed, p.ID, p.proc.v, v, p.plan, p.watch, p.Step, p.heard)
		}
	}
}

// TestFleets plays each seed with one release: a good one, or one that breaks in its own way.
func TestFleets(t *testing.T) {
	for seed := *first; seed < *first+*seeds; seed++ {
		of := releases[seed%uint64(len(releases))]
		t.Run(strconv.FormatUint(seed, 10)+" "+of.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed, of)
			if of.name == good {
				w.reaches()
			} else {
				w.stops()
			}
		})
	}
}

// reaches: a good release comes to everybody who may have it.
func (w *world) reaches() {
	w.run(40, fleet.Done)
	if w.r.State != fleet.Done {
		w.t.Fatalf("after 40 days it is %s", w.stands())
	}
	took := w.now.Sub(begin)
	w.run(8, "")
	w.whole(func(p *pc) string {
		if p.Excluded || p.Pin != "" {
			return old
		}
		return fresh
	})
	w.t.Logf("%d of %d stores in %s", len(w.met), len(w.pcs), took)
}

// stops: a bad release meets the first two rings at most, and leaves them without a person.
func (w *world) stops() {
	w.run(40, fleet.Stopped)
	if w.r.State != fleet.Stopped || w.r.Rings[w.r.Ring].Percent > 0 {
		w.t.Fatalf("it is %s", w.stands())
	}
	w.t.Logf("stopped after %s in %s, %d of %d stores met it: %s", w.now.Sub(begin), w.r.Rings[w.r.Ring].Name, len(w.met), len(w.pcs), w.r.Why)
	w.run(2, "")
	w.whole(func(*pc) string { return old })
}

func (w *world) stands() string {
	var ds []fleet.Device
	for _, p := range w.pcs {
		ds = append(ds, p.Device)
	}
	rings, why := fleet.Progresses(w.r, ds, w.now)
	return fmt.Sprintf("%s in ring %d: %s\n%+v %v", w.r.State, w.r.Ring, w.r.Why, rings, why)
}

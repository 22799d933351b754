// Package sim runs the real agent stages and the real hub stages in a hostile world on virtual time: a line that loses, repeats, delays,
// reorders and damages, PCs that crash, are cloned, replaced or lose part of their disk, a hub that is slow, crashes and is put back from a
// backup, and a second hub on the same broker. One goroutine drives each world and waits for everything else to come to rest after every
// event, and all randomness is seeded, so a seed replays its world.
package sim

import (
	"container/heap"
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
)

// Lengths of a world on its own clock.
const (
	hostile = 3 * time.Minute
	calm    = time.Hour // everything must have come to rest by then
	most    = 25_000    // events: a world has some thousands, one that goes round in circles has no end
)

// world is one run. Only the driving goroutine touches it, except where noted.
type world struct {
	ctx   context.Context
	seed  uint64
	dir   string
	began time.Time
	now   time.Time
	quiet bool // the faults are over

	events eventQueue
	n      uint64
	codec  *envelope.Codec
	log    *slog.Logger

	arrivals *rand.Rand // of what depends on what arrives

	plan   plan
	hub    *hub
	second *hub // another hub on the same broker, nil in most worlds
	pcs    []*pc
	books  *books
	truth  *truth

	faults map[string]int // what happened, for the table
	marks  map[string]int // what was sent, how often it was asked, …
	bad    []string       // broken invariants
	trace  func(format string, args ...any)
}

// plan is what a world contains, drawn from its seed.
type plan struct {
	devices                                                     int
	tickets                                                     int // per location and day
	crash, clone, wipe, salvage, restore, oldPC                 bool
	hubCrash, hubRestore, slow, twoHubs, flaky                  bool
	outage, damage, retell, trim, parts, unknown, erase, mangle bool
	loss                                                        int // percent of messages
}

func draw(r *rand.Rand) plan {
	p := plan{devices: 1 + r.IntN(5)/2, tickets: 3 + r.IntN(8), loss: r.IntN(8)}
	for _, b := range []struct {
		on      *bool
		percent int
	}{{&p.crash, 60}, {&p.clone, 25}, {&p.wipe, 20}, {&p.salvage, 25}, {&p.oldPC, 20}, {&p.hubCrash, 50}, {&p.hubRestore, 30}, {&p.slow, 40}, {&p.twoHubs, 20},
		{&p.flaky, 50}, {&p.outage, 70}, {&p.damage, 60}, {&p.retell, 30}, {&p.trim, 30}, {&p.parts, 20}, {&p.unknown, 40}, {&p.erase, 30}, {&p.mangle, 25}} {
		*b.on = r.IntN(100) < b.percent
	}
	if p.hubRestore {
		p.trim = false // rows stay for 30 days just for that
	}
	return p
}

// event is something that will happen.
type event struct {
	at time.Time
	n  uint64 // order of making: events of one instant keep it
	do func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].n < q[j].n
	}
	return q[i].at.Before(q[j].at)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}

func (w *world) at(t time.Time, do func()) {
	w.n++
	heap.Push(&w.events, event{t, w.n, do})
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// dice gives an actor dice of its own, so that its draws do not depend on the others.
func (w *world) dice(actor string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(actor))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

func (w *world) breaks(format string, args ...any) {
	if len(w.bad) < 20 {
		w.bad = append(w.bad, fmt.Sprintf("%v: ", w.now.Sub(w.began))+fmt.Sprintf(format, args...))
	}
}

func (w *world) fault(what string) {
	w.faults[what]++
	w.trace("FAULT %s", what)
}

// rest waits until every goroutine of the product waits for something.
func (w *world) rest() { synctest.Wait() }

// run plays a seed's world and returns what it broke. It must be called in a bubble.
func run(t *testing.T, seed uint64, dir string, tell bool) *world {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	ctx, cancel := context.WithCancel(t.Context())
	w := &world{ctx: ctx, seed: seed, dir: dir, began: start, now: start, codec: envelope.NewCodec(), log: slog.New(slog.DiscardHandler),
		faults: map[string]int{}, marks: map[string]int{}, trace: func(string, ...any) {}}
	if tell {
		w.trace = func(format string, args ...any) {
			fmt.Printf("%10v  "+format+"\n", append([]any{w.now.Sub(w.began)}, args...)...)
		}
		w.log = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	w.plan, w.arrivals = draw(w.dice("plan")), w.dice("arrivals")
	w.trace("plan %+v", w.plan)
	w.build()
	defer func() {
		for _, p := range w.pcs {
			p.stop()
		}
		w.hub.stop()
		if w.second != nil {
			w.second.stop()
		}
		cancel()
	}()
	w.play()
	for k, n := range w.hub.failures {
		w.faults[k] += n
	}
	if len(w.bad) == 0 {
		w.check()
	}
	return w
}

// play runs the hostile time, then the calm until everything has arrived.
func (w *world) play() {
	for len(w.events) > 0 && len(w.bad) == 0 {
		e := heap.Pop(&w.events).(event)
		if e.at.After(w.now) {
			w.now = e.at
		}
		e.do()
		if w.quiet && w.settled() {
			return
		}
		if w.now.Sub(w.began) > hostile+calm || w.n > most {
			w.breaks("not at rest %v after the last fault: %s", w.now.Sub(w.began)-hostile, w.waiting())
			return
		}
	}
	if len(w.bad) == 0 {
		w.breaks("nothing more happens, and not everything has arrived: %s", w.waiting())
	}
}

// calmDown ends the faults: what was out of order is mended by the people whose job it is.
func (w *world) calmDown() {
	w.quiet = true
	w.trace("calm")
	w.hub.calmDown()
	if w.second != nil {
		w.second.calmDown()
	}
	for _, p := range w.pcs {
		p.calmDown()
	}
}

// waiting describes who has not arrived.
func (w *world) waiting() string {
	var s []string
	for _, p := range w.pcs {
		s = append(s, p.describe())
	}
	return strings.Join(s, "; ")
}

func (w *world) settled() bool {
	for _, p := range w.pcs {
		if !p.settled() {
			return false
		}
	}
	return true
}

// build makes the places and people of the world.
func (w *world) build() {
	w.truth = newTruth(w)
	w.books = newBooks()
	w.hub = newHub(w, "hub-main", "main")
	if w.plan.twoHubs {
		w.fault("two hubs")
		w.second = newHub(w, "hub-second", "second")
	}
	for i := range w.plan.devices {
		p := &pc{w: w, name: fmt.Sprintf("pc%d", i), device: deviceID(i), dice: w.dice(fmt.Sprintf("pc%d", i))}
		p.sources = w.truth.sourcesOf(i)
		p.dir = filepath.Join(w.dir, p.name)
		w.pcs = append(w.pcs, p)
		p.boot()
		p.connectIn(time.Duration(p.dice.IntN(2000)) * time.Millisecond)
		p.pollIn()
	}
	w.actors()
	w.at(w.began.Add(hostile), w.calmDown)
}

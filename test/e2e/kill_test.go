package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// boundary is a fail point of a program: just before or just after one of its commits.
type boundary struct{ program, stage, point string }

// boundaries come in the order in which a ticket meets them.
func boundaries() (out []boundary) {
	for _, b := range []struct{ program, stage string }{
		{"agent", "read"}, {"agent", "buffer.commit"}, {"agent", "publish"}, {"hub", "ingest.commit"}, {"hub", "ack"},
		{"hub", "outbox"}, {"hub", "load"}, {"hub", "readback"}, {"hub", "post"}, {"odoo", "odoo.commit"},
	} {
		for _, side := range []string{".before", ".after"} {
			out = append(out, boundary{b.program, b.stage, b.stage + side})
		}
	}
	return out
}

// The full run of CI. Each stage must be hit so often in it; a shorter run tells what it hit.
const (
	fullRun  = 330
	hitsEach = 10
)

// TestKills pulls the plug TILLPOST_KILLS times (24 unless set): at each commit boundary in turn, and at random instants on one program,
// on the broker or on all at once, while tills sell and store-days are posted. Then it counts. Where Mosquitto is installed, a quarter of
// the kills falls on a line whose broker is a program of its own.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills binaries; left out of short runs")
	}
	t.Parallel()
	kills, _ := strconv.Atoi(os.Getenv("TILLPOST_KILLS"))
	if kills == 0 {
		kills = 24
	}
	bin := build(t)
	outside := kills / 4
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Log("mosquitto is not installed: only the hub's own broker is killed (apt-get install mosquitto)")
		outside = 0
	}
	sum, least := newTally(), 0
	if kills >= fullRun {
		least = hitsEach
	}
	t.Run("worlds", func(t *testing.T) {
		t.Run("own broker", func(t *testing.T) {
			t.Parallel()
			play(t, newWorld(t, bin, 1, false), kills-outside, least, sum)
		})
		if outside > 0 {
			t.Run("broker of its own", func(t *testing.T) {
				t.Parallel()
				play(t, newWorld(t, bin, 2, true), outside, 0, sum)
			})
		}
	})
	t.Log(sum.table())
	if least > 0 {
		sum.enough(t, outside > 0)
	}
}

// tally is what all worlds come to.
type tally struct {
	mu                    sync.Mutex
	pulls, kills, tickets int
	found
	hits  map[string]int // by stage at its boundaries, and by program at random
	tries map[string]int // by stage
}

func newTally() *tally { return &tally{hits: map[string]int{}, tries: map[string]int{}} }

// next is the boundary whose turn it is: each in turn, and one that was not met in time up to three times as often as the others.
func (s *tally) next(order []boundary) boundary {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := slices.MinFunc(order, func(a, b boundary) int { return s.turns(a) - s.turns(b) })
	s.tries[b.point]++
	return b
}

func (s *tally) turns(b boundary) int { return 2*s.hits[b.point] + s.tries[b.point] }

func (s *tally) hit(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hits[what]++
}

// short lists the boundaries that were met less often than so.
func (s *tally) short(order []boundary, least int) (out []boundary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range order {
		if s.hits[b.point] < least {
			out = append(out, b)
		}
	}
	return out
}

// play runs one world to its end: so many pulls, and as many more as it takes until each boundary was met least times; a slow machine misses some.
func play(t *testing.T, w *world, pulls, least int, sum *tally) {
	begun := time.Now()
	order := boundaries()
	stop := w.sell(t)
	for i := range pulls {
		if w.pull(t, i, order, sum); t.Failed() {
			break
		}
	}
	pulls += w.meet(t, order, least, pulls, sum)
	stop()
	got := w.settled(t)
	sum.mu.Lock()
	defer sum.mu.Unlock()
	sum.pulls, sum.kills, sum.tickets = sum.pulls+pulls, sum.kills+w.kills, sum.tickets+len(w.told)
	sum.lost, sum.doubled, sum.off = sum.lost+got.lost, sum.doubled+got.doubled, sum.off+got.off
	t.Logf("%d pulls, %d kills, %d tickets in %v: lost %d, doubled %d, cents off %d", pulls, w.kills, len(w.told), time.Since(begun).Round(time.Second), got.lost, got.doubled, got.off)
	if got.lost+got.doubled != 0 || got.off != 0 {
		t.Error(strings.Join(got.words, "\n"))
	}
}

func (s *tally) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pulls, %d kills over %d tickets: lost %d, doubled %d, cents off %d\n", s.pulls, s.kills, s.tickets, s.lost, s.doubled, s.off)
	for _, k := range slices.Sorted(maps.Keys(s.hits)) {
		fmt.Fprintf(&b, "  %-24s %d\n", k, s.hits[k])
	}
	return b.String()
}

// enough fails when a stage was not killed as often as the promise says.
func (s *tally) enough(t *testing.T, broker bool) {
	want := map[string]bool{"agent, at random": true, "hub, at random": true, "odoo, at random": true, "all at once": true}
	if broker {
		want["broker, at random"] = true
	}
	for _, b := range boundaries() {
		want[b.point] = true
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if s.hits[k] < hitsEach {
			t.Errorf("%s: %d hits, want %d", k, s.hits[k], hitsEach)
		}
	}
}

// pull kills: every fifth time at a random instant, else at the next boundary in turn.
func (w *world) pull(t *testing.T, i int, order []boundary, sum *tally) {
	t.Helper()
	if i%5 == 4 {
		w.atRandom(t, i/5, sum)
		return
	}
	w.atBoundary(t, sum.next(order), inTime, sum)
}

// inTime is how long a boundary is waited for: another turn comes.
const inTime = 4 * time.Second

// meet goes on at those boundaries that were met less than least times, most pulls at most, and tells how many it made. On a busy machine a program
// takes long to get anywhere: each turn in vain makes the next one wait longer.
func (w *world) meet(t *testing.T, order []boundary, least, most int, sum *tally) (made int) {
	t.Helper()
	wait := inTime
	for ; made < most && !t.Failed(); made++ {
		short := sum.short(order, least)
		if len(short) == 0 {
			break
		}
		if w.atBoundary(t, sum.next(short), wait, sum) {
			wait = inTime
		} else {
			wait = min(2*wait, 8*inTime)
		}
	}
	return made
}

// atBoundary kills a program at one of its boundaries, if that is met in time.
func (w *world) atBoundary(t *testing.T, b boundary, wait time.Duration, sum *tally) (met bool) {
	t.Helper()
	p := w.programs[b.program]
	w.kill(t, p) // it comes back with the fail point armed
	sum.hit(b.program + ", at random")
	w.start(t, p, fmt.Sprintf("%s:%d", b.point, 1+w.dice.IntN(3)))
	switch p.end(wait) {
	case pulled:
		met = true
		w.kills++
		sum.hit(b.point)
	case running: // the boundary was not met in time; another turn comes
		w.kill(t, p)
	case itself:
		t.Errorf("%s ended by itself: its log tells why", p.name)
	}
	w.start(t, p, "")
	w.alive(t)
	return met
}

// atRandom kills one program, the broker or all at once.
func (w *world) atRandom(t *testing.T, turn int, sum *tally) {
	t.Helper()
	<-time.After(time.Duration(w.dice.IntN(150)) * time.Millisecond)
	what := []string{"odoo", "broker", "all", "agent", "hub"}
	if w.programs["broker"] != nil {
		what = []string{"broker", "broker", "odoo", "broker", "all"} // the others get theirs at each boundary
	}
	var victims []*proc
	switch name := what[turn%len(what)]; {
	case name == "all":
		victims = w.all()
		sum.hit("all at once")
	case name == "broker" && w.programs["broker"] == nil: // it lives in the hub
		victims = []*proc{w.programs["hub"]}
		sum.hit("hub, at random")
	default:
		victims = []*proc{w.programs[name]}
		sum.hit(name + ", at random")
	}
	for _, p := range victims {
		w.kill(t, p)
	}
	for _, p := range victims {
		w.start(t, p, "")
	}
	w.alive(t)
}

// alive fails when a program ended without being killed.
func (w *world) alive(t *testing.T) {
	t.Helper()
	for _, p := range w.all() {
		if p.end(0) != running {
			t.Errorf("%s ended by itself: its log tells why", p.name)
		}
	}
}

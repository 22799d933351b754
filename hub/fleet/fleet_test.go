package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

var begin = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// shop is a store's PC that updates as agents do: it takes its time, and says how it went when nothing can change that any more.
type shop struct {
	Device
	online  bool
	does    time.Time // when it has done what it was told
	dies    time.Time // when it goes back after it had kept it
	news    []func(*Device)
	damaged bool // it would need a person
}

// release says what becomes of one on a PC.
type release struct {
	name    string
	back    func(*shop) string        // why it goes back in its probation, "" = it keeps it
	later   func(*shop) time.Duration // when it goes back after that, 0 = never
	refused func(*shop) string
}

const old, fresh = "1.4.0", "1.5.0"

// world is a fleet in virtual time.
type world struct {
	r     Rollout
	shops []*shop
	rng   *rand.Rand
	now   time.Time
	of    release
	most  int // told at a time and not final
	told  map[string]bool
}

func newWorld(seed uint64, n int, of release) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1)), now: begin, of: of, told: map[string]bool{}}
	for i := range n {
		d := Device{ID: fmt.Sprintf("pc-%04d", i), Location: retail.LocationCode(fmt.Sprint("S", i)), Platform: "linux/amd64", Sources: "filedrop", Running: old, Seen: begin}
		if w.rng.IntN(10) < 8 {
			d.Platform = "windows/amd64"
		}
		if w.rng.IntN(20) == 0 {
			d.Sources = "localapi"
		}
		switch w.rng.IntN(200) {
		case 0, 1:
			d.Group = "test"
		case 2:
			d.Excluded = true
		case 3:
			d.Pin = old
		}
		w.shops = append(w.shops, &shop{Device: d, online: w.rng.IntN(50) > 0})
	}
	w.r = Rollout{ID: fmt.Sprint("r", seed), Version: fresh, Previous: old, Rings: Usual(), Size: 6 << 20, Rate: 20 << 20, State: Running, Since: begin}
	return w
}

func (w *world) devices() []Device {
	ds := make([]Device, len(w.shops))
	for i, s := range w.shops {
		ds[i] = s.Device
	}
	return ds
}

// tick is how often the hub looks at its fleet here.
const tick = 30 * time.Minute

// step lets a tick pass.
func (w *world) step(t *testing.T) {
	w.now = w.now.Add(tick)
	for _, s := range w.shops {
		w.live(s)
	}
	ds := w.devices()
	var tells []Tell
	w.r, tells = Decide(w.r, ds, w.now)
	flying := 0
	for i := range ds {
		if ds[i].Told == fresh && ds[i].Step == Working {
			flying++
		}
	}
	for _, tell := range tells {
		i := slices.IndexFunc(ds, func(d Device) bool { return d.ID == tell.Device })
		s := w.shops[i]
		if !s.eligible() {
			t.Fatalf("%s is told %s: it is pinned or excluded", s.ID, tell.Version)
		}
		if tell.Version == fresh {
			flying++
			w.told[s.ID] = true
		}
		s.Before = s.Running
		s.Told, s.ToldAt, s.Step, s.Why, s.Since = tell.Version, w.now, Waiting, "", w.now
		s.does = time.Time{}
	}
	w.most = max(w.most, flying)
}

// live is a tick of a store.
func (w *world) live(s *shop) {
	if w.rng.IntN(100) == 0 {
		s.online = !s.online
	} else if !s.online && w.rng.IntN(4) == 0 {
		s.online = true
	}
	say := func(f func(*Device)) { s.news = append(s.news, f) }
	switch {
	case s.Running == fresh && s.Told == old: // called back: the old one is on its disk
		s.Running, s.dies = old, time.Time{}
		say(func(d *Device) { d.Running, d.Step, d.Since = old, Kept, w.now })
	case s.Told == fresh && s.Running == old && s.does.IsZero() && s.Step == Waiting && s.online && w.rng.IntN(3) == 0: // its window has come
		s.does = w.now.Add(time.Duration(10+w.rng.IntN(40)) * time.Minute)
		s.Step, s.Since = Working, w.now
	case s.Step == Working && !s.does.IsZero() && w.now.After(s.does):
		s.does = time.Time{}
		at := w.now
		if why := w.of.fails(w.of.refused, s); why != "" {
			say(func(d *Device) { d.Step, d.Why, d.Since = Refused, why, at })
		} else if why := w.of.fails(w.of.back, s); why != "" {
			say(func(d *Device) { d.Step, d.Why, d.Since = Back, why, at })
		} else {
			s.Running = fresh
			say(func(d *Device) { d.Step, d.Since = Kept, at })
			if w.of.later != nil {
				if after := w.of.later(s); after > 0 {
					s.dies = w.now.Add(after)
				}
			}
		}
	case !s.dies.IsZero() && w.now.After(s.dies):
		s.dies, s.Running = time.Time{}, old
		at := w.now
		say(func(d *Device) { d.Step, d.Why, d.Since = Back, "it crashed again and again", at })
	}
	if s.online {
		s.Seen = w.now
		for _, f := range s.news {
			f(&s.Device)
		}
		s.news = nil
		if h := w.now.Hour(); h >= 14 && h < 24 {
			s.Traded = w.now
		}
	}
}

func (of release) fails(f func(*shop) string, s *shop) string {
	if f == nil {
		return ""
	}
	return f(s)
}

func (w *world) run(t *testing.T, days int, until State) {
	t.Helper()
	for range days * 48 {
		if w.step(t); w.r.State == until {
			return
		}
	}
}

func TestAGoodReleaseReachesEverybodyWhoMayHaveIt(t *testing.T) {
	for seed := range uint64(2) {
		w := newWorld(seed, 800, release{})
		w.run(t, 30, Done)
		if w.r.State != Done {
			t.Fatalf("seed %d: %s in ring %d: %s", seed, w.r.State, w.r.Ring, w.r.Why)
		}
		w.run(t, 5, "")
		for _, s := range w.shops {
			if want := map[bool]string{true: fresh, false: old}[s.eligible()]; s.Running != want && (s.online || want == old) {
				t.Errorf("seed %d: %s (%+v) runs %s, want %s", seed, s.ID, s.Device, s.Running, want)
			}
		}
		if w.most > 50 {
			t.Errorf("seed %d: %d were on their way at a time", seed, w.most)
		}
	}
}

func TestABadReleaseStopsBeforeTheRingsOfPercents(t *testing.T) {
	windows := func(why string) func(*shop) string {
		return func(s *shop) string {
			if strings.HasPrefix(s.Platform, "windows") {
				return why
			}
			return ""
		}
	}
	for _, of := range []release{
		{name: "crashes at start", back: func(*shop) string { return "it did not start" }},
		{name: "only on Windows", back: windows("it did not start")},
		{name: "only with a rare source", back: func(s *shop) string {
			if s.Sources == "localapi" {
				return "its source does not open"
			}
			return ""
		}},
		{name: "fine for an hour", later: func(*shop) time.Duration { return time.Hour }},
		{name: "fine for a night", later: func(*shop) time.Duration { return 9 * time.Hour }},
		{name: "a signature that no PC takes", refused: func(*shop) string { return "its signature is not of the release keys" }},
		{name: "only where the line is down", later: func(s *shop) time.Duration {
			if s.Sources == "localapi" || len(s.ID)%2 == 0 {
				return 3 * time.Hour
			}
			return 0
		}},
	} {
		t.Run(of.name, func(t *testing.T) {
			for seed := range uint64(2) {
				w := newWorld(seed, 800, of)
				w.run(t, 30, Stopped)
				if w.r.State != Stopped || w.r.Rings[w.r.Ring].Percent > 0 || w.r.Why == "" {
					t.Fatalf("seed %d: %s in ring %d %q", seed, w.r.State, w.r.Ring, w.r.Why)
				}
				w.run(t, 4, "") // it tells all of them to go back
				for _, s := range w.shops {
					if s.Running != old && s.online {
						t.Errorf("seed %d: %s still runs %s", seed, s.ID, s.Running)
					}
				}
				if len(w.told) > 80 {
					t.Errorf("seed %d: %d of %d stores met it", seed, len(w.told), len(w.shops))
				}
			}
		})
	}
}

// ring makes a small fleet in which everybody of ring 0 keeps the release and trades.
func small(n int) (Rollout, []Device) {
	r := Rollout{ID: "r", Version: fresh, Previous: old, Rings: []Ring{{Name: "canary", Count: 4, Soak: time.Hour}, {Name: "all", Percent: 100}}, State: Running, Since: begin}
	ds := make([]Device, n)
	for i := range ds {
		ds[i] = Device{ID: fmt.Sprint("d", i), Platform: "windows/amd64", Running: old, Seen: begin}
	}
	return r, ds
}

func tell(ds []Device, tells []Tell, now time.Time, step Step) {
	for _, x := range tells {
		for i := range ds {
			if d := &ds[i]; d.ID == x.Device {
				d.Before, d.Told, d.ToldAt, d.Step, d.Since, d.Traded, d.Seen = d.Running, x.Version, now, step, now, now.Add(time.Minute), now.Add(30*time.Hour)
				if step == Kept {
					d.Running = x.Version
				}
			}
		}
	}
}

func TestARingGoesOnOnlyWithEveryProof(t *testing.T) {
	for name, c := range map[string]struct {
		change func(ds []Device, in []int)
		after  time.Duration
		ring   int
		state  State
	}{
		"all proofs":              {func([]Device, []int) {}, 2 * time.Hour, 1, Running},
		"not long enough":         {func([]Device, []int) {}, 59 * time.Minute, 0, Running},
		"one has a new case":      {func(ds []Device, in []int) { ds[in[0]].Cases = 1 }, 2 * time.Hour, 0, Running},
		"nobody has traded":       {func(ds []Device, in []int) { each(ds, in, func(d *Device) { d.Traded = begin.Add(-time.Hour) }) }, 2 * time.Hour, 0, Running},
		"two have not answered":   {func(ds []Device, in []int) { each(ds, in[:2], func(d *Device) { d.Step = Waiting }) }, 2 * time.Hour, 0, Running},
		"one went back":           {func(ds []Device, in []int) { ds[in[0]].Step, ds[in[0]].Why = Back, "no" }, 2 * time.Hour, 0, Stopped},
		"one has gone silent":     {func(ds []Device, in []int) { ds[in[0]].Seen = begin }, 30 * time.Hour, 0, Running},
		"two have gone silent":    {func(ds []Device, in []int) { each(ds, in[:2], func(d *Device) { d.Seen = begin }) }, 30 * time.Hour, 0, Stopped},
		"one has not taken it up": {func(ds []Device, in []int) { ds[in[0]].Step, ds[in[0]].Seen = Waiting, begin }, 30 * time.Hour, 0, Running},
	} {
		t.Run(name, func(t *testing.T) {
			r, ds := small(20)
			r, tells := Decide(r, ds, begin)
			if len(tells) != 4 {
				t.Fatalf("%d told, want the canary's 4", len(tells))
			}
			tell(ds, tells, begin, Kept)
			var in []int
			for i, ring := range r.Members(ds) {
				if ring == 0 {
					in = append(in, i)
				}
			}
			c.change(ds, in)
			if r, _ = Decide(r, ds, begin.Add(c.after)); r.Ring != c.ring || r.State != c.state {
				t.Errorf("ring %d, %s (%s), want %d, %s", r.Ring, r.State, r.Why, c.ring, c.state)
			}
		})
	}
}

// first is the nth device of the canary ring.
func first(r Rollout, ds []Device, n int) *Device {
	for i, ring := range r.Members(ds) {
		if ring == 0 {
			if n == 0 {
				return &ds[i]
			}
			n--
		}
	}
	return nil
}

func each(ds []Device, in []int, f func(*Device)) {
	for _, i := range in {
		f(&ds[i])
	}
}

func TestWhatAPersonHasSeenDoesNotStopItAgain(t *testing.T) {
	r, ds := small(20)
	r, tells := Decide(r, ds, begin)
	tell(ds, tells, begin, Kept)
	one, two := first(r, ds, 0), first(r, ds, 1)
	one.Step, one.Why = Back, "a full disk"
	at := begin.Add(time.Hour)
	r, back := Decide(r, ds, at)
	if r.State != Stopped || len(back) < 4 || back[0].Version != old {
		t.Fatalf("%s, %v", r.State, back)
	}
	r, err := r.Obey(Resume, "its disk was full", at)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ = Decide(r, ds, at.Add(time.Minute)); r.State != Running {
		t.Errorf("%s again: %s", r.State, r.Why)
	}
	two.Step, two.Since = Back, at.Add(2*time.Minute)
	if r, _ = Decide(r, ds, at.Add(3*time.Minute)); r.State != Stopped {
		t.Errorf("a new failure does not stop it: %s", r.State)
	}
}

func TestTheCanaryHoldsEveryKind(t *testing.T) {
	r, ds := small(300)
	for i := range ds {
		if i%100 == 7 {
			ds[i].Platform = "linux/arm64"
		}
		if i%50 == 3 {
			ds[i].Sources = "portico"
		}
	}
	kinds := map[string]int{}
	for i, ring := range r.Members(ds) {
		if ring == 0 {
			kinds[ds[i].Platform+" "+ds[i].Sources]++
		}
	}
	if len(kinds) != 3 {
		t.Errorf("the canary ring holds %v", kinds)
	}
}

func TestDownloadsStayWithinTheirRate(t *testing.T) {
	r, ds := small(40)
	r.Rings = []Ring{{Name: "all", Percent: 100}}
	r.Size, r.Rate, r.InFlight = 10<<20, 1<<20, 40
	r, tells := Decide(r, ds, begin)
	for i, x := range tells {
		if want := begin.Add(time.Duration(i) * 10 * time.Second); !x.NotBefore.Equal(want) {
			t.Fatalf("download %d begins at %s, want %s", i, x.NotBefore, want)
		}
	}
	if len(tells) != 40 || !r.Next.Equal(begin.Add(400*time.Second)) {
		t.Errorf("%d told, next %s", len(tells), r.Next)
	}
}

// A store that was away while one rollout ended and another began is told the ended one's release unless the new one has reached it.
func TestBesideAnotherRollout(t *testing.T) {
	done, ds := small(20)
	done.State, done.Ring = Done, 1
	next := done
	next.ID, next.Version, next.Previous, next.State, next.Ring = "next", "1.6.0", fresh, Running, 0
	_, tells := Beside(done, next, ds, begin)
	_, others := Decide(next, ds, begin)
	seen := map[string]string{}
	for _, x := range append(tells, others...) {
		if seen[x.Device] != "" {
			t.Errorf("%s is told %s and %s", x.Device, seen[x.Device], x.Version)
		}
		seen[x.Device] = x.Version
	}
	if len(tells) != 16 || len(others) != 4 {
		t.Errorf("%d and %d told", len(tells), len(others))
	}
}

func TestCheck(t *testing.T) {
	good := Rollout{Version: fresh, Previous: old, Rings: Usual()}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Rollout){
		"names no version":      func(r *Rollout) { r.Version = "" },
		"to go back to":         func(r *Rollout) { r.Previous = fresh },
		"no rings":              func(r *Rollout) { r.Rings = nil },
		"never stop":            func(r *Rollout) { r.Failing = 90 },
		"one of them only":      func(r *Rollout) { r.Rings[0].Percent = 3 },
		"percentages rise":      func(r *Rollout) { r.Rings[3].Percent = 10 },
		"never get it":          func(r *Rollout) { r.Rings = r.Rings[:3] },
		"needs the size":        func(r *Rollout) { r.Rate = 1 },
		"stands behind a ring ": func(r *Rollout) { r.Rings = append(r.Rings, Ring{Name: "late", Count: 3}) },
	} {
		r := good
		r.Rings = slices.Clone(good.Rings)
		if change(&r); r.Check() == nil || !strings.Contains(r.Check().Error(), want) {
			t.Errorf("got %v, want %q", r.Check(), want)
		}
	}
}

func TestObey(t *testing.T) {
	for _, c := range []struct {
		from State
		say  Order
		to   State // "" = refused
	}{
		{Running, Pause, Paused}, {Paused, Resume, Running}, {Stopped, Resume, Running}, {Done, Return, Reverse}, {Running, Abort, Aborted},
		{Done, Pause, ""}, {Reverse, Resume, ""}, {Aborted, Resume, ""}, {Reverse, Return, ""},
	} {
		got, err := Rollout{State: c.from}.Obey(c.say, "so", begin)
		if (err == nil) != (c.to != "") || err == nil && (got.State != c.to || got.Why != "so") {
			t.Errorf("%s after %s: %s, %v", c.say, c.from, got.State, err)
		}
	}
}

// TestWhoWentBackAloneIsAskedAgain: of a release that the fleet keeps, and of no other.
func TestWhoWentBackAloneIsAskedAgain(t *testing.T) {
	r := Rollout{ID: "r", Version: fresh, Previous: old, Rings: Usual(), Ring: len(Usual()) - 1, State: Done, Since: begin}
	ds := []Device{
		{ID: "keeps", Running: fresh, Told: fresh, Step: Kept, Since: begin, Seen: begin},
		{ID: "back", Running: old, Told: fresh, Step: Back, Since: begin, Seen: begin},
		{ID: "refused", Running: old, Told: fresh, Step: Refused, Since: begin, Seen: begin},
		{ID: "waits", Running: old, Told: fresh, Step: Waiting, Since: begin, Seen: begin},
		{ID: "pinned", Running: old, Told: fresh, Step: Back, Pin: old, Since: begin, Seen: begin},
	}
	told := func(state State, now time.Time) (out []string) {
		r.State = state
		_, tells := Decide(r, ds, now)
		for _, tell := range tells {
			if tell.Version == fresh {
				out = append(out, tell.Device)
			}
		}
		return out
	}
	if got := told(Done, begin.Add(askedAgain-time.Minute)); got != nil {
		t.Errorf("%v are asked again at once", got)
	}
	if got := told(Done, begin.Add(askedAgain)); !slices.Equal(got, []string{"back", "refused"}) {
		t.Errorf("asked again: %v", got)
	}
	for _, s := range []State{Paused, Stopped, Aborted, Reverse} {
		if got := told(s, begin.Add(askedAgain)); got != nil {
			t.Errorf("%s: %v are asked again", s, got)
		}
	}
}

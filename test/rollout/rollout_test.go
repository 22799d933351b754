//go:build linux

package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/view"
)

// rings are those of a small fleet: the test store, one drawn, and all. Who has no line does not hold the others up.
const (
	rings   = `[{"name":"test stores","group":"test","soak":"2s"},{"name":"canary","count":1,"soak":"2s"},{"name":"all","percent":100}]`
	without = `[{"name":"test stores","group":"test","soak":"2s"},{"name":"all","percent":100,"heard":50}]`
)

// TestARelease brings a good release to the stores, a bad one that ends at its start, one that breaks the buffer, and a good one again, while
// the tills sell and one store has no line. Then the signatures run out.
func TestARelease(t *testing.T) {
	heavy(t)
	w := newWorld(t, 4, "900")
	line := newLine(t, w.broker)
	for i := range 4 {
		more := ""
		if i == 3 {
			more = fmt.Sprintf("url='mqtts://%s'\n", line.addr)
		}
		p := w.newPC(fmt.Sprintf("S%03d", i+1), more)
		p.start()
		p.sell()
	}
	test, far := w.pcs[0], w.pcs[3]
	w.hub("rollout", "group", test.name, "test")
	w.pcs[2].knowsNoRoot() // as one that was enrolled before the hub had releases
	w.until("four PCs to run v1.0.0", time.Minute, func() bool { return w.run("v1.0.0") == 4 })
	w.write("rings.json", rings)
	w.write("without.json", without)

	// A good one, with all of them there.
	w.publish("v1.1.0", "")
	began := time.Now()
	w.hub("rollout", "start", "v1.1.0", "--rings", w.at("rings.json"))
	struck := w.pcs[1]
	w.until("a PC to try it", 2*time.Minute, func() bool { return w.device(struck).Step != "" })
	struck.kill() // its plug is pulled in the middle of it, or on a busy machine a moment later
	struck.start()
	struck.sell()
	w.stands("done", 2*time.Minute)
	w.until("four PCs to run v1.1.0", 30*time.Second, func() bool { return w.run("v1.1.0") == 4 })
	t.Logf("v1.1.0 went through its rings in %s", time.Since(began).Round(time.Second))
	w.patched(t)

	// One that ends at its start, while a store has no line.
	line.cut()
	w.publish("v1.2.0", "release_crash", "--patches", "1")
	w.bad("v1.2.0", test, "back", "crash")
	// And one that leaves a buffer which the version before cannot open.
	w.publish("v1.3.0", "release_schema", "--patches", "1")
	w.bad("v1.3.0", test, "refused", "schema")

	// A good one again: nobody was restarted by hand since the first.
	w.publish("v1.4.0", "")
	w.hub("rollout", "start", "1.4.0", "--rings", w.at("without.json"))
	w.stands("done", 2*time.Minute)
	t.Logf("v1.4.0 went through its rings")
	w.until("three PCs to run v1.4.0", 30*time.Second, func() bool { return w.run("v1.4.0") == 3 })
	if v := far.status().Version; v != "v1.1.0" {
		t.Errorf("the PC without a line runs %s", v)
	}
	line.mend()
	w.until("the last PC to catch up", time.Minute, func() bool { return w.run("v1.4.0") == 4 && w.device(far).Step == "kept" })

	w.publish("v1.5.0", "", "--patches", "1")
	w.stick(t, far, line, "1.5.0")
	w.expired(t)
	w.counts(t)
}

// run counts the PCs that the hub knows to run a version.
func (w *world) run(version string) int {
	for _, s := range w.fleet().Spread {
		if strings.TrimPrefix(s.Version, "v") == strings.TrimPrefix(version, "v") {
			return s.Devices
		}
	}
	return 0
}

// stands waits until the newest rollout stands so.
func (w *world) stands(state string, within time.Duration) (r view.RolloutView) {
	w.t.Helper()
	began := time.Now()
	for {
		r = w.fleet().Rollouts[0]
		if r.State == state {
			return r
		}
		if time.Since(began) > within {
			var each strings.Builder
			for _, p := range w.pcs {
				fmt.Fprintf(&each, "%+v\n%+v\n%s", w.device(p), p.status(), p.notes())
			}
			w.t.Fatalf("after %s the rollout is %s\n%s\n%s", within, r.State, w.hub("rollout", "list"), each.String())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// bad brings a bad release to the fleet: it stops in its first ring by itself, and the one PC that met it runs what it ran before.
func (w *world) bad(version string, met *pc, step, why string) {
	w.t.Helper()
	before := met.status().Version
	w.hub("rollout", "start", version, "--rings", w.at("without.json"))
	r := w.stands("stopped", time.Minute)
	if !strings.Contains(r.Why, why) {
		w.t.Errorf("the rollout of %s stopped because %q", version, r.Why)
	}
	if r.Rings[0].Failed != 1 || r.Rings[1].Told != 0 {
		w.t.Errorf("%s: %+v", version, r.Rings)
	}
	if len(r.Causes) != 1 || !strings.Contains(r.Causes[0].Why, why) || !slices.Equal(r.Causes[0].Devices, []string{met.name}) {
		w.t.Errorf("the causes are %+v", r.Causes)
	}
	w.until(met.name+" to run what it ran before", time.Minute, func() bool {
		st := met.status()
		return st.Running && st.Version == before && st.Update.Phase == ""
	})
	was := false
	for _, s := range w.device(met).Steps {
		was = was || s.What == step && strings.Contains(s.Why, why) && s.Version == strings.TrimPrefix(version, "v")
	}
	if !was {
		w.t.Errorf("%s's steps do not tell it: %+v", met.name, w.device(met).Steps)
	}
	for _, p := range w.pcs {
		if p != met && w.device(p).Told == strings.TrimPrefix(version, "v") {
			w.t.Errorf("%s was told %s", p.name, version)
		}
	}
	w.t.Logf("%s stopped: %s", version, r.Why)
	w.hub("rollout", "abort", r.ID, "--reason", "it is bad")
}

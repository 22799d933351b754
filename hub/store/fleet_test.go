package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/decode"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// fleetRig has devices pc-0 to pc-n with a location and a till of their own.
func fleetRig(t *testing.T, n int) *rig {
	t.Helper()
	g := newRig(t, t.TempDir())
	came := map[retail.DeviceID]envelope.Birth{}
	for i := range n {
		d := retail.DeviceID(fmt.Sprintf("pc-%d", i))
		l := retail.LocationCode(fmt.Sprintf("S%d", i))
		g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
			if err := tx.AddDevice(t.Context(), d, "x", "test"); err != nil {
				return err
			}
			return tx.Assign(t.Context(), d, l, g.clock, "test")
		}))
		version := []string{"1.4.0", "v1.4.0"}[i%2] // as it was built
		g.certify(d)
		came[d] = envelope.Birth{Online: true, Version: version, Platform: "windows/amd64", Sources: "filedrop"}
	}
	g.ok(g.Births(t.Context(), came))
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.ExcludeRelease(t.Context(), "d1", true, "anna", "a lab's") }))
	return g
}

func (g *rig) look() {
	g.t.Helper()
	_, err := g.LookAtFleet(g.t.Context())
	g.ok(err)
}

func (g *rig) wishes() map[retail.DeviceID]store.Wish {
	g.t.Helper()
	w, err := g.Wishes(g.t.Context())
	g.ok(err)
	return w
}

// answer lets every device that was told say how it went.
func (g *rig) answer(step fleet.Step, why string) {
	g.t.Helper()
	came := map[retail.DeviceID]envelope.Birth{}
	for d, w := range g.wishes() {
		v := w.Version
		if step != fleet.Kept {
			v = "1.4.0"
		}
		came[d] = envelope.Birth{Online: true, Version: v}
		g.ok(g.InTx(g.t.Context(), func(tx *store.Tx) error {
			return tx.TellRelease(g.t.Context(), d, w.Version, step, why, g.clock)
		}))
	}
	g.ok(g.Births(g.t.Context(), came))
}

func (g *rig) fleet() view.FleetView {
	g.t.Helper()
	v, err := g.FleetView(g.t.Context())
	g.ok(err)
	return v
}

var twoRings = []fleet.Ring{{Name: "canary", Count: 2, Soak: time.Hour, Traded: -1}, {Name: "all", Percent: 100, Traded: -1}}

func (g *rig) start(version string) string {
	g.t.Helper()
	var id string
	g.ok(g.InTx(g.t.Context(), func(tx *store.Tx) (err error) {
		id, err = tx.StartRollout(g.t.Context(), fleet.Rollout{Version: "v" + version, Previous: "v1.4.0", Rings: twoRings}, "anna")
		return err
	}))
	return id
}

func TestARolloutGoesThroughAndStays(t *testing.T) {
	g := fleetRig(t, 6)
	g.start("1.5.0")
	g.look()
	if n := len(g.wishes()); n != 2 {
		t.Fatalf("%d told, want the two canaries", n)
	}
	g.look() // again: nobody new, nobody twice
	g.answer(fleet.Kept, "")
	g.clock = g.clock.Add(59 * time.Minute)
	g.look()
	if n := len(g.wishes()); n != 2 {
		t.Fatalf("%d told before it has run for an hour", n)
	}
	g.clock = g.clock.Add(2 * time.Minute)
	g.look()
	if n := len(g.wishes()); n != 6 {
		t.Fatalf("%d told, want 6: the left out one is not among them", n)
	}
	g.answer(fleet.Kept, "")
	g.look()
	v := g.fleet()
	if v.Release != "1.5.0" || v.Rollouts[0].State != "done" || v.Spread[0] != (view.VersionShare{Version: "1.5.0", Devices: 6}) || v.Rollouts[0].Rings[0].Kept != 2 {
		t.Fatalf("%+v", v)
	}
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddDevice(t.Context(), "pc-new", "x", "test") }))
	g.ok(g.Births(t.Context(), map[retail.DeviceID]envelope.Birth{"pc-new": {Online: true, Version: "1.4.0"}}))
	g.look()
	if w, told := g.wishes()["pc-new"]; told {
		t.Errorf("a PC that nobody enrolled yet is told %+v: the fleet would wait for its answer", w)
	}
	g.certify("pc-new")
	g.look()
	if w := g.wishes()["pc-new"]; w.Version != "1.5.0" {
		t.Errorf("a new PC is told %q", w.Version)
	}
	one, err := g.ReleaseOf(t.Context(), "pc-0")
	g.ok(err)
	if n := len(one.Steps); n < 2 || one.Steps[n-1].What != "told" || one.Steps[0].What != "kept" {
		t.Errorf("steps %+v", one.Steps)
	}
}

func TestARolloutThatFailsCallsAllBackAndSaysWhy(t *testing.T) {
	g := fleetRig(t, 6)
	id := g.start("1.5.0")
	g.look()
	g.answer(fleet.Back, "its buffer did not open")
	g.look()
	v := g.fleet()
	if r := v.Rollouts[0]; r.State != "stopped" || !strings.Contains(r.Why, "its buffer did not open") || r.Rings[0].All != 2 {
		t.Fatalf("%+v", r)
	}
	// They are told to go back by now, and it is still seen what became of the release.
	if r := v.Rollouts[0]; r.Rings[0].Failed != 2 || len(r.Causes) != 1 || r.Causes[0].Why != "its buffer did not open" || len(r.Causes[0].Devices) != 2 {
		t.Errorf("%+v", r)
	}
	for d, w := range g.wishes() {
		if w.Version != "1.4.0" || !w.Back || w.Order == "" {
			t.Errorf("%s is still told %s", d, w.Version)
		}
	}
	err := g.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.StartRollout(t.Context(), fleet.Rollout{Version: "1.6.0", Previous: "1.4.0", Rings: twoRings}, "anna")
		return err
	})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("a second one beside it: %v", err)
	}
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.OrderRollout(t.Context(), id, fleet.Abort, "anna", "1.5.1 follows")
	}))
	if err := g.InTx(t.Context(), func(tx *store.Tx) error { return tx.OrderRollout(t.Context(), id, fleet.Resume, "anna", "no") }); !fault.Is(err, fault.Conflict) {
		t.Errorf("an aborted one goes on: %v", err)
	}
	g.start("1.5.1")
	g.look()
	n := 0
	for _, w := range g.wishes() {
		if w.Version == "1.5.1" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d are told the next one", n)
	}
}

func TestACaseThatCameWithItHoldsARing(t *testing.T) {
	g := fleetRig(t, 4)
	g.start("1.5.0")
	g.look()
	g.answer(fleet.Kept, "")
	for d := range g.wishes() {
		g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE device SET health = ? WHERE id = ?`,
				fmt.Sprintf(`[{"code":"x","title":"It cannot read its folder","severity":"high","since":%q}]`, g.clock.Add(time.Minute).Format(time.RFC3339)), string(d))
			return err
		}))
	}
	g.clock = g.clock.Add(3 * time.Hour)
	g.look()
	r := g.fleet().Rollouts[0]
	if len(g.wishes()) != 2 || !strings.Contains(strings.Join(r.Rings[0].Missing, " "), "2 cases came up") {
		t.Errorf("%d told; %v", len(g.wishes()), r.Rings[0].Missing)
	}
}

func TestPinned(t *testing.T) {
	g := fleetRig(t, 3)
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.PinRelease(t.Context(), "pc-1", "v1.3.9", "anna", "its till needs it")
	}))
	g.look()
	if w := g.wishes(); len(w) != 1 || w["pc-1"].Version != "1.3.9" {
		t.Errorf("%v", w)
	}
	if err := g.InTx(t.Context(), func(tx *store.Tx) error { return tx.PinRelease(t.Context(), "nobody", "1", "anna", "") }); !fault.Is(err, fault.NotFound) {
		t.Errorf("a device that is not there: %v", err)
	}
}

// What a device is told of its release stands in its word, and its final word comes back on the state stream.
func TestAReleaseGoesOutWithTheWordAndItsEndComesBack(t *testing.T) {
	g := fleetRig(t, 3)
	g.certify("d1")
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.ExcludeRelease(t.Context(), "d1", false, "anna", "") }))
	g.ok(g.Births(t.Context(), map[retail.DeviceID]envelope.Birth{"d1": {Online: true, Version: "1.4.0", Platform: "linux/amd64"}}))
	was, err := g.DesiredChange(t.Context())
	g.ok(err)
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.SetLocation(t.Context(), store.Location{Code: "S1", Name: "One", Zone: "America/Chicago", Cutoff: "04:00", Currency: "USD"}, "", "anna"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "d1", "S1", g.clock, "anna")
	}))
	g.start("1.5.0") // d1 is the only one of its kind, so a canary
	g.look()
	if is, err := g.DesiredChange(t.Context()); err != nil || is == was {
		t.Errorf("nobody notices that d1's word is another: %v", err)
	}
	m := g.word("d1")
	if m.Release == nil || m.Release.Version != "1.5.0" || m.Release.Order == "" || m.Release.Back || m.Release.From == m.Release.Until || m.Release.Zone != "America/Chicago" {
		t.Fatalf("%+v", m.Release)
	}
	g.told(decode.Release, wire.ReleaseReport{Order: m.Release.Order, Version: "1.4.0", Step: wire.Rests, Why: "the metadata has run out"})
	if one, err := g.ReleaseOf(t.Context(), "d1"); err != nil || one.Step != string(fleet.Waiting) || one.Why != "the metadata has run out" || one.Steps[0].What != "resting" {
		t.Errorf("%+v %v", one, err)
	}
	g.told(decode.Release, wire.ReleaseReport{Order: "another", Version: "1.5.0", Step: wire.Kept})
	if v, err := g.ReleaseOf(t.Context(), "d1"); err != nil || v.Step != "" {
		t.Errorf("a word on another wish counts: %+v %v", v, err)
	}
	g.told(decode.Release, wire.ReleaseReport{Order: m.Release.Order, Version: "1.5.0", Step: wire.WentBack, Why: "crash"})
	if v, err := g.ReleaseOf(t.Context(), "d1"); err != nil || v.Step != "back" || v.Why != "crash" {
		t.Errorf("%+v %v", v, err)
	}
	g.clock = g.clock.Add(time.Minute)
	g.look()
	if r := g.word("d1").Release; r == nil || !r.Back || r.Version != "1.4.0" || r.Order == m.Release.Order || r.From != r.Until {
		t.Errorf("it is not called back: %+v", r)
	}
}

// TestTheNightIsTheStores: its own hours, else those of all, else the usual ones; and the word says another as soon as it is.
func TestTheNightIsTheStores(t *testing.T) {
	g := fleetRig(t, 1)
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.SetLocation(t.Context(), store.Location{Code: "S0", Name: "One", Zone: "America/Chicago", Cutoff: "04:00", Currency: "USD"}, "", "anna"); err != nil {
			return err
		}
		return tx.PinRelease(t.Context(), "pc-0", "1.5.0", "anna", "")
	}))
	g.look()
	last, err := g.DesiredChange(t.Context())
	g.ok(err)
	set := func(l retail.LocationCode, hours string) {
		t.Helper()
		var n *store.Night
		if hours != "" {
			at, err := store.ParseNight(hours)
			g.ok(err)
			n = &at
		}
		g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.SetNight(t.Context(), l, n, "anna", "test") }))
	}
	for _, x := range []struct {
		at          retail.LocationCode
		hours       string
		from, until int
	}{{"*", "23:30-04:00", 1410, 240}, {"S0", "02:00-03:00", 120, 180}, {"S0", "02:15-04:00", 135, 240}, {"S0", "always", 0, 0}, {"S0", "", 1410, 240}, {"*", "", store.UsualNight.From, store.UsualNight.Until}} {
		set(x.at, x.hours)
		r := g.word("pc-0").Release
		if r == nil || r.From != x.from || r.Until != x.until || r.Zone != "America/Chicago" || r.Version != "1.5.0" {
			t.Errorf("after %s %q: %+v", x.at, x.hours, r)
		}
		is, err := g.DesiredChange(t.Context())
		if g.ok(err); is == last {
			t.Errorf("after %s %q nobody notices", x.at, x.hours)
		}
		last = is
	}
	if err := g.InTx(t.Context(), func(tx *store.Tx) error { return tx.SetNight(t.Context(), "S99", &store.UsualNight, "anna", "") }); !fault.Is(err, fault.NotFound) {
		t.Errorf("the night of a store that is not there: %v", err)
	}
	for _, bad := range []string{"", "1-5", "01:00-01:30", "01:00-01:00", "25:00-03:00", "01:00-05:00 ", "never"} {
		if n, err := store.ParseNight(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q is %v, %v", bad, n, err)
		}
	}
}

// TestAPCOfAChannel is told a candidate with its channel, and anew when it could not find it before.
func TestAPCOfAChannel(t *testing.T) {
	g := fleetRig(t, 2)
	do := func(f func(tx *store.Tx) error) { t.Helper(); g.ok(g.InTx(t.Context(), f)) }
	do(func(tx *store.Tx) error { return tx.PinRelease(t.Context(), "pc-0", "1.5.0-rc.1", "anna", "") })
	g.look()
	first := g.word("pc-0").Release
	do(func(tx *store.Tx) error {
		return tx.TellRelease(t.Context(), "pc-0", first.Version, fleet.Refused, "no release", g.clock)
	})
	g.clock = g.clock.Add(time.Minute)
	do(func(tx *store.Tx) error { return tx.SetChannel(t.Context(), "pc-0", "beta", "anna", "a test store") })
	g.look()
	r := g.word("pc-0").Release
	if r == nil || first.Channel != "" || r.Channel != "beta" || r.Version != "1.5.0-rc.1" || r.Order == first.Order {
		t.Errorf("first %+v, then %+v", first, r)
	}
	if v, err := g.ReleaseOf(t.Context(), "pc-0"); err != nil || v.Channel != "beta" || v.Pin != "1.5.0-rc.1" {
		t.Errorf("%+v %v", v, err)
	}
	do(func(tx *store.Tx) error {
		for d, want := range map[retail.DeviceID]string{"pc-0": "beta", "pc-1": "stable"} {
			if got, err := tx.Channel(t.Context(), d); err != nil || got != want {
				t.Errorf("%s is in %q, %v", d, got, err)
			}
		}
		return tx.SetChannel(t.Context(), "pc-0", "stable", "anna", "")
	})
	if steps, err := g.DeviceSteps(t.Context(), "pc-0"); err != nil || !slices.ContainsFunc(steps, func(s view.StepView) bool {
		return s.What == "release: channel" && s.After == "beta" && s.Reason == "a test store"
	}) {
		t.Errorf("the trail says %+v, %v", steps, err)
	}
	for d, c := range map[retail.DeviceID]string{"pc-1": "../x", "nobody": "beta"} {
		if err := g.InTx(t.Context(), func(tx *store.Tx) error { return tx.SetChannel(t.Context(), d, c, "anna", "") }); err == nil {
			t.Errorf("%s in channel %s", d, c)
		}
	}
}

// TestAWordIsMadeAnewForWhomItConcerns: whatever may change a PC's word changes its basis, and no other PC's.
func TestAWordIsMadeAnewForWhomItConcerns(t *testing.T) {
	g := fleetRig(t, 2)
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.SetLocation(t.Context(), store.Location{Code: "S0", Name: "One", Zone: "UTC", Cutoff: "04:00", Currency: "USD"}, "", "anna")
	}))
	bases := func() map[retail.DeviceID]string {
		pcs, err := g.DesiredPCs(t.Context())
		g.ok(err)
		out := map[retail.DeviceID]string{}
		for _, p := range pcs {
			out[p.Device] = p.Basis
		}
		return out
	}
	was := bases()
	if len(was) != 2 {
		t.Fatalf("%d PCs can be told", len(was))
	}
	layer := func(k desired.Key, text string) func(tx *store.Tx) error {
		return func(tx *store.Tx) error { _, err := tx.SetLayer(t.Context(), k, text, "anna", ""); return err }
	}
	n := store.Night{From: 60, Until: 240}
	for _, x := range []struct {
		what string
		all  bool
		do   func(tx *store.Tx) error
	}{
		{"the fleet's settings", true, layer(desired.Key{Scope: desired.Fleet}, "log_level = 'warn'\n")},
		{"its location's settings", false, layer(desired.Key{Scope: desired.Location, Name: "S0"}, "log_level = 'info'\n")},
		{"its own settings", false, layer(desired.Key{Scope: desired.Device, Name: "pc-0"}, "log_level = 'debug'\n")},
		{"a command", false, func(tx *store.Tx) error {
			_, err := tx.Command(t.Context(), "pc-0", wire.Command{Kind: wire.Doctor}, time.Hour, "anna", "")
			return err
		}},
		{"another command", false, func(tx *store.Tx) error {
			_, err := tx.Command(t.Context(), "pc-0", wire.Command{Kind: wire.Restart}, time.Hour, "anna", "")
			return err
		}},
		{"its channel", false, func(tx *store.Tx) error { return tx.SetChannel(t.Context(), "pc-0", "beta", "anna", "") }},
		{"its location's night", false, func(tx *store.Tx) error { return tx.SetNight(t.Context(), "S0", &n, "anna", "") }},
		{"no night of its location", false, func(tx *store.Tx) error { return tx.SetNight(t.Context(), "S0", nil, "anna", "") }},
		{"the night of all", true, func(tx *store.Tx) error { return tx.SetNight(t.Context(), "*", &n, "anna", "") }},
		{"its locations", false, func(tx *store.Tx) error { return tx.Assign(t.Context(), "pc-0", "S9", g.clock, "anna") }},
		{"nothing of a PC's", false, nil},
	} {
		if x.do != nil {
			g.ok(g.InTx(t.Context(), x.do))
		}
		is := bases()
		if (is["pc-0"] != was["pc-0"]) != (x.do != nil) || (is["pc-1"] != was["pc-1"]) != x.all {
			t.Errorf("%s: pc-0 %q, then %q; pc-1 %q, then %q", x.what, was["pc-0"], is["pc-0"], was["pc-1"], is["pc-1"])
		}
		was = is
	}
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error { return tx.PinRelease(t.Context(), "pc-0", "1.5.0", "anna", "") }))
	g.look()
	if is := bases(); is["pc-0"] == was["pc-0"] || is["pc-1"] != was["pc-1"] {
		t.Errorf("a release: %q, %q", is["pc-0"], is["pc-1"])
	}
}

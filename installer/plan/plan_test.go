package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

func TestSteps(t *testing.T) {
	fresh := Facts{Payload: "v2"}
	well := Facts{Payload: "v2", Installed: "v2", Same: true, Identity: true, Settings: true, Registered: true, Running: true}
	old := well
	old.Installed, old.Same = "v1", false
	for _, c := range []struct {
		name  string
		facts Facts
		want  Want
		act   Action
		steps string
	}{
		{"a fresh PC", fresh, Want{Code: true}, Install, "folders stop program enrol settings service start prove doctor"},
		{"a fresh PC that takes a dead one's tickets in", fresh, Want{Code: true, File: true}, Install, "folders stop program enrol settings take-in service start prove doctor"},
		{"run again: nothing stops", well, Want{}, Repair, "folders service start prove doctor"},
		{"a repair starts anew", well, Want{Action: Repair}, Repair, "folders stop service start prove doctor"},
		{"a package put a newer one there", with(well, func(f *Facts) { f.Packaged, f.Stale = true, true }), Want{}, Repair, "folders stop service start prove doctor"},
		{"a newer one", old, Want{}, Upgrade, "folders stop program service start prove doctor"},
		{"a package put the newer one there", Facts{Installed: "v2", Packaged: true, Payload: "v3"}, Want{Code: true}, Install, "folders enrol settings service start prove doctor"},
		{"cut off after the code was redeemed", Facts{Payload: "v2", Installed: "v2", Same: true, Identity: true, Interrupted: Install}, Want{}, Install, "folders settings service start prove doctor"},
		{"cut off in an uninstall", Facts{Payload: "v2", Installed: "v2", Same: true, Identity: true, Waiting: 3, Interrupted: Uninstall}, Want{}, Uninstall, "remove"},
		{"a new code", well, Want{Action: ReEnrol, Code: true}, ReEnrol, "folders stop enrol settings service start prove doctor"},
		{"a new code and a newer one", old, Want{Action: ReEnrol, Code: true}, ReEnrol, "folders stop program enrol settings service start prove doctor"},
		{"a new code that was redeemed before the power went", with(well, func(f *Facts) { f.Redeemed, f.Interrupted = true, ReEnrol }), Want{Action: ReEnrol, Code: true}, ReEnrol,
			"folders stop settings service start prove doctor"},
		{"given up", well, Want{Action: Leave}, Leave, "drain stop carry unregister"},
		{"gone, nothing waits", well, Want{Action: Uninstall}, Uninstall, "stop unregister data remove"},
		{"gone, something waits", with(well, func(f *Facts) { f.Waiting = 2 }), Want{Action: Uninstall}, Uninstall, "stop unregister remove"},
		{"gone, nobody can tell what waits", with(well, func(f *Facts) { f.Waiting = -1 }), Want{Action: Uninstall}, Uninstall, "stop unregister remove"},
		{"gone with what waits", with(well, func(f *Facts) { f.Waiting = 2 }), Want{Action: Uninstall, DeleteData: true}, Uninstall, "stop unregister data remove"},
		{"gone, a package's", with(well, func(f *Facts) { f.Packaged = true }), Want{Action: Uninstall}, Uninstall, "stop unregister data"},
		{"an older installer leaves the newer one", with(old, func(f *Facts) { f.Older = true }), Want{}, Repair, "folders service start prove doctor"},
		{"older on purpose", with(old, func(f *Facts) { f.Older = true }), Want{Action: Upgrade, Downgrade: true}, Upgrade, "folders stop program service start prove doctor"},
	} {
		act, steps, err := Steps(c.facts, c.want)
		var got []string
		for _, s := range steps {
			got = append(got, string(s))
		}
		if err != nil || act != c.act || strings.Join(got, " ") != c.steps {
			t.Errorf("%s: got %s %v %v\nwant %s %s", c.name, act, got, err, c.act, c.steps)
		}
		for _, s := range steps {
			if Says[s] == "" {
				t.Errorf("step %s has no words", s)
			}
		}
	}
}

func with(f Facts, change func(*Facts)) Facts { change(&f); return f }

// A refusal names what to do.
func TestRefusals(t *testing.T) {
	well := Facts{Payload: "v2", Installed: "v2", Same: true, Identity: true, Settings: true, Registered: true}
	for _, c := range []struct {
		name  string
		facts Facts
		want  Want
		code  fault.Code
		says  string
	}{
		{"no code", Facts{Payload: "v1"}, Want{}, fault.Invalid, "--code"},
		{"nothing carried", Facts{}, Want{Code: true}, fault.Invalid, "carries no agent"},
		{"nothing to upgrade", Facts{Payload: "v1"}, Want{Action: Upgrade, Code: true}, fault.Invalid, "nothing to upgrade"},
		{"an older one", with(well, func(f *Facts) { f.Same, f.Older, f.Payload = false, true, "v1" }), Want{Action: Upgrade}, fault.Conflict, "--downgrade"},
		{"given up", with(well, func(f *Facts) { f.Left = true }), Want{}, fault.Invalid, "re-enrol"},
		{"re-enrol without a code", well, Want{Action: ReEnrol}, fault.Invalid, "--code"},
		{"leave an empty PC", Facts{Payload: "v1"}, Want{Action: Leave}, fault.Invalid, "Nothing has to be done"},
		{"a word", well, Want{Action: "dance"}, fault.Invalid, "install, repair"},
	} {
		if _, steps, err := Steps(c.facts, c.want); fault.CodeOf(err) != c.code || len(steps) > 0 || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v %v, want %s with %q", c.name, steps, err, c.code, c.says)
		}
	}
}

// From every place at which a run may be cut off, the next plan ends where the whole one would have.
func TestACutOffRunIsPlannedToItsEnd(t *testing.T) {
	do := map[Step]func(*Facts){
		Stop: func(f *Facts) { f.Running = false }, Program: func(f *Facts) { f.Installed, f.Same = f.Payload, true },
		Enrol: func(f *Facts) { f.Identity = true }, Settings: func(f *Facts) { f.Settings = true },
		Service: func(f *Facts) { f.Registered = true }, Start: func(f *Facts) { f.Running = true },
		Unregister: func(f *Facts) { f.Registered = false }, Data: func(f *Facts) { f.Identity, f.Settings = false, false },
		Remove: func(f *Facts) { f.Installed, f.Same = "", false },
	}
	well := Facts{Payload: "v2", Installed: "v2", Same: true, Identity: true, Settings: true, Registered: true, Running: true}
	gone := Facts{Payload: "v2"}
	for _, c := range []struct {
		name string
		from Facts
		want Want
		end  Facts
	}{
		{"install", Facts{Payload: "v2"}, Want{Code: true}, well},
		{"upgrade", with(well, func(f *Facts) { f.Installed, f.Same = "v1", false }), Want{}, well},
		{"uninstall", well, Want{Action: Uninstall}, gone},
	} {
		_, all, err := Steps(c.from, c.want)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range all {
			f := c.from
			for _, s := range all[:cut] {
				if do[s] != nil {
					do[s](&f)
				}
			}
			f.Interrupted = Choose(c.from, c.want)
			_, rest, err := Steps(f, Want{Code: c.want.Code})
			if err != nil {
				t.Errorf("%s cut before %s: %v", c.name, all[cut], err)
			}
			for _, s := range rest {
				if do[s] != nil {
					do[s](&f)
				}
			}
			f.Interrupted = ""
			if f != c.end {
				t.Errorf("%s cut before %s: went on with %v and ended at %+v", c.name, all[cut], rest, f)
			}
			if c.name != "uninstall" && slices.Index(rest, Start) < 0 {
				t.Errorf("%s cut before %s: nobody starts the service", c.name, all[cut])
			}
		}
	}
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"v1.2.3", "v1.2.4", true}, {"v1.10.0", "v1.9.9", false}, {"v1.2.3", "v1.2.3", false}, {"v2.0.0-rc.1", "v2.0.0", true}, {"v2.0.0", "v2.0.0-rc.1", false},
		{"1.0.0", "v1.0.1", true}, {"dev", "v1.0.0", false}, {"v1.0.0", "dev", false}, {"", "v1.0.0", false}, {"v1.0", "v1.0.1", false},
	} {
		if got := Older(c.a, c.b); got != c.want {
			t.Errorf("Older(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

package release

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestVersions(t *testing.T) {
	order := []Version{"0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2.0.0",
		"99999999999999999999.0.0", "100000000000000000000.0.0"}
	for i, v := range order {
		if w, err := ParseVersion("v" + string(v)); err != nil || w != v {
			t.Errorf("%s: %q, %v", v, w, err)
		}
		for j, w := range order {
			if got := v.Compare(w); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s beside %s: %d", v, w, got)
			}
		}
	}
	for _, s := range []string{"", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+build", "1.0.x", "1.0.0-a..b", "1.0.0-a/b", "dev", "a1b2c3d4e5f6", "-1.0.0"} {
		if v, err := ParseVersion(s); err == nil {
			t.Errorf("%q passes as %s", s, v)
		}
	}
}

func TestNamesStayInside(t *testing.T) {
	for _, bad := range []string{"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", `a\b`, "C:/x", "a/b:c", "a/\x00", "a/b c", "agent/1.0.0/../../x"} {
		if ValidName(bad) {
			t.Errorf("%q passes", bad)
		}
	}
	if !ValidName("agent/1.0.0-rc.1/windows-amd64/agent.exe") {
		t.Error("a name of ours does not pass")
	}
}

// TestAStepLeadsOn: whatever the releases require of each other, steps go up, end at the goal, and never loop.
func TestAStepLeadsOn(t *testing.T) {
	var all []Target
	req := []Version{"", "", "1.0.0", "1.0.0", "3.0.0", "4.0.0", "2.0.0", "6.0.0", "7.0.0"}
	for i, r := range req {
		all = append(all, Target{Custom: Custom{Program: Agent, OS: "linux", Arch: "amd64", Channel: Stable, Version: Version(string(rune('0'+i)) + ".0.0"), Requires: r}})
	}
	for from := range all {
		for to := from + 1; to < len(all); to++ {
			at, n := all[from].Version, 0
			for at != all[to].Version {
				s, err := Next(all, PC{Program: Agent, OS: "linux", Arch: "amd64", Channel: Stable, Running: at}, all[to].Version)
				if errors.Is(err, ErrRefused) {
					break
				}
				if n++; err != nil || s.Version.Compare(at) <= 0 || n > len(all) || s.Requires != "" && at.Compare(s.Requires) < 0 {
					t.Fatalf("from %s to %s at %s: %s, %v", all[from].Version, all[to].Version, at, s.Version, err)
				}
				at = s.Version
			}
			if at != all[to].Version {
				t.Errorf("from %s to %s: it ends at %s", all[from].Version, all[to].Version, at)
			}
		}
	}
}

// FuzzCustom: what is read is valid, is the same when it is written and read again, and names a place inside the repository.
func FuzzCustom(f *testing.F) {
	for _, s := range []string{
		`{"program":"agent","version":"1.0.0","os":"linux","arch":"amd64","channel":"stable","schema":{"min":1,"max":2}}`,
		`{"program":"agent","version":"1.0.0","os":"linux","arch":"amd64","channel":"stable","schema":{"min":0,"max":0},"requires":"0.9.0","back_from":"1.1.0","patch":{"from":"0.9.0","from_sha256":"` +
			"00000000000000000000000000000000000000000000000000000000000000ff" + `","to_sha256":"` + "ff00000000000000000000000000000000000000000000000000000000000000" + `"}}`,
		`{"program":"../x"}`, `{"version":"1.0.0"}{}`, `[]`, `{"program":"agent","unknown":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCustom(b)
		if err != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseCustom(out)
		if len(out) > MaxCustom {
			return
		}
		two, _ := json.Marshal(again)
		if err != nil || string(two) != string(out) {
			t.Fatalf("%s became %s, %v", out, two, err)
		}
		if !ValidName(NameOf(c)) {
			t.Fatalf("%q leads outside", NameOf(c))
		}
	})
}

// FuzzVersion: an order is an order.
func FuzzVersion(f *testing.F) {
	f.Add("1.0.0", "1.0.0-rc.1")
	f.Add("1.0.0-1", "1.0.0-a")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := ParseVersion(a)
		w, err2 := ParseVersion(b)
		if err != nil || err2 != nil {
			return
		}
		if x, y := v.Compare(w), w.Compare(v); x > 0 != (y < 0) || (x == 0) != (v == w) {
			t.Fatalf("%s, %s: %d, %d", v, w, x, y)
		}
	})
}

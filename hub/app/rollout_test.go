package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

func TestRingsOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rings.json")
	read := func(text string) error {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		rings, err := ringsIn(file)
		if err == nil && (len(rings) != 2 || rings[0].Soak != 4*time.Hour || rings[0].Group != "test" || rings[1].Percent != 100) {
			t.Errorf("%s: %+v", text, rings)
		}
		return err
	}
	if err := read(`[{"name":"test","group":"test","soak":"4h"},{"name":"all","percent":100}]`); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`[{"name":"test","group":"test","soak":"a while"}]`, `[{"name":"test","percents":100}]`, `{}`, ``} {
		if err := read(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A version that no PC would be given is refused: its rollout would wait for ever.
func TestOnlyWhatIsReleasedIsRolledOut(t *testing.T) {
	c := Default()
	c.DataDir = t.TempDir()
	if err := released(c, "1.0.0"); !fault.Is(err, fault.Conflict) {
		t.Errorf("without a repository: %v", err)
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	snapshot, timestamp, err := repo.MakeOnline(c.releaseKeys())
	ok(err)
	k, err := repo.NewKey()
	ok(err)
	r := c.releases()
	ok(r.Init(repo.Founding{Root: []repo.Public{k.Public()}, RootNeeds: 1, Targets: []repo.Public{k.Public()}, TargetsNeed: 1, Snapshot: snapshot, Timestamp: timestamp}))
	program := func(v release.Version, channel string) repo.Program {
		return repo.Program{Custom: release.Custom{Program: release.Agent, Version: v, OS: "linux", Arch: "amd64", Channel: channel}, Body: []byte("program " + v)}
	}
	_, err = r.Add([]repo.Program{program("1.0.0", release.Stable), program("1.1.0-rc.1", "beta")}, 0)
	ok(err)
	_, err = r.Sign(k)
	ok(err)
	o, err := repo.OpenOnline(c.releaseKeys())
	ok(err)
	_, err = r.Publish(r, o)
	ok(err)
	for v, want := range map[string]fault.Code{"1.0.0": "", "v1.0.0": "", "1.1.0-rc.1": fault.Conflict, "9.9.9": fault.NotFound} {
		if err := released(c, v); (err == nil) != (want == "") || err != nil && !fault.Is(err, want) {
			t.Errorf("%s: %v", v, err)
		}
	}
	for _, p := range []struct {
		version, channel string
		good             bool
	}{{"1.0.0", release.Stable, true}, {"v1.0.0", "beta", true}, {"1.1.0-rc.1", "beta", true}, {"1.1.0-rc.1", release.Stable, false}, {"v1.1.0-rc.1", "alpha", false}, {"9.9.9", release.Stable, true}} {
		if err := visible(c, p.version, p.channel); (err == nil) != p.good || err != nil && !strings.Contains(err.Error(), "hub rollout channel DEVICE beta") {
			t.Errorf("a PC of %s is held at %s: %v", p.channel, p.version, err)
		}
	}
}

package tuf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/release"
)

// desk is a hub's command line over the world's repository.
type desk struct {
	*world
	file, data string
}

func newDesk(w *world) desk {
	w.t.Helper()
	d := desk{w, filepath.Join(w.t.TempDir(), "hub.toml"), w.t.TempDir()}
	d.settings(w.dir, w.keys)
	return d
}

func (d desk) settings(dir, keys string) {
	d.t.Helper()
	text := fmt.Sprintf("data_dir = %q\n[release]\ndir = %q\nkeys = %q\n[metrics]\nlisten = \"\"\n", d.data, dir, keys)
	d.must(os.WriteFile(d.file, []byte(text), 0o600))
}

func (d desk) hub(args ...string) (out string, good bool) {
	var said bytes.Buffer
	code := app.Main(append([]string{"--config", d.file}, args...), &said, &said)
	return said.String(), code == 0
}

func (d desk) says(good bool, want string, args ...string) string {
	d.t.Helper()
	out, ok := d.hub(args...)
	if ok != good || !strings.Contains(out, want) {
		d.t.Errorf("hub %s: %v, want %q in\n%s", strings.Join(args, " "), ok, want, out)
	}
	return out
}

// TestTheEndIsToldAhead: 55 days before the targets' signatures end, doctor and status say so, and no program of the hub calls that a fault.
func TestTheEndIsToldAhead(t *testing.T) {
	w := newWorld(t)
	d := newDesk(w)
	renew := func(ago time.Duration) {
		t.Helper()
		w.now = time.Now().Add(-ago)
		w.must(w.repo.Renew("targets"))
		w.must(w.repo.Renew("root"))
		w.sign(append(w.root[:2:2], w.targets...)...)
		w.publish()
		w.now = time.Now()
		_, err := w.online.Refresh(w.repo)
		w.must(err)
	}
	finding := func() string {
		t.Helper()
		for _, f := range app.Examine(t.Context(), d.file).Findings {
			if f.What == "releases" {
				return fmt.Sprintf("%s: %s %s %s", f.State, f.Found, f.Means, f.Do)
			}
		}
		return ""
	}
	renew(300 * 24 * time.Hour) // 65 days are left
	if got := finding(); !strings.Contains(got, "holds until") {
		t.Errorf("65 days ahead doctor says %q", got)
	}
	if out, _ := d.hub("status"); strings.Contains(out, "signature") {
		t.Errorf("65 days ahead:\n%s", out)
	}
	renew(310*24*time.Hour + time.Hour)
	got := finding()
	for _, want := range []string{"\"targets\" ends in 54 days", "every store goes on selling", "hub release renew targets"} {
		if !strings.Contains(got, want) {
			t.Errorf("55 days ahead doctor says %q, want %q", got, want)
		}
	}
	if strings.Contains(got, "\"root\"") || strings.Contains(got, "timestamp") {
		t.Errorf("doctor tells of what holds: %q", got)
	}
	out, _ := d.hub("status")
	if !strings.Contains(out, `The releases' signature "targets" ends in 54 days`) {
		t.Errorf("55 days ahead:\n%s", out)
	}
	w.must(os.Remove(filepath.Join(w.keys, repo.TimestampKey)))
	w.must(os.WriteFile(filepath.Join(w.keys, repo.TimestampKey), []byte("torn"), 0o600))
	if got := finding(); !strings.Contains(got, "No PC is updated") {
		t.Errorf("with a torn key doctor says %q", got)
	}
}

// TestKeysInThePublicFolderAreRefused by check-config and by a hub that is started, also where a link hides it.
func TestKeysInThePublicFolderAreRefused(t *testing.T) {
	w := newWorld(t)
	d := newDesk(w)
	d.says(true, "are good", "check-config")
	link := filepath.Join(t.TempDir(), "keys")
	if err := os.Symlink(filepath.Join(w.dir, "keys"), link); err != nil {
		t.Skip("no links here:", err)
	}
	for _, keys := range []string{w.dir, filepath.Join(w.dir, "keys"), link} {
		d.settings(w.dir, keys)
		for _, args := range [][]string{{"check-config"}, {"run"}, {"release", "online-keys"}, {"release", "publish"}} {
			d.says(false, "name a folder outside of it", args...)
		}
		if _, err := os.Stat(filepath.Join(keys, repo.SnapshotKey)); err == nil {
			t.Errorf("a key was made in %s", keys)
		}
	}
	d.settings(w.dir, w.keys)
	d.says(false, "name a folder outside of it", "release", "online-keys", "--dir", w.dir, "--keys", link)
}

// TestAdoptingWantsAReason, which the audit trail keeps, whoever names the hub's folder how.
func TestAdoptingWantsAReason(t *testing.T) {
	w := newWorld(t)
	d := newDesk(w)
	other, err := repo.OpenOnline(w.keys)
	w.must(err)
	_, err = w.repo.Add([]repo.Program{agent("1.0.0")}, 0)
	w.must(err)
	w.sign(w.targets...)
	_, err = w.repo.Publish(w.repo, other)
	w.must(err)
	note := filepath.Join(w.keys, "last.json")
	w.must(os.WriteFile(note, []byte(`{}`), 0o600)) // another writer signed last
	_, err = w.repo.Add([]repo.Program{agent("1.1.0")}, 0)
	w.must(err)
	w.sign(w.targets...)
	d.says(false, "another writer changed it", "release", "publish")
	for _, args := range [][]string{{}, {"--reason", " "}, {"--dir", w.dir, "--keys", w.keys}} {
		d.says(false, "say with --reason why", append([]string{"release", "publish", "--adopt"}, args...)...)
		if b, _ := os.ReadFile(note); string(b) != "{}" {
			t.Fatalf("%v: it was adopted without a reason", args)
		}
	}
	d.says(true, "In force: targets", "release", "publish", "--adopt", "--reason", "the spare hub was switched off")
	trail := d.trail()
	if len(trail) != 2 || trail[0] != "adopt: the spare hub was switched off" || !strings.HasPrefix(trail[1], "publish: ") {
		t.Errorf("the trail says %q", trail)
	}
	w.must(os.WriteFile(note, []byte(`{}`), 0o600))
	d.says(true, "this hub's own again", "release", "publish", "--adopt", "--dir", w.dir, "--keys", w.keys, "--reason", "put back from a backup")
	if trail = d.trail(); len(trail) != 4 || trail[2] != "adopt: put back from a backup" {
		t.Errorf("the trail says %q", trail)
	}
}

// trail is what the hub says of who did what: the act and why.
func (d desk) trail() (out []string) {
	d.t.Helper()
	var steps []struct{ What, Reason string }
	d.must(json.Unmarshal([]byte(d.says(true, "", "release", "history", "--json")), &steps))
	for _, x := range steps {
		out = append(out, x.What+": "+x.Reason)
	}
	return out
}

// TestTheListNamesEveryFile: versions, platforms, files, sizes, hashes, dates, who signs and how long it holds, for people and as JSON.
func TestTheListNamesEveryFile(t *testing.T) {
	w := newWorld(t)
	d := newDesk(w)
	windows := func(c *release.Custom) { c.OS = "windows" }
	w.release(agent("1.0.0"), agent("1.0.0", windows))
	w.release(agent("1.1.0", func(c *release.Custom) { c.Requires = "1.0.0" }))
	_, err := w.repo.Add([]repo.Program{agent("1.2.0")}, 1)
	w.must(err)
	_, err = w.repo.Withdraw("1.0.0")
	w.must(err)
	w.sign(w.targets[0])
	out := d.says(true, "", "release", "list")
	var o repo.Overview
	w.must(json.Unmarshal([]byte(d.says(true, "", "release", "list", "--json")), &o))
	if len(o.Releases) != 3 || o.Releases[0].Version != "1.1.0" || o.Releases[0].Requires != "1.0.0" || len(o.Roles) != 4 || len(o.Ends) != 4 || len(o.Waiting) != 1 {
		t.Fatalf("the list: %+v", o)
	}
	sizes := int64(len(program("1.0.0")))
	for _, x := range o.Releases {
		if x.Bytes != sizes || x.Missing || x.Since.IsZero() || time.Since(x.Since) > time.Hour || x.OS+x.Arch == "" || x.Sum == (release.Sum{}) {
			t.Errorf("%+v", x)
		}
		for _, f := range append(x.Patches, x.File) {
			for _, want := range []string{f.Name, f.Sum.String(), fmt.Sprintf("%d bytes", f.Bytes)} {
				if !strings.Contains(out, want) {
					t.Errorf("%s is not in\n%s", want, out)
				}
			}
		}
	}
	if len(o.Releases[0].Patches) < 2 || o.Releases[0].Patches[0].From != "1.0.0" {
		t.Errorf("patches: %+v", o.Releases[0].Patches)
	}
	for _, e := range o.Ends {
		if want := fmt.Sprintf("%s %d holds until %s", e.Role, e.Version, e.Ends.Local().Format(time.DateTime)); !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, want := range []string{"1.0.0 windows/amd64, stable", "from 1.0.0 on", "root: 2 of 3 keys sign", "new: agent/1.2.0/", "withdrawn: agent/1.0.0/windows-amd64", "signed by 1 keys", w.targets[0].Public().ID()} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if s := o.Waiting[0].Signed; len(s) != 1 || s[0] != w.targets[0].Public().ID() {
		t.Errorf("signed by %q", s)
	}
	w.must(os.Remove(filepath.Join(w.dir, filepath.FromSlash(release.Hashed(o.Releases[0].Name, o.Releases[0].Sum)))))
	d.says(true, "NOT HERE", "release", "list")
}

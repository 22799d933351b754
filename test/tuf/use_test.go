package tuf

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// TestARelease goes from the people's keys to a store's PC: whole the first time, by a patch the second.
func TestARelease(t *testing.T) {
	w := newWorld(t)
	w.refused("1.0.0", "", release.ErrUnknown, "no agent for linux/amd64")
	w.release(agent("1.0.0"))
	first := w.finds("", "", "1.0.0")
	if r := w.gets(first, ""); r.Patched || r.Bytes == 0 {
		t.Errorf("the first program: %+v", r)
	}
	w.release(agent("1.1.0"))
	second := w.finds("1.0.0", "", "1.1.0")
	old := filepath.Join(t.TempDir(), "old")
	w.must(os.WriteFile(old, program("1.0.0"), 0o600))
	if r := w.gets(second, old); !r.Patched || r.Bytes*10 > second.Size {
		t.Errorf("by patch: %+v of %d bytes", r, second.Size)
	}
	w.must(os.WriteFile(old, program("0.9.0"), 0o600))
	if r := w.gets(second, old); r.Patched {
		t.Errorf("a patch on another program than it was made from: %+v", r)
	}
	w.refused("1.1.0", "", release.ErrCurrent, "1.1.0 runs")
	v, err := w.repo.Verify(t.Context(), w.pinned)
	if err != nil || len(v.Targets) != 2 || v.Version != 3 || v.Root != 1 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

// TestOverTheLine: the hub serves, a transfer is cut off and goes on where it was.
func TestOverTheLine(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	h, cut := w.repo.Handler(), true
	ranges := 0
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Range") != "" {
			ranges++
		}
		if cut && filepath.Ext(q.URL.Path) != ".json" {
			rw = &cutter{rw, 50_000}
		}
		h.ServeHTTP(rw, q)
	}))
	defer srv.Close()
	c := w.client(client.Web{Base: srv.URL + release.Path, Client: srv.Client()})
	target, err := c.Find(t.Context(), "", "")
	w.must(err)
	to := filepath.Join(t.TempDir(), "agent")
	_, err = c.Fetch(t.Context(), target, "", to)
	refuses(t, err, release.ErrSource, "")
	cut = false
	r, err := c.Fetch(t.Context(), target, "", to)
	if err != nil || r.Resumed != 50_000 || ranges == 0 {
		t.Fatalf("got %+v, %v, %d ranges", r, err, ranges)
	}
	if left, _ := filepath.Glob(to + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, path := range []string{"/release/staged/root.json", "/release/release.lock", "/release/../keys/x", "/release/metadata/", "/release/metadata/%2e%2e/release.lock", "/else"} {
		resp, err := srv.Client().Get(srv.URL + path)
		w.must(err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

// cutter ends an answer after n bytes, as a line does.
type cutter struct {
	http.ResponseWriter
	n int
}

func (c *cutter) Write(b []byte) (int, error) {
	if len(b) >= c.n {
		_, _ = c.ResponseWriter.Write(b[:c.n])
		panic(http.ErrAbortHandler)
	}
	c.n -= len(b)
	return c.ResponseWriter.Write(b)
}

func (c *cutter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// TestABundle on a stick: a PC without a line is brought to a version, by the same rules.
func TestABundle(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"), agent("1.1.0"))
	file := filepath.Join(t.TempDir(), "tillpost.bundle")
	if _, err := w.repo.Bundle(t.Context(), file, "1.2.0"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a version that there is not: %v", err)
	}
	_, err := w.repo.Bundle(t.Context(), file, "1.1.0")
	w.must(err)
	b, err := client.OpenBundle(file)
	w.must(err)
	defer b.Close()
	c := w.client(b)
	target, err := c.Find(t.Context(), "1.0.0", "1.1.0")
	w.must(err)
	to := filepath.Join(t.TempDir(), "agent")
	_, err = c.Fetch(t.Context(), target, "", to)
	w.must(err)
	older, err := c.Find(t.Context(), "", "1.0.0")
	w.must(err)
	_, err = c.Fetch(t.Context(), older, "", to)
	refuses(t, err, release.ErrSource, "") // named, and not on the stick
	w.now = w.now.Add(8 * 24 * time.Hour)
	_, err = c.Find(t.Context(), "1.0.0", "1.1.0")
	refuses(t, err, release.ErrExpired, "timestamp")
}

// TestRequiredSteps: a PC that was off for a year goes through the versions that a later one requires.
func TestRequiredSteps(t *testing.T) {
	w := newWorld(t)
	requires := func(v release.Version) func(*release.Custom) {
		return func(c *release.Custom) { c.Requires = v }
	}
	w.release(agent("1.0.0"), agent("2.0.0", requires("1.0.0")), agent("2.5.0", requires("1.0.0")), agent("3.0.0", requires("2.0.0")), agent("4.0.0", requires("2.5.0")))
	w.finds("1.0.0", "3.0.0", "2.0.0")
	w.finds("2.0.0", "3.0.0", "3.0.0")
	w.finds("1.0.0", "4.0.0", "2.5.0")
	w.finds("0.5.0", "4.0.0", "1.0.0")
	w.finds("3.0.0", "", "4.0.0")
	_, err := w.repo.Withdraw("1.0.0")
	w.must(err)
	w.sign(w.targets...)
	w.publish()
	w.refused("0.5.0", "4.0.0", release.ErrRefused, "nothing that is released leads")
}

// TestChannels: a store on stable sees no candidate, a test store sees both.
func TestChannels(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"), agent("1.1.0-rc.1", func(c *release.Custom) { c.Channel = "beta" }))
	w.finds("", "", "1.0.0")
	w.refused("1.0.0", "1.1.0-rc.1", release.ErrUnknown, "1.1.0-rc.1")
	c, err := client.Open(client.Config{Dir: t.TempDir(), Root: w.pinned, Source: client.Folder(w.dir), OS: "linux", Arch: "amd64", Channel: "beta", Now: w.clock})
	w.must(err)
	if got, err := c.Find(t.Context(), "1.0.0", ""); err != nil || got.Version != "1.1.0-rc.1" {
		t.Errorf("got %v, %v", got.Version, err)
	}
}

// TestOneWriter: what another published meanwhile is not taken back unseen.
func TestOneWriter(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	stick := repo.At(w.copyDir(w.dir), w.clock)
	other := repo.At(w.copyDir(w.dir), w.clock)
	for r, v := range map[*repo.Repo]string{stick: "1.1.0", other: "1.2.0"} {
		_, err := r.Add([]repo.Program{agent(v)}, 1)
		w.must(err)
		for _, k := range w.targets {
			_, err := r.Sign(k)
			w.must(err)
		}
	}
	_, err := w.repo.Publish(stick, w.online)
	w.must(err)
	w.finds("1.0.0", "", "1.1.0")
	if _, err = w.repo.Publish(other, w.online); !fault.Is(err, fault.Conflict) {
		t.Fatalf("the second one: %v", err)
	}
	w.finds("1.0.0", "", "1.1.0")
	// the stick was brought up to date and can be worked on again
	_, err = stick.Add([]repo.Program{agent("1.3.0")}, 1)
	w.must(err)
	for _, k := range w.targets {
		_, err := stick.Sign(k)
		w.must(err)
	}
	_, err = w.repo.Publish(stick, w.online)
	w.must(err)
	w.finds("1.0.0", "", "1.3.0")
	// a second hub that writes the same folder is noticed
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) { m.Signed.Version++ }, w.stolenOnline(repo.TimestampKey))
	w.now = w.now.Add(5 * 24 * time.Hour)
	if _, err := w.online.Refresh(w.repo); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a second writer: %v", err)
	}
	w.must(w.online.Adopt(w.repo))
	if signed, err := w.online.Refresh(w.repo); err != nil || !signed {
		t.Fatalf("after adopting: %v, %v", signed, err)
	}
	w.finds("1.0.0", "", "1.3.0")
}

// TestSignaturesThatLack: nothing is published below the threshold, and the message counts.
func TestSignaturesThatLack(t *testing.T) {
	w := newWorld(t)
	_, err := w.repo.Add([]repo.Program{agent("1.0.0")}, 0)
	w.must(err)
	w.sign(w.targets[0], w.targets[0])
	if _, err := w.repo.Publish(w.repo, w.online); !fault.Is(err, fault.Conflict) {
		t.Fatalf("one of two: %v", err)
	}
	if _, err := w.repo.Sign(w.newKeys(1)[0]); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a stranger's key: %v", err)
	}
	w.sign(w.targets[1])
	w.publish()
	w.finds("", "", "1.0.0")
	if _, err := w.repo.Add([]repo.Program{{Custom: agent("1.0.0").Custom, Body: []byte("something else")}}, 0); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a version with other bytes: %v", err)
	}
}

// TestTheHubSigns snapshot and timestamp by itself, before they run out; also after it was put back from a backup.
func TestTheHubSigns(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	backup, keys := w.copyDir(w.dir), w.copyDir(w.keys)
	for range 100 {
		w.now = w.now.Add(24 * time.Hour)
		_, err := w.online.Refresh(w.repo)
		w.must(err)
		w.finds("", "", "1.0.0")
	}
	w.dir, w.repo = backup, repo.At(backup, w.clock)
	var err error
	w.online, err = repo.OpenOnline(keys)
	w.must(err)
	w.refused("", "", release.ErrRefused, "timestamp")
	signed, err := w.online.Refresh(w.repo)
	if err != nil || !signed {
		t.Fatalf("restored: %v, %v", signed, err)
	}
	w.finds("", "", "1.0.0")
	ends, err := w.repo.Ends()
	w.must(err)
	soon := func(at time.Time) (out []string) {
		for _, e := range ends {
			if e.Soon(at) {
				out = append(out, e.Role)
			}
		}
		return out
	}
	for _, e := range ends {
		if e.Role == "targets" && (len(soon(e.Ends.Add(-61*24*time.Hour))) == len(soon(e.Ends.Add(-59*24*time.Hour))) || e.Ends.Sub(w.now) < 260*24*time.Hour) {
			t.Errorf("targets end %s and are told of at %s", e.Ends, e.Warn)
		}
	}
	if len(ends) != 4 || len(soon(w.now)) != 0 {
		t.Errorf("ends %v, soon %v", ends, soon(w.now))
	}
}

// TestPowerFailsWhilePublishing after each file that was written: the next try ends well.
func TestPowerFailsWhilePublishing(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.must(w.repo.Rotate("targets", publics(w.newKeys(1)), nil, 2))
	_, err := w.repo.Add([]repo.Program{agent("1.1.0")}, 1)
	w.must(err)
	w.sign(w.root[0], w.root[2], w.targets[0], w.targets[1])
	before, keys := w.copyDir(w.dir), w.copyDir(w.keys)
	w.publish()
	after := w.dir
	for _, name := range []string{"3.targets.json", "2.root.json"} {
		w.dir = w.copyDir(before)
		w.swap(after, name)
		r := repo.At(w.dir, w.clock)
		o, err := repo.OpenOnline(w.copyDir(keys))
		w.must(err)
		if _, err = o.Refresh(r); err != nil {
			t.Errorf("the hub's own turn after %s: %v", name, err)
		}
		if _, err = r.Publish(r, o); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		w.pc = t.TempDir()
		w.finds("1.0.0", "", "1.1.0")
	}
}

// TestAKeyFile opens with its passphrase alone.
func TestAKeyFile(t *testing.T) {
	k, err := repo.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Seal([]byte("short")); err == nil {
		t.Error("a short passphrase passes")
	}
	b, err := k.Seal([]byte("five plain words are good"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(pass string) (repo.Key, error) {
		return repo.OpenKey(b, func() ([]byte, error) { return []byte(pass), nil })
	}
	if got, err := f("five plain words are good"); err != nil || got.Public().ID() != k.Public().ID() {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := f("five plain words are goof"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if p, err := repo.ParsePublic(b); err != nil || p.ID() != k.Public().ID() {
		t.Errorf("public half: %v", err)
	}
	stop := errors.New("nobody is there")
	if _, err := repo.OpenKey(b, func() ([]byte, error) { return nil, stop }); !errors.Is(err, stop) {
		t.Errorf("nobody types: %v", err)
	}
}

// Package tuf attacks the release repository and its client the way the TUF specification lists it, and rehearses the key ceremony with the built
// programs (hub/release/CEREMONY.md).
package tuf

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// world is a repository with 2 of 3 root keys and 2 of 2 targets keys, its hub, and a store's PC. Its clock is its own.
type world struct {
	t             *testing.T
	now           time.Time
	repo          *repo.Repo
	dir, keys, pc string
	online        *repo.Online
	root, targets []repo.Key
	pinned        []byte
	limits        client.Limits
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), dir: filepath.Join(t.TempDir(), "repo"), keys: t.TempDir(), pc: t.TempDir()}
	w.repo = repo.At(w.dir, w.clock)
	snapshot, timestamp, err := repo.MakeOnline(w.keys)
	w.must(err)
	w.root, w.targets = w.newKeys(3), w.newKeys(2)
	w.must(w.repo.Init(repo.Founding{Root: publics(w.root), RootNeeds: 2, Targets: publics(w.targets), TargetsNeed: 2, Snapshot: snapshot, Timestamp: timestamp}))
	w.online, err = repo.OpenOnline(w.keys)
	w.must(err)
	w.sign(append(w.root[:2:2], w.targets...)...)
	w.publish()
	w.pinned, err = w.repo.Root()
	w.must(err)
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newKeys(n int) (out []repo.Key) {
	for range n {
		k, err := repo.NewKey()
		w.must(err)
		out = append(out, k)
	}
	return out
}

func publics(ks []repo.Key) (out []repo.Public) {
	for _, k := range ks {
		out = append(out, k.Public())
	}
	return out
}

func (w *world) sign(ks ...repo.Key) {
	w.t.Helper()
	for _, k := range ks {
		_, err := w.repo.Sign(k)
		w.must(err)
	}
}

func (w *world) publish() {
	w.t.Helper()
	_, err := w.repo.Publish(w.repo, w.online)
	w.must(err)
	w.now = w.now.Add(time.Minute)
}

// program is a made-up agent: every version shares most of its bytes with the others.
func program(version string) []byte {
	common := make([]byte, 200_000)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(common)
	copy(common[1000:], "this is version "+version)
	copy(common[150_000:], version)
	return common
}

func agent(version string, change ...func(*release.Custom)) repo.Program {
	c := release.Custom{Program: release.Agent, Version: release.Version(version), OS: "linux", Arch: "amd64", Channel: release.Stable, Schema: release.Schema{Min: 1, Max: 2}}
	for _, f := range change {
		f(&c)
	}
	return repo.Program{Custom: c, Body: program(version)}
}

// release stages, signs and publishes programs.
func (w *world) release(ps ...repo.Program) {
	w.t.Helper()
	_, err := w.repo.Add(ps, 3)
	w.must(err)
	w.sign(w.targets...)
	w.publish()
}

// client is the PC, over a source; nil reads the folder.
func (w *world) client(s client.Source) *client.Client {
	w.t.Helper()
	if s == nil {
		s = client.Folder(w.dir)
	}
	c, err := client.Open(client.Config{Dir: w.pc, Root: w.pinned, Source: s, OS: "linux", Arch: "amd64", Now: w.clock, Limits: w.limits})
	w.must(err)
	return c
}

// finds expects that the PC is told of a version.
func (w *world) finds(running, want, step string) release.Target {
	w.t.Helper()
	t, err := w.client(nil).Find(w.t.Context(), running, want)
	if err != nil || string(t.Version) != step {
		w.t.Fatalf("from %s to %q: got %q, %v; want %s", running, want, t.Version, err, step)
	}
	return t
}

// refuses expects an error of a kind that says why.
func refuses(t *testing.T, err, kind error, why string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), why) {
		t.Fatalf("got %v; want %q saying %q", err, kind, why)
	}
}

func (w *world) refused(running, want string, kind error, why string) {
	w.t.Helper()
	t, err := w.client(nil).Find(w.t.Context(), running, want)
	if err == nil {
		w.t.Fatalf("from %s to %q: it was given %s", running, want, t.Version)
	}
	refuses(w.t, err, kind, why)
}

// copyDir is what an attacker keeps of the repository.
func (w *world) copyDir(from string) string {
	w.t.Helper()
	to := w.t.TempDir()
	w.must(os.CopyFS(filepath.Join(to, "r"), os.DirFS(from)))
	return filepath.Join(to, "r")
}

func (w *world) meta(name string) string { return filepath.Join(w.dir, "metadata", name) }

func (w *world) swap(from, name string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(from, "metadata", name))
	w.must(err)
	w.must(os.WriteFile(w.meta(name), b, 0o644))
}

// stolen is a key in an attacker's hands: it signs anything.
func (w *world) stolen(k repo.Key) signature.Signer {
	w.t.Helper()
	b, err := k.Seal(nil)
	w.must(err)
	return w.signer(b)
}

func (w *world) stolenOnline(name string) signature.Signer {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.keys, name))
	w.must(err)
	return w.signer(b)
}

func (w *world) signer(file []byte) signature.Signer {
	w.t.Helper()
	var f struct{ Plain string }
	w.must(json.Unmarshal(file, &f))
	seed, err := hex.DecodeString(f.Plain)
	w.must(err)
	s, err := signature.LoadSigner(ed25519.NewKeyFromSeed(seed), crypto.Hash(0))
	w.must(err)
	return s
}

// forge changes the file of a role and signs it with the keys given, by which name it is served as well.
func forge[T metadata.Roles](w *world, file, as string, change func(*metadata.Metadata[T]), ks ...signature.Signer) []byte {
	w.t.Helper()
	m, err := new(metadata.Metadata[T]).FromFile(w.meta(file))
	w.must(err)
	change(m)
	if len(ks) > 0 {
		m.ClearSignatures()
	}
	for _, k := range ks {
		_, err := m.Sign(k)
		w.must(err)
	}
	b, err := m.ToBytes(false)
	w.must(err)
	w.must(os.WriteFile(w.meta(as), b, 0o644))
	return b
}

// newest is the name of a role's newest file.
func (w *world) newest(role string) string {
	w.t.Helper()
	names, err := filepath.Glob(w.meta("*." + role + ".json"))
	w.must(err)
	if len(names) == 0 {
		w.t.Fatalf("no %s", role)
	}
	num := func(s string) (n int) {
		_, err := fmt.Sscanf(filepath.Base(s), "%d.", &n)
		w.must(err)
		return n
	}
	return filepath.Base(slices.MaxFunc(names, func(a, b string) int { return num(a) - num(b) }))
}

func (w *world) fetch(t release.Target, old string) ([]byte, client.Result, error) {
	w.t.Helper()
	to := filepath.Join(w.t.TempDir(), "agent")
	r, err := w.client(nil).Fetch(w.t.Context(), t, old, to)
	if err != nil {
		if _, err := os.Stat(to); err == nil {
			w.t.Fatal("a refused program lies where it would be started")
		}
		return nil, r, err
	}
	b, err := os.ReadFile(to)
	w.must(err)
	return b, r, nil
}

func (w *world) gets(t release.Target, old string) client.Result {
	w.t.Helper()
	b, r, err := w.fetch(t, old)
	w.must(err)
	if !bytes.Equal(b, program(string(t.Version))) {
		w.t.Fatalf("%s has other bytes", t.Version)
	}
	return r
}

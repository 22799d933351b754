package tuf

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	repo "github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

type (
	timestampMeta = metadata.Metadata[metadata.TimestampType]
	snapshotMeta  = metadata.Metadata[metadata.SnapshotType]
	targetsMeta   = metadata.Metadata[metadata.TargetsType]
	rootMeta      = metadata.Metadata[metadata.RootType]
)

// TestArbitrarySoftware: a program that nobody signed, or that was changed where it lies.
func TestArbitrarySoftware(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.refused("1.0.0", "6.6.6", release.ErrUnknown, "6.6.6")
	w.pc = t.TempDir()
	forge(w, w.newest("targets"), w.newest("targets"), func(m *targetsMeta) {
		m.Signed.Targets["agent/6.6.6/linux-amd64/agent"] = m.Signed.Targets["agent/1.0.0/linux-amd64/agent"]
	})
	w.refused("1.0.0", "", release.ErrRefused, "targets")
	// and one that is signed by the attacker's own keys
	ks := w.newKeys(2)
	forge(w, w.newest("targets"), w.newest("targets"), func(*targetsMeta) {}, w.stolen(ks[0]), w.stolen(ks[1]))
	w.refused("1.0.0", "", release.ErrRefused, "targets")
}

// TestChangedProgram: the bytes are not those that were signed: of the program, of the compressed one and of the patch.
func TestChangedProgram(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"), agent("1.1.0"))
	target := w.finds("1.0.0", "", "1.1.0")
	old := filepath.Join(t.TempDir(), "old")
	w.must(os.WriteFile(old, program("1.0.0"), 0o600))
	files := []string{release.Hashed(target.Name, target.Sum)}
	for _, p := range target.Patches {
		files = append(files, release.Hashed(p.Name, p.Sum))
	}
	if len(files) != 3 {
		t.Fatalf("files: %v", files)
	}
	slices.Reverse(files)
	for _, f := range files { // as long as one of them is whole, the update works
		w.gets(target, old)
		path := filepath.Join(w.dir, f)
		b, err := os.ReadFile(path)
		w.must(err)
		b[len(b)/2] ^= 1
		w.must(os.WriteFile(path, b, 0o644))
	}
	_, _, err := w.fetch(target, old)
	refuses(t, err, release.ErrRefused, "has not the hash that is signed")
	if _, err := w.repo.Verify(t.Context(), nil); err == nil {
		t.Error("verify sees nothing")
	}
}

// TestRollback: older metadata and older programs, by an attacker who kept them all and even by one with the hub's keys.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	kept := w.copyDir(w.dir)
	first := w.newest("snapshot")
	w.release(agent("1.1.0"))
	w.finds("1.0.0", "", "1.1.0")
	w.swap(kept, "timestamp.json")
	w.refused("1.0.0", "", release.ErrRefused, "new timestamp version")
	// with the timestamp key: a newer timestamp that names the older snapshot
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) { m.Signed.Version += 1000 }, w.stolenOnline(repo.TimestampKey))
	w.refused("1.0.0", "", release.ErrRefused, "new snapshot version")
	// with both of the hub's keys: a newer snapshot that names the older targets
	snap := forge(w, first, "9999999999.snapshot.json", func(m *snapshotMeta) { m.Signed.Version = 9999999999 }, w.stolenOnline(repo.SnapshotKey))
	_ = snap
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) {
		m.Signed.Version += 2000
		m.Signed.Meta["snapshot.json"] = metadata.MetaFile(9999999999)
	}, w.stolenOnline(repo.TimestampKey))
	w.refused("1.0.0", "", release.ErrRefused, "targets.json version")
}

// TestRootRollback: an older root, and one that skips a number.
func TestRootRollback(t *testing.T) {
	w := newWorld(t)
	w.must(w.repo.Renew("root"))
	w.sign(w.root[:2]...)
	w.publish()
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	one, err := os.ReadFile(w.meta("1.root.json"))
	w.must(err)
	w.must(os.WriteFile(w.meta("3.root.json"), one, 0o644))
	w.refused("", "", release.ErrRefused, "bad version number, expected 3, got 1")
}

// TestOlderPrograms that signed metadata still lists are given to nobody who runs a newer one: whoever can speak for the hub would take the
// fleet back to last year's hole. Newer metadata may give leave.
func TestOlderPrograms(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"), agent("1.1.0"), agent("1.2.0"))
	w.refused("1.1.0", "1.0.0", release.ErrRefused, "1.0.0 is older than 1.1.0")
	names, err := w.repo.GoBack("1.0.0", "1.1.0")
	w.must(err)
	if len(names) == 0 {
		t.Fatal("nothing changed")
	}
	w.refused("1.1.0", "1.0.0", release.ErrRefused, "is older") // staged is not signed
	w.sign(w.targets...)
	w.publish()
	target := w.finds("1.1.0", "1.0.0", "1.0.0")
	w.gets(target, "")
	w.refused("1.2.0", "1.0.0", release.ErrRefused, "is older") // leave was given up to 1.1.0
	w.finds("1.1.0", "", "1.2.0")                               // and nobody is brought back unasked
	_, err = w.repo.Withdraw("1.0.0")
	w.must(err)
	w.sign(w.targets...)
	w.publish()
	w.refused("1.1.0", "1.0.0", release.ErrUnknown, "1.0.0")
}

// TestFreeze: whoever holds back what is newer can do so for a week.
func TestFreeze(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	w.now = w.now.Add(7*24*time.Hour + time.Hour)
	w.refused("", "", release.ErrExpired, "timestamp")
	w.pc = t.TempDir()
	w.refused("", "", release.ErrExpired, "timestamp") // a fresh PC as well
}

// TestExpiry: snapshot, targets and root that ran out stop updates, each saying so, although the hub signs its timestamp.
func TestExpiry(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	w.now = w.now.Add(366 * 24 * time.Hour)
	_, err := w.online.Refresh(w.repo)
	w.must(err)
	w.refused("", "", release.ErrExpired, "targets")
	w.must(w.repo.Renew("targets"))
	w.sign(w.targets...)
	w.publish()
	w.finds("", "", "1.0.0")
	w.now = w.now.Add(366 * 24 * time.Hour)
	w.refused("", "", release.ErrExpired, "the root on 2028-11-25")
	// a new root heals a PC that has seen the old one run out
	w.must(w.repo.Renew("root"))
	w.must(w.repo.Renew("targets"))
	w.sign(w.root[1], w.root[2], w.targets[0], w.targets[1])
	w.publish()
	w.finds("", "", "1.0.0")
}

// TestClockSetBack: a PC whose clock is a year behind sees no expiry, and is not taken back all the same.
func TestClockSetBack(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	kept := w.copyDir(w.dir)
	w.release(agent("1.1.0"))
	w.finds("1.0.0", "", "1.1.0")
	w.now = w.now.Add(-365 * 24 * time.Hour)
	w.finds("1.0.0", "", "1.1.0")
	w.swap(kept, "timestamp.json")
	w.refused("1.0.0", "", release.ErrRefused, "new timestamp version")
}

// TestMixAndMatch: files that never stood beside each other.
func TestMixAndMatch(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	two, err := os.ReadFile(w.meta("2.targets.json"))
	w.must(err)
	w.release(agent("1.1.0"))
	good, err := os.ReadFile(w.meta("3.targets.json"))
	w.must(err)
	w.must(os.WriteFile(w.meta("3.targets.json"), two, 0o644))
	w.refused("", "", release.ErrRefused, "targets: length/hash verification error")
	w.must(os.WriteFile(w.meta("3.targets.json"), good, 0o644))
	w.pc = t.TempDir()
	// the same with metadata of the right length: another root's snapshot
	snap, err := os.ReadFile(w.meta(w.newest("snapshot")))
	w.must(err)
	for i, b := range snap {
		if b == '3' {
			snap[i] = '2'
		}
	}
	w.must(os.WriteFile(w.meta(w.newest("snapshot")), snap, 0o644))
	w.refused("", "", release.ErrRefused, "snapshot: length/hash verification error")
}

// TestEndlessData: answers without an end, for each file of metadata and for a program.
func TestEndlessData(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	target := w.finds("", "", "1.0.0")
	for name, why := range map[string]string{"2.root.json": "longer than", "timestamp.json": "longer than"} {
		w.pc = t.TempDir()
		s := &endless{Source: client.Folder(w.dir), on: name}
		_, err := w.client(s).Find(t.Context(), "", "")
		refuses(t, err, release.ErrRefused, why)
		if s.n > 2<<20 {
			t.Errorf("%s: %d bytes were read", name, s.n)
		}
	}
	for _, name := range []string{w.newest("snapshot"), w.newest("targets")} {
		w.pc = t.TempDir()
		s := &endless{Source: client.Folder(w.dir), on: name}
		_, err := w.client(s).Find(t.Context(), "", "")
		refuses(t, err, release.ErrRefused, "longer than")
		if s.n > 64<<10 { // the timestamp says how long they are
			t.Errorf("%s: %d bytes were read", name, s.n)
		}
	}
	s := &endless{Source: client.Folder(w.dir), on: "agent"}
	target.Patches = nil
	to := filepath.Join(t.TempDir(), "agent")
	_, err := w.client(s).Fetch(t.Context(), target, "", to)
	refuses(t, err, release.ErrRefused, "has not the hash")
	if s.n > target.Size+64<<10 {
		t.Errorf("of a program of %d bytes %d were read", target.Size, s.n)
	}
}

// endless answers one file with zeros for ever.
type endless struct {
	client.Source
	on string
	n  int64
}

func (e *endless) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	if !strings.HasSuffix(name, e.on) {
		return e.Source.Open(ctx, name, offset)
	}
	return io.NopCloser(e), nil
}

func (e *endless) Read(b []byte) (int, error) {
	clear(b)
	e.n += int64(len(b))
	return len(b), nil
}

// TestSlowRetrieval: a line that drips is given up, for metadata and for programs, and what came is kept.
func TestSlowRetrieval(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	target := w.finds("", "", "1.0.0")
	target.Patches = nil
	w.limits = client.Limits{MinBytes: 100_000, Window: 50 * time.Millisecond, Metadata: 100 * time.Millisecond}
	s := drip{client.Folder(w.dir)}
	_, err := w.client(s).Find(t.Context(), "", "")
	refuses(t, err, release.ErrSource, "it drips")
	to := filepath.Join(t.TempDir(), "agent")
	_, err = w.client(s).Fetch(t.Context(), target, "", to)
	refuses(t, err, release.ErrSource, "it drips")
	r, err := w.client(nil).Fetch(t.Context(), target, "", to)
	if err != nil || r.Resumed == 0 {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
}

// drip gives a byte every few milliseconds.
type drip struct{ client.Source }

func (d drip) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	r, err := d.Source.Open(ctx, name, offset)
	return &dripping{r, ctx}, err
}

type dripping struct {
	io.ReadCloser
	ctx context.Context
}

func (d *dripping) Read(b []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, context.Cause(d.ctx)
	case <-time.After(5 * time.Millisecond):
	}
	return d.ReadCloser.Read(b[:1])
}

// TestFastForward: somebody with the hub's keys counts up to the end, so that nothing of ours would ever be newer. New keys heal the fleet.
func TestFastForward(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	honest := w.copyDir(w.dir)
	snapKey, timeKey := w.stolenOnline(repo.SnapshotKey), w.stolenOnline(repo.TimestampKey)
	forge(w, w.newest("snapshot"), "9223372036854775807.snapshot.json", func(m *snapshotMeta) { m.Signed.Version = math.MaxInt64 }, snapKey)
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) {
		m.Signed.Version = math.MaxInt64
		m.Signed.Meta["snapshot.json"] = metadata.MetaFile(math.MaxInt64)
	}, timeKey)
	w.finds("", "", "1.0.0") // signed by the keys in force: taken, and from now on nothing honest is newer
	w.dir = honest
	w.repo = repo.At(honest, w.clock)
	w.release(agent("1.1.0"))
	w.refused("1.0.0", "", release.ErrRefused, "new timestamp version")
	// the ceremony: new keys for the hub, signed by the root's holders
	w.keys = t.TempDir()
	snapshot, timestamp, err := repo.MakeOnline(w.keys)
	w.must(err)
	old := keysOf(w, "snapshot", "timestamp")
	w.must(w.repo.Rotate("snapshot", []repo.Public{snapshot}, old[:1], 0))
	w.must(w.repo.Rotate("timestamp", []repo.Public{timestamp}, old[1:], 0))
	w.online, err = repo.OpenOnline(w.keys)
	w.must(err)
	w.must(w.online.Adopt(w.repo))
	w.sign(w.root[:2]...)
	w.publish()
	w.finds("1.0.0", "", "1.1.0")
	// the old keys are worth nothing any more
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) { m.Signed.Version = math.MaxInt64 }, timeKey)
	w.refused("1.0.0", "", release.ErrRefused, "timestamp")
}

// TestFastForwardOnTheHub: the same, found by a hub whose own folder holds the attacker's last number.
func TestFastForwardOnTheHub(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) { m.Signed.Version = math.MaxInt64 }, w.stolenOnline(repo.TimestampKey))
	w.finds("", "", "1.0.0")
	w.keys = t.TempDir()
	snapshot, timestamp, err := repo.MakeOnline(w.keys)
	w.must(err)
	old := keysOf(w, "snapshot", "timestamp")
	w.must(w.repo.Rotate("snapshot", []repo.Public{snapshot}, old[:1], 0))
	w.must(w.repo.Rotate("timestamp", []repo.Public{timestamp}, old[1:], 0))
	w.online, err = repo.OpenOnline(w.keys)
	w.must(err)
	w.must(w.online.Adopt(w.repo))
	w.sign(w.root[:2]...)
	w.publish()
	w.finds("", "", "1.0.0")
	w.now = w.now.Add(5 * 24 * time.Hour)
	_, err = w.online.Refresh(w.repo)
	w.must(err)
	w.finds("", "", "1.0.0")
}

// keysOf are the first keys of roles in force.
func keysOf(w *world, roles ...string) (out []string) {
	w.t.Helper()
	m, err := new(rootMeta).FromFile(w.meta(w.newest("root")))
	w.must(err)
	for _, r := range roles {
		out = append(out, m.Signed.Roles[r].KeyIDs[0])
	}
	return out
}

// TestWrongSoftware: a program of ours that is not for this PC, and one that says that it is another.
func TestWrongSoftware(t *testing.T) {
	w := newWorld(t)
	arm := agent("1.1.0", func(c *release.Custom) { c.Arch = "arm64" })
	other := agent("1.2.0", func(c *release.Custom) { c.Program = "hub" })
	w.release(agent("1.0.0"), arm, other)
	w.refused("1.0.0", "1.1.0", release.ErrUnknown, "1.1.0 for linux/amd64")
	w.refused("1.0.0", "1.2.0", release.ErrUnknown, "agent 1.2.0")
	w.finds("", "", "1.0.0")
	// even signed: a target whose words and name differ is offered to nobody
	file := w.newest("targets")
	b := forge(w, file, file, func(m *targetsMeta) {
		m.Signed.Targets["agent/9.0.0/linux-amd64/agent"] = m.Signed.Targets["agent/1.0.0/linux-amd64/agent"]
	}, w.stolen(w.targets[0]), w.stolen(w.targets[1]))
	w.follow(b)
	w.refused("1.0.0", "9.0.0", release.ErrUnknown, "9.0.0")
}

// follow lets the hub's stolen keys name forged targets of the version in force.
func (w *world) follow(targets []byte) {
	w.t.Helper()
	var m targetsMeta
	_, err := m.FromBytes(targets)
	w.must(err)
	n := int64(w.now.Unix()) + 100
	forge(w, w.newest("snapshot"), "9000000000.snapshot.json", func(s *snapshotMeta) {
		s.Signed.Version = 9000000000
		s.Signed.Meta["targets.json"] = metadata.MetaFile(m.Signed.Version)
	}, w.stolenOnline(repo.SnapshotKey))
	forge(w, "timestamp.json", "timestamp.json", func(s *timestampMeta) {
		s.Signed.Version = n + 9000000000
		s.Signed.Meta["snapshot.json"] = metadata.MetaFile(9000000000)
	}, w.stolenOnline(repo.TimestampKey))
	w.pc = w.t.TempDir()
}

// TestKeyCompromise below the threshold: one of two targets keys with both of the hub's; one of three root keys.
func TestKeyCompromise(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	evil := func(m *targetsMeta) {
		m.Signed.Version++
		c := agent("6.6.6").Custom
		b, err := json.Marshal(c)
		w.must(err)
		raw := json.RawMessage(b)
		m.Signed.Targets[release.NameOf(c)] = &metadata.TargetFiles{Length: 3, Hashes: metadata.Hashes{"sha256": make([]byte, 32)}, Custom: &raw}
	}
	honest := w.copyDir(w.dir)
	one := w.stolen(w.targets[0])
	w.follow(forge(w, w.newest("targets"), "3.targets.json", evil, one))
	w.refused("1.0.0", "6.6.6", release.ErrRefused, "targets")
	// one signature twice, and once under another id, is one
	forge(w, w.newest("targets"), "3.targets.json", func(m *targetsMeta) {
		s := m.Signatures[0]
		s.KeyID = w.targets[1].Public().ID()
		m.Signatures = append(m.Signatures, s)
	})
	w.refused("1.0.0", "6.6.6", release.ErrRefused, "targets")
	// the hub's keys alone sign no targets and no root
	forge(w, w.newest("targets"), "3.targets.json", func(*targetsMeta) {}, w.stolenOnline(repo.SnapshotKey), w.stolenOnline(repo.TimestampKey))
	w.refused("1.0.0", "6.6.6", release.ErrRefused, "targets")
	// a root by one of three, that makes the attacker the only holder
	w.dir = honest
	mine := w.newKeys(1)[0]
	forge(w, "1.root.json", "2.root.json", func(m *rootMeta) {
		m.Signed.Version = 2
		k, err := metadata.KeyFromPublicKey(w.public(mine))
		w.must(err)
		for _, r := range slices.Collect(maps.Keys(m.Signed.Roles)) {
			m.Signed.Roles[r].KeyIDs, m.Signed.Roles[r].Threshold = nil, 1
			w.must(m.Signed.AddKey(k, r))
		}
	}, w.stolen(mine), w.stolen(w.root[0]))
	w.refused("1.0.0", "", release.ErrRefused, "root")
}

func (w *world) public(k repo.Key) any {
	w.t.Helper()
	p, err := w.stolen(k).PublicKey()
	w.must(err)
	return p
}

// TestExtraneousDependencies: nothing is installed beside the program. The one thing that a program may need, a patch, makes the signed program or
// nothing, even where the patch itself is signed.
func TestExtraneousDependencies(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	target := w.finds("", "", "1.0.0")
	bad := release.Patch{Name: "agent/1.0.0/linux-amd64/from-0.9.0.zst", Size: 3, Sum: [32]byte{1}}
	target.Patches = append([]release.Patch{bad}, target.Patches...)
	w.gets(target, "") // it is not there: passed by
	for i := range target.Patches {
		target.Patches[i].ToSum = release.Sum{9}
	}
	sum := target.Sum
	target.Sum = release.Sum{9} // a patch that makes something else than what is signed
	_, _, err := w.fetch(target, "")
	refuses(t, err, release.ErrSource, "")
	target.Sum = sum
	w.gets(target, "")
}

// TestMalformed: what an online key signs may be nonsense; the agent goes on.
func TestMalformed(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	forge(w, "timestamp.json", "timestamp.json", func(m *timestampMeta) {
		m.Signed.Version += 10
		m.Signed.Meta = map[string]*metadata.MetaFiles{}
	}, w.stolenOnline(repo.TimestampKey))
	w.refused("", "", release.ErrRefused, "malformed")
	w.must(os.WriteFile(w.meta("timestamp.json"), []byte("<html>sign in to the hotel's network</html>"), 0o644))
	w.refused("", "", release.ErrRefused, "timestamp")
	w.must(os.Remove(w.meta("timestamp.json")))
	w.refused("", "", release.ErrSource, "timestamp")
}

// TestDamagedTrust: every file of trusted metadata cut short or gone. The pinned root carries on; the chain is walked again.
func TestDamagedTrust(t *testing.T) {
	w := newWorld(t)
	w.must(w.repo.Renew("root"))
	w.sign(w.root[:2]...)
	w.publish()
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	for _, f := range []string{"root.json", "timestamp.json", "snapshot.json", "targets.json"} {
		path := filepath.Join(w.pc, f)
		b, err := os.ReadFile(path)
		w.must(err)
		for _, bad := range [][]byte{nil, b[:len(b)/2], []byte("{}")} {
			w.must(os.WriteFile(path, bad, 0o600))
			w.finds("", "", "1.0.0")
		}
		w.must(os.Remove(path))
		w.finds("", "", "1.0.0")
	}
}

// TestRotation: a PC that slept through several roots, with other keys for root and targets each time, walks through them.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
	for i := range 5 {
		// root: one holder leaves, one comes; targets: both change
		gone, come := w.root[0], w.newKeys(1)[0]
		w.must(w.repo.Rotate("root", []repo.Public{come.Public()}, []string{gone.Public().ID()}, 0))
		fresh := w.newKeys(2)
		w.must(w.repo.Rotate("targets", publics(fresh), []string{w.targets[0].Public().ID()[:12], w.targets[1].Public().ID()}, 0))
		_, err := w.repo.Add([]repo.Program{agent("1." + string(rune('1'+i)) + ".0")}, 1)
		w.must(err)
		w.sign(gone, w.root[1], come)
		w.sign(fresh...)
		w.root, w.targets = append(w.root[1:], come), fresh
		w.publish()
	}
	w.finds("1.0.0", "", "1.5.0")
	w.refused("1.5.0", "", release.ErrCurrent, "1.5.0")
}

// TestALostKey below the threshold: the two others replace it.
func TestALostKey(t *testing.T) {
	w := newWorld(t)
	lost, come := w.root[2], w.newKeys(1)[0]
	w.must(w.repo.Rotate("root", []repo.Public{come.Public()}, []string{lost.Public().ID()}, 0))
	w.sign(w.root[0], w.root[1])
	w.publish()
	// the lost key signs nothing any more
	w.must(w.repo.Renew("root"))
	w.sign(w.root[0])
	if _, err := w.repo.Sign(lost); err == nil {
		t.Fatal("a key that was taken out signs")
	}
	if _, err := w.repo.Publish(w.repo, w.online); err == nil {
		t.Fatal("one of two was enough")
	}
	w.sign(come)
	w.publish()
	w.release(agent("1.0.0"))
	w.finds("", "", "1.0.0")
}

package release

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// Files in the folder of the hub's own keys.
const (
	SnapshotKey  = "snapshot.key"
	TimestampKey = "timestamp.key"
	lastFile     = "last.json"
)

// keepSnapshots is how many old snapshots stay for clients that are just reading one.
const keepSnapshots = 10

// Online is the one writer of snapshot and timestamp: the hub's own keys in a folder of their own, and a note of what it wrote last.
type Online struct {
	dir                 string
	snapshot, timestamp Key
}

// MakeOnline makes the hub's own keys in a folder that has none. Code conflict.
func MakeOnline(dir string) (snapshot, timestamp Public, err error) {
	var out [2]Public
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return snapshot, timestamp, fault.New(fault.Internal, "make online keys", err)
	}
	for i, name := range []string{SnapshotKey, TimestampKey} {
		k, err := NewKey()
		if err != nil {
			return snapshot, timestamp, err
		}
		b, err := k.Seal(nil)
		if err != nil {
			return snapshot, timestamp, err
		}
		if err := WriteNew(filepath.Join(dir, name), b, 0o600); err != nil {
			return snapshot, timestamp, err
		}
		text, err := k.Public().Text()
		if err != nil {
			return snapshot, timestamp, err
		}
		if err := writeWhole(filepath.Join(dir, name+".pub"), text); err != nil {
			return snapshot, timestamp, err
		}
		out[i] = k.Public()
	}
	return out[0], out[1], nil
}

// WriteNew writes a file that is not there yet: a key that exists is never written over. Code conflict.
func WriteNew(path string, b []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, fs.ErrExist) {
		return fault.Msg(fault.Conflict, "write key", path+" is there already and was left as it is")
	}
	if err != nil {
		return fault.New(fault.Invalid, "write key", err)
	}
	_, err = f.Write(b)
	return fault.New(fault.Internal, "write "+path, errors.Join(err, f.Sync(), f.Close()))
}

// OpenOnline reads the hub's own keys. Code not_found where there are none: then this machine does not publish.
func OpenOnline(dir string) (*Online, error) {
	o := &Online{dir: dir}
	for name, k := range map[string]*Key{SnapshotKey: &o.snapshot, TimestampKey: &o.timestamp} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Msg(fault.NotFound, "online keys", filepath.Join(dir, name)+" is not here: publish on the hub, or make the keys with hub release online-keys")
		}
		if err != nil {
			return nil, fault.New(fault.Internal, "online keys", err)
		}
		if *k, err = OpenKey(b, func() ([]byte, error) { return nil, errors.New("an online key has no passphrase") }); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// fits checks that the root in force gives these keys the two roles.
func (o *Online) fits(root *rootMeta) error {
	for role, k := range map[string]Key{metadata.SNAPSHOT: o.snapshot, metadata.TIMESTAMP: o.timestamp} {
		if !has(root, role, k.Public().ID()) || root.Signed.Roles[role].Threshold != 1 {
			return fault.Msg(fault.Conflict, "sign "+role, fmt.Sprintf("root %d does not name the key in %s for it: another hub publishes, or the keys were rotated. Nothing was changed", root.Signed.Version, o.dir))
		}
	}
	return nil
}

// last is what this writer left.
type last struct {
	Timestamp release.Sum `json:"timestamp_sha256"`
	Next      release.Sum `json:"next_sha256"` // what it was about to put there: the power may have failed between
}

// alone refuses to go on where somebody else has written: two writers of one repository take each other's versions back, and every store then
// refuses the lower one.
func (o *Online) alone(r *Repo) error {
	b, err := os.ReadFile(r.path(release.MetadataDir + timeJSON))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.New(fault.Internal, "read timestamp", err)
	}
	var l last
	note, err := os.ReadFile(filepath.Join(o.dir, lastFile))
	if err == nil {
		err = json.Unmarshal(note, &l)
	}
	if sum := release.Sum(sha256.Sum256(b)); err != nil || sum != l.Timestamp && sum != l.Next {
		return fault.Msg(fault.Conflict, "sign timestamp", fmt.Sprintf("the timestamp in %s is not the one that this hub signed last: another writer changed it, or one of the two was put back from a backup. "+
			"Nothing was changed and stores go on. See that one hub publishes, then say so with hub release publish --adopt --reason WHY", r.dir))
	}
	return nil
}

// Adopt takes what stands in the repository for this writer's own.
func (o *Online) Adopt(r *Repo) error {
	b, err := os.ReadFile(r.path(release.MetadataDir + timeJSON))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.New(fault.Internal, "read timestamp", err)
	}
	return o.note(last{Timestamp: sha256.Sum256(b)})
}

func (o *Online) note(l last) error {
	b, err := json.Marshal(l)
	if err != nil {
		return fault.New(fault.Internal, "note", err)
	}
	return writeWhole(filepath.Join(o.dir, lastFile), b)
}

// Refresh signs snapshot and timestamp anew where half of their life is over, and says whether it did. Code conflict when it may not.
func (o *Online) Refresh(r *Repo) (signed bool, err error) {
	err = r.write(func() error {
		root, err := r.root()
		if err != nil || root == nil {
			return err
		}
		ts, err := load[metadata.TimestampType](r.path(release.MetadataDir + timeJSON))
		if err != nil || ts == nil {
			return err
		}
		if ts.Signed.Expires.Sub(r.now()) > timestampLife/2 {
			return nil
		}
		t, err := r.named(ts)
		if err != nil || t == nil {
			return err
		}
		signed = true
		return o.sign(r, root, nil, t, func() error { return nil })
	})
	return signed && err == nil, err
}

// named are the targets that are in force: those that the snapshot names, and not a file that a publishing which was cut off left.
func (r *Repo) named(ts *timeMeta) (*tgtMeta, error) {
	s, err := load[metadata.SnapshotType](r.meta(ts.Signed.Meta[snapJSON].Version, snapJSON))
	if err != nil || s == nil {
		return nil, err
	}
	return load[metadata.TargetsType](r.meta(s.Signed.Meta[tgtJSON].Version, tgtJSON))
}

// sign writes a snapshot, where a new one is due, and a timestamp. before runs between: what must be there before anybody is told of it. old is
// the root that was in force, nil = the same.
func (o *Online) sign(r *Repo, root, old *rootMeta, t *tgtMeta, before func() error) error {
	if err := errors.Join(o.fits(root), o.alone(r)); err != nil {
		return err
	}
	ts, err := load[metadata.TimestampType](r.path(release.MetadataDir + timeJSON))
	if err != nil {
		return err
	}
	fresh := old != nil && (!sameKeys(old, root, metadata.TIMESTAMP) || !sameKeys(old, root, metadata.SNAPSHOT))
	wasSnap, wasTime := int64(0), int64(0)
	if ts != nil {
		wasSnap, wasTime = ts.Signed.Meta[snapJSON].Version, ts.Signed.Version
	}
	snap, err := load[metadata.SnapshotType](r.meta(max(wasSnap, 1), snapJSON))
	if err != nil {
		return err
	}
	if fresh || snap == nil || snap.Signed.Meta[tgtJSON].Version != t.Signed.Version || snap.Signed.Expires.Sub(r.now()) < snapshotLife/2 {
		if snap, err = o.newSnapshot(r, t, r.number(wasSnap, fresh)); err != nil {
			return err
		}
	}
	if err := before(); err != nil {
		return err
	}
	return o.newTimestamp(r, snap, r.number(wasTime, fresh))
}

// number is the next version of an online role: the clock's seconds, so that a hub which was put back from a backup goes on above what
// its stores have seen. Where the clock was once ahead it counts on from there; after the keys changed it starts anew, which is how a fleet
// recovers from somebody who counted up to the end (fast-forward).
func (r *Repo) number(was int64, fresh bool) int64 {
	now := r.now().Unix()
	if fresh && was > now+int64((24*time.Hour)/time.Second) {
		return now
	}
	return max(was+1, now)
}

func sameKeys(a, b *rootMeta, role string) bool {
	for _, id := range a.Signed.Roles[role].KeyIDs {
		if !has(b, role, id) {
			return false
		}
	}
	return len(a.Signed.Roles[role].KeyIDs) == len(b.Signed.Roles[role].KeyIDs)
}

func (o *Online) newSnapshot(r *Repo, t *tgtMeta, version int64) (*snapMeta, error) {
	m := metadata.Snapshot(r.ends(snapshotLife))
	m.Signed.Version = version
	b, err := os.ReadFile(r.meta(t.Signed.Version, tgtJSON))
	if err != nil {
		return nil, fault.New(fault.Internal, "sign snapshot", err)
	}
	m.Signed.Meta[tgtJSON] = fileOf(b, t.Signed.Version)
	if err := signWith(m, o.snapshot); err != nil {
		return nil, err
	}
	return m, save(r.meta(version, snapJSON), m)
}

func fileOf(b []byte, version int64) *metadata.MetaFiles {
	sum := sha256.Sum256(b)
	return &metadata.MetaFiles{Version: version, Length: int64(len(b)), Hashes: metadata.Hashes{"sha256": sum[:]}}
}

func (o *Online) newTimestamp(r *Repo, snap *snapMeta, version int64) error {
	m := metadata.Timestamp(r.ends(timestampLife))
	m.Signed.Version = version
	s, err := os.ReadFile(r.meta(snap.Signed.Version, snapJSON))
	if err != nil {
		return fault.New(fault.Internal, "sign timestamp", err)
	}
	m.Signed.Meta[snapJSON] = fileOf(s, snap.Signed.Version)
	if err := signWith(m, o.timestamp); err != nil {
		return err
	}
	b, err := m.ToBytes(false)
	if err != nil {
		return fault.New(fault.Internal, "sign timestamp", err)
	}
	l := last{Next: sha256.Sum256(b)}
	if was, err := os.ReadFile(r.path(release.MetadataDir + timeJSON)); err == nil {
		l.Timestamp = sha256.Sum256(was)
	}
	if err := o.note(l); err != nil {
		return err
	}
	if err := writeWhole(r.path(release.MetadataDir+timeJSON), b); err != nil {
		return err
	}
	return r.prune()
}

// prune clears away snapshots that nothing names any more.
func (r *Repo) prune() error {
	all, err := r.versions(snapJSON)
	if err != nil {
		return err
	}
	for _, v := range all[:max(0, len(all)-keepSnapshots)] {
		if err := os.Remove(r.meta(v, snapJSON)); err != nil {
			return fault.New(fault.Internal, "clear old snapshots", err)
		}
	}
	return nil
}

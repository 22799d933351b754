// Package release makes and keeps the repository of signed releases (DESIGN D18): offline keys sign what a release is, the hub's online keys say
// every day that nothing newer is hidden. Everything of it is a folder that any host of files can serve. See DESIGN.md and CEREMONY.md.
package release

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/release"
)

// How long signatures hold. Root and targets are signed by people with keys out of safes: once a year, warned of WarnAhead before. The online
// ones bound for how long somebody can hide a release from a store (freeze); a hub that is off for a week delays updates and nothing else.
const (
	rootLife      = 2 * 365 * 24 * time.Hour
	targetsLife   = 365 * 24 * time.Hour
	snapshotLife  = 28 * 24 * time.Hour
	timestampLife = 7 * 24 * time.Hour

	// WarnAhead is how long before root or targets run out people are told.
	WarnAhead = 60 * 24 * time.Hour
)

// Names in a repository's folder.
const (
	stagedDir = "staged" // what waits for signatures; it is never served
	rootJSON  = "root.json"
	tgtJSON   = "targets.json"
	snapJSON  = "snapshot.json"
	timeJSON  = "timestamp.json"
)

type (
	rootMeta = metadata.Metadata[metadata.RootType]
	tgtMeta  = metadata.Metadata[metadata.TargetsType]
	snapMeta = metadata.Metadata[metadata.SnapshotType]
	timeMeta = metadata.Metadata[metadata.TimestampType]
)

// Repo is a repository in a folder: the hub's own, or the copy on which people work offline. Methods that write take a lock; two processes
// take turns.
type Repo struct {
	dir string
	now func() time.Time
}

// At is the repository in a folder, which need not hold one yet.
func At(dir string, now func() time.Time) *Repo { return &Repo{dir: dir, now: now} }

// Dir is its folder.
func (r *Repo) Dir() string { return r.dir }

// Exists reports whether something was published or staged there.
func (r *Repo) Exists() bool {
	n, err := r.latest(rootJSON)
	_, staged := os.Stat(r.staged(rootJSON))
	return err == nil && n > 0 || staged == nil
}

func (r *Repo) path(name string) string   { return filepath.Join(r.dir, filepath.FromSlash(name)) }
func (r *Repo) staged(name string) string { return filepath.Join(r.dir, stagedDir, name) }
func (r *Repo) meta(version int64, name string) string {
	return r.path(release.MetadataDir + strconv.FormatInt(version, 10) + "." + name)
}

// lockFor is how long a command waits for the other writer: the hub signs a timestamp in less.
const lockFor = 10 * time.Second

// write runs f while no other process writes the folder.
func (r *Repo) write(f func() error) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fault.New(fault.Invalid, "release folder", err)
	}
	until := time.Now().Add(lockFor)
	for {
		l, err := lock.Take(r.dir, "release")
		if err == nil {
			return errors.Join(f(), l.Release())
		}
		if !fault.Is(err, fault.Conflict) || time.Now().After(until) {
			return fault.New(fault.CodeOf(err), "release folder "+r.dir+": another process writes it; nothing was changed", err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// latest is the highest version of a role that was published, 0 = none.
func (r *Repo) latest(name string) (int64, error) {
	all, err := r.versions(name)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[len(all)-1], nil
}

func (r *Repo) versions(name string) (out []int64, err error) {
	es, err := os.ReadDir(r.path(release.MetadataDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Internal, "read releases", err)
	}
	for _, e := range es {
		if n, ok := strings.CutSuffix(e.Name(), "."+name); ok {
			if v, err := strconv.ParseInt(n, 10, 64); err == nil && v > 0 {
				out = append(out, v)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// root is the newest root, targets the newest targets that were published; nil when there are none.
func (r *Repo) root() (*rootMeta, error)   { return newest[metadata.RootType](r, rootJSON) }
func (r *Repo) targets() (*tgtMeta, error) { return newest[metadata.TargetsType](r, tgtJSON) }

func newest[T metadata.Roles](r *Repo, name string) (*metadata.Metadata[T], error) {
	n, err := r.latest(name)
	if err != nil || n == 0 {
		return nil, err
	}
	return load[T](r.meta(n, name))
}

// load reads a file of metadata; nil when there is none.
func load[T metadata.Roles](path string) (*metadata.Metadata[T], error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "read releases", err)
	}
	m, err := new(metadata.Metadata[T]).FromBytes(b)
	return m, fault.New(fault.Invalid, "read "+path, err)
}

// save writes metadata so that after a power cut the file is the old one or the new one.
func save[T metadata.Roles](path string, m *metadata.Metadata[T]) error {
	b, err := m.ToBytes(false)
	if err != nil {
		return fault.New(fault.Internal, "write "+path, err)
	}
	return writeWhole(path, b)
}

func writeWhole(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.New(fault.Internal, "write releases", err)
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fault.New(fault.Internal, "write releases", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fault.New(fault.Internal, "write "+path, errors.Join(err, os.Remove(f.Name())))
	}
	d, err := os.Open(dir)
	if err != nil {
		return fault.New(fault.Internal, "write releases", err)
	}
	_ = d.Sync() // some file systems cannot
	return d.Close()
}

// stagedOr is what is staged of a role, else what is published; both may be nil.
func stagedOr[T metadata.Roles](r *Repo, name string) (m *metadata.Metadata[T], staged bool, err error) {
	if m, err = load[T](r.staged(name)); err != nil || m != nil {
		return m, m != nil, err
	}
	m, err = newest[T](r, name)
	return m, false, err
}

// need is an answer to a command on a folder without a repository.
func (r *Repo) need() error {
	return fault.Msg(fault.NotFound, "releases", fmt.Sprintf("%s holds no release repository: make one with hub release init (see CEREMONY.md)", r.dir))
}

// ends is when something signed now runs out. Metadata knows whole seconds.
func (r *Repo) ends(life time.Duration) time.Time {
	return r.now().UTC().Add(life).Truncate(time.Second)
}

package release

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// Published is what a Publish put in force; 0 = as it was.
type Published struct{ Root, Targets int64 }

// Publish puts what is staged in from into force in r: it checks signatures and numbers as a PC would, brings the programs over, signs snapshot
// and timestamp with the hub's keys, and shows the timestamp last, so that whoever reads meanwhile sees all of the old or all of the new. from is
// r itself or the folder that came on a stick; it is brought up to date as well. Codes conflict, invalid.
func (r *Repo) Publish(from *Repo, o *Online) (p Published, err error) {
	err = r.write(func() error {
		if from.dir == r.dir {
			p, err = r.publish(from, o)
			return err
		}
		return from.write(func() error {
			if p, err = r.publish(from, o); err != nil {
				return err
			}
			return r.carryTo(from)
		})
	})
	return p, err
}

func (r *Repo) publish(from *Repo, o *Online) (p Published, err error) {
	m, t, _, _, err := from.stagedAll()
	if err != nil {
		return p, err
	}
	if m == nil && t == nil {
		return p, fault.Msg(fault.NotFound, "publish", "nothing is staged in "+from.dir)
	}
	old, err := precedes(r, rootJSON, m)
	if err != nil {
		return p, err
	}
	current, err := precedes(r, tgtJSON, t)
	if err != nil {
		return p, err
	}
	root, err := r.nextInForce(old, m)
	if err != nil {
		return p, err
	}
	targets := current
	if t != nil {
		targets = t
	}
	if targets == nil {
		return p, fault.Msg(fault.Invalid, "publish", "there are no targets yet")
	}
	if err := r.mayFollow(root, current, t); err != nil {
		return p, err
	}
	if err := root.VerifyDelegate(metadata.TARGETS, targets); err != nil {
		return p, missing("targets", targets.Signed.Version, len(targets.Signatures), root.Signed.Roles[metadata.TARGETS].Threshold, err)
	}
	if err := errors.Join(o.fits(root), o.alone(r)); err != nil {
		return p, err
	}
	if err := r.bring(from, targets); err != nil {
		return p, err
	}
	if t != nil {
		if err := save(r.meta(t.Signed.Version, tgtJSON), t); err != nil {
			return p, err
		}
		p.Targets = t.Signed.Version
	}
	err = o.sign(r, root, old, targets, func() error {
		if m == nil {
			return nil
		}
		p.Root = m.Signed.Version
		return save(r.meta(m.Signed.Version, rootJSON), m)
	})
	if err != nil {
		return p, err
	}
	return p, fault.New(fault.Internal, "publish", os.RemoveAll(from.staged("")))
}

// precedes is what staged metadata follows: what is in force, or, where an earlier try was cut off after it had written this very file, the one
// before. nil = there is none.
func precedes[T metadata.Roles](r *Repo, name string, staged *metadata.Metadata[T]) (*metadata.Metadata[T], error) {
	n, err := r.latest(name)
	if err != nil || n == 0 {
		return nil, err
	}
	m, err := load[T](r.meta(n, name))
	if err != nil || staged == nil || m == nil {
		return m, err
	}
	a, err := m.ToBytes(false)
	b, err2 := staged.ToBytes(false)
	if err := errors.Join(err, err2); err != nil {
		return nil, fault.New(fault.Internal, "publish", err)
	}
	if !bytes.Equal(a, b) {
		return m, nil
	}
	return load[T](r.meta(n-1, name))
}

// nextInForce is the root that will be in force: the staged one, if it may follow the old one.
func (r *Repo) nextInForce(old, m *rootMeta) (*rootMeta, error) {
	switch {
	case m == nil && old == nil:
		return nil, r.need()
	case m == nil:
		return old, nil
	}
	was := int64(0)
	if old != nil {
		was = old.Signed.Version
	}
	if m.Signed.Version != was+1 {
		return nil, changed("root", m.Signed.Version, was)
	}
	if old != nil {
		if err := old.VerifyDelegate(metadata.ROOT, m); err != nil {
			return nil, missing("root (by the keys in force)", m.Signed.Version, len(m.Signatures), old.Signed.Roles[metadata.ROOT].Threshold, err)
		}
	}
	if err := m.VerifyDelegate(metadata.ROOT, m); err != nil {
		return nil, missing("root", m.Signed.Version, len(m.Signatures), m.Signed.Roles[metadata.ROOT].Threshold, err)
	}
	if m.Signed.IsExpired(r.now()) {
		return nil, fault.Msg(fault.Invalid, "publish", "the staged root has run out while it waited: stage it again")
	}
	return m, nil
}

// mayFollow refuses targets that were staged on others than those in force: what was published between would be taken back unseen.
func (r *Repo) mayFollow(root *rootMeta, current, t *tgtMeta) error {
	was := int64(0)
	if current != nil {
		was = current.Signed.Version
	}
	switch {
	case t != nil && t.Signed.Version != was+1:
		return changed("targets", t.Signed.Version, was)
	case t != nil && t.Signed.IsExpired(r.now()):
		return fault.Msg(fault.Invalid, "publish", "the staged targets have run out while they waited: stage them again")
	case t != nil && t.Signed.Delegations != nil:
		return fault.Msg(fault.Invalid, "publish", "delegations are not used here")
	case t == nil && root.VerifyDelegate(metadata.TARGETS, current) != nil:
		return fault.Msg(fault.Invalid, "publish", "the keys for targets change and no targets are staged that the new ones signed")
	}
	return nil
}

func changed(role string, staged, was int64) error {
	return fault.Msg(fault.Conflict, "publish", fmt.Sprintf("%s %d is staged and %d is in force: the repository was changed by another since. Nothing was published. "+
		"Take a fresh copy of the repository, stage and sign there", role, staged, was))
}

func missing(role string, version int64, have, need int, err error) error {
	return fault.New(fault.Conflict, fmt.Sprintf("publish: %s %d has %d signatures and needs %d that count; nothing was published", role, version, have, need), err)
}

// bring copies the files of all named targets that are not here yet, and checks every one of them.
func (r *Repo) bring(from *Repo, t *tgtMeta) error {
	for name, f := range t.Signed.Targets {
		var sum release.Sum
		copy(sum[:], f.Hashes["sha256"])
		if !release.ValidName(name) || len(f.Hashes["sha256"]) != len(sum) || f.Length <= 0 || f.Length > release.MaxProgram {
			return fault.Msg(fault.Invalid, "publish", fmt.Sprintf("target %.200q has no name, size or hash that can be", name))
		}
		file := release.Hashed(name, sum)
		if same(r.path(file), f.Length, sum) {
			continue
		}
		b, err := os.ReadFile(from.path(file))
		if err == nil && (int64(len(b)) != f.Length || sha256.Sum256(b) != sum) {
			err = errors.New("it is not what was signed")
		}
		if err != nil {
			return fault.New(fault.Invalid, "publish: "+name+" cannot be brought over; nothing was published", err)
		}
		if err := writeWhole(r.path(file), b); err != nil {
			return err
		}
	}
	return nil
}

func same(path string, size int64, sum release.Sum) bool {
	if st, err := os.Stat(path); err != nil || st.Size() != size {
		return false
	}
	b, err := os.ReadFile(path)
	return err == nil && sha256.Sum256(b) == sum
}

// carryTo brings the folder of people who work offline up to date, so that they stage the next release on this one.
func (r *Repo) carryTo(to *Repo) error {
	es, err := os.ReadDir(r.path(release.MetadataDir))
	if err != nil {
		return fault.New(fault.Internal, "bring the folder up to date", err)
	}
	for _, e := range es {
		b, err := os.ReadFile(r.path(release.MetadataDir + e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fault.New(fault.Internal, "bring the folder up to date", err)
		}
		if err := writeWhole(to.path(release.MetadataDir+e.Name()), b); err != nil {
			return err
		}
	}
	return nil
}

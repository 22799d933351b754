package release

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
)

// Founding is who may sign what from the first day on.
type Founding struct {
	Root, Targets       []Public
	RootNeeds           int // of Root, how many sign; at least 1
	TargetsNeed         int
	Snapshot, Timestamp Public // the hub's own
}

// Init stages the first root and empty targets. Nothing is in force before enough keys have signed it and it is published. Codes conflict, invalid.
func (r *Repo) Init(f Founding) error {
	return r.write(func() error {
		if r.Exists() {
			return fault.Msg(fault.Conflict, "init releases", r.dir+" holds a release repository already; nothing was changed. Other keys come with hub release rotate-keys")
		}
		m := metadata.Root(r.ends(rootLife))
		for _, x := range []struct {
			role string
			keys []Public
			need int
		}{{metadata.ROOT, f.Root, f.RootNeeds}, {metadata.TARGETS, f.Targets, f.TargetsNeed}, {metadata.SNAPSHOT, []Public{f.Snapshot}, 1}, {metadata.TIMESTAMP, []Public{f.Timestamp}, 1}} {
			if err := setKeys(m, x.role, x.keys, nil, x.need); err != nil {
				return err
			}
		}
		if err := apart(m); err != nil {
			return err
		}
		return r.stage(m, metadata.Targets(r.ends(targetsLife)))
	})
}

// Rotate stages a root with other keys for a role, and, where it concerns them, targets to be signed by the new ones. need 0 leaves the threshold
// as it is. Enough keys of the root that is in force sign it, and enough of its own.
func (r *Repo) Rotate(role string, add []Public, remove []string, need int) error {
	return r.write(func() error {
		m, err := r.nextRoot()
		if err != nil {
			return err
		}
		if m.Signed.Roles[role] == nil {
			return fault.Msg(fault.Invalid, "rotate keys", fmt.Sprintf("%.40q is no role: root, targets, snapshot or timestamp", role))
		}
		if need == 0 {
			need = m.Signed.Roles[role].Threshold
		}
		if err := setKeys(m, role, add, remove, need); err != nil {
			return err
		}
		if err := apart(m); err != nil {
			return err
		}
		var t *tgtMeta
		if role == metadata.TARGETS {
			if t, err = r.nextTargets(); err != nil {
				return err
			}
		}
		return r.stage(m, t)
	})
}

// Renew stages root or targets as they are, to be signed for another year.
func (r *Repo) Renew(role string) error {
	return r.write(func() (err error) {
		var m *rootMeta
		var t *tgtMeta
		switch role {
		case metadata.ROOT:
			m, err = r.nextRoot()
		case metadata.TARGETS:
			t, err = r.nextTargets()
		default:
			err = fault.Msg(fault.Invalid, "renew", "root and targets are renewed by people; snapshot and timestamp are signed by the hub by itself")
		}
		if err != nil {
			return err
		}
		return r.stage(m, t)
	})
}

// nextRoot is what the next root starts from.
func (r *Repo) nextRoot() (*rootMeta, error) {
	m, staged, err := stagedOr[metadata.RootType](r, rootJSON)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, r.need()
	}
	if !staged {
		m.Signed.Version++
	}
	m.Signed.Expires = r.ends(rootLife)
	return m, nil
}

// nextTargets is what the next targets start from.
func (r *Repo) nextTargets() (*tgtMeta, error) {
	m, staged, err := stagedOr[metadata.TargetsType](r, tgtJSON)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, r.need()
	}
	if !staged {
		m.Signed.Version++
	}
	m.Signed.Expires = r.ends(targetsLife)
	return m, nil
}

// stage writes what is to be signed. What was signed of it before was signed as something else.
func (r *Repo) stage(m *rootMeta, t *tgtMeta) error {
	if m != nil {
		m.ClearSignatures()
		if err := save(r.staged(rootJSON), m); err != nil {
			return err
		}
	}
	if t != nil {
		t.ClearSignatures()
		return save(r.staged(tgtJSON), t)
	}
	return nil
}

// setKeys gives a role its keys.
func setKeys(m *rootMeta, role string, add []Public, remove []string, need int) error {
	for _, id := range remove {
		full, err := fullID(m.Signed.Roles[role].KeyIDs, id)
		if err != nil {
			return err
		}
		if err := m.Signed.RevokeKey(full, role); err != nil {
			return fault.New(fault.Invalid, "rotate keys", err)
		}
	}
	for _, p := range add {
		if err := m.Signed.AddKey(p.key, role); err != nil {
			return fault.New(fault.Invalid, "rotate keys", err)
		}
	}
	if n := len(m.Signed.Roles[role].KeyIDs); need < 1 || need > n {
		return fault.Msg(fault.Invalid, "keys", fmt.Sprintf("%s has %d keys and would need %d signatures; nothing was changed", role, n, need))
	}
	m.Signed.Roles[role].Threshold = need
	return nil
}

// fullID finds a key by the beginning of its id.
func fullID(ids []string, id string) (string, error) {
	found := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return len(id) < 8 || len(s) < len(id) || s[:len(id)] != id })
	if len(found) != 1 {
		return "", fault.Msg(fault.NotFound, "keys", fmt.Sprintf("%.80q names %d keys of this role: give at least eight of its signs, as hub release list shows them", id, len(found)))
	}
	return found[0], nil
}

// apart refuses a key that has an offline role and an online one: who breaks into the hub would have it.
func apart(m *rootMeta) error {
	roles := m.Signed.Roles
	for _, online := range []string{metadata.SNAPSHOT, metadata.TIMESTAMP} {
		for _, id := range roles[online].KeyIDs {
			if slices.Contains(roles[metadata.ROOT].KeyIDs, id) || slices.Contains(roles[metadata.TARGETS].KeyIDs, id) {
				return fault.Msg(fault.Invalid, "keys", fmt.Sprintf("key %.12s is to be the hub's own and also one of the offline ones: these are for different hands", id))
			}
		}
	}
	return nil
}

// Sign adds a key's signature to everything that is staged and that the key is for, and says what that was. Code conflict when there is nothing.
func (r *Repo) Sign(k Key) (signed []string, err error) {
	err = r.write(func() error {
		m, t, authority, old, err := r.stagedAll()
		if err != nil {
			return err
		}
		id := k.Public().ID()
		if m != nil && (has(m, metadata.ROOT, id) || old != nil && has(old, metadata.ROOT, id)) {
			if err := sign(m, k, r.staged(rootJSON)); err != nil {
				return err
			}
			signed = append(signed, fmt.Sprintf("root %d", m.Signed.Version))
		}
		if t != nil && authority != nil && has(authority, metadata.TARGETS, id) {
			if err := sign(t, k, r.staged(tgtJSON)); err != nil {
				return err
			}
			signed = append(signed, fmt.Sprintf("targets %d", t.Signed.Version))
		}
		if len(signed) == 0 {
			return fault.Msg(fault.Conflict, "sign", fmt.Sprintf("nothing that is staged in %s wants a signature of key %.12s", r.dir, id))
		}
		return nil
	})
	return signed, err
}

// stagedAll is what waits, the root under whose keys it will stand, and the root in force.
func (r *Repo) stagedAll() (m *rootMeta, t *tgtMeta, authority, old *rootMeta, err error) {
	if m, err = load[metadata.RootType](r.staged(rootJSON)); err != nil {
		return
	}
	if t, err = load[metadata.TargetsType](r.staged(tgtJSON)); err != nil {
		return
	}
	if old, err = r.root(); err != nil {
		return
	}
	if authority = m; m == nil {
		authority = old
	}
	return
}

func has(m *rootMeta, role, id string) bool { return slices.Contains(m.Signed.Roles[role].KeyIDs, id) }

func sign[T metadata.Roles](m *metadata.Metadata[T], k Key, path string) error {
	if err := signWith(m, k); err != nil {
		return err
	}
	return save(path, m)
}

func signWith[T metadata.Roles](m *metadata.Metadata[T], k Key) error {
	id := k.Public().ID()
	m.Signatures = slices.DeleteFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == id })
	s, err := k.signer()
	if err == nil {
		_, err = m.Sign(s)
	}
	return fault.New(fault.Internal, "sign", err)
}

// Drop takes back what is staged.
func (r *Repo) Drop() error {
	return r.write(func() error {
		return fault.New(fault.Internal, "drop", os.RemoveAll(filepath.Join(r.dir, stagedDir)))
	})
}

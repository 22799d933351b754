package release

import (
	"maps"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// Overview is what a person wants to see of a repository.
type Overview struct {
	Ends     []End            `json:"ends"`
	Roles    []Role           `json:"roles"`
	Releases []release.Target `json:"releases"`
	Waiting  []Waiting        `json:"waiting"` // staged
}

// Role is who signs what.
type Role struct {
	Name string   `json:"name"`
	Need int      `json:"need"`
	Keys []string `json:"keys"`
}

// Waiting is staged metadata and who has signed it.
type Waiting struct {
	Role    string   `json:"role"`
	Version int64    `json:"version"`
	Signed  []string `json:"signed"`
	Adds    []string `json:"adds,omitempty"` // names that targets in force have not
	Drops   []string `json:"drops,omitempty"`
}

// List reads what is in force and what waits; it believes the folder, Verify does not.
func (r *Repo) List() (o Overview, err error) {
	if !r.Exists() {
		return o, r.need()
	}
	if o.Ends, err = r.Ends(); err != nil {
		return o, err
	}
	m, t, authority, _, err := r.stagedAll()
	if err != nil {
		return o, err
	}
	if authority != nil {
		for _, name := range []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
			if x := authority.Signed.Roles[name]; x != nil {
				o.Roles = append(o.Roles, Role{name, x.Threshold, x.KeyIDs})
			}
		}
	}
	current, err := r.targets()
	if err != nil {
		return o, err
	}
	in := map[string]*metadata.TargetFiles{}
	if current != nil {
		in = current.Signed.Targets
		o.Releases, _ = client.Read(in)
		slices.SortFunc(o.Releases, func(a, b release.Target) int { return b.Version.Compare(a.Version) })
	}
	if m != nil {
		o.Waiting = append(o.Waiting, Waiting{Role: metadata.ROOT, Version: m.Signed.Version, Signed: signers(m.Signatures)})
	}
	if t != nil {
		o.Waiting = append(o.Waiting, Waiting{Role: metadata.TARGETS, Version: t.Signed.Version, Signed: signers(t.Signatures), Adds: lacks(in, t.Signed.Targets), Drops: lacks(t.Signed.Targets, in)})
	}
	return o, nil
}

func signers(ss []metadata.Signature) (out []string) {
	for _, s := range ss {
		out = append(out, s.KeyID)
	}
	return out
}

func lacks(a, b map[string]*metadata.TargetFiles) (out []string) {
	for _, n := range slices.Sorted(maps.Keys(b)) {
		if a[n] == nil {
			out = append(out, n)
		}
	}
	return out
}

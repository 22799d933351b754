package release

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// Overview is what a person wants to see of a repository.
type Overview struct {
	Releases []Release `json:"releases"` // in force, the newest first
	Unread   []string  `json:"unread"`   // names in force of which this program cannot read what is said
	Roles    []Role    `json:"roles"`
	Ends     []End     `json:"ends"`
	Waiting  []Waiting `json:"staged"`
}

// Release is one program of one version.
type Release struct {
	File
	release.Custom
	Since   time.Time `json:"here_since,omitzero"` // when its file came into this folder
	Patches []File    `json:"patches"`             // ways to it with fewer bytes
}

// File is a file that signed metadata names.
type File struct {
	Name    string          `json:"file"`
	Bytes   int64           `json:"bytes"`
	Sum     release.Sum     `json:"sha256"`
	From    release.Version `json:"from,omitempty"`    // of a patch
	Missing bool            `json:"missing,omitempty"` // it is not in this folder, or of another size: a stick need not carry old ones
}

// Role is who signs what.
type Role struct {
	Name string   `json:"name"`
	Need int      `json:"need"`
	Keys []string `json:"keys"` // their ids
}

// Waiting is staged metadata: who has signed it, and what a signature agrees to.
type Waiting struct {
	Role    string    `json:"role"`
	Version int64     `json:"version"`
	Ends    time.Time `json:"ends"`
	Signed  []string  `json:"signed"` // ids of keys
	Changes []string  `json:"changes"`
}

// List reads what is in force and what waits; it believes the folder, Verify does not.
func (r *Repo) List() (o Overview, err error) {
	o = Overview{Releases: []Release{}, Unread: []string{}, Roles: []Role{}, Ends: []End{}, Waiting: []Waiting{}}
	if !r.Exists() {
		return o, r.need()
	}
	if o.Ends, err = r.Ends(); err != nil {
		return o, err
	}
	m, t, authority, old, err := r.stagedAll()
	if err != nil {
		return o, err
	}
	o.Roles = roles(authority)
	current, err := r.targets()
	if err != nil {
		return o, err
	}
	in := map[string]*metadata.TargetFiles{}
	if current != nil {
		in = current.Signed.Targets
	}
	r.releases(&o, in)
	if m != nil {
		o.Waiting = append(o.Waiting, Waiting{metadata.ROOT, m.Signed.Version, m.Signed.Expires, signers(m.Signatures), rootChanges(old, m)})
	}
	if t != nil {
		o.Waiting = append(o.Waiting, Waiting{metadata.TARGETS, t.Signed.Version, t.Signed.Expires, signers(t.Signatures), changes(in, t.Signed.Targets)})
	}
	return o, nil
}

func (r *Repo) releases(o *Overview, in map[string]*metadata.TargetFiles) {
	list, unread := client.Read(in)
	o.Unread = append(o.Unread, slices.Sorted(slices.Values(unread))...)
	for _, t := range list {
		x := Release{Custom: t.Custom, Patches: []File{}}
		x.File, x.Since = r.file(release.Patch{Name: t.Name, Size: t.Size, Sum: t.Sum})
		for _, p := range t.Patches {
			f, _ := r.file(p)
			x.Patches = append(x.Patches, f)
		}
		slices.SortFunc(x.Patches, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
		o.Releases = append(o.Releases, x)
	}
	slices.SortFunc(o.Releases, func(a, b Release) int { return cmp.Or(b.Version.Compare(a.Version), strings.Compare(a.Name, b.Name)) })
}

func (r *Repo) file(p release.Patch) (f File, since time.Time) {
	f = File{Name: p.Name, Bytes: p.Size, Sum: p.Sum, From: p.From}
	st, err := os.Stat(r.path(release.Hashed(p.Name, p.Sum)))
	if f.Missing = err != nil || st.Size() != p.Size; f.Missing {
		return f, time.Time{}
	}
	return f, st.ModTime().UTC().Truncate(time.Second)
}

func roles(m *rootMeta) []Role {
	out := []Role{}
	if m == nil {
		return out
	}
	for _, name := range []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
		if x := m.Signed.Roles[name]; x != nil {
			out = append(out, Role{name, x.Threshold, slices.Clone(x.KeyIDs)})
		}
	}
	return out
}

// rootChanges words whose keys come and go; old is nil for a first root.
func rootChanges(old, m *rootMeta) (out []string) {
	before := map[string]Role{}
	for _, x := range roles(old) {
		before[x.Name] = x
	}
	for _, x := range roles(m) {
		was := before[x.Name]
		for _, k := range x.Keys {
			if !slices.Contains(was.Keys, k) {
				out = append(out, fmt.Sprintf("%s: key %s comes", x.Name, k))
			}
		}
		for _, k := range was.Keys {
			if !slices.Contains(x.Keys, k) {
				out = append(out, fmt.Sprintf("%s: key %s goes", x.Name, k))
			}
		}
		if x.Need != was.Need {
			out = append(out, fmt.Sprintf("%s: %d sign, instead of %d", x.Name, x.Need, was.Need))
		}
	}
	return out
}

// changes words what next says otherwise than old.
func changes(old, next map[string]*metadata.TargetFiles) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(next)) {
		f := next[name]
		switch was := old[name]; {
		case was == nil:
			out = append(out, fmt.Sprintf("new: %s, %d bytes, sha256 %x", name, f.Length, []byte(f.Hashes["sha256"])))
		case !bytes.Equal(was.Hashes["sha256"], f.Hashes["sha256"]):
			out = append(out, fmt.Sprintf("OTHER BYTES: %s, %d bytes, sha256 %x", name, f.Length, []byte(f.Hashes["sha256"])))
		case !bytes.Equal(said(was), said(f)):
			out = append(out, fmt.Sprintf("changed: %s is now %s", name, said(f)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if next[name] == nil {
			out = append(out, "withdrawn: "+name)
		}
	}
	return out
}

func said(f *metadata.TargetFiles) []byte {
	if f.Custom == nil {
		return nil
	}
	return *f.Custom
}

func signers(ss []metadata.Signature) []string {
	out := []string{}
	for _, s := range ss {
		out = append(out, s.KeyID)
	}
	return out
}

package release

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
	"github.com/tillpost/tillpost/shared/release/delta"
)

// Program is one that is added.
type Program struct {
	release.Custom
	Body []byte
}

// Made is a patch that Add made.
type Made struct {
	Name  string `json:"file"`
	Size  int64  `json:"bytes"`
	Whole int64  `json:"whole_bytes"` // of the program
}

// Add stages programs with patches from the versions before them, back at most, and the compressed program itself. A version that is named already
// with other bytes is refused: a number means one program for ever. Codes invalid, conflict.
func (r *Repo) Add(ps []Program, back int) (made []Made, err error) {
	err = r.write(func() error {
		t, err := r.nextTargets()
		if err != nil {
			return err
		}
		for _, p := range ps {
			m, err := r.add(t, p, back)
			if err != nil {
				return err
			}
			made = append(made, m...)
		}
		return r.stage(nil, t)
	})
	return made, err
}

func (r *Repo) add(t *tgtMeta, p Program, back int) (made []Made, err error) {
	if err := p.Validate(); err != nil || p.Patch != nil || len(p.Body) == 0 || len(p.Body) > release.MaxProgram {
		return nil, fault.New(fault.Invalid, "add "+release.NameOf(p.Custom), cmp.Or(err, errors.New("it is empty, too large or a patch")))
	}
	name, sum := release.NameOf(p.Custom), release.Sum(sha256.Sum256(p.Body))
	if was, ok := t.Signed.Targets[name]; ok && !bytes.Equal(was.Hashes["sha256"], sum[:]) {
		return nil, fault.Msg(fault.Conflict, "add "+name, "this version is released already, with other bytes; nothing was changed. Give the new program a new number")
	}
	if err := r.put(t, p.Custom, p.Body); err != nil {
		return nil, err
	}
	for _, old := range before(t, p.Custom, back) {
		var from []byte
		d := release.Delta{ToSum: sum}
		if old.Name != "" {
			if from, err = os.ReadFile(r.path(release.Hashed(old.Name, old.Sum))); errors.Is(err, fs.ErrNotExist) {
				continue // an old program that was cleared away: whoever runs it fetches the whole one
			} else if err != nil {
				return nil, fault.New(fault.Internal, "make patch", err)
			}
			d.From, d.FromSum = old.Version, old.Sum
		}
		m, err := r.patch(t, p, from, d)
		if err != nil {
			return nil, err
		}
		made = append(made, m)
	}
	return made, nil
}

func (r *Repo) patch(t *tgtMeta, p Program, from []byte, d release.Delta) (Made, error) {
	b, err := delta.Make(from, p.Body)
	if err != nil {
		return Made{}, fault.New(fault.Internal, "make patch", err)
	}
	var back bytes.Buffer
	if err := delta.Apply(&back, from, bytes.NewReader(b), int64(len(p.Body))); err != nil || !bytes.Equal(back.Bytes(), p.Body) {
		return Made{}, fault.New(fault.Internal, "make patch", cmp.Or(err, errors.New("it does not make the program again")))
	}
	c := p.Custom
	c.Patch = &d
	return Made{Name: release.NameOf(c), Size: int64(len(b)), Whole: int64(len(p.Body))}, r.put(t, c, b)
}

// before are the programs from which patches are made: the newest before c, and first of all none, which compresses.
func before(t *tgtMeta, c release.Custom, back int) []release.Target {
	all, _ := client.Read(t.Signed.Targets)
	all = slices.DeleteFunc(all, func(o release.Target) bool {
		return o.Program != c.Program || o.OS != c.OS || o.Arch != c.Arch || o.Version.Compare(c.Version) >= 0
	})
	slices.SortFunc(all, func(a, b release.Target) int { return b.Version.Compare(a.Version) })
	return append([]release.Target{{}}, all[:min(len(all), back)]...)
}

// put writes a target's file and names it.
func (r *Repo) put(t *tgtMeta, c release.Custom, body []byte) error {
	name, sum := release.NameOf(c), release.Sum(sha256.Sum256(body))
	custom, err := json.Marshal(c)
	if err == nil {
		_, err = release.ParseCustom(custom) // a client could not read it
	}
	if err != nil {
		return fault.New(fault.Invalid, "add "+name, err)
	}
	raw := json.RawMessage(custom)
	t.Signed.Targets[name] = &metadata.TargetFiles{Length: int64(len(body)), Hashes: metadata.Hashes{"sha256": sum[:]}, Custom: &raw, Path: name}
	return writeWhole(r.path(release.Hashed(name, sum)), body)
}

// Withdraw stages targets that no longer name a version. PCs that run it go on; nobody is brought to it any more. Code not_found.
func (r *Repo) Withdraw(v release.Version) (names []string, err error) {
	return r.edit(v, func(_ *release.Custom) bool { return false })
}

// GoBack stages leave to step back to a version from every one up to from: the way out of a bad release for PCs whose previous version is gone
// from their disk. from "" takes the leave back. Code not_found.
func (r *Repo) GoBack(v, from release.Version) (names []string, err error) {
	return r.edit(v, func(c *release.Custom) bool { c.BackFrom = from; return true })
}

// edit changes what is said of every target of a version, or takes it out.
func (r *Repo) edit(v release.Version, keep func(*release.Custom) bool) (names []string, err error) {
	err = r.write(func() error {
		t, err := r.nextTargets()
		if err != nil {
			return err
		}
		for name, f := range t.Signed.Targets {
			if f.Custom == nil {
				continue
			}
			c, err := release.ParseCustom(*f.Custom)
			if err != nil || c.Version != v {
				continue
			}
			names = append(names, name)
			if !keep(&c) {
				delete(t.Signed.Targets, name)
				continue
			}
			if err := c.Validate(); err != nil {
				return fault.New(fault.Invalid, "change "+name, err)
			}
			b, err := json.Marshal(c)
			if err != nil {
				return fault.New(fault.Internal, "change "+name, err)
			}
			raw := json.RawMessage(b)
			f.Custom = &raw
		}
		if len(names) == 0 {
			return fault.Msg(fault.NotFound, "change release", fmt.Sprintf("no release %s is named; nothing was changed", v))
		}
		return r.stage(nil, t)
	})
	slices.Sort(names)
	return names, err
}

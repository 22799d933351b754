package release

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// Apart refuses a folder of keys that lies in the repository's, directly or over a link: a repository is copied to web servers and sticks as it
// stands. Neither need exist yet. Code invalid.
func (r *Repo) Apart(keys string) error {
	at, err := resolved(keys)
	if err != nil {
		return fault.New(fault.Invalid, "folder of the hub's own keys", err)
	}
	for _, public := range []string{"", release.MetadataDir, release.TargetsDir, stagedDir} {
		in, err := resolved(r.path(public))
		if err != nil {
			return fault.New(fault.Invalid, "release folder", err)
		}
		if inside(at, in) {
			return fault.Msg(fault.Invalid, "release keys", "the hub's own keys in "+keys+" would lie in the folder of releases "+r.path(public)+
				", which every web server may serve and which goes round on sticks: name a folder outside of it, and rotate keys that lay there (CEREMONY.md, part 7)")
		}
	}
	return nil
}

// resolved is where a path leads over all links; the part of it that is not there yet stays as it is written.
func resolved(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		got, err := filepath.EvalSymlinks(p)
		if err == nil {
			return filepath.Join(got, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || p == filepath.Dir(p) {
			return "", err
		}
		if to, err := os.Readlink(p); err == nil { // a link to what is not there yet
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(p), to)
			}
			return resolved(filepath.Join(to, rest))
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

// inside reports whether a path is a folder or lies in it. Folders that exist are compared as the system knows them: letters' case, mounts.
func inside(path, dir string) bool {
	if in, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(in) {
		return true
	}
	at, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for p := path; ; p = filepath.Dir(p) {
		if st, err := os.Stat(p); err == nil && os.SameFile(st, at) {
			return true
		}
		if p == filepath.Dir(p) {
			return false
		}
	}
}

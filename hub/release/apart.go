package release

import (
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// maxLinks is how many links to nothing are followed: more are a circle.
const maxLinks = 40

// Apart refuses a folder of keys that lies in the repository's, directly or over a link: a repository is copied to web servers and sticks as it
// stands. Neither need exist yet. Code invalid.
func (r *Repo) Apart(keys string) error {
	at := resolved(keys)
	for _, public := range []string{"", release.MetadataDir, release.TargetsDir, stagedDir} {
		if inside(at, resolved(r.path(public))) {
			return fault.Msg(fault.Invalid, "release keys", "the hub's own keys in "+keys+" would lie in the folder of releases "+r.path(public)+
				", which every web server may serve and which goes round on sticks: name a folder outside of it, and rotate keys that lay there (CEREMONY.md, part 7)")
		}
	}
	return nil
}

// resolved is where a path leads over all links. What is not there yet, or cannot be looked at, stays as it is written: a disk that is away
// keeps no hub from its stores' tickets.
func resolved(path string) string {
	for range maxLinks {
		if whole, err := filepath.Abs(path); err == nil {
			path = whole
		}
		next, rest := "", ""
		for p := path; ; p = filepath.Dir(p) {
			if got, err := filepath.EvalSymlinks(p); err == nil {
				return filepath.Join(got, rest)
			}
			if to, err := os.Readlink(p); err == nil { // a link to what is not there yet
				if !filepath.IsAbs(to) {
					to = filepath.Join(filepath.Dir(p), to)
				}
				next = filepath.Join(to, rest)
				break
			}
			if p == filepath.Dir(p) {
				return path
			}
			rest = filepath.Join(filepath.Base(p), rest)
		}
		path = next
	}
	return path
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

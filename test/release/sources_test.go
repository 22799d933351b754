//go:build linux

package release_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
)

// sources is the source as a release is built from it: without what was built, and without history.
type sources struct{ root string }

func (s sources) Open(name string) (fs.File, error) {
	f, err := os.DirFS(s.root).Open(name)
	return f, err
}

func (s sources) ReadDir(name string) (out []fs.DirEntry, err error) {
	es, err := fs.ReadDir(os.DirFS(s.root), name)
	for _, e := range es {
		at := path.Join(name, e.Name())
		if strings.HasPrefix(at, ".") || at == "bin" || at == "dist" || at == "test" || at == "data" || e.Type()&fs.ModeSymlink != 0 {
			continue
		}
		out = append(out, e)
	}
	return out, err
}

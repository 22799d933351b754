package filedrop

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// scan lists the folder's files.
func (f *Folder) scan() (map[string]stamp, error) {
	es, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "look into "+f.Dir, err)
	}
	out := map[string]stamp{}
	for _, e := range es {
		name := e.Name()
		if hidden(name) || f.Pattern != "" && !matches(f.Pattern, name) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrPermission) { // its names may be listed and nothing more
			return nil, fault.New(fault.Unavailable, "look into "+f.Dir, err)
		}
		if err != nil || info.Mode()&noFile != 0 { // a link is listed, and not followed
			continue
		}
		out[name] = stampOf(info)
	}
	for name := range f.seen {
		if _, there := out[name]; !there {
			delete(f.seen, name)
			delete(f.failed, name)
		}
	}
	return out, nil
}

// hidden names are files that other programs are still working on.
func hidden(name string) bool {
	low := strings.ToLower(name)
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(low, ".tmp") || strings.HasSuffix(low, ".part") ||
		strings.HasSuffix(low, ".crdownload") || strings.HasSuffix(low, ".filepart")
}

func matches(pattern, name string) bool {
	ok, err := filepath.Match(strings.ToLower(pattern), strings.ToLower(name))
	return err == nil && ok
}

func sorted(files map[string]stamp) []string {
	out := make([]string, 0, len(files))
	for name := range files {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { // the oldest first, as they were written
		if d := files[a].Mod - files[b].Mod; d != 0 {
			return int(max(-1, min(1, d)))
		}
		return strings.Compare(a, b)
	})
	return out
}

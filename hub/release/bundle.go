package release

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// Bundle writes a repository of the named versions into one file, for a PC without a line: all metadata, and each program compressed. It is as
// fresh as the timestamp in it: a week, then a PC refuses it and a new one is made. Codes not_found, conflict.
func (r *Repo) Bundle(ctx context.Context, out string, versions ...release.Version) (files int, err error) {
	v, err := r.Verify(ctx, nil)
	if err != nil {
		return 0, err
	}
	names := []string{}
	for _, want := range versions {
		n := len(names)
		for _, t := range v.Targets {
			if t.Version == want {
				names = append(names, smallest(t))
			}
		}
		if len(names) == n {
			return 0, fault.Msg(fault.NotFound, "bundle", fmt.Sprintf("no release %s is named; nothing was written", want))
		}
	}
	es, err := os.ReadDir(r.path(release.MetadataDir))
	if err != nil {
		return 0, fault.New(fault.Internal, "bundle", err)
	}
	for _, e := range es {
		if release.ValidName(e.Name()) { // not what is just being written
			names = append(names, release.MetadataDir+e.Name())
		}
	}
	slices.Sort(names)
	return len(names), r.pack(out, names)
}

// smallest is the file from which a PC without any older program makes this one.
func smallest(t release.Target) string {
	for _, p := range t.Patches {
		if p.From == "" && p.Size < t.Size {
			return release.Hashed(p.Name, p.Sum)
		}
	}
	return release.Hashed(t.Name, t.Sum)
}

func (r *Repo) pack(out string, names []string) error {
	f, err := os.CreateTemp(filepath.Dir(out), ".bundle-*")
	if err != nil {
		return fault.New(fault.Invalid, "bundle", err)
	}
	w := tar.NewWriter(f)
	for _, n := range names {
		if err = r.packOne(w, n); err != nil {
			break
		}
	}
	if err = errors.Join(err, w.Close(), f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return fault.New(fault.Internal, "bundle", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func (r *Repo) packOne(w *tar.Writer, name string) error {
	f, err := os.Open(r.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: st.Size(), Mode: 0o644, ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}

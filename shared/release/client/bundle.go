package client

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// The limits of a bundle. It is read where it lies and never unpacked: a name in it can point nowhere.
const (
	maxBundle  = 4 << 30
	maxEntries = 4000
)

// Bundle is a repository in one file, as it comes on a stick. It is trusted as little as any other source.
type Bundle struct {
	f    *os.File
	at   map[string]entry
	size int64
}

type entry struct{ offset, size int64 }

// OpenBundle reads what a bundle holds. Code invalid when it is none. Close it.
func OpenBundle(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.NotFound, "open bundle", err)
	}
	b := &Bundle{f: f}
	st, err := f.Stat()
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxBundle) {
		err = fmt.Errorf("%s is no file of at most %d bytes", path, int64(maxBundle))
	}
	if err == nil {
		b.size = st.Size()
		b.at, err = index(f, b.size)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "open bundle", errors.Join(err, f.Close()))
	}
	return b, nil
}

// index lists the plain files of a tar with where they begin. Anything else in it, a link, a folder up, a name twice, makes it no bundle.
func index(r io.ReadSeeker, size int64) (map[string]entry, error) {
	at := map[string]entry{}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) && len(at) > 0 {
			return at, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it is no bundle: %w", err)
		}
		offset, err := r.Seek(0, io.SeekCurrent) // the reader takes whole blocks and no more: here the file begins
		if err != nil {
			return nil, err
		}
		_, twice := at[h.Name]
		switch {
		case h.Typeflag != tar.TypeReg || !release.ValidName(h.Name):
			return nil, fmt.Errorf("it is no bundle: %.80q is no file that belongs into one", h.Name)
		case twice || len(at) == maxEntries:
			return nil, fmt.Errorf("it is no bundle: %.80q is there twice, or one of too many", h.Name)
		case h.Size > size-offset:
			return nil, fmt.Errorf("the bundle is cut off within %.80q: copy it again", h.Name)
		}
		at[h.Name] = entry{offset, h.Size}
	}
}

// Open implements Source.
func (b *Bundle) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	e, ok := b.at[name]
	if !ok || offset > e.size {
		return nil, fmt.Errorf("bundle: %s: %w", name, fs.ErrNotExist)
	}
	return io.NopCloser(io.NewSectionReader(b.f, e.offset+offset, e.size-offset)), nil
}

// Close ends its use.
func (b *Bundle) Close() error { return b.f.Close() }

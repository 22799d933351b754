package client

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

func packed(hs ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range hs {
		h.Mode = 0o644
		_ = w.WriteHeader(&h)
		_, _ = w.Write(bytes.Repeat([]byte(h.Name[:1]), int(h.Size)))
	}
	_ = w.Close()
	return b.Bytes()
}

func TestABundleIsReadWhereItLies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b")
	good := packed(tar.Header{Name: "metadata/timestamp.json", Size: 1000}, tar.Header{Name: "targets/agent/x", Size: 3})
	open := func(b []byte) (*Bundle, error) {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return OpenBundle(file)
	}
	b, err := open(good)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r, err := b.Open(t.Context(), "metadata/timestamp.json", 400)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || len(got) != 600 || string(got) != string(bytes.Repeat([]byte("m"), 600)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := b.Open(t.Context(), "metadata/root.json", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not in it: %v", err)
	}
	for why, bad := range map[string][]byte{
		"empty": nil, "no tar": []byte("PK\x03\x04 a zip"), "cut off": good[:900], "nothing in it": packed(),
		"a way out":  packed(tar.Header{Name: "../../etc/passwd", Size: 1}),
		"whole path": packed(tar.Header{Name: "/etc/passwd", Size: 1}),
		"a link":     packed(tar.Header{Name: "metadata", Linkname: "/etc", Typeflag: tar.TypeSymlink}),
		"a folder":   packed(tar.Header{Name: "metadata/", Typeflag: tar.TypeDir}),
		"twice":      packed(tar.Header{Name: "metadata/a", Size: 1}, tar.Header{Name: "metadata/a", Size: 2}),
	} {
		if b, err := open(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", why, err)
			if err == nil {
				b.Close()
			}
		}
	}
}

// FuzzBundle: what the index names lies inside the file, under a name that leads nowhere else.
func FuzzBundle(f *testing.F) {
	f.Add(packed(tar.Header{Name: "metadata/timestamp.json", Size: 10}))
	f.Add(packed(tar.Header{Name: "../x", Size: 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := index(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for name, e := range at {
			if !release.ValidName(name) || e.offset < 0 || e.size < 0 || e.offset+e.size > int64(len(b)) {
				t.Fatalf("%q at %+v of %d", name, e, len(b))
			}
		}
	})
}

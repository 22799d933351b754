package client

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
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

// raw is one entry as it stands in a tar: fields as they are given, whatever they say, under a checksum that is right.
func raw(name, prefix string, kind byte, size, link string, body []byte) []byte {
	h := make([]byte, 512)
	copy(h[:100], name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	copy(h[124:136], size)
	copy(h[136:], "00000000000\x00        ")
	h[156] = kind
	copy(h[157:257], link)
	copy(h[257:], "ustar\x0000")
	copy(h[345:500], prefix)
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	h = append(h, body...)
	return append(h, make([]byte, -len(body)&511)...)
}

// FuzzBundle: what the index names lies inside the file, under a name that leads nowhere else, once. It fuzzes the fields of two entries, so that
// inputs stay short and get past the checksum: of whole tars, two thousand bytes each, it tried a handful a second.
func FuzzBundle(f *testing.F) {
	pax := "27 path=../../etc/passwd  \n"
	f.Add("metadata/timestamp.json", "", byte('0'), "00000000012", "", []byte("0123456789"), "targets/agent/x", uint16(0))
	f.Add("../x", "", byte('0'), "00000000001", "", []byte("x"), "/etc/passwd", uint16(0))
	f.Add("x", "metadata", byte('0'), "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", "", []byte{}, "metadata/x", uint16(0))
	f.Add("PaxHeaders/x", "", byte('x'), "00000000033", "", []byte(pax), "metadata/a", uint16(0))
	f.Add("PaxHeaders/x", "", byte('g'), "00000000033", "", []byte("27 size=99999999999999999 \n"), "metadata/a", uint16(0))
	f.Add("././@LongLink", "", byte('L'), "00000000007", "", []byte("../../x"), "metadata/a", uint16(0))
	f.Add("metadata", "", byte('2'), "00000000000", "/etc", []byte{}, "metadata/a", uint16(0))
	f.Add("metadata/a", "", byte('S'), "00000000000", "", []byte{}, "metadata/a", uint16(700))
	f.Fuzz(func(t *testing.T, name, prefix string, kind byte, size, link string, body []byte, second string, cut uint16) {
		b := append(raw(name, prefix, kind, size, link, body), raw(second, "", '0', "00000000003", "", []byte("abc"))...)
		b = append(b, make([]byte, 1024)...)
		b = b[:len(b)-min(len(b), int(cut))]
		at, err := index(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if len(at) > 0 {
				t.Fatalf("%v, and yet it names %d files", err, len(at))
			}
			return
		}
		for name, e := range at {
			if !release.ValidName(name) || e.offset < 512 || e.size < 0 || e.offset+e.size > int64(len(b)) {
				t.Fatalf("%q at %+v of %d", name, e, len(b))
			}
		}
	})
}

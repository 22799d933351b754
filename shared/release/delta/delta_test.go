package delta

import (
	"bytes"
	"crypto/rand"
	"testing"
)

func TestAPatch(t *testing.T) {
	old := make([]byte, 300_000)
	_, _ = rand.Read(old)
	program := append(append([]byte("a new head"), old[100_000:]...), old[:100_000]...)
	p, err := Make(old, program)
	if err != nil || len(p) > 2000 {
		t.Fatalf("%d bytes, %v", len(p), err)
	}
	var out bytes.Buffer
	if err := Apply(&out, old, bytes.NewReader(p), int64(len(program))); err != nil || !bytes.Equal(out.Bytes(), program) {
		t.Fatalf("%v", err)
	}
	for _, size := range []int64{int64(len(program)) - 1, int64(len(program)) + 1, 0} {
		out.Reset()
		if err := Apply(&out, old, bytes.NewReader(p), size); err == nil || int64(out.Len()) > size+1 {
			t.Errorf("size %d: %v, %d bytes written", size, err, out.Len())
		}
	}
	other := bytes.Clone(old)
	other[5] ^= 1
	out.Reset()
	if err := Apply(&out, other, bytes.NewReader(p), int64(len(program))); err == nil && bytes.Equal(out.Bytes(), program) {
		t.Error("another base makes the program, too")
	}
}

// FuzzApply: no patch writes more than it may, whatever it is.
func FuzzApply(f *testing.F) {
	old := bytes.Repeat([]byte("an older program "), 100)
	p, _ := Make(old, append([]byte("x"), old...))
	w, _ := Make(nil, old)
	f.Add(p)
	f.Add(w)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, p []byte) {
		var out bytes.Buffer
		if err := Apply(&out, old, bytes.NewReader(p), 4096); err == nil && out.Len() != 4096 || out.Len() > 4097 {
			t.Fatalf("%d bytes, %v", out.Len(), err)
		}
	})
}

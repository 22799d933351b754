package filedrop

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

// TestAFileThatMayNotBeReadIsToldSoon: a till may hold its file for a while, but rights do not come by themselves.
func TestAFileThatMayNotBeReadIsToldSoon(t *testing.T) {
	f := New("t", Folder{Dir: t.TempDir()})
	shut := fault.New(fault.Unavailable, "read file", &fs.PathError{Op: "open", Path: "a.csv", Err: fs.ErrPermission})
	locked := fault.New(fault.Unavailable, "read file", errors.New("another program has it"))
	if f.later("a.csv", shut) != nil || f.later("b.csv", locked) != nil {
		t.Error("told at once")
	}
	if !errors.Is(f.later("a.csv", shut), fs.ErrPermission) {
		t.Error("a file that may not be read is not told")
	}
	if f.later("b.csv", locked) != nil {
		t.Error("a file that is held is told too soon")
	}
}

package filedrop_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// A till that has its file open for itself alone, or has locked the bytes of it: the file waits and holds no other up; and while we read, the
// till may write, rename and delete.
func TestALockOfWindowsWaits(t *testing.T) {
	for name, lock := range map[string]func(h windows.Handle) error{
		"open for itself alone": func(windows.Handle) error { return nil },
		"bytes locked": func(h windows.Handle) error {
			return windows.LockFileEx(h, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1<<20, 0, &windows.Overlapped{})
		},
	} {
		f := folder(t, "csv")
		write(t, f, "a.csv", two)
		write(t, f, "b.csv", "No,When,What,Price\n9,2026-11-20 10:00,Food,1\n")
		path, err := windows.UTF16PtrFromString(filepath.Join(f.Dir, "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		share := uint32(0)
		if name != "open for itself alone" {
			share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
		}
		h, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
		if err == nil {
			err = lock(h)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadFile(filepath.Join(f.Dir, "a.csv")); err == nil {
			windows.CloseHandle(h)
			t.Logf("%s: this system lets others read all the same, as Wine does; nothing to see", name)
			continue
		}
		r := &reader{f: f, most: 200}
		if ts, bad := r.all(t); len(ts) != 1 || len(bad) != 0 {
			t.Errorf("%s: %d tickets beside the locked file, %v", name, len(ts), bad)
		}
		windows.CloseHandle(h)
		if ts, _ := r.all(t); len(ts) != 2 {
			t.Errorf("%s: %d tickets of the file that is free again", name, len(ts))
		}
		if err := os.Remove(filepath.Join(f.Dir, "a.csv")); err != nil {
			t.Errorf("%s: the till cannot delete its file: %v", name, err)
		}
	}
}

package machine

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// busyFor is how long a program file that is still held open is waited for: an ending service, or a virus scanner that looks at it.
const busyFor = 20 * time.Second

// Put writes a file so that whatever cuts it off leaves the old content or the new one, never a half. wait is asked between tries while the
// old file is in use. Code internal.
func Put(path string, mode os.FileMode, content io.Reader, wait func(time.Duration)) error {
	op := "write " + path
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return fault.New(fault.Internal, op, err)
	}
	_, err = io.Copy(f, content)
	if err = errors.Join(err, f.Sync(), f.Close(), os.Chmod(tmp, mode)); err != nil {
		_ = os.Remove(tmp) // the old file is whole
		return fault.New(fault.Internal, op, err)
	}
	failpoint.Hit("put.written")
	const pause = 250 * time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		if err = os.Rename(tmp, path); err == nil || waited >= busyFor || errors.Is(err, fs.ErrNotExist) {
			break
		}
		wait(pause)
	}
	if err != nil {
		return fault.Msg(fault.Internal, op, fmt.Sprintf("%v. Another program holds the file; close it, or restart the PC, and run the installer again", err))
	}
	failpoint.Hit("put.renamed")
	return fault.New(fault.Internal, op, syncDir(filepath.Dir(path)))
}

// Sweep deletes half files that a run that was cut off left.
func (l Layout) Sweep() error {
	return Delete(l.Agent+".new", l.Before()+".new", filepath.Join(l.Program, "installer"+filepath.Ext(l.Agent)+".new"), l.Settings+".new", l.Journal+".new", l.Left+".new", l.Code())
}

// Keep copies the program beside itself, durable before the new one replaces it.
func (l Layout) Keep(wait func(time.Duration)) error {
	f, err := os.Open(l.Agent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.New(fault.Internal, "keep the program that is there", err)
	}
	defer f.Close()
	return Put(l.Before(), 0o755, f, wait)
}

// Back puts the program that Keep kept in its place again. Code not_found: there is none.
func (l Layout) Back(wait func(time.Duration)) error {
	f, err := os.Open(l.Before())
	if err != nil {
		return fault.New(fault.NotFound, "put the program before back", err)
	}
	defer f.Close()
	return Put(l.Agent, 0o755, f, wait)
}

// Sum is the SHA-256 of a file; the zero value when it cannot be read.
func Sum(path string) (sum [sha256.Size]byte) {
	f, err := os.Open(path)
	if err != nil {
		return sum
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// Exists reports whether something stands at path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Delete removes files and folders with everything in them. It names the first that stays.
func Delete(paths ...string) error {
	var errs []error
	for _, p := range paths {
		if err := removeAll(p); err != nil {
			errs = append(errs, err)
		}
	}
	return fault.New(fault.Internal, "delete", errors.Join(errs...))
}

// removeAll is os.RemoveAll, also where the file system lacks the newer way of Windows by which that deletes (Wine, and some that are not NTFS): what
// is left is then deleted one by one. A link is removed, and not followed.
func removeAll(root string) error {
	err := os.RemoveAll(root)
	if err == nil {
		return nil
	}
	var all []string
	if walk := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		all = append(all, p)
		return err
	}); walk != nil {
		return err
	}
	for _, p := range slices.Backward(all) {
		if e := os.Remove(p); e != nil && !errors.Is(e, fs.ErrNotExist) {
			return e
		}
	}
	return nil
}

// Package lock keeps a second process away from a program's folder: two writers of one stream or one database would look like a copied disk.
// The lock ends with the process, however that ends.
package lock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

var errBusy = errors.New("locked")

// Lock is held until Release or the end of the process.
type Lock struct{ f *os.File }

// Take makes the folder and locks it for a program. Code conflict when another process has it.
func Take(dir, program string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "data_dir", err)
	}
	f, err := lockFile(filepath.Join(dir, program+".lock"))
	if errors.Is(err, errBusy) {
		return nil, fault.Msg(fault.Conflict, "data_dir", fmt.Sprintf("another process of %s is already running on %s; this one does nothing. Look for its service, or name another data_dir", program, dir))
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "lock data_dir", err)
	}
	return &Lock{f}, nil
}

// Held reports whether a process of the program runs on the folder.
func Held(dir, program string) bool {
	path := filepath.Join(dir, program+".lock")
	if _, err := os.Stat(path); err != nil {
		return false
	}
	f, err := lockFile(path)
	if err != nil {
		return errors.Is(err, errBusy)
	}
	f.Close()
	return false
}

// Await returns when no process of the program runs on the folder any more, at the latest after most: one that was killed is buried a moment
// after whoever started it, and on a busy machine that moment is long.
func Await(ctx context.Context, dir, program string, most time.Duration) {
	for end := time.Now().Add(most); Held(dir, program) && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(awaitEvery):
		}
	}
}

const awaitEvery = 20 * time.Millisecond

// Release lets the next one in. A nil Lock has nothing to release.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	return l.f.Close()
}

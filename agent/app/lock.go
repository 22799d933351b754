package app

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/fault"
)

var errBusy = errors.New("locked")

// lock keeps a second agent away from the folder: two writers of one stream would look like a cloned PC.
type lock struct{ f *os.File }

// takeLock makes the folder and locks it until release or the end of the process. Code conflict when another process has it.
func takeLock(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "data_dir", err)
	}
	f, err := lockFile(filepath.Join(dir, "agent.lock"))
	if errors.Is(err, errBusy) {
		return nil, fault.Msg(fault.Conflict, "data_dir", "an agent is already running on "+dir)
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "lock data_dir", err)
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.f.Close() }

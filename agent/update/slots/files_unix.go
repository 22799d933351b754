//go:build !windows

package slots

import (
	"errors"
	"os"
	"syscall"
)

// Exe ends a program's name.
const Exe = ""

// held: a program that is still written to cannot be started.
func held(err error) bool { return errors.Is(err, syscall.ETXTBSY) || errors.Is(err, syscall.EBUSY) }

// Full reports that an error means a full disk.
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

func rename(from, to string) error { return os.Rename(from, to) }

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

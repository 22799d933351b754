package slots

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// Exe ends a program's name.
const Exe = ".exe"

// held: another program has the file open. Windows says "access denied", too, while a file that is being deleted is still open somewhere.
func held(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}

// Full reports that an error means a full disk.
func Full(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// rename is written through: os.Rename returns before the disk has it.
func rename(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(a, b, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// syncFolder has no meaning here: a folder cannot be synced, and renames are written through.
func syncFolder(string) error { return nil }

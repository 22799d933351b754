package filedrop

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// openShared opens a file to read it without being in its writer's way: the till may go on writing, rename it or delete it meanwhile. It
// fails while the till has it open for itself alone. A link is not followed (errLink): the name itself is held open while the file is
// opened through it, and both must be the same. Files that the system keeps elsewhere under their own name, such as those of a cloud
// folder, are.
func openShared(path string) (*os.File, error) {
	name, err := openAs(path, 0, windows.FILE_FLAG_OPEN_REPARSE_POINT)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(name) //nolint:errcheck // nothing was written
	h, err := openAs(path, windows.GENERIC_READ, windows.FILE_ATTRIBUTE_NORMAL)
	if err != nil {
		return nil, err
	}
	var n, f windows.ByHandleFileInformation
	err = errors.Join(windows.GetFileInformationByHandle(name, &n), windows.GetFileInformationByHandle(h, &f))
	if err == nil && (n.VolumeSerialNumber != f.VolumeSerialNumber || n.FileIndexHigh != f.FileIndexHigh || n.FileIndexLow != f.FileIndexLow) {
		err = errLink
	}
	if err != nil {
		_ = windows.CloseHandle(h)
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}

func openAs(path string, access, flags uint32) (windows.Handle, error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateFile(p, access, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING, flags, 0)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return h, nil
}

package doctor

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

func freeBytes(dir string) (uint64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	return free, windows.GetDiskFreeSpaceEx(p, &free, nil, nil)
}

// othersMayRead says nothing here: Windows keeps rights in lists of its own, and the folder under ProgramData inherits them.
func othersMayRead(fs.FileInfo) string { return "" }

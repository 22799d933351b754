//go:build !windows

package doctor

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:unconvert // its type differs between systems
}

func othersMayRead(st fs.FileInfo) string {
	if st.Mode().Perm()&0o004 != 0 {
		return "can be read by everybody on this machine"
	}
	return ""
}

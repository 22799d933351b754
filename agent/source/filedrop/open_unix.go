//go:build !windows

package filedrop

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openShared opens a file to read it without being in its writer's way. A link is not followed (errLink), and a pipe that was put in the
// file's place holds nobody up.
func openShared(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) { // the second is FreeBSD's word
		return nil, errLink
	}
	return f, err
}

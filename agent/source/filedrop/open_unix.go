//go:build !windows

package filedrop

import "os"

// openShared opens a file to read it without being in its writer's way.
func openShared(path string) (*os.File, error) { return os.Open(path) }

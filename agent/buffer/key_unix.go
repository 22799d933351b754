//go:build !windows

package buffer

import (
	"errors"
	"os"
)

// The key file is 0600: whoever may read it is the service itself or root.
func protect(key []byte) ([]byte, error)    { return key, nil }
func unprotect(kept []byte) ([]byte, error) { return kept, nil }

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

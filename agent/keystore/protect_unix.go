//go:build !windows

package keystore

// Protect binds a key to this machine. Here that is the file it is kept in, 0600: whoever may read it is the service itself or root.
func Protect(key []byte) ([]byte, error) { return key, nil }

// Unprotect gives back what Protect was given.
func Unprotect(kept []byte) ([]byte, error) { return kept, nil }

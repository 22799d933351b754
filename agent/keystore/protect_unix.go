//go:build !windows

package keystore

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Credential is the systemd credential that wraps this PC's keys, where the unit names it (LoadCredentialEncrypted=tillpost.key): with a TPM
// the disk alone then opens nothing. Any 16 bytes or more will do.
const Credential = "tillpost.key"

// wrapped marks a key that a credential wraps.
const wrapped = "credential1:"

// Protect binds a key to this machine: under the systemd credential when the service was given one, else by the file it is kept in, 0600:
// whoever may read that is the service itself or root.
func Protect(key []byte) ([]byte, error) {
	wrap, err := credential()
	if err != nil || wrap == nil {
		return key, err
	}
	box, err := boxOf(wrap)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce)
	return append([]byte(wrapped), box.Seal(nonce, nonce, key, nil)...), nil
}

// Unprotect gives back what Protect was given.
func Unprotect(kept []byte) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(kept, []byte(wrapped))
	if !ok {
		return kept, nil
	}
	wrap, err := credential()
	if err != nil {
		return nil, err
	}
	if wrap == nil {
		return nil, errors.New("this PC's keys open with the systemd credential " + Credential + " only, and this process was not given it: let the service do it, or start the command with systemd-run -p LoadCredential")
	}
	box, err := boxOf(wrap)
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errors.New("the key is too short")
	}
	key, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], nil)
	if err != nil {
		return nil, errors.New("the systemd credential " + Credential + " is another than the one that this PC's keys were made under")
	}
	return key, nil
}

// credential is the wrapping key, nil when the process has none.
func credential() ([]byte, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(dir, Credential))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil && len(b) < 16 {
		err = errors.New("it is shorter than 16 bytes")
	}
	if err != nil {
		return nil, fmt.Errorf("systemd credential %s: %w", Credential, err)
	}
	sum := sha256.Sum256(append([]byte("tillpost keystore 1 "), b...))
	return sum[:], nil
}

// HandOver gives a file to the owner of its folder, when root wrote it: the service must be able to read it. A link is given itself, and never what
// it leads to: whoever the folder belongs to could put one there and be given any file of this PC.
func HandOver(file string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return err
	}
	if owner, ok := st.Sys().(*syscall.Stat_t); ok {
		return os.Lchown(file, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// syncFolder makes a rename last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

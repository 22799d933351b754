// Package keystore keeps secrets that could move money sealed on this PC's disk: the key of a payment gateway can charge cards. A file with
// such a key is written by a person in plain text once; the service seals it in its place when it first reads it, with a key that the
// operating system binds to this machine. A copy of the file alone (a backup, a support bundle, the disk in another PC) opens nothing.
package keystore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
)

// mark begins a sealed file; what follows is base64 of nonce and AES-256-GCM.
const mark = "sealed:"

const (
	keyFile  = "secret.key"
	nextFile = "secret.key.next"
)

// Store seals with a key of its own that stands in Dir.
type Store struct{ Dir string }

// Read gives the secret of a file, sealed or plain, and changes nothing. Code invalid: it cannot be read, is empty, may be read by other
// users of this PC, or was sealed on another PC.
func (s Store) Read(file string) (guard.Secret, error) {
	line, err := config.Secret(file)
	if err != nil {
		return "", err
	}
	if err := private(file); err != nil {
		return "", err
	}
	sealed, ok := strings.CutPrefix(line, mark)
	if !ok {
		return guard.Secret(line), nil
	}
	text, err := s.open(sealed)
	if err != nil {
		return "", fault.New(fault.Invalid, "open "+file, fmt.Errorf("it was sealed on another PC, or by an agent whose data_dir is gone; write the key into it anew: %w", err))
	}
	return guard.Secret(text), nil
}

// Keep is Read, and seals a plain file in its place. sealed is false when the file stays plain because this service may not write it.
func (s Store) Keep(file string) (text guard.Secret, sealed bool, err error) {
	if text, err = s.Read(file); err != nil {
		return "", false, err
	}
	if path, err := config.SecretPath(file); err != nil || path != file {
		return text, true, nil // systemd keeps it
	}
	b, err := os.ReadFile(file)
	if err == nil && bytes.HasPrefix(bytes.TrimSpace(b), []byte(mark)) {
		return text, true, nil
	}
	return text, s.seal(file, string(text)) == nil, nil
}

// private refuses a file that others may read.
func private(file string) error {
	if path, err := config.SecretPath(file); err != nil || path != file {
		return err // systemd sees to a credential's rights
	}
	st, err := os.Stat(file)
	if err != nil || runtime.GOOS == "windows" { // there, rights are lists: the installer sets them
		return fault.New(fault.Invalid, "read secret", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fault.Msg(fault.Invalid, "read secret", fmt.Sprintf("other users of this PC may read %s (%s): chmod 600 it", file, st.Mode().Perm()))
	}
	return nil
}

func (s Store) seal(file, text string) error {
	line, err := s.Seal(guard.Secret(text))
	if err != nil {
		return err
	}
	return Replace(file, []byte(line+"\n"))
}

// Seal gives a secret the form in which it may stand in a file. Open reads it again, on this PC.
func (s Store) Seal(text guard.Secret) (string, error) {
	key, err := s.key(keyFile, true)
	if err != nil {
		return "", fault.New(fault.Internal, "seal a secret", err)
	}
	return sealWith(key, string(text))
}

func sealWith(key []byte, text string) (string, error) {
	box, err := boxOf(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails since Go 1.24
	return mark + base64.StdEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(text), nil)), nil
}

// Open reads what Seal gave. Code invalid: it was sealed on another PC, or is damaged.
func (s Store) Open(sealed string) (guard.Secret, error) {
	line, ok := strings.CutPrefix(sealed, mark)
	if !ok {
		return "", fault.Msg(fault.Invalid, "open a secret", "it is not sealed")
	}
	text, err := s.open(line)
	return guard.Secret(text), fault.New(fault.Invalid, "open a secret", err)
}

func (s Store) open(sealed string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", err
	}
	var last error
	for _, name := range []string{keyFile, nextFile} { // the second one is there while keys are being changed
		key, err := s.key(name, false)
		if err != nil {
			if last == nil {
				last = err
			}
			continue
		}
		box, err := boxOf(key)
		if err != nil {
			return "", err
		}
		if len(b) < box.NonceSize() {
			return "", errors.New("it is too short")
		}
		text, err := box.Open(nil, b[:box.NonceSize()], b[box.NonceSize():], nil)
		if err == nil {
			return string(text), nil
		}
		last = err
	}
	return "", last
}

func boxOf(key []byte) (cipher.AEAD, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}

// key reads one of the store's keys, and makes it if it may.
func (s Store) key(name string, make bool) ([]byte, error) {
	path := filepath.Join(s.Dir, name)
	kept, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && make {
		kept, err = s.newKey(path)
	}
	if err != nil {
		return nil, err
	}
	return Unprotect(kept)
}

func (s Store) newKey(path string) ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	kept, err := Protect(key)
	if err != nil {
		return nil, err
	}
	return kept, Replace(path, kept)
}

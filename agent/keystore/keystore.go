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

const keyFile = "secret.key"

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
	b, err := os.ReadFile(file)
	if err == nil && bytes.HasPrefix(bytes.TrimSpace(b), []byte(mark)) {
		return text, true, nil
	}
	return text, s.seal(file, string(text)) == nil, nil
}

// private refuses a file that others may read.
func private(file string) error {
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
	box, err := s.box(true)
	if err != nil {
		return err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // crypto/rand.Read never fails since Go 1.24
	line := mark + base64.StdEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(text), nil)) + "\n"
	return replace(file, []byte(line))
}

func (s Store) open(sealed string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", err
	}
	box, err := s.box(false)
	if err != nil {
		return "", err
	}
	if len(b) < box.NonceSize() {
		return "", errors.New("it is too short")
	}
	text, err := box.Open(nil, b[:box.NonceSize()], b[box.NonceSize():], nil)
	return string(text), err
}

// box opens the store's key, and makes it if it may.
func (s Store) box(make bool) (cipher.AEAD, error) {
	path := filepath.Join(s.Dir, keyFile)
	kept, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && make {
		if kept, err = s.newKey(path); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := Unprotect(kept)
	if err != nil {
		return nil, err
	}
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(c)
}

func (s Store) newKey(path string) ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	kept, err := Protect(key)
	if err != nil {
		return nil, err
	}
	return kept, replace(path, kept)
}

// replace writes a file whole or not at all.
func replace(file string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".seal-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

package buffer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/fault"
)

// box seals bodies with AES-256-GCM. The row's Sum is the additional data: a body moved to another row does not open.
type box struct{ aead cipher.AEAD }

func newBox(key []byte) (*box, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	a, err := cipher.NewGCM(c)
	return &box{a}, err
}

// seal appends a sealed body to room, nonce in front.
func (b *box) seal(room, body, sum []byte) []byte {
	at, n := len(room), b.aead.NonceSize()
	out := slices.Grow(room, n+len(body)+b.aead.Overhead())[:at+n]
	_, _ = rand.Read(out[at:]) // crypto/rand.Read never fails since Go 1.24
	return b.aead.Seal(out, out[at:], body, sum)
}

// open opens in place: sealed is noise afterwards.
func (b *box) open(sealed, sum []byte) ([]byte, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("a sealed body is too short")
	}
	return b.aead.Open(sealed[n:n], sealed[:n], sealed[n:], sum)
}

// openKey reads the data key of dir or makes one: protected by the operating system (DPAPI on Windows, a 0600 file elsewhere) and, when
// the hub's recovery key is known, wrapped for it as well.
func openKey(dir string, recovery []byte) (b *box, err error) {
	path := filepath.Join(dir, "data.key")
	kept, err := os.ReadFile(path)
	var key []byte
	switch {
	case err == nil:
		key, err = keystore.Unprotect(kept)
	case errors.Is(err, os.ErrNotExist):
		key = make([]byte, 32)
		_, _ = rand.Read(key)
		if kept, err = keystore.Protect(key); err == nil {
			err = writeDurably(path, kept)
		}
	}
	if err == nil && len(recovery) > 0 {
		err = keepWrapped(filepath.Join(dir, "recovery.key"), key, recovery)
	}
	if err == nil {
		b, err = newBox(key)
	}
	return b, fault.New(fault.Internal, "open the buffer's key "+path, err)
}

// keepWrapped writes key wrapped for the hub, once for each recovery key that the hub has.
func keepWrapped(path string, key, recovery []byte) error {
	if kept, err := os.ReadFile(path); err == nil && bytes.HasPrefix(kept, recovery) {
		return nil
	}
	hub, err := ecdh.X25519().NewPublicKey(recovery)
	if err != nil {
		return err
	}
	own, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	w, err := wrapBox(own, hub)
	if err != nil {
		return err
	}
	return writeDurably(path, slices.Concat(recovery, own.PublicKey().Bytes(), w.seal(nil, key, nil)))
}

// Unwrap gives the data key of a dead PC's disk back from its recovery.key file. hub is the hub's private recovery key. Code invalid.
func Unwrap(file []byte, hub *ecdh.PrivateKey) ([]byte, error) {
	if len(file) < 64 {
		return nil, fault.Msg(fault.Invalid, "unwrap data key", "the recovery file is too short")
	}
	if !bytes.HasPrefix(file, hub.PublicKey().Bytes()) {
		return nil, fault.Msg(fault.Invalid, "unwrap data key", "it was wrapped for another recovery key than this one")
	}
	pub, err := ecdh.X25519().NewPublicKey(file[32:64])
	if err != nil {
		return nil, fault.New(fault.Invalid, "unwrap data key", err)
	}
	w, err := wrapBox(hub, pub)
	if err != nil {
		return nil, fault.New(fault.Invalid, "unwrap data key", err)
	}
	key, err := w.open(file[64:], nil)
	return key, fault.New(fault.Invalid, "unwrap data key", err)
}

func wrapBox(own *ecdh.PrivateKey, other *ecdh.PublicKey) (*box, error) {
	secret, err := own.ECDH(other)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "tillpost data key", 32)
	if err != nil {
		return nil, err
	}
	return newBox(key)
}

// writeDurably writes a new file whole or not at all.
func writeDurably(path string, body []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/lock"
)

// privateKey opens the sealed key.
func (s Store) privateKey(sealed string) (*ecdsa.PrivateKey, error) {
	text, err := s.keys().Open(sealed)
	if err != nil {
		return nil, fault.New(fault.Invalid, "open this PC's key: if its folder came from another PC or its secret.key is gone, enrol it again with a code from hub device replace", err)
	}
	der, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, "open this PC's key", err)
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fault.New(fault.Invalid, "open this PC's key", err)
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fault.Msg(fault.Invalid, "open this PC's key", "it is of another kind")
	}
	return ec, nil
}

func (s Store) sealKey(k *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return "", fault.New(fault.Internal, "seal this PC's key", err)
	}
	return s.keys().Seal(guard.Secret(base64.StdEncoding.EncodeToString(der)))
}

// nextKey is the key that is asked with: the one that stands on the disk from an attempt before, or a new one, written before anybody hears
// of it. current is the sealed key in use, which is never asked with again.
func (s Store) nextKey(current string) (*ecdsa.PrivateKey, error) {
	sealed, err := s.readPending()
	if err != nil {
		return nil, err
	}
	if sealed != "" {
		key, err := s.privateKey(sealed)
		if err == nil {
			if now, err := s.privateKey(current); err != nil || !now.Equal(key) {
				return key, nil
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Internal, "make this PC's key", err)
	}
	if sealed, err = s.sealKey(key); err != nil {
		return nil, err
	}
	return key, fault.New(fault.Internal, "write this PC's key", keystore.Replace(filepath.Join(s.Dir, pending), []byte(sealed+"\n")))
}

func (s Store) readPending() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, pending))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(b)), fault.New(fault.Internal, "read this PC's key", err)
}

// dropPending removes the key that was asked with once it is the PC's.
func (s Store) dropPending(id Identity) error {
	sealed, err := s.readPending()
	if err != nil || sealed == "" {
		return err
	}
	next, err := s.privateKey(sealed)
	now, err2 := s.privateKey(id.Key)
	if err == nil && err2 == nil && !next.Equal(now) {
		return nil // it is of an attempt that still runs
	}
	return fault.New(fault.Internal, "remove the key that was asked with", keystore.Remove(filepath.Join(s.Dir, pending)))
}

// locked lets one process at a time change the identity: a command and the service wait for each other, whose work ends within askIn.
func (s Store) locked(ctx context.Context, f func() error) error {
	l, err := lock.Take(s.Dir, lockName)
	for end := time.Now().Add(askIn + 5*time.Second); fault.Is(err, fault.Conflict) && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		l, err = lock.Take(s.Dir, lockName)
	}
	if err != nil {
		return err
	}
	err = keystore.HandOver(filepath.Join(s.Dir, lockName+".lock"))
	if err == nil {
		err = f()
	}
	return errors.Join(err, l.Release())
}

// Reseal seals the PC's keys anew while the keystore changes its own.
func (s Store) Reseal(ctx context.Context, reseal func(string) (string, error)) error {
	return s.locked(ctx, func() error {
		id, err := s.Read()
		if err == nil {
			if id.Key, err = reseal(id.Key); err == nil {
				err = s.write(id)
			}
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		sealed, err := s.readPending()
		if err != nil || sealed == "" {
			return err
		}
		if sealed, err = reseal(sealed); err != nil {
			return keystore.Remove(filepath.Join(s.Dir, pending)) // a new one is made when it is needed
		}
		return keystore.Replace(filepath.Join(s.Dir, pending), []byte(sealed+"\n"))
	})
}

package app

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/fault"
)

// recoveryFile holds the recovery key, in the hub's data folder.
const recoveryFile = "recovery.key"

// recoveryKey makes the hub's recovery key, once, and prints its public half. Agents wrap their data key for it, so that the disk of a
// dead PC can still be read; the private half is used nowhere but in agent buffer export --recover.
func (c *cli) recoveryKey(context.Context) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.DataDir, recoveryFile)
	key, err := openRecovery(path)
	if err != nil {
		return fault.New(fault.Internal, "recovery key "+path, err)
	}
	public := recoveryText(key)
	return c.tell(map[string]string{"recovery_key": public, "file": path}, func(w io.Writer) {
		fmt.Fprintln(w, public)
		fmt.Fprintf(c.err, "Put it into every agent.toml, [hub] recovery_key. Keep a copy of %s in another place: without it a dead PC's disk cannot be read,\n"+
			"and whoever has it and such a disk reads what the tills sold. With it: agent buffer export FILE --recover recovery.key --disk FOLDER\n", path)
	})
}

func openRecovery(path string) (*ecdh.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newRecovery(path)
	}
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if x, ok := key.(*ecdh.PrivateKey); ok {
				return x, nil
			}
		}
	}
	return nil, errors.New("the file is damaged: put it back from its copy. A new key would not open the disks that were sealed for this one")
}

func newRecovery(path string) (*ecdh.PrivateKey, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, errors.Join(err, f.Sync(), f.Close())
}

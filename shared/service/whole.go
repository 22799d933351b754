package service

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// writeWhole writes a file whole or not at all, whenever the power goes.
func writeWhole(path string, body []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(body)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if d, err := os.Open(filepath.Dir(path)); err == nil { // Windows opens no folder; there the rename is in the journal
		defer d.Close()
		_ = d.Sync()
	}
	return nil
}

package keystore

import (
	"os"
	"path/filepath"
)

// Replace writes a file whole or not at all, readable by its owner alone, and returns when it is on the disk: a power cut afterwards leaves
// the new one. A file that an administrator's command writes belongs to whom its folder belongs to, which is the service.
func Replace(file string, body []byte) error {
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
		err = HandOver(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// Remove deletes a file for good; one that is not there is deleted already.
func Remove(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

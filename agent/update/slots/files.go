// Package slots is the disk of an update: programs side by side in versions/, the pointer to the one that runs, and a file for each of the two
// deciders. Every file is there whole or not at all whenever the power goes: written beside, synced, renamed, the folder synced.
package slots

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/doctor"
)

// File is one that is being written.
type File interface {
	io.WriteCloser
	Sync() error
}

// Files are the operations on files, each of which the power may fail before or in.
type Files interface {
	Open(name string) (io.ReadCloser, error)
	Create(name string, mode fs.FileMode) (File, error) // over one that is there
	Rename(from, to string) error                       // over one that is there
	Remove(name string) error
}

// Folders are those on folders.
type Folders interface {
	Make(dir string) error
	List(dir string) ([]string, error)
	Free(dir string) (uint64, error) // bytes
}

// Syncs make durable what was done.
type Syncs interface {
	SyncFile(name string) error // that somebody else has written
	Sync(dir string) error      // the renames in it
}

// OS is this PC's disk. Another program that holds a file, as a virus scanner does, is waited for.
type OS struct {
	Patience time.Duration       // 0 = two minutes
	Wait     func(time.Duration) // 0 = a timer
}

const (
	patience = 2 * time.Minute
	again    = 250 * time.Millisecond
)

// Patiently does it until nobody holds the file any more, or patience ends.
func (o OS) Patiently(do func() error) error {
	most, wait := o.Patience, o.Wait
	if most <= 0 {
		most = patience
	}
	if wait == nil {
		wait = func(d time.Duration) { <-time.After(d) }
	}
	for waited := time.Duration(0); ; waited += again {
		err := do()
		if err == nil || !held(err) || waited >= most {
			return err
		}
		wait(again)
	}
}

// Open opens a file for reading.
func (o OS) Open(name string) (f io.ReadCloser, err error) {
	err = o.Patiently(func() error {
		g, err := os.Open(name)
		if err == nil {
			f = g
		}
		return err
	})
	return f, err
}

// Create opens a file for writing, empty.
func (o OS) Create(name string, mode fs.FileMode) (f File, err error) {
	err = o.Patiently(func() error {
		g, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, mode)
		if err == nil {
			f = g
		}
		return err
	})
	return f, err
}

// Rename puts a file in another's place, in one step.
func (o OS) Rename(from, to string) error {
	return o.Patiently(func() error { return rename(from, to) })
}

// Remove deletes a file or an empty folder; one that is not there is no error.
func (o OS) Remove(name string) error {
	return o.Patiently(func() error {
		err := os.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	})
}

// Make makes a folder and those above it, and makes that durable.
func (o OS) Make(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// Sync makes what happened in a folder durable.
func (OS) Sync(dir string) error { return syncFolder(dir) }

// List names what is in a folder; one that is not there is empty.
func (OS) List(dir string) (names []string, err error) {
	es, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range es {
		names = append(names, e.Name())
	}
	return names, err
}

// Free tells how many bytes can still be written.
func (OS) Free(dir string) (uint64, error) { return doctor.FreeDisk(dir) }

// SyncFile makes a file that is there durable.
func (o OS) SyncFile(name string) error {
	return o.Patiently(func() error {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// File is a log file that is set aside when it is full; the oldest goes. It is safe for concurrent use. A disk that takes no more loses words
// and no tickets: writes then say nothing.
type File struct {
	Path string
	Max  int64 // bytes of one file
	Keep int   // files that were set aside: Path.1 is the newest

	mu   sync.Mutex
	f    *os.File
	size int64
}

// Write appends a line.
func (l *File) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil && l.size > 0 && l.size+int64(len(b)) > l.Max {
		l.turnLocked()
	}
	if l.f == nil {
		if err := l.openLocked(); err != nil {
			return len(b), nil
		}
		if l.size > 0 && l.size+int64(len(b)) > l.Max {
			l.turnLocked()
			if err := l.openLocked(); err != nil {
				return len(b), nil
			}
		}
	}
	n, err := l.f.Write(b)
	l.size += int64(n)
	if err != nil {
		l.closeLocked()
	}
	return len(b), nil
}

func (l *File) openLocked() error {
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(l.Path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size = f, st.Size()
	return nil
}

func (l *File) closeLocked() {
	if l.f != nil {
		_ = l.f.Close()
		l.f, l.size = nil, 0
	}
}

// turnLocked sets the full file aside. Where it cannot be renamed (a virus scanner holds it) it is emptied: the limit holds.
func (l *File) turnLocked() {
	l.closeLocked()
	for i := l.Keep; i > 1; i-- {
		_ = os.Rename(l.aside(i-1), l.aside(i))
	}
	if err := os.Rename(l.Path, l.aside(1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.Truncate(l.Path, 0)
	}
}

func (l *File) aside(i int) string { return fmt.Sprintf("%s.%d", l.Path, i) }

// Files lists what there is, the newest first.
func (l *File) Files() (out []string) {
	for i := 0; i <= l.Keep; i++ {
		path := l.Path
		if i > 0 {
			path = l.aside(i)
		}
		if _, err := os.Stat(path); err == nil {
			out = append(out, path)
		}
	}
	return out
}

// Close ends it; a later Write opens it anew.
func (l *File) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeLocked()
	return nil
}

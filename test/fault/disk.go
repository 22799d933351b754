// Package fault has a disk in memory whose power can be cut at every operation: what was not synced may be gone, torn or there, and a rename
// whose folder was not synced may not have happened.
package fault

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/tillpost/tillpost/agent/update/slots"
)

// ErrCut is what every operation answers once the power is gone.
var ErrCut = errors.New("the power is cut")

// Mode is what a power cut leaves of what was not synced.
type Mode int

// The modes.
const (
	Kept     Mode = iota // all of it had reached the disk by chance
	Lost                 // none of it: files are empty or as they were, renames and removals of unsynced folders are undone
	Torn                 // half of each unsynced file; renames kept: the name of a file that is not whole
	TornBack             // half of each, and renames undone
	Modes                // how many there are
)

// inode is a file's content: as it is seen, and as the disk surely has it.
type inode struct{ seen, synced []byte }

// Disk is the disk. It is safe for concurrent use once it is set up.
type Disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as they are seen
	durable map[string]*inode // as the disk surely has them
	N       int               // operations that were done
	CutAt   int               // the operation at which the power goes: it is half done; 0 = never
	FullAt  int               // from this operation on nothing can be written; 0 = never
	OnCut   func()            // nil, or called when the power goes
	cut     bool
	Trace   []string
}

// NewDisk is an empty one.
func NewDisk() *Disk { return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}} }

// step counts an operation and reports whether the power goes in it: before it has any effect. Its effects that need no sync are cut modes.
func (d *Disk) step(what string) error {
	if d.cut {
		return ErrCut
	}
	d.N++
	d.Trace = append(d.Trace, what)
	if d.CutAt > 0 && d.N >= d.CutAt {
		if d.cut = true; d.OnCut != nil {
			d.OnCut()
		}
		return ErrCut
	}
	return nil
}

func (d *Disk) full() bool { return d.FullAt > 0 && d.N >= d.FullAt }

// After is the disk as the next start finds it.
func (d *Disk) After(m Mode) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	from := d.names
	if m == Lost || m == TornBack {
		from = d.durable
	}
	next := NewDisk()
	for name, i := range from {
		var body []byte
		switch {
		case m == Kept, bytes.Equal(i.seen, i.synced):
			body = i.seen
		case m == Lost:
			body = i.synced
		default:
			body = i.seen[:len(i.seen)/2]
		}
		body = bytes.Clone(body)
		n := &inode{seen: body, synced: body}
		next.names[name], next.durable[name] = n, n
	}
	return next
}

// Put lays a whole file down, durable: what was there before.
func (d *Disk) Put(name string, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := &inode{seen: bytes.Clone(body), synced: bytes.Clone(body)}
	d.names[slash(name)], d.durable[slash(name)] = i, i
}

// Names lists what is seen.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names))
}

func slash(name string) string { return filepath.ToSlash(name) }

// Open implements slots.Files. Reading is no operation that changes the disk.
func (d *Disk) Open(name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return nil, ErrCut
	}
	i, ok := d.names[slash(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(bytes.NewReader(i.seen)), nil
}

// Create implements slots.Files. A file that is opened over another shares its content with whoever had it.
func (d *Disk) Create(name string, _ fs.FileMode) (slots.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("create " + name); err != nil {
		return nil, err
	}
	i, ok := d.names[slash(name)]
	if !ok {
		i = &inode{}
		d.names[slash(name)] = i
	}
	i.seen = nil
	return &file{d, name, i}, nil
}

// Rename implements slots.Files: seen at once, durable when the folder is synced.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("rename " + from + " " + to); err != nil {
		return err
	}
	i, ok := d.names[slash(from)]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(d.names, slash(from))
	d.names[slash(to)] = i
	return nil
}

// Remove implements slots.Files.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("remove " + name); err != nil {
		return err
	}
	delete(d.names, slash(name))
	return nil
}

// Make implements slots.Folders: folders are there as soon as something is in them.
func (d *Disk) Make(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.step("make " + dir)
}

// List implements slots.Folders.
func (d *Disk) List(dir string) (names []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		return nil, ErrCut
	}
	for name := range d.names {
		if rest, ok := strings.CutPrefix(name, slash(dir)+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			if !slices.Contains(names, first) {
				names = append(names, first)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Free implements slots.Folders.
func (d *Disk) Free(string) (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full() {
		return 0, nil
	}
	return 1 << 40, nil
}

// SyncFile implements slots.Syncs.
func (d *Disk) SyncFile(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("sync " + name); err != nil {
		return err
	}
	i, ok := d.names[slash(name)]
	if !ok {
		return &fs.PathError{Op: "sync", Path: name, Err: fs.ErrNotExist}
	}
	i.synced = bytes.Clone(i.seen)
	return nil
}

// Sync implements slots.Syncs: what happened to the names in a folder is durable.
func (d *Disk) Sync(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step("sync folder " + dir); err != nil {
		return err
	}
	for name := range d.durable {
		if path.Dir(name) == slash(dir) {
			delete(d.durable, name)
		}
	}
	for name, i := range d.names {
		if path.Dir(name) == slash(dir) {
			d.durable[name] = i
		}
	}
	return nil
}

// file is one that is written.
type file struct {
	d    *Disk
	name string
	i    *inode
}

func (f *file) Write(b []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step("write " + f.name); err != nil {
		if f.d.N == f.d.CutAt {
			f.i.seen = append(f.i.seen, b[:len(b)/2]...) // the power goes in the middle of it
		}
		return 0, err
	}
	if f.d.full() {
		f.i.seen = append(f.i.seen, b[:len(b)/2]...)
		return len(b) / 2, syscall.ENOSPC
	}
	f.i.seen = append(f.i.seen, b...)
	return len(b), nil
}

// Sync makes the content durable, under every name that it has.
func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.step("sync " + f.name); err != nil {
		return err
	}
	f.i.synced = bytes.Clone(f.i.seen)
	return nil
}

func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.cut {
		return ErrCut
	}
	return nil
}

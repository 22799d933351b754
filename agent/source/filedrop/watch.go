package filedrop

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// settle is how long a file must stand still unless the settings say otherwise: a till writes a sheet within a second.
const settle = 3 * time.Second

// Folder is a watched folder; it implements source.Source and source.Waker. Events only wake it up: what counts is the scan, for shares
// send no events and every system loses some.
type Folder struct {
	Profile  *profile.Profile
	Dir      string
	Pattern  string // "" = every file
	Location retail.LocationCode
	Stream   envelope.Stream
	Settle   time.Duration
	Log      *slog.Logger

	name  string
	wake  chan struct{}
	seen  map[string]stamp // how files stood at the last scan
	since map[string]time.Time
	now   *content // the file that is being handed over
	path  string
}

// stamp tells one state of a file from another.
type stamp struct {
	Size int64 `json:"s"`
	Mod  int64 `json:"m"` // Unix nanoseconds
}

// mark is how far one file was taken: all of a state of it, or its first groups.
type mark struct {
	stamp
	SHA  string `json:"h,omitempty"`
	Next int    `json:"n,omitempty"` // groups handed over, while it is not all
	All  bool   `json:"a,omitempty"`
}

// cursor is the source's memory: what was taken of each file that still stands there.
type cursor map[string]mark

// New returns a folder's source under its name, which must never change.
func New(name string, f Folder) *Folder {
	f.name, f.wake, f.seen, f.since = "filedrop/"+name, make(chan struct{}, 1), map[string]stamp{}, map[string]time.Time{}
	if f.Settle == 0 {
		f.Settle = settle
	}
	return &f
}

// Name implements source.Source.
func (f *Folder) Name() string { return f.name }

// Wake implements source.Waker.
func (f *Folder) Wake() <-chan struct{} { return f.wake }

// Watch turns the system's events into wake-ups until ctx ends. It may fail for good; the scan does without it.
func (f *Folder) Watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil
	}
	defer w.Close()
	if err := w.Add(f.Dir); err != nil {
		f.Log.InfoContext(ctx, "the folder sends no events; it is looked at regularly", "source", f.name, "err", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			select {
			case f.wake <- struct{}{}:
			default:
			}
		case err := <-w.Errors:
			f.Log.DebugContext(ctx, "folder events", "source", f.name, "err", err)
		}
	}
}

// Read implements source.Source: the next records of a settled file, with the cursor that covers exactly these.
func (f *Folder) Read(ctx context.Context, after source.Cursor, most int) ([]source.Draft, source.Cursor, error) {
	c := cursor{}
	if after != "" {
		if err := json.Unmarshal([]byte(after), &c); err != nil {
			return nil, after, fault.New(fault.Internal, "read cursor of "+f.name, err)
		}
	}
	files, err := f.scan()
	if err != nil {
		return nil, after, err
	}
	for name := range c {
		if _, there := files[name]; !there {
			delete(c, name) // gone or renamed: what was taken is at the hub, and known there by identity
		}
	}
	for _, name := range sorted(files) {
		m := c[name]
		if m.stamp == files[name] && m.All || !f.settled(name, files[name]) {
			continue
		}
		ds, m, err := f.take(ctx, name, m, files[name], most)
		if fault.Is(err, fault.Unavailable) {
			continue // locked, or written to at this moment: later
		}
		if err != nil {
			return nil, after, err
		}
		c[name] = m
		next, err := json.Marshal(c)
		return ds, source.Cursor(next), err
	}
	next, err := json.Marshal(c)
	if err != nil || len(c) == 0 && after == "" {
		return nil, after, err
	}
	return nil, source.Cursor(next), nil
}

// scan lists the folder's files.
func (f *Folder) scan() (map[string]stamp, error) {
	es, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "look into "+f.Dir, err)
	}
	out := map[string]stamp{}
	for _, e := range es {
		name := e.Name()
		if hidden(name) || f.Pattern != "" && !matches(f.Pattern, name) {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() && info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		out[name] = stamp{info.Size(), info.ModTime().UnixNano()}
	}
	return out, nil
}

// hidden names are files that other programs are still working on.
func hidden(name string) bool {
	low := strings.ToLower(name)
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(low, ".tmp") || strings.HasSuffix(low, ".part") ||
		strings.HasSuffix(low, ".crdownload") || strings.HasSuffix(low, ".filepart")
}

func matches(pattern, name string) bool {
	ok, err := filepath.Match(strings.ToLower(pattern), strings.ToLower(name))
	return err == nil && ok
}

// settled reports whether a file stood still for long enough, by our own eyes: a file's times are its writer's.
func (f *Folder) settled(name string, s stamp) bool {
	now := time.Now()
	if f.seen[name] != s {
		f.seen[name], f.since[name] = s, now
		time.AfterFunc(f.Settle, func() {
			select {
			case f.wake <- struct{}{}:
			default:
			}
		})
	}
	return now.Sub(f.since[name]) >= f.Settle
}

// take hands the next groups of a file over.
func (f *Folder) take(ctx context.Context, name string, m mark, s stamp, most int) ([]source.Draft, mark, error) {
	path := filepath.Join(f.Dir, name)
	if f.now == nil || f.path != path || f.now.sha != m.SHA || m.stamp != s {
		got, err := load(ctx, f.Profile, path, f.Location)
		if err != nil {
			return nil, m, err
		}
		got.stream = f.Stream
		f.now, f.path = got, path
		if m.stamp != s || m.SHA != got.sha { // another content under this name: from its beginning
			m = mark{stamp: s, SHA: got.sha}
		}
		// The groups before Next were handed over by an earlier run: their times still count for the marks.
		for i := range m.Next {
			if _, _, err := got.draft(i); fault.Is(err, fault.Internal) {
				return nil, m, err
			}
		}
	}
	var ds []source.Draft
	if m.Next == 0 {
		ds = f.now.introduce()
	}
	for ; m.Next < len(f.now.groups) && len(ds) < most; m.Next++ {
		d, _, err := f.now.draft(m.Next) // what cannot be booked goes as it is and becomes a case
		if fault.Is(err, fault.Internal) {
			return nil, m, err
		}
		ds = append(ds, d)
	}
	if m.Next == len(f.now.groups) {
		marks, err := f.now.marks(f.name)
		if err != nil {
			return nil, m, err
		}
		ds, m.All, m.Next = append(ds, marks...), true, 0
		f.now = nil
	}
	return ds, m, nil
}

func sorted(files map[string]stamp) []string {
	out := make([]string, 0, len(files))
	for name := range files {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { // the oldest first, as they were written
		if d := files[a].Mod - files[b].Mod; d != 0 {
			return int(max(-1, min(1, d)))
		}
		return strings.Compare(a, b)
	})
	return out
}

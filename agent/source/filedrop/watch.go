package filedrop

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// batchBytes bounds what one commit takes, beside its number of records: a till's own append must not wait behind it.
const batchBytes = 4 << 20

// Folder is a watched folder; it implements source.Source and source.Waker. Events only wake it up: what counts is the scan, for shares
// send no events and every system loses some.
type Folder struct {
	Profile  *profile.Profile
	Dir      string
	Pattern  string // "" = every file
	Location retail.LocationCode
	Stream   envelope.Stream
	Settle   time.Duration
	Spill    string // where the index of a large file stands meanwhile; "" = the system's folder for such files
	Card     Card
	Log      *slog.Logger

	name   string
	wake   chan struct{}
	seen   map[string]sight
	failed map[string]time.Time // since when a file cannot be read
	now    *content             // the file that is being handed over
}

// New returns a folder's source under its name, which must never change.
func New(name string, f Folder) *Folder {
	f.name, f.wake, f.seen, f.failed = "filedrop/"+name, make(chan struct{}, 1), map[string]sight{}, map[string]time.Time{}
	if f.Settle == 0 {
		f.Settle = settle
	}
	return &f
}

// Name implements source.Source.
func (f *Folder) Name() string { return f.name }

// Wake implements source.Waker.
func (f *Folder) Wake() <-chan struct{} { return f.wake }

// rewatch is how often a folder that sends no events is asked for them again: it may have been away.
const rewatch = time.Minute

// Watch turns the system's events into wake-ups until ctx ends. It may fail for good; the scan does without it.
func (f *Folder) Watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		f.Log.InfoContext(ctx, "this PC sends no events for folders; they are looked at regularly", "source", f.name, "err", err)
		return nil
	}
	defer w.Close()
	again := time.NewTicker(rewatch)
	defer again.Stop()
	for told := false; ; {
		if err := w.Add(f.Dir); err != nil && !told {
			told = true
			f.Log.InfoContext(ctx, "the folder sends no events; it is looked at regularly", "source", f.name, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		case <-w.Events:
			f.rouse()
		case err := <-w.Errors:
			f.Log.DebugContext(ctx, "folder events", "source", f.name, "err", err)
		}
	}
}

func (f *Folder) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Read implements source.Source: the next records of settled files, with the cursor that covers exactly these. A file that cannot be read
// does not hold the others up. Small files go together: a till may write one for each ticket, and each look into the folder, and each
// cursor, costs as much as all of them.
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
	gone := c.prune(f.keys(files), time.Now())
	var stuck error
	var out []source.Draft
	size, whole := 0, true
	for _, name := range sorted(files) {
		key := f.key(name)
		if !whole || len(out) >= most || size >= batchBytes {
			break
		}
		m := c[key]
		done := m.done(files[name], f.Profile)
		if done && !m.Cut {
			continue
		}
		if !f.settled(name, files[name]) {
			stuck = errors.Join(stuck, f.restless(name))
			continue
		}
		if done && !f.rested(name) {
			continue
		}
		ds, m, err := f.take(ctx, name, files[name], m, gone, most-len(out))
		if fault.Is(err, fault.Unavailable) {
			stuck = errors.Join(stuck, f.later(name, err))
			continue
		}
		if err != nil && len(out) > 0 { // what stands before it is not held up
			break
		}
		if err != nil {
			return nil, after, err
		}
		delete(f.failed, name)
		if len(out) > 0 && len(ds) > 0 && ds[0].Kind == decode.Profile { // it went with the first of them
			ds = ds[1:]
		}
		for _, d := range ds {
			size += len(d.Body)
		}
		c[key], out, whole = m, append(out, ds...), m.All
	}
	if stuck != nil && len(out) == 0 {
		return nil, after, stuck
	}
	next, err := json.Marshal(c)
	if err != nil || len(c) == 0 && after == "" {
		return nil, after, err
	}
	return out, source.Cursor(next), nil
}

// key is what the cursor calls a file: its name, unless that holds a card number.
func (f *Folder) key(name string) string { return guard.Key(f.Card.Secret, name) }

func (f *Folder) keys(files map[string]stamp) map[string]bool {
	out := make(map[string]bool, len(files))
	for name := range files {
		out[f.key(name)] = true
	}
	return out
}

// later notes that a file is locked or being written; it is an error only when that lasts. One that may not be read is told the second time: rights
// do not come by themselves, and whoever installs is still there.
func (f *Folder) later(name string, err error) error {
	since, known := f.failed[name]
	if !known {
		f.failed[name] = time.Now()
		return nil
	}
	if errors.Is(err, errMoving) || !errors.Is(err, fs.ErrPermission) && time.Since(since) < tellAfter {
		return nil
	}
	return err
}

// take hands the next groups of a file over.
func (f *Folder) take(ctx context.Context, name string, s stamp, m mark, gone map[string]bool, most int) ([]source.Draft, mark, error) {
	path := filepath.Join(f.Dir, name)
	if f.now == nil || f.now.path != path || f.now.sha != m.SHA || f.now.stamp != s {
		f.drop()
		got, err := load(ctx, f.Profile, path, f.Spill, f.Location, f.Card, follow(m.Taken))
		if err != nil {
			return nil, m, err
		}
		got.stream = f.Stream
		if got.hold = !f.rested(name); got.hold && got.tail > 0 {
			time.AfterFunc(patience*f.Settle, f.rouse)
		}
		if gone[got.sha] && !got.head(nil).ByName() || m.SHA == got.sha && m.All && !m.Cut && m.Refused == "" { // renamed, or touched: the same content
			got.close()
			return nil, mark{stamp: got.stamp, SHA: got.sha, All: true, Taken: got.taken()}, nil
		}
		f.now = got
		if m.SHA != got.sha || m.All || m.By != "" && m.By != fingerprint(f.Profile) { // another content under this name: what is new in it; or other groups
			m = mark{SHA: got.sha, Taken: m.Taken}
		}
		m.stamp, got.first = got.stamp, m.Next
	}
	var marks []source.Draft
	ds, last, err := f.now.batch(m.Next, most)
	if err == nil && !f.now.same() {
		err = errMoving
	}
	if err != nil {
		f.drop()
		return nil, m, err
	}
	m.Next, m.By = f.now.group, fingerprint(f.Profile)
	if last && !f.now.held { // a file that goes on proves nothing yet
		if marks, err = f.now.marks(f.name); err != nil {
			return nil, m, err
		}
	}
	if last {
		ds, m.All, m.Next, m.By, m.Cut, m.Taken = append(ds, marks...), true, 0, "", f.now.held, f.now.taken()
		if f.now.refused != "" {
			m.Refused = fingerprint(f.Profile)
		}
		f.drop()
	}
	return ds, m, nil
}

// drop forgets the file that is being handed over.
func (f *Folder) drop() {
	if f.now != nil {
		f.now.close()
	}
	f.now = nil
}

// batch makes the records of the groups from the n-th on, at most most of them; last says that there are no more.
func (c *content) batch(n, most int) (ds []source.Draft, last bool, err error) {
	if err := c.seek(n); err != nil {
		return nil, false, err
	}
	if n == c.first {
		ds = c.introduce()
	}
	var f *os.File
	if c.refused == "" { // nothing is read of what was refused, which may be a link
		if f, err = openShared(c.path); err != nil {
			return nil, false, fault.Msg(fault.Unavailable, "read file", reason(err))
		}
		defer f.Close()
	}
	for size := 0; len(ds) < most && size < batchBytes; {
		c.room.again()
		g, ok, err := c.next(f, &c.room)
		if err != nil || !ok {
			return ds, !ok, err
		}
		if c.hold && c.tail > 0 && len(g.rows) > 0 && g.rows[0].N == c.tail {
			c.held = true
			continue
		}
		d, _, err := c.draw.draft(g) // what cannot be booked goes as it is and becomes a case
		if fault.Is(err, fault.Internal) {
			return nil, false, err
		}
		ds, size = append(ds, d), size+len(d.Body)
	}
	return ds, false, nil
}

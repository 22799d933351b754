// Package buffer is the agent's memory: every captured record is in it, durable, before anybody is told so, and stays until the hub has
// proven that it holds it (DESIGN D3). One SQLite file, one writer, synchronous=FULL; appends that wait together share one commit.
package buffer

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/meter"
	"github.com/tillpost/tillpost/shared/retail"
)

//go:embed schema.sql
var schema string

// Options say where the buffer is and whose.
type Options struct {
	Dir    string
	Device retail.DeviceID
	// Clean is the card-data guard: it runs on each draft before anything of it touches the disk. Required.
	Clean func(source.Draft) source.Draft
	Now   func() time.Time
	// Appended is called after a commit that added to a stream; it must not block.
	Appended func(envelope.Stream)
	// Recovery, when set, is the hub's public X25519 key: the data key is wrapped for it too, so that a dead PC's disk can be read.
	Recovery []byte
}

// Buffer is safe for concurrent use.
type Buffer struct {
	opt    Options
	write  *sql.DB
	read   *sql.DB
	box    *box
	turn   chan struct{} // who puts something in may write; one at a time
	sealed []byte        // room for a sealed body; only the writer has it

	mu      sync.Mutex
	closed  bool
	waiting []appendCall              // as many as there are callers
	told    map[string]bool           // nil, or since all sources must read again: those that have asked for their cursor
	streams map[envelope.Stream]*lane // the writer's view; guarded for readers
	Count   Counters
	Salvage *Salvage // what was found damaged at Open, nil = nothing
	reserve string
	tight   time.Time // the disk was full: when that was last seen; only the writer has it
}

// Counters are the buffer's metrics: drafts that came in, are durable, were refused.
type Counters struct {
	meter.Stage
	Commits atomic.Uint64 // each is one sync of the disk, at least
}

// lane is where a stream stands.
type lane struct {
	Epoch   envelope.Epoch
	Last    uint64
	Sum     envelope.Sum
	Acked   uint64
	Trimmed uint64
	Base    envelope.Sum // Sum at Trimmed
	peeked  place        // where the last page that was read ended
	fresh   fresh        // what the last commit added
}

// reserveSize is kept on disk so that acks and deletes still work when the disk is full.
const reserveSize = 8 << 20

// Open opens or makes the buffer in o.Dir. A damaged file is set aside and whatever of it can be read goes into a new epoch: the service
// starts whatever the disk did. Code conflict: a newer version has left it so that this one cannot work with it; it is whole and stays.
func Open(ctx context.Context, o Options) (*Buffer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Appended == nil {
		o.Appended = func(envelope.Stream) {}
	}
	if o.Clean == nil || !o.Device.Valid() {
		return nil, fault.Msg(fault.Invalid, "open buffer", "a buffer needs a device name and the card-data guard")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fault.New(fault.Internal, "open buffer", err)
	}
	key, err := openKey(o.Dir, o.Recovery)
	if err != nil {
		return nil, err
	}
	b := &Buffer{opt: o, box: key, turn: make(chan struct{}, 1), reserve: filepath.Join(o.Dir, "reserve")}
	if err := b.openFile(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, fault.New(fault.Internal, "open buffer", ctx.Err()) // it was not looked at to its end: that says nothing about the file
		}
		if errors.Is(err, errNewer) {
			return nil, fault.New(fault.Conflict, "open buffer", err)
		}
		aside, serr := setAside(o.Dir, o.Now())
		if serr != nil {
			return nil, fault.New(fault.Internal, "open buffer", errors.Join(err, serr))
		}
		if err2 := b.openFile(ctx); err2 != nil {
			return nil, fault.New(fault.Internal, "open buffer", errors.Join(err, err2))
		}
		if b.Salvage, err = b.salvage(ctx, aside, err); err != nil {
			b.closeFile()
			return nil, err
		}
	}
	b.keepReserve()
	return b, nil
}

func (b *Buffer) path() string { return filepath.Join(b.opt.Dir, "buffer.db") }

func dsn(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// logPages is how long the write-ahead log may become, in pages of 4 KB, before an append carries it into the file. A ticket writes three:
// with SQLite's thousand one in three hundred would wait for that.
const logPages = 4000

func (b *Buffer) openFile(ctx context.Context) (err error) {
	common := dsn(b.path()) + "?_journal_mode=WAL&_synchronous=FULL&_busy_timeout=10000&_cache_size=-1024&_stmt_cache_size=32"
	if b.write, err = sql.Open("sqlite3", common+"&_txlock=immediate"); err != nil {
		return err
	}
	b.write.SetMaxOpenConns(1)
	if _, err := b.write.ExecContext(ctx, fmt.Sprintf(`PRAGMA wal_autocheckpoint=%d`, logPages)); err != nil {
		b.write.Close()
		return err
	}
	if b.read, err = sql.Open("sqlite3", common+"&_query_only=1"); err != nil {
		b.write.Close()
		return err
	}
	b.read.SetMaxOpenConns(2)
	if err = b.load(ctx); err != nil {
		b.closeFile()
	}
	return err
}

// load makes the tables, proves that the file is whole, and reads where the streams stand.
func (b *Buffer) load(ctx context.Context) error {
	if err := b.fits(ctx); err != nil {
		return err
	}
	if _, err := b.write.ExecContext(ctx, schema); err != nil {
		return err
	}
	if err := b.sign(ctx); err != nil {
		return err
	}
	var check string
	if err := b.write.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&check); err != nil || check != "ok" {
		return errors.Join(err, fmt.Errorf("the buffer file is damaged: %s", check))
	}
	if err := b.checkTables(ctx); err != nil {
		return err
	}
	b.streams = map[envelope.Stream]*lane{}
	for _, s := range envelope.Streams {
		l, err := b.loadStream(ctx, s)
		if err != nil {
			return err
		}
		b.streams[s] = l
	}
	return nil
}

// checkTables proves that every column that is written has its name: SQLite checks its pages, not the words in its schema.
func (b *Buffer) checkTables(ctx context.Context) error {
	all := []string{`SELECT name, epoch, last, sum, acked, trimmed, base FROM stream`, `SELECT source, value FROM cursor`, `SELECT name, value FROM meta`}
	for _, s := range envelope.Streams {
		all = append(all, insertSQL[insert{s, 1}], `SELECT `+rowColumns+` FROM `+string(s))
	}
	for _, q := range all {
		st, err := b.write.PrepareContext(ctx, q)
		if err != nil {
			return fmt.Errorf("the buffer's tables are damaged: %w", err)
		}
		st.Close()
	}
	return nil
}

func (b *Buffer) loadStream(ctx context.Context, s envelope.Stream) (*lane, error) {
	var epoch, sum, base []byte
	var last, acked, trimmed int64
	err := b.write.QueryRowContext(ctx, `SELECT epoch, last, sum, acked, trimmed, base FROM stream WHERE name = ?`, string(s)).Scan(&epoch, &last, &sum, &acked, &trimmed, &base)
	if errors.Is(err, sql.ErrNoRows) {
		l := &lane{Epoch: envelope.NewEpoch()}
		if err := b.checkEnd(ctx, s, l); err != nil {
			return nil, err // it had rows: where they ended is what was lost
		}
		_, err := b.write.ExecContext(ctx, `INSERT INTO stream (name, epoch, last, sum, acked, trimmed, base) VALUES (?, ?, 0, ?, 0, 0, ?)`, string(s), l.Epoch[:], l.Sum[:], l.Base[:])
		return l, err
	}
	l := &lane{Last: uint64(last), Acked: uint64(acked), Trimmed: uint64(trimmed)}
	copy(l.Epoch[:], epoch)
	copy(l.Sum[:], sum)
	copy(l.Base[:], base)
	if err != nil {
		return nil, err
	}
	return l, b.checkEnd(ctx, s, l)
}

// checkEnd proves that the last row is the one that the stream ends with: a file whose tail was lost, or whose count is wrong, must not be
// continued.
func (b *Buffer) checkEnd(ctx context.Context, s envelope.Stream, l *lane) error {
	var end int64
	err := b.write.QueryRowContext(ctx, `SELECT COALESCE(max(seq), 0) FROM `+string(s)).Scan(&end)
	if err == nil && (uint64(end) > l.Last || l.Trimmed > l.Last || l.Acked > l.Last || l.Acked < l.Trimmed) {
		err = fmt.Errorf("it counts to %d, %d of it confirmed and %d deleted, and the rows end at %d", l.Last, l.Acked, l.Trimmed, end)
	}
	if err != nil {
		return fmt.Errorf("stream %s does not fit its rows: %w", s, err)
	}
	if l.Last == l.Trimmed {
		return nil
	}
	var sum []byte
	err = b.write.QueryRowContext(ctx, `SELECT sum FROM `+string(s)+` WHERE seq = ?`, int64(l.Last)).Scan(&sum)
	if err == nil && string(sum) != string(l.Sum[:]) {
		err = errors.New("its checksum is another")
	}
	if err != nil {
		return fmt.Errorf("the last row of stream %s is not there: %w", s, err)
	}
	return nil
}

// Close commits what waits and closes the file.
func (b *Buffer) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	for group := b.group(); len(group) > 0; group = b.group() {
		b.commit(group)
	}
	_ = b.keepHeads() // on a full disk they are forgotten, and told again
	return b.closeFile()
}

func (b *Buffer) closeFile() error { return errors.Join(b.read.Close(), b.write.Close()) }

// keepReserve makes the reserve file if there is room for it, and reports whether it stands.
func (b *Buffer) keepReserve() bool {
	if st, err := os.Stat(b.reserve); err == nil && st.Size() == reserveSize {
		return true
	}
	f, err := os.Create(b.reserve)
	if err != nil {
		return false
	}
	zero := make([]byte, 64<<10)
	for range reserveSize / len(zero) {
		if _, err = f.Write(zero); err != nil {
			break
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(b.reserve)
	}
	return err == nil
}

// lookAgain is how often a disk that was full is asked for room: asking means writing.
const lookAgain = 3 * time.Second

// room reports whether new records may be taken. Once the disk was full, the reserve's space is for acks and deletes alone: only when the
// reserve stands again is there room for sales.
func (b *Buffer) room() bool {
	if b.tight.IsZero() {
		return true
	}
	now := b.opt.Now()
	if d := now.Sub(b.tight); d >= 0 && d < lookAgain {
		return false
	}
	if b.tight = now; !b.keepReserve() {
		return false
	}
	b.tight = time.Time{}
	return true
}

// full reports whether err says that the disk has no room.
func full(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "disk is full") || strings.Contains(err.Error(), "no space left"))
}

// Cursor returns how far a source has read, "" at the beginning.
func (b *Buffer) Cursor(ctx context.Context, name string) (c source.Cursor, err error) {
	b.mu.Lock()
	if b.told != nil {
		b.told[name] = true
	}
	b.mu.Unlock()
	err = b.read.QueryRowContext(ctx, `SELECT value FROM cursor WHERE source = ?`, name).Scan(&c)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return c, fault.New(fault.Internal, "read cursor of "+name, err)
}

// Hub returns the hub that this buffer belongs to, "" before the first hello.
func (b *Buffer) Hub(ctx context.Context) (h envelope.HubID, err error) {
	err = b.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'hub'`).Scan(&h)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return h, fault.New(fault.Internal, "read hub id", err)
}

// SetHub pins the hub: from then on no other is obeyed.
func (b *Buffer) SetHub(ctx context.Context, h envelope.HubID) error {
	b.Count.Commits.Add(1)
	_, err := b.write.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ('hub', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, string(h))
	return fault.New(fault.Internal, "pin hub id", err)
}

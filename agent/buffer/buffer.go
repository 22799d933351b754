// Package buffer is the agent's memory: every captured record is in it, durable, before anybody is told so, and stays until the hub has
// proven that it holds it (DESIGN D3). One SQLite file, one writer, synchronous=FULL; appends that wait together share one commit.
package buffer

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"os"
	"path/filepath"
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

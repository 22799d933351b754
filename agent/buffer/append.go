package buffer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// appendCall is one Append that waits for its commit.
type appendCall struct {
	source string
	cursor source.Cursor
	drafts []source.Draft
	done   chan error
}

// groupRows bounds one commit: beyond it the cost of a sync is spread thin enough, and a caller should not wait longer.
const groupRows = 1000

// Append implements source.Sink: it returns once drafts and cursor are durable, in one transaction. An empty cursor leaves the source's
// as it is. Code unavailable: the disk is full, nothing of it is stored, try again later.
//
// Whoever finds that nobody writes commits for all who wait: a lone append is committed in its own goroutine, without a hand-over, and
// while one commits, the next group gathers.
func (b *Buffer) Append(ctx context.Context, name string, c source.Cursor, ds []source.Draft) (err error) {
	n := uint64(len(ds))
	b.Count.In.Add(n)
	defer func() {
		if err == nil {
			b.Count.Out.Add(n)
		} else {
			b.Count.Refused.Add(n)
		}
	}()
	call := appendCall{source: name, cursor: c, drafts: make([]source.Draft, len(ds)), done: make(chan error, 1)}
	for i, d := range ds {
		call.drafts[i] = b.opt.Clean(d)
	}
	if err := b.wait(ctx, call); err != nil {
		return err
	}
	select {
	case err := <-call.done:
		return err
	case b.turn <- struct{}{}:
	}
	defer func() { <-b.turn }()
	for {
		select {
		case err := <-call.done:
			return err
		default:
			b.commit(b.group())
		}
	}
}

// wait puts a call behind those that wait already.
func (b *Buffer) wait(ctx context.Context, c appendCall) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return stopping()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.waiting = append(b.waiting, c)
	return nil
}

func stopping() error { return fault.Msg(fault.Unavailable, "append", "the agent is stopping") }

// group takes the calls whose turn it is, in the order in which they came.
func (b *Buffer) group() []appendCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, rows := 0, 0
	for n < len(b.waiting) && rows < groupRows {
		rows += len(b.waiting[n].drafts)
		n++
	}
	group := b.waiting[:n:n]
	if b.waiting = b.waiting[n:]; len(b.waiting) == 0 {
		b.waiting = nil
	}
	return group
}

// commit stores a group; when it fails, each call is tried alone, so that one bad cursor does not refuse its neighbours. The caller has the
// turn.
func (b *Buffer) commit(group []appendCall) {
	failpoint.Hit("buffer.commit.before")
	err := b.store(group)
	if err == nil {
		failpoint.Hit("buffer.commit.after")
	}
	if err != nil && len(group) > 1 {
		for _, c := range group {
			c.done <- b.store([]appendCall{c})
		}
		return
	}
	for _, c := range group {
		c.done <- err
	}
}

func (b *Buffer) store(group []appendCall) error {
	if !b.room() {
		return errFull(nil)
	}
	b.mu.Lock()
	next := map[envelope.Stream]lane{}
	for s, l := range b.streams {
		was := *l
		was.fresh = fresh{}
		next[s] = was
	}
	b.mu.Unlock()
	changed := map[envelope.Stream]bool{}
	err := b.inTx(func(tx *writing) error {
		for _, c := range group {
			for i := range c.drafts {
				l := next[c.drafts[i].Stream]
				if err := b.put(tx, &l, &c.drafts[i]); err != nil {
					return err
				}
				next[c.drafts[i].Stream] = l
				changed[c.drafts[i].Stream] = true
			}
			if c.cursor != "" && b.knows(c.source) {
				if _, err := tx.Exec(`INSERT INTO cursor (source, value) VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET value = excluded.value`, c.source, string(c.cursor)); err != nil {
					return err
				}
			}
		}
		for s := range changed {
			l := next[s]
			if _, err := tx.Exec(`UPDATE stream SET last = ?, sum = ?, acked = ? WHERE name = ?`, int64(l.Last), l.Sum[:], int64(l.Acked), string(s)); err != nil {
				return err
			}
		}
		return nil
	})
	if full(err) {
		os.Remove(b.reserve)
		b.tight = b.opt.Now()
		return errFull(err)
	}
	if err != nil {
		return fault.New(fault.Internal, "append", err)
	}
	b.mu.Lock()
	for s := range changed {
		b.streams[s].Last, b.streams[s].Sum, b.streams[s].fresh = next[s].Last, next[s].Sum, next[s].fresh
	}
	b.mu.Unlock()
	for s := range changed {
		b.opt.Appended(s)
	}
	return nil
}

func errFull(err error) error {
	return fault.New(fault.Unavailable, "append: the disk is full; free some space, nothing that was taken is lost", cmp.Or(err, errors.New("no room")))
}

// knows reports whether a source has asked for its cursor since it was told to read again: what it read before that would undo it.
func (b *Buffer) knows(source string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told == nil || b.told[source]
}

// put seals a draft at the end of its lane; a large one becomes consecutive parts, one beyond the limit a stub with the body in a file.
func (b *Buffer) put(tx *writing, l *lane, d *source.Draft) error {
	d.Key, d.Location = named(d.Key), named(d.Location)
	body := d.Body
	if len(body) > envelope.MaxRecord {
		return b.putStub(tx, l, d)
	}
	parts := 1
	if len(body) > envelope.MaxPart && compressed(body) > envelope.MaxPart {
		parts = (len(body) + envelope.MaxPart - 1) / envelope.MaxPart
	}
	for i := range parts {
		piece := body
		if parts > 1 {
			piece = body[i*envelope.MaxPart : min(len(body), (i+1)*envelope.MaxPart)]
		}
		e := envelope.Envelope{Device: b.opt.Device, Stream: d.Stream, Location: d.Location, Kind: d.Kind, Key: d.Key, ContentType: d.ContentType,
			At: d.At, Part: uint16(i + 1), Parts: uint16(parts), Body: piece}
		if err := b.insert(tx, l, e); err != nil {
			return err
		}
	}
	return nil
}

// insert gives an envelope the next place and stores it.
func (b *Buffer) insert(tx *writing, l *lane, e envelope.Envelope) error {
	e.Pos = envelope.Position{Epoch: l.Epoch, Seq: l.Last + 1}
	e = e.Seal(l.Sum)
	if err := tx.row(&e, b.box); err != nil {
		return err
	}
	l.Last, l.Sum = e.Pos.Seq, e.Sum
	l.fresh.add(e)
	return nil
}

// putStub keeps a record beyond any limit in a sealed file of its own and sends a stub, so that the hub lists it as a case.
func (b *Buffer) putStub(tx *writing, l *lane, d *source.Draft) error {
	name := fmt.Sprintf("large-%s-%d", l.Epoch, l.Last+1)
	if err := writeDurably(filepath.Join(b.opt.Dir, name), b.box.seal(nil, d.Body, []byte(name))); err != nil {
		return err
	}
	body, err := json.Marshal(stub{d.Kind, d.Key, d.ContentType, len(d.Body), name})
	if err != nil {
		return err
	}
	return b.insert(tx, l, envelope.Envelope{Device: b.opt.Device, Stream: d.Stream, Location: d.Location, Kind: decode.Stub, Key: d.Key, ContentType: "application/json", At: d.At, Body: body})
}

// stub is the body of a record that stands for one that is too large to travel.
type stub struct {
	Kind        envelope.Kind `json:"kind"`
	Key         string        `json:"key"`
	ContentType string        `json:"content_type"`
	Bytes       int           `json:"bytes"`
	File        string        `json:"file"` // in the data folder, sealed
}

func compressed(body []byte) int {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return len(body)
	}
	defer enc.Close()
	return len(enc.EncodeAll(body, nil))
}

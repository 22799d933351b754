package buffer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
)

// State returns where a stream stands.
func (b *Buffer) State(s envelope.Stream) forward.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.streams[s]
	st := forward.State{Epoch: l.Epoch, Last: l.Last, Sum: l.Sum, Acked: l.Acked}
	if l.Last > l.Trimmed {
		st.Oldest = l.Trimmed + 1
	}
	return st
}

const rowColumns = `seq, location, kind, key, content_type, at, part, parts, sum, body`

// Peek returns the envelopes that follow after, in order, until their bodies exceed maxBytes (always at least one if there is one) or
// there are max of them. Code invalid when the first of them is damaged: Fork steps over it.
func (b *Buffer) Peek(ctx context.Context, s envelope.Stream, after uint64, max, maxBytes int) (envelope.Batch, error) {
	if out := b.remembered(s, after, max, maxBytes); out != nil && ctx.Err() == nil {
		return out, nil
	}
	return b.filed(ctx, s, after, max, maxBytes)
}

// filed is Peek of what the file holds.
func (b *Buffer) filed(ctx context.Context, s envelope.Stream, after uint64, max, maxBytes int) (envelope.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.New(fault.Internal, "read buffer", err)
	}
	ctx = context.WithoutCancel(ctx) // a page is short, and with a context that can end each statement is watched: a lone ticket waits for that
	st := b.State(s)
	prev, err := b.sumBehind(ctx, s, after)
	if err != nil {
		return nil, err
	}
	rows, err := b.read.QueryContext(ctx, `SELECT `+rowColumns+` FROM `+string(s)+` WHERE seq > ? ORDER BY seq LIMIT ?`, int64(after), max)
	if err != nil {
		return nil, fault.New(fault.Internal, "read buffer", err)
	}
	defer rows.Close()
	var out envelope.Batch
	size, before := 0, chain{seq: after, sum: prev, known: true}
	for rows.Next() {
		e, err := b.scan(rows, s, st.Epoch)
		if err == nil {
			err = before.next(&e)
		}
		if err != nil {
			if len(out) > 0 && e.Pos.Seq > 0 {
				return out, nil // what stands before it goes first
			}
			return nil, fault.New(fault.Invalid, "read buffer", err)
		}
		if size += len(e.Body); len(out) > 0 && size > maxBytes {
			break
		}
		out = append(out, e)
	}
	if n := len(out); n > 0 && rows.Err() == nil {
		b.mu.Lock()
		b.streams[s].peeked = place{out[n-1].Pos, out[n-1].Sum}
		b.mu.Unlock()
	}
	return out, fault.New(fault.Internal, "read buffer", rows.Err())
}

// place is a row that was read.
type place struct {
	pos envelope.Position
	sum envelope.Sum
}

// sumBehind is sumAt for the row behind which a page begins. Who forwards reads page after page: the one before ended there, and it is not
// read twice.
func (b *Buffer) sumBehind(ctx context.Context, s envelope.Stream, seq uint64) (envelope.Sum, error) {
	b.mu.Lock()
	l := b.streams[s]
	p := l.peeked
	known := p.pos == envelope.Position{Epoch: l.Epoch, Seq: seq} && seq > l.Trimmed
	b.mu.Unlock()
	if known {
		return p.sum, nil
	}
	return b.sumAt(ctx, s, seq)
}

// chain follows rows in order and proves each one: a disk that gives back other bytes than it was given is noticed here, not at the hub.
type chain struct {
	seq   uint64
	sum   envelope.Sum
	known bool // false behind a row that could not be read: the next one is believed without proof of its place
	blind bool // the epoch, which is part of every checksum, is not known: nothing can be proven
}

func (c *chain) next(e *envelope.Envelope) error {
	follows := c.known && !c.blind && e.Pos.Seq == c.seq+1
	if follows {
		e.Prev = c.sum
	}
	c.seq, c.sum, c.known = e.Pos.Seq, e.Sum, true
	if !follows {
		return nil
	}
	err := e.Verify()
	c.known = err == nil
	return err
}

func (b *Buffer) scan(rows *sql.Rows, s envelope.Stream, epoch envelope.Epoch) (e envelope.Envelope, err error) {
	var seq, at int64
	var sum, sealed []byte
	e.Device, e.Stream = b.opt.Device, s
	if err = rows.Scan(&seq, &e.Location, &e.Kind, &e.Key, &e.ContentType, &at, &e.Part, &e.Parts, &sum, &sealed); err != nil {
		return e, err
	}
	e.Pos, e.At = envelope.Position{Epoch: epoch, Seq: uint64(seq)}, time.UnixMicro(at).UTC()
	copy(e.Sum[:], sum)
	if e.Body, err = b.box.open(sealed, sum); err != nil {
		return e, fmt.Errorf("row %d of stream %s does not open: %w", seq, s, err)
	}
	return e, nil
}

// sumAt returns the Sum at seq, which is held or the last that was trimmed.
func (b *Buffer) sumAt(ctx context.Context, s envelope.Stream, seq uint64) (sum envelope.Sum, err error) {
	b.mu.Lock()
	l := *b.streams[s]
	b.mu.Unlock()
	switch seq {
	case l.Trimmed:
		return l.Base, nil
	case l.Last:
		return l.Sum, nil
	}
	var raw []byte
	err = b.read.QueryRowContext(ctx, `SELECT sum FROM `+string(s)+` WHERE seq = ?`, int64(seq)).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return sum, fault.Msg(fault.NotFound, "read buffer", fmt.Sprintf("sequence %d of stream %s is not held", seq, s))
	}
	copy(sum[:], raw)
	return sum, fault.New(fault.Internal, "read buffer", err)
}

// Holds reports whether the buffer has exactly this Sum at seq in its present epoch.
func (b *Buffer) Holds(ctx context.Context, s envelope.Stream, e envelope.Epoch, seq uint64, sum envelope.Sum) (bool, error) {
	if b.State(s).Epoch != e {
		return false, nil
	}
	got, err := b.sumAt(ctx, s, seq)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && got == sum, err
}

// Verify recomputes every checksum and the chain. It returns how many rows are good; code internal names the first that is not.
func (b *Buffer) Verify(ctx context.Context) (rows int, err error) {
	err = b.walk(ctx, func(e *envelope.Envelope, _ forward.State) error {
		rows++
		return e.Verify()
	})
	return rows, err
}

func (b *Buffer) walk(ctx context.Context, f func(*envelope.Envelope, forward.State) error) error {
	for _, s := range envelope.Streams {
		st := b.State(s)
		if st.Oldest == 0 {
			continue
		}
		for at := st.Oldest - 1; at < st.Last; {
			batch, err := b.filed(ctx, s, at, 500, 4<<20)
			if err != nil {
				return err
			}
			if len(batch) == 0 {
				return fault.Msg(fault.Internal, "read buffer", fmt.Sprintf("stream %s ends at %d, not at %d", s, at, st.Last))
			}
			for i := range batch {
				if err := f(&batch[i], st); err != nil {
					return err
				}
			}
			at = batch[len(batch)-1].Pos.Seq
		}
	}
	return nil
}

// Times tells the time of the oldest record that the hub has not confirmed and of the last ticket that was taken, by their own clocks; zero =
// there is none.
func (b *Buffer) Times(ctx context.Context) (oldest, ticket time.Time, err error) {
	for _, s := range envelope.Streams {
		var at int64
		switch err := b.read.QueryRowContext(ctx, `SELECT at FROM `+string(s)+` WHERE seq > ? ORDER BY seq LIMIT 1`, int64(b.State(s).Acked)).Scan(&at); {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return oldest, ticket, fault.New(fault.Internal, "read buffer", err)
		default:
			if t := time.UnixMicro(at); oldest.IsZero() || t.Before(oldest) {
				oldest = t
			}
		}
	}
	// Marks and controls of a source stand between tickets, never many in a row.
	var at sql.NullInt64
	err = b.read.QueryRowContext(ctx, `SELECT max(at) FROM (SELECT at, kind FROM sales ORDER BY seq DESC LIMIT 50) WHERE kind IN (?, ?, ?, ?)`, string(decode.Ticket), string(decode.Rows), string(hretail.Ticket), string(hretail.Invoice)).Scan(&at)
	if at.Valid {
		ticket = time.UnixMicro(at.Int64)
	}
	return oldest, ticket, fault.New(fault.Internal, "read buffer", err)
}

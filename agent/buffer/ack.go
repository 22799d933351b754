package buffer

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// KeepAcked is how long rows stay after the hub confirmed them: a hub that is put back from a backup asks for them again.
const KeepAcked = 30 * 24 * time.Hour

// SetAcked moves the head that the hub has proven, up or down; the caller has checked with Holds. It becomes durable with the next commit, or
// when the buffer is closed: a head that is forgotten is told again by the next hello.
func (b *Buffer) SetAcked(s envelope.Stream, e envelope.Epoch, seq uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.streams[s]; l.Epoch == e && seq <= l.Last {
		l.Acked = seq
	}
}

// keepHeads makes the heads durable that no commit has taken along: who looks at a buffer whose service stands still would count what the hub has
// as waiting, and an uninstall would keep it for nothing. A count that cannot be stays as it is: the next start sees it. The caller has the turn.
func (b *Buffer) keepHeads() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inTx(func(tx *writing) error {
		for _, s := range envelope.Streams {
			l := b.streams[s]
			if _, err := tx.Exec(`UPDATE stream SET acked = ? WHERE name = ? AND epoch = ? AND acked <> ? AND acked <= last`, int64(l.Acked), string(s), l.Epoch[:], int64(l.Acked)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Trim deletes rows that were confirmed and are older than keep, in slices, so that appends wait at most a few milliseconds.
func (b *Buffer) Trim(ctx context.Context, keep time.Duration) (deleted int, err error) {
	before := b.opt.Now().Add(-keep)
	for _, s := range envelope.Streams {
		for {
			n, err := b.trimSlice(ctx, s, before)
			deleted += n
			if err != nil {
				return deleted, err
			}
			if n == 0 {
				break
			}
		}
	}
	return deleted, nil
}

func (b *Buffer) trimSlice(ctx context.Context, s envelope.Stream, before time.Time) (n int, err error) {
	err = b.do(ctx, func() error {
		b.mu.Lock()
		l := *b.streams[s]
		b.mu.Unlock()
		return b.inTx(func(tx *writing) error {
			// The last row stays: it proves at the next start that the file's end is the one we wrote.
			limit := min(l.Acked, l.Last-min(l.Last, 1))
			var seq int64
			var sum []byte
			row := tx.QueryRow(`SELECT seq, sum FROM (SELECT seq, sum, at FROM `+string(s)+` WHERE seq <= ? ORDER BY seq LIMIT 500) WHERE at < ? ORDER BY seq DESC LIMIT 1`, int64(limit), before.UnixMicro())
			if err := row.Scan(&seq, &sum); errors.Is(err, sql.ErrNoRows) {
				return nil
			} else if err != nil {
				return err
			}
			res, err := tx.Exec(`DELETE FROM `+string(s)+` WHERE seq <= ?`, seq)
			if err != nil {
				return err
			}
			deleted, _ := res.RowsAffected()
			if _, err := tx.Exec(`UPDATE stream SET trimmed = ?, base = ?, acked = ? WHERE name = ?`, seq, sum, int64(l.Acked), string(s)); err != nil {
				return err
			}
			n = int(deleted)
			b.mu.Lock()
			b.streams[s].Trimmed = uint64(seq)
			copy(b.streams[s].Base[:], sum)
			b.mu.Unlock()
			return nil
		})
	})
	return n, fault.New(fault.Internal, "trim buffer", err)
}

// Fork opens a new epoch for a stream whose positions another machine has written too, whose past the hub contradicts, or of which a row
// cannot be read any more. Its first row names the old epoch; every row that is still held is sealed again behind it. What the hub holds
// already it knows by identity. Rows that only this PC had and that are damaged are counted in the first row; when any is, every source
// reads again from its beginning: a till's own files bring it back, even if the hub should forget it too.
func (b *Buffer) Fork(ctx context.Context, s envelope.Stream, why string) error {
	err := b.do(ctx, func() error { return b.reseal(s, why) })
	if err == nil {
		b.opt.Appended(s)
	}
	return fault.New(fault.Internal, "open a new epoch", err)
}

func (b *Buffer) reseal(s envelope.Stream, why string) error {
	b.mu.Lock()
	old := *b.streams[s]
	b.mu.Unlock()
	l := lane{Epoch: envelope.NewEpoch()}
	lost, missing := uint64(0), false
	err := b.inTx(func(tx *writing) error {
		if _, err := tx.Exec(`UPDATE ` + string(s) + ` SET seq = -seq`); err != nil {
			return err
		}
		g := groups{drop: map[uint64]bool{}}
		if err := b.kept(tx, s, &old, g.see); err != nil {
			return err
		}
		lost = old.Last - old.Acked - g.done(old.Acked)
		missing = g.done(old.Trimmed) < old.Last-old.Trimmed && !bug.ForkDrops
		if bug.ForkDrops {
			lost = 0
		}
		if err := b.insert(tx, &l, epochEnd(b.opt, s, why, &old, lost)); err != nil {
			return err
		}
		if err := b.kept(tx, s, &old, func(e envelope.Envelope) error {
			if g.drop[e.Pos.Seq] {
				return nil
			}
			return b.insert(tx, &l, e)
		}); err != nil {
			return err
		}
		if missing {
			if _, err := tx.Exec(`DELETE FROM cursor`); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(`DELETE FROM ` + string(s) + ` WHERE seq < 0`); err != nil {
			return err
		}
		return putLane(tx, s, &l)
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.streams[s] = &l
	if missing {
		b.told = map[string]bool{}
	}
	b.mu.Unlock()
	return nil
}

// kept hands over every row of the old epoch that can still be read, in order.
func (b *Buffer) kept(tx *writing, s envelope.Stream, old *lane, f func(envelope.Envelope) error) error {
	before := chain{seq: old.Trimmed, sum: old.Base, known: true}
	for done := int64(0); !bug.ForkDrops; {
		page, next, err := b.page(tx, s, old.Epoch, done, &before)
		if err != nil {
			return err
		}
		if next == done {
			return nil
		}
		done = next
		for _, e := range page {
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// page reads the next rows of the old epoch, which stand at negative sequences meanwhile.
// It steps over those that are damaged; next is where the following page begins.
func (b *Buffer) page(tx *writing, s envelope.Stream, epoch envelope.Epoch, done int64, before *chain) (out envelope.Batch, next int64, err error) {
	limit := done
	if limit == 0 {
		limit = 1 // rows are below zero; the greatest comes first
	}
	rows, err := tx.Query(`SELECT -seq, location, kind, key, content_type, at, part, parts, sum, body FROM `+string(s)+` WHERE seq < ? AND seq < 0 ORDER BY seq DESC LIMIT 200`, limit)
	if err != nil {
		return nil, done, err
	}
	defer rows.Close()
	next = done
	for rows.Next() {
		e, err := b.scan(rows, s, epoch)
		if err != nil && e.Pos.Seq == 0 {
			return nil, done, err
		}
		next = -int64(e.Pos.Seq)
		if err == nil {
			err = before.next(&e)
		}
		if err == nil {
			out = append(out, e)
		}
	}
	return out, next, rows.Err()
}

func putLane(tx *writing, s envelope.Stream, l *lane) error {
	_, err := tx.Exec(`UPDATE stream SET epoch = ?, last = ?, sum = ?, acked = ?, trimmed = ?, base = ? WHERE name = ?`,
		l.Epoch[:], int64(l.Last), l.Sum[:], int64(l.Acked), int64(l.Trimmed), l.Base[:], string(s))
	return err
}

// do runs f between two commits.
func (b *Buffer) do(ctx context.Context, f func() error) error {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return stopping()
	}
	return f()
}

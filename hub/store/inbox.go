package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Head implements ingest.Inbox.
func (s *Store) Head(ctx context.Context, d retail.DeviceID, st envelope.Stream, e envelope.Epoch) (h ingest.Head, err error) {
	var seq int64
	var sum []byte
	which := `epoch = ?`
	if bug.OneLane {
		which = `? <> '' ORDER BY seq DESC LIMIT 1`
	}
	err = s.read.QueryRowContext(ctx, `SELECT id, seq, sum, stopped FROM lane WHERE device = ? AND stream = ? AND `+which,
		string(d), string(st), e[:]).Scan(&h.Lane, &seq, &sum, &h.Stop)
	if errors.Is(err, sql.ErrNoRows) {
		return ingest.Head{}, nil
	}
	h.Seq = uint64(seq)
	copy(h.Sum[:], sum)
	return h, classify("read head", err)
}

// SumAt implements ingest.Inbox.
func (s *Store) SumAt(ctx context.Context, h ingest.Head, seq uint64) (sum envelope.Sum, ok bool, err error) {
	var b []byte
	err = s.read.QueryRowContext(ctx, `SELECT sum FROM envelope WHERE lane = ? AND seq = ?`, h.Lane, int64(seq)).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return sum, false, nil
	}
	copy(sum[:], b)
	return sum, err == nil, classify("read sum", err)
}

// Parts implements ingest.Inbox.
func (s *Store) Parts(ctx context.Context, h ingest.Head, from, to uint64) (out [][]byte, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, part, parts FROM envelope WHERE lane = ? AND seq BETWEEN ? AND ? ORDER BY seq`, h.Lane, int64(from), int64(to))
	if err != nil {
		return nil, classify("read parts", err)
	}
	type piece struct {
		id          int64
		part, parts int
	}
	pieces, err := scanAll(rows, func(r *sql.Rows) (p piece, err error) { return p, r.Scan(&p.id, &p.part, &p.parts) })
	if err != nil {
		return nil, classify("read parts", err)
	}
	for i, p := range pieces {
		if p.part != i+1 || p.parts != pieces[0].parts || p.parts <= len(pieces) || len(pieces) != int(to-from+1) {
			return nil, fault.Msg(fault.NotFound, "read parts", fmt.Sprintf("sequences %d to %d are not the first parts of one record", from, to))
		}
		b, err := s.body(ctx, s.read, p.id)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// Commit implements ingest.Inbox: raw envelopes, what they mean, and the heads, in one transaction.
func (s *Store) Commit(ctx context.Context, advances []ingest.Advance) error {
	return s.InTx(ctx, func(tx *Tx) error {
		for _, a := range advances {
			if err := tx.advance(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) advance(ctx context.Context, a ingest.Advance) error {
	first, last := a.Envs[0].Env, a.Envs[len(a.Envs)-1].Env
	lane, err := tx.swapHead(ctx, a.From, first, last)
	if err != nil {
		return err
	}
	if err := tx.putBlock(ctx, lane, a); err != nil {
		return err
	}
	for i := range a.Envs {
		if err := tx.putEnvelope(ctx, lane, &a.Envs[i]); err != nil {
			return err
		}
	}
	return nil
}

// swapHead moves the head if it is still the one that the batch continues.
func (tx *Tx) swapHead(ctx context.Context, from ingest.Head, first, last *envelope.Envelope) (lane int64, err error) {
	now := micros(tx.Now)
	if from.Lane != 0 && !bug.NoCompareAndSwap {
		res, err := tx.ExecContext(ctx, `UPDATE lane SET seq = ?, sum = ?, changed = ? WHERE id = ? AND seq = ? AND sum = ? AND stopped = ''`,
			int64(last.Pos.Seq), last.Sum[:], now, from.Lane, int64(from.Seq), from.Sum[:])
		if err != nil {
			return 0, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return from.Lane, err
		}
	}
	var seq int64
	var sum []byte
	var stopped string
	err = tx.QueryRowContext(ctx, `SELECT id, seq, sum, stopped FROM lane WHERE device = ? AND stream = ? AND epoch = ?`,
		string(first.Device), string(first.Stream), first.Pos.Epoch[:]).Scan(&lane, &seq, &sum, &stopped)
	switch {
	case errors.Is(err, sql.ErrNoRows) && from.Seq == 0:
		return lane, tx.QueryRowContext(ctx, `INSERT INTO lane (device, stream, epoch, seq, sum, changed) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
			string(first.Device), string(first.Stream), first.Pos.Epoch[:], int64(last.Pos.Seq), last.Sum[:], now).Scan(&lane)
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return 0, err
	case uint64(seq) == from.Seq && bytes.Equal(sum, from.Sum[:]) && stopped == "" || bug.NoCompareAndSwap:
		_, err = tx.ExecContext(ctx, `UPDATE lane SET seq = ?, sum = ?, changed = ? WHERE id = ?`, int64(last.Pos.Seq), last.Sum[:], now, lane)
		return lane, err
	}
	return 0, fault.New(fault.Conflict, "commit batch", fmt.Errorf("the head of %s is %d, not %d any more", first.Pos, seq, from.Seq))
}

func (tx *Tx) putEnvelope(ctx context.Context, lane int64, a *ingest.Accepted) error {
	e, m, refusal := a.Env, a.Meaning, ""
	if m.Refused != nil {
		refusal = brief(m.Refused)
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO envelope (lane, seq, location, kind, key, content_type, at, received, part, parts, sum, refusal)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, lane, int64(e.Pos.Seq), string(e.Location), string(e.Kind), e.Key, e.ContentType,
		e.At.UnixMicro(), micros(tx.Now), e.Part, e.Parts, e.Sum[:], refusal)
	if err != nil {
		return err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return err
	}
	if apart(a) {
		if err := tx.putBody(ctx, id, e, m.Record); err != nil {
			return err
		}
	}
	if m.Gather != nil {
		return tx.putShare(ctx, id, e, m)
	}
	return tx.PutRecord(ctx, id, e, m)
}

// scanAll reads every row with f, checks rows.Err and closes them.
func scanAll[T any](rows *sql.Rows, f func(*sql.Rows) (T, error)) (out []T, err error) {
	defer rows.Close()
	for rows.Next() {
		v, err := f(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

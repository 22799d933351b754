package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// EnvelopeRow is one acknowledged envelope as lists show it.
type EnvelopeRow struct {
	ID       int64               `json:"id"`
	Device   retail.DeviceID     `json:"device"`
	Stream   envelope.Stream     `json:"stream"`
	Pos      envelope.Position   `json:"position"`
	Location retail.LocationCode `json:"location,omitempty"`
	Kind     envelope.Kind       `json:"kind"`
	Key      string              `json:"key,omitempty"`
	At       time.Time           `json:"at"`
	Received time.Time           `json:"received"`
	Part     uint16              `json:"part"`
	Parts    uint16              `json:"parts"`
	Sum      envelope.Sum        `json:"sum"`
	Refusal  string              `json:"refusal,omitempty"`
}

// EnvelopeFilter picks envelopes; a zero field picks all.
type EnvelopeFilter struct {
	Device   retail.DeviceID
	Stream   envelope.Stream
	Location retail.LocationCode
	Key      string
	Kind     envelope.Kind
	Refused  bool  // only those that could not be understood or posted
	After    int64 // ids above it
	Limit    int   // 0 = all
}

const envelopeColumns = `e.id, l.device, l.stream, l.epoch, e.seq, e.location, e.kind, e.key, e.at, e.received, e.part, e.parts, e.sum, e.refusal`

func scanEnvelope(r interface{ Scan(...any) error }) (e EnvelopeRow, err error) {
	var epoch, sum []byte
	var seq, at, received int64
	err = r.Scan(&e.ID, &e.Device, &e.Stream, &epoch, &seq, &e.Location, &e.Kind, &e.Key, &at, &received, &e.Part, &e.Parts, &sum, &e.Refusal)
	copy(e.Pos.Epoch[:], epoch)
	copy(e.Sum[:], sum)
	e.Pos.Seq, e.At, e.Received = uint64(seq), fromMicros(at), fromMicros(received)
	return e, err
}

// Envelopes calls f for each envelope that fits, in the order of arrival, until f returns an error.
func (s *Store) Envelopes(ctx context.Context, w EnvelopeFilter, f func(EnvelopeRow) error) error {
	limit := w.Limit
	if limit == 0 {
		limit = -1
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+envelopeColumns+` FROM envelope e JOIN lane l ON l.id = e.lane
		WHERE e.id > ? AND (? = '' OR l.device = ?) AND (? = '' OR l.stream = ?) AND (? = '' OR e.location = ?) AND (? = '' OR e.key = ?) AND (? = '' OR e.kind = ?)
		AND (NOT ? OR e.refusal <> '') ORDER BY e.id LIMIT ?`, w.After, string(w.Device), string(w.Device), string(w.Stream), string(w.Stream),
		string(w.Location), string(w.Location), w.Key, w.Key, string(w.Kind), string(w.Kind), w.Refused, limit)
	if err != nil {
		return classify("list envelopes", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEnvelope(rows)
		if err != nil {
			return classify("list envelopes", err)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return classify("list envelopes", rows.Err())
}

// CountEnvelopes is how many envelopes are committed.
func (s *Store) CountEnvelopes(ctx context.Context) (n int, err error) {
	return n, classify("count envelopes", s.read.QueryRowContext(ctx, `SELECT count(*) FROM envelope`).Scan(&n))
}

// Envelope returns an envelope with its body as the agent sealed it; Prev stays empty. ErrErased when its customer was erased: all but the
// body is then there. Code not_found when there is none.
func (s *Store) Envelope(ctx context.Context, id int64) (envelope.Envelope, error) {
	return s.envelope(ctx, s.read, id)
}

func (s *Store) envelope(ctx context.Context, q querier, id int64) (e envelope.Envelope, err error) {
	row, err := scanEnvelope(q.QueryRowContext(ctx, `SELECT `+envelopeColumns+` FROM envelope e JOIN lane l ON l.id = e.lane WHERE e.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, fault.Msg(fault.NotFound, "read record", fmt.Sprintf("there is no record %d", id))
	}
	if err != nil {
		return e, classify("read record", err)
	}
	e = envelope.Envelope{Device: row.Device, Stream: row.Stream, Pos: row.Pos, Location: row.Location, Kind: row.Kind, Key: row.Key, At: row.At,
		Part: row.Part, Parts: row.Parts, Sum: row.Sum}
	if err := q.QueryRowContext(ctx, `SELECT content_type FROM envelope WHERE id = ?`, id).Scan(&e.ContentType); err != nil {
		return e, classify("read record", err)
	}
	e.Body, err = s.body(ctx, q, id)
	return e, err
}

// ChainReport is what VerifyChain found.
type ChainReport struct {
	Lanes     int          `json:"lanes"`
	Envelopes int          `json:"envelopes"`
	Erased    int          `json:"erased"` // their body is gone on request; their sum still links the chain
	Bad       []ChainFault `json:"bad"`
}

// ChainFault is one place where the record is not what was acknowledged.
type ChainFault struct {
	Device retail.DeviceID   `json:"device"`
	Stream envelope.Stream   `json:"stream"`
	Pos    envelope.Position `json:"position"`
	Why    string            `json:"why"`
}

// badMost bounds the report: beyond it the file is lost anyway.
const badMost = 100

// VerifyChain recomputes every checksum from the kept bodies and proves that each lane is whole from its first row to its head.
func (s *Store) VerifyChain(ctx context.Context) (r ChainReport, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, device, stream, epoch, seq, sum FROM lane ORDER BY id`)
	if err != nil {
		return r, classify("verify chain", err)
	}
	lanes, err := scanAll(rows, func(rows *sql.Rows) (l chainLane, err error) {
		var epoch, sum []byte
		var seq int64
		err = rows.Scan(&l.id, &l.device, &l.stream, &epoch, &seq, &sum)
		copy(l.head.Epoch[:], epoch)
		copy(l.sum[:], sum)
		l.head.Seq = uint64(seq)
		return l, err
	})
	if err != nil {
		return r, classify("verify chain", err)
	}
	for _, l := range lanes {
		r.Lanes++
		if err := s.verifyLane(ctx, l, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

type chainLane struct {
	id     int64
	device retail.DeviceID
	stream envelope.Stream
	head   envelope.Position
	sum    envelope.Sum
}

func (s *Store) verifyLane(ctx context.Context, l chainLane, r *ChainReport) error {
	bad := func(seq uint64, why string) {
		if len(r.Bad) < badMost {
			r.Bad = append(r.Bad, ChainFault{l.device, l.stream, envelope.Position{Epoch: l.head.Epoch, Seq: seq}, why})
		}
	}
	var prev envelope.Sum
	next := uint64(1)
	for next <= l.head.Seq {
		page, err := s.chainPage(ctx, l, next)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			bad(next, fmt.Sprintf("the record ends before its head at %d", l.head.Seq))
			return nil
		}
		for _, e := range page {
			if e.Pos.Seq != next {
				bad(next, fmt.Sprintf("sequence %d follows %d", e.Pos.Seq, next-1))
			}
			e.Prev = prev
			if e.Body == nil {
				r.Erased++
			} else if err := e.Verify(); err != nil {
				bad(e.Pos.Seq, err.Error())
			}
			r.Envelopes++
			prev, next = e.Sum, e.Pos.Seq+1
		}
	}
	if prev != l.sum {
		bad(l.head.Seq, "the head's checksum is not its last envelope's")
	}
	return nil
}

// chainPage reads the next envelopes of a lane; an erased body is nil.
func (s *Store) chainPage(ctx context.Context, l chainLane, from uint64) (envelope.Batch, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, seq, location, kind, key, content_type, at, part, parts, sum FROM envelope WHERE lane = ? AND seq >= ? ORDER BY seq LIMIT 200`, l.id, int64(from))
	if err != nil {
		return nil, classify("verify chain", err)
	}
	var ids []int64
	page, err := scanAll(rows, func(rows *sql.Rows) (e envelope.Envelope, err error) {
		var id, seq, at int64
		var sum []byte
		err = rows.Scan(&id, &seq, &e.Location, &e.Kind, &e.Key, &e.ContentType, &at, &e.Part, &e.Parts, &sum)
		e.Device, e.Stream, e.Pos, e.At = l.device, l.stream, envelope.Position{Epoch: l.head.Epoch, Seq: uint64(seq)}, time.UnixMicro(at).UTC()
		copy(e.Sum[:], sum)
		ids = append(ids, id)
		return e, err
	})
	if err != nil {
		return nil, classify("verify chain", err)
	}
	for i := range page {
		b, err := s.body(ctx, s.read, ids[i])
		switch {
		case errors.Is(err, ErrErased):
		case err != nil && fault.Is(err, fault.Unavailable):
			return nil, err
		case err != nil:
			page[i].Body = []byte{} // unreadable: its checksum will say so
		default:
			page[i].Body = nonNil(b)
		}
	}
	return page, nil
}

package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// Reprocess reads refused records again, after a profile, a mapping or a location was mended: those that can be booked now are, and their
// cases close. id picks one case, "" all. It returns how many were booked and how many are still refused; a record that cannot even be read,
// because its customer was erased, is one of these and stops no other.
func (s *Store) Reprocess(ctx context.Context, id string, mean func(*envelope.Envelope) ingest.Meaning, who string) (booked, left int, err error) {
	var open []cases.Case
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		c, err := readCase(body)
		if c.Envelope != 0 {
			open = append(open, c)
		}
		return err
	}, `SELECT body FROM kase WHERE state = 'open' AND cause IN (?, ?) AND (? = '' OR id = ?) ORDER BY opened, id`, string(cases.Refused), string(cases.Unbalanced), id, id)
	if err != nil {
		return 0, 0, classify("list refused records", err)
	}
	if id == "" {
		waiting, err := s.unplaced(ctx)
		if err != nil {
			return 0, 0, err
		}
		known := map[int64]bool{}
		for _, c := range open {
			known[c.Envelope] = true
		}
		for _, c := range waiting {
			if !known[c.Envelope] {
				open = append(open, c)
			}
		}
	}
	for _, c := range open {
		done, err := s.reread(ctx, c, mean, who)
		switch {
		case errors.Is(err, ErrErased):
			left++
		case err != nil:
			return booked, left, err
		case done:
			booked++
		default:
			left++
		}
	}
	return booked, left, nil
}

// unplaced lists the records that wait for their location to be confirmed; they have no case of their own.
func (s *Store) unplaced(ctx context.Context) (out []cases.Case, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var c cases.Case
		err := r.Scan(&c.Envelope)
		out = append(out, c)
		return err
	}, `SELECT id FROM envelope WHERE refusal <> '' AND refusal LIKE '%' || ? || '%' ORDER BY id`, ingest.ErrUnplaced.Error())
	return out, classify("list waiting records", err)
}

// reread books the record of one case if it can be understood now, and its device may send it.
func (s *Store) reread(ctx context.Context, c cases.Case, mean func(*envelope.Envelope) ingest.Meaning, who string) (booked bool, err error) {
	e, err := s.whole(ctx, s.read, c.Envelope)
	if err != nil {
		return false, err
	}
	m := mean(&e)
	if err := s.mayTell(ctx, c.Envelope, e, &m); err != nil {
		return false, err
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		m, g, err := s.gather(ctx, tx, c.Envelope, &e, m, 0)
		if err != nil {
			return err
		}
		if m.Refused != nil {
			if m, g, err = s.byFix(ctx, tx, c.Envelope, &e, m, mean); err != nil {
				return err
			}
		}
		if m.Refused != nil {
			return tx.refuseAnew(ctx, c, &e, m, who)
		}
		booked = true
		return tx.bookAnew(ctx, c, &e, m, g, who)
	})
	return booked && err == nil, err
}

// bookAnew books a record that was refused, and closes its case.
func (tx *Tx) bookAnew(ctx context.Context, c cases.Case, e *envelope.Envelope, m ingest.Meaning, g gathered, who string) error {
	if err := tx.PutRecord(ctx, g.last(c.Envelope), e, m); err != nil {
		return err
	}
	if err := tx.SealBody(ctx, c.Envelope, m.Record); err != nil { // it may name a customer, who may be erased one day
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE envelope SET refusal = '' WHERE id = ?`, c.Envelope); err != nil {
		return err
	}
	if err := tx.CloseCase(ctx, c.ID, who, "read again and booked"); err != nil {
		return err
	}
	return tx.tookAll(ctx, g, m)
}

// mayTell refuses a record of a location that its device may not speak for: reading it again assigns nothing. A text that a person mended is that
// person's word, and only the location that it names now counts.
func (s *Store) mayTell(ctx context.Context, id int64, e envelope.Envelope, m *ingest.Meaning) error {
	sender, err := s.assigned(ctx, e.Device)
	if err != nil {
		return err
	}
	if _, ok, err := s.mended(ctx, s.read, id); err != nil {
		return err
	} else if ok && cmp.Or(m.Place, retail.Where(m.Record)) != "" {
		e.Location = ""
	}
	if err := sender.Refuses(&e, *m); err != nil {
		*m = ingest.Meaning{Record: m.Record, Key: m.Key, Day: m.Day, Refused: err}
	}
	return nil
}

// whole is an envelope as it is to be read: a record that travelled in parts is put together, and a person's mended text stands in the place
// of what the till wrote; rows are of the version of their profile by which they were booked. ErrErased when its customer was erased.
func (s *Store) whole(ctx context.Context, q querier, id int64) (e envelope.Envelope, err error) {
	if e, err = s.envelope(ctx, q, id); err != nil {
		return e, err
	}
	mended, ok, err := s.mended(ctx, q, id)
	switch {
	case err != nil:
		return e, err
	case ok:
		e.Body = mended
	case e.Parts > 1:
		if e.Body, err = s.joined(ctx, q, id); err != nil {
			return e, err
		}
	}
	e.Part, e.Parts = 1, 1
	return e, inFix(ctx, q, id, &e)
}

// joined is the body of a record whose last part is this envelope.
func (s *Store) joined(ctx context.Context, q querier, id int64) (body []byte, err error) {
	var ids []int64
	if err := each(ctx, q, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		ids = append(ids, n)
		return err
	}, `SELECT p.id FROM envelope e JOIN envelope p ON p.lane = e.lane AND p.seq BETWEEN e.seq - e.part + 1 AND e.seq WHERE e.id = ? ORDER BY p.seq`, id); err != nil {
		return nil, classify("read record", err)
	}
	for _, n := range ids {
		b, err := s.body(ctx, q, n)
		if err != nil {
			return nil, err
		}
		body = append(body, b...)
	}
	return body, nil
}

// mended is a record's text as a person mended it. ErrErased when its customer was erased.
func (s *Store) mended(ctx context.Context, q querier, id int64) (body []byte, ok bool, err error) {
	var wrapped []byte
	var person, erased int64
	err = q.QueryRowContext(ctx, `SELECT d.bytes, d.person, COALESCE(p.key, x''), COALESCE(p.erased, 0) FROM edit d LEFT JOIN person p ON p.id = d.person WHERE d.envelope = ?`, id).
		Scan(&body, &person, &wrapped, &erased)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, false, nil
	case err != nil:
		return nil, false, classify("read mended record", err)
	case person == 0:
		return body, true, nil
	case erased != 0:
		return nil, false, ErrErased
	}
	key, err := unseal(s.secret, wrapped)
	if err == nil {
		body, err = unseal(key, body)
	}
	return body, err == nil, err
}

// putEdit keeps a person's text for a refused record.
func (tx *Tx) putEdit(ctx context.Context, envelope int64, body string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO edit (envelope, person, bytes) VALUES (?, 0, ?) ON CONFLICT (envelope) DO UPDATE SET person = 0, bytes = excluded.bytes`, envelope, []byte(body))
	return err
}

// outcome is the text of a count for steps.
func outcome(booked, left int) string {
	return fmt.Sprintf("booked %d, still refused %d", booked, left)
}

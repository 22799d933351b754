package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// gatherMost bounds the records that are looked through for the rows of one ticket: each one that comes looks through all before it.
const gatherMost = 200

// share is a record with rows of a ticket of which others have more.
type share struct {
	id      int64
	refused bool // so far
	fixed   bool // it is read by a later version of its profile than it was made with, see byFix
}

// gathered are a ticket's shares in the order in which they came, nil = its record is whole by itself.
type gathered []share

// last is the record that came last: with it, and not before, the ticket was what it is.
func (g gathered) last(id int64) int64 {
	if len(g) > 0 {
		return g[len(g)-1].id
	}
	return id
}

// gather is what record id means once the rows that other files have of its ticket are looked at; a record that is whole by itself means what it
// means. upTo is the last record that counts, 0 = all. What was refused counts when the same device sent it: an assignment is not got round by it.
func (s *Store) gather(ctx context.Context, q querier, id int64, e *envelope.Envelope, m ingest.Meaning, upTo int64) (ingest.Meaning, gathered, error) {
	return s.gatherBy(ctx, q, id, e, m, upTo, nil)
}

// gatherBy is gather where what was refused so far is read by a fix of its profile, nil = as it was made.
func (s *Store) gatherBy(ctx context.Context, q querier, id int64, e *envelope.Envelope, m ingest.Meaning, upTo int64, f *fix) (ingest.Meaning, gathered, error) {
	if m.Gather == nil {
		return m, nil, nil
	}
	all, err := shares(ctx, q, id, e, upTo)
	if err != nil {
		return m, nil, err
	}
	if len(all) > gatherMost {
		return notGathered(e.Key, fmt.Errorf("more than %d files have rows under this number, and nothing more is taken for it: look at what the profile takes for the ticket's number", gatherMost)), nil, nil
	}
	bodies := make([][]byte, len(all))
	for i, other := range all {
		whole, err := s.whole(ctx, q, other.id)
		if errors.Is(err, ErrErased) {
			return notGathered(e.Key, errors.New("other rows of its ticket were erased with their customer, so that nobody can say what it comes to now. What was booked stays; these rows are not in it: book them by hand, then accept the case")), nil, nil
		}
		if err != nil {
			return m, nil, err
		}
		if bodies[i] = whole.Body; f != nil && other.refused {
			if bodies[i], err = f.rows(whole.Body); err != nil {
				return m, nil, err
			}
			all[i].fixed = !bytes.Equal(bodies[i], whole.Body)
		}
	}
	m = m.Gather(bodies)
	var g gathered
	for _, i := range m.Took {
		g = append(g, all[i])
	}
	return m, g, nil
}

// shares lists the records that may have rows of e's ticket.
func shares(ctx context.Context, q querier, id int64, e *envelope.Envelope, upTo int64) (all []share, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var one share
		err := r.Scan(&one.id, &one.refused)
		all = append(all, one)
		return err
	}, `SELECT n.id, n.refusal <> '' FROM envelope n JOIN lane l ON l.id = n.lane WHERE n.key = ? AND n.kind = ? AND n.content_type = ? AND n.part = n.parts
		AND (? = '' OR n.location IN (?, '')) AND (n.refusal = '' OR l.device = ? OR n.id = ?) AND (? = 0 OR n.id <= ?) ORDER BY n.id LIMIT ?`,
		e.Key, string(e.Kind), e.ContentType, string(e.Location), string(e.Location), string(e.Device), id, upTo, upTo, gatherMost+1)
	return all, err
}

func notGathered(key string, why error) ingest.Meaning {
	return ingest.Meaning{Refused: fault.New(fault.Invalid, "ticket "+key, why)}
}

// putShare stores what the rows of one file mean together with those of others.
func (tx *Tx) putShare(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	m, g, err := tx.gatherNew(ctx, id, e, m)
	if err != nil {
		return err
	}
	if m.Refused != nil {
		if _, err := tx.ExecContext(ctx, `UPDATE envelope SET refusal = ? WHERE id = ?`, brief(m.Refused), id); err != nil {
			return err
		}
		return tx.PutRecord(ctx, id, e, m)
	}
	if err := tx.PutRecord(ctx, id, e, m); err != nil {
		return err
	}
	return tx.tookAll(ctx, g, m)
}

// gatherNew is what a share that came just now makes of its ticket. Where rows that were refused so far hold it up, these are read by a fix of their
// profile, as a retry would.
func (tx *Tx) gatherNew(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) (ingest.Meaning, gathered, error) {
	made, g, err := tx.store.gather(ctx, tx, id, e, m, id)
	if err != nil || made.Refused == nil || !mayFix(made.Refused) {
		return made, g, err
	}
	f, err := tx.store.fixOf(ctx, tx, e)
	if err != nil || f == nil {
		return made, g, err
	}
	fixed, g, err := tx.store.gatherBy(ctx, tx, id, e, m, id, f)
	if err != nil || fixed.Refused != nil {
		return made, nil, err
	}
	return fixed, g, tx.keepFixes(ctx, g, f)
}

// tookAll closes the cases of shares that were refused alone and are booked now with the rest of their ticket, and seals all of them for the
// customer that one of them names.
func (tx *Tx) tookAll(ctx context.Context, g gathered, m ingest.Meaning) error {
	for _, one := range g {
		if err := tx.SealBody(ctx, one.id, m.Record); err != nil {
			return err
		}
		if !one.refused {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE envelope SET refusal = '' WHERE id = ?`, one.id); err != nil {
			return err
		}
		for _, cause := range []cases.Cause{cases.Refused, cases.Unbalanced} {
			if err := tx.CloseCase(ctx, cases.ID(cause, fmt.Sprintf("record %d", one.id)), "hub", "other rows of its ticket came, and with them it could be booked"); err != nil {
				return err
			}
		}
	}
	return nil
}

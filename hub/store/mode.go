package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/mode"
)

// settingMode is what the books were when this hub first saw them.
const settingMode = "books_mode"

// BooksMode is what the books are; Unknown before they were seen.
func (s *Store) BooksMode(ctx context.Context) (mode.Mode, error) {
	v, err := setting(ctx, s.read, settingMode)
	m, _ := mode.Parse(v)
	return m, classify("read the books' mode", err)
}

// SetBooksMode keeps what the books are, audited.
func (s *Store) SetBooksMode(ctx context.Context, m mode.Mode, who, reason string) error {
	before, err := s.BooksMode(ctx)
	if err != nil || before == m {
		return err
	}
	return s.InTx(ctx, func(tx *Tx) error {
		if err := tx.set(ctx, settingMode, string(m)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "books", Who: who, What: "mode", Reason: reason, Before: string(before), After: string(m)})
	})
}

// settingMarked, with a mode behind it, says that the ledger holds records of that mode.
const settingMarked = "ledger_holds_"

// HoldsMarked reports whether records of a mode were ever taken into the ledger.
func (s *Store) HoldsMarked(ctx context.Context, m mode.Mode) (bool, error) {
	if m == mode.Unknown {
		return false, nil
	}
	v, err := setting(ctx, s.read, settingMarked+string(m))
	return v != "", classify("read the ledger's modes", err)
}

// noteMode remembers that the ledger holds a record of this mode: once, for every record asks.
func (tx *Tx) noteMode(ctx context.Context, e *envelope.Envelope) error {
	m := mode.Marked(e.ContentType)
	if m == mode.Unknown || e.Stream == envelope.State {
		return nil
	}
	if _, known := tx.store.marks.Load(m); known || tx.marked == m {
		return nil
	}
	tx.marked = m
	return tx.set(ctx, settingMarked+string(m), tx.Now.Format(time.RFC3339))
}

// refuseMixed keeps a record whose mode contradicts the books' aside: one case for all of its device.
func (tx *Tx) refuseMixed(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	c := cases.New(cases.ModeMix, "device "+string(e.Device), tx.Now)
	c.Envelope, c.Location = id, e.Location
	c.Detail = fmt.Sprintf("device %s: %s. The case counts the records; this one is %s %s", e.Device, m.Refused, e.Kind, e.Key)
	return tx.OpenCase(ctx, c)
}

// ReadMixed reads again what was kept aside because test and real would have met; what the books take now is booked, and when nothing is left
// the cases close.
func (s *Store) ReadMixed(ctx context.Context, mean func(*envelope.Envelope) ingest.Meaning, who string) (booked, left int, err error) {
	var ids []int64
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM envelope WHERE refusal <> '' AND refusal LIKE ? ORDER BY id`, "%"+mode.ErrMixed.Error()+"%")
	if err != nil {
		return 0, 0, classify("list records kept aside", err)
	}
	for _, id := range ids {
		e, err := s.whole(ctx, s.read, id)
		if errors.Is(err, ErrErased) {
			continue
		}
		if err != nil {
			return booked, left, err
		}
		m := mean(&e)
		if err := s.mayTell(ctx, id, e, &m); err != nil {
			return booked, left, err
		}
		if errors.Is(m.Refused, mode.ErrMixed) {
			left++
			continue
		}
		if err := s.InTx(ctx, func(tx *Tx) error { return tx.readMixed(ctx, id, &e, m) }); err != nil {
			return booked, left, err
		}
		booked++
	}
	if left > 0 {
		return booked, left, nil
	}
	return booked, left, s.closeMixed(ctx, who)
}

func (tx *Tx) readMixed(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	m, g, err := tx.store.gather(ctx, tx, id, e, m, 0)
	if err != nil {
		return err
	}
	refusal, last := "", g.last(id)
	if m.Refused != nil {
		refusal, last = brief(m.Refused), id
	}
	if _, err := tx.ExecContext(ctx, `UPDATE envelope SET refusal = ? WHERE id = ?`, refusal, id); err != nil {
		return err
	}
	if err := tx.PutRecord(ctx, last, e, m); err != nil {
		return err
	}
	if err := tx.SealBody(ctx, id, m.Record); err != nil || m.Refused != nil {
		return err
	}
	return tx.tookAll(ctx, g, m)
}

func (s *Store) closeMixed(ctx context.Context, who string) error {
	open, err := s.Cases(ctx, false)
	if err != nil {
		return err
	}
	return s.InTx(ctx, func(tx *Tx) error {
		for _, c := range open {
			if c.Cause == cases.ModeMix && c.Envelope != 0 {
				if err := tx.CloseCase(ctx, c.ID, who, "nothing is kept aside any more"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// BooksCase keeps the question whether these books are the right ones: name is which of several, "" = the first, why is "" when all is
// well. It returns whether a person has accepted them as they are.
func (s *Store) BooksCase(ctx context.Context, name, why string) (accepted bool, err error) {
	c := cases.New(cases.ModeMix, strings.TrimSpace("books "+name), s.Now())
	c.Detail = why
	err = s.InTx(ctx, func(tx *Tx) error {
		if why == "" {
			return tx.CloseCase(ctx, c.ID, "hub", "the books are the right ones")
		}
		if err := tx.ask(ctx, c); err != nil {
			return err
		}
		now, _, err := tx.getCase(ctx, c.ID)
		accepted = now.State == cases.Accepted
		return err
	})
	return accepted, err
}

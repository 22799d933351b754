package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

// refuse opens the case of a record that is kept and not booked, or leaves it to the one question for which others wait too.
func (tx *Tx) refuse(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	if bug.RefusedDropped {
		return nil
	}
	if waits, err := tx.waits(ctx, id, e, m); err != nil || waits {
		return err
	}
	tx.refusals = nil // there is one more
	return tx.OpenCase(ctx, tx.caseOf(id, e, m))
}

// refuseAnew keeps a record refused that was read again: what is wrong with it now may be another thing, and its case says that one. c is its case,
// without an ID when it waited for its location and had none.
func (tx *Tx) refuseAnew(ctx context.Context, c cases.Case, e *envelope.Envelope, m ingest.Meaning, who string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE envelope SET refusal = ? WHERE id = ?`, brief(m.Refused), c.Envelope); err != nil {
		return err
	}
	waits, err := tx.waits(ctx, c.Envelope, e, m)
	if err != nil {
		return err
	}
	if waits {
		return tx.CloseCase(ctx, c.ID, who, "read again: nothing else is wrong with it now than what a question about its location or device asks")
	}
	tx.refusals = nil
	now := tx.caseOf(c.Envelope, e, m)
	if c.ID == "" {
		return tx.OpenCase(ctx, now)
	}
	return tx.retell(ctx, c.ID, now, who)
}

// waits reports whether a question that is asked once for many records is all that this one waits for, and asks it.
func (tx *Tx) waits(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) (bool, error) {
	if errors.Is(m.Refused, mode.ErrMixed) {
		return true, tx.refuseMixed(ctx, id, e, m)
	}
	return tx.unplaced(ctx, m)
}

// caseOf is the case of a record that is refused for itself.
func (tx *Tx) caseOf(id int64, e *envelope.Envelope, m ingest.Meaning) cases.Case {
	cause := cases.Refused
	if errors.Is(m.Refused, retail.ErrUnbalanced) {
		cause = cases.Unbalanced
	}
	c := cases.New(cause, fmt.Sprintf("record %d", id), tx.Now)
	c.Envelope, c.Location, c.Detail = id, e.Location, refusal(e, m)
	if m.Key.ID != "" {
		c.Record = m.Key.String()
	}
	c.Day = m.Day
	switch t := m.Record.(type) {
	case retail.Drawer:
		c.Location = t.Location
	case retail.Ticket:
		c.Location = t.Location
		if total, err := t.Total(); err == nil && total.Currency.Valid() {
			c.Amount = total
		}
	}
	return c
}

// retell lets an open case say what holds now. It stays the case that a person has before him, though its cause may be another.
func (tx *Tx) retell(ctx context.Context, id string, now cases.Case, who string) error {
	was, found, err := tx.getCase(ctx, id)
	if err != nil || !found || was.State != cases.Open {
		return err
	}
	now.ID, now.State, now.Opened, now.Seen = id, was.State, was.Opened, was.Seen
	if now == was {
		return nil
	}
	if err := tx.putCase(ctx, now); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + id, Who: who, What: "read again, still refused", Before: was.Detail, After: now.Detail})
}

// unplaced reports whether a record waits for nothing but the answer to the one question about its location, and sees that it is asked.
func (tx *Tx) unplaced(ctx context.Context, m ingest.Meaning) (bool, error) {
	if !errors.Is(m.Refused, ingest.ErrUnplaced) {
		return false, nil
	}
	var l retail.LocationCode
	var till retail.TillCode
	switch r := m.Record.(type) {
	case retail.Ticket:
		l, till = r.Location, r.Till
	case retail.Drawer:
		l, till = r.Location, r.Till
	}
	if l == "" {
		return false, nil
	}
	var confirmed bool
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT confirmed FROM location WHERE code = ?), 0)`, string(l)).Scan(&confirmed); err != nil || confirmed {
		return false, err // it was confirmed a moment ago, and nobody would ask again
	}
	tx.touchLocation(l)
	if till == "" {
		return true, nil
	}
	// Its till is known from now on, so that whoever confirms the location confirms it with it.
	_, err := tx.ExecContext(ctx, `INSERT INTO till (location, code) VALUES (?, ?) ON CONFLICT (location, code) DO NOTHING`, string(l), string(till))
	return true, err
}

// refusal is why a record is refused, for its case.
func refusal(e *envelope.Envelope, m ingest.Meaning) string {
	return fmt.Sprintf("%s of device %s: %s", strings.TrimSpace(string(e.Kind)+" "+e.Key), e.Device, brief(m.Refused))
}

// reasonMost bounds what a list shows of a reason: a ticket of ten thousand wrong lines says ten thousand times why.
const reasonMost = 2000

func brief(err error) string {
	s := err.Error()
	if len(s) <= reasonMost {
		return s
	}
	return strings.ToValidUTF8(s[:reasonMost], "") + " … and more of the kind"
}

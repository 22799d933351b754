package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// clash keeps a record aside whose number another one has that is booked.
func (tx *Tx) clash(ctx context.Context, id int64, m ingest.Meaning, cur *current) error {
	c := cases.New(cases.Conflict, m.Entry.Key, tx.Now)
	c.Envelope, c.Location, c.Day = id, m.Entry.Location, m.Entry.Day
	c.Amount, _ = m.Entry.Gross.Add(m.Entry.Tax)
	c.Detail = fmt.Sprintf("booked: location %s, till %s, day %s; now told: location %s, till %s, day %s", cur.version.Location, cur.version.Till,
		cur.version.Day, m.Version.Location, m.Version.Till, m.Version.Day)
	return tx.OpenCase(ctx, c)
}

// bookApart books a record that was kept aside, under the id of its own that a person gave it. Code invalid when the id is one that is booked.
func (c Clerk) bookApart(ctx context.Context, v view.CaseView, a view.Act) error {
	e, err := c.whole(ctx, c.read, v.Envelope)
	if err != nil {
		return err
	}
	m := c.Mean(&e)
	if err := c.mayTell(ctx, v.Envelope, e, &m); err != nil {
		return err
	}
	if m, _, err = c.gather(ctx, c.read, v.Envelope, &e, m, 0); err != nil {
		return err
	}
	switch {
	case m.Refused != nil:
		return fault.New(fault.Conflict, "edit: the record cannot be booked so", m.Refused)
	case m.Entry == nil:
		return fault.Msg(fault.Invalid, "edit", "the record says of no money that moved; nothing was booked")
	}
	return c.InTx(ctx, func(tx *Tx) error {
		var has int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM ticket WHERE key = ?`, m.Entry.Key).Scan(&has); err != nil {
			return err
		}
		if has > 0 {
			return fault.Msg(fault.Invalid, "edit", fmt.Sprintf("a record with the key %s is booked already: give this one an id that no other has; nothing was booked", m.Entry.Key))
		}
		return tx.putApart(ctx, v, &e, m, a)
	})
}

// putApart books it and goes to the next record that was kept aside under the same number, or closes the case.
func (tx *Tx) putApart(ctx context.Context, v view.CaseView, e *envelope.Envelope, m ingest.Meaning, a view.Act) error {
	if err := tx.PutRecord(ctx, v.Envelope, e, m); err != nil {
		return err
	}
	if err := tx.SealBody(ctx, v.Envelope, m.Record); err != nil {
		return err
	}
	next := v.Case
	err := tx.QueryRowContext(ctx, `SELECT e.envelope, e.location, e.day, e.gross + e.tax FROM entry e JOIN ticket t ON t.id = e.ticket WHERE t.key = ? AND e.outcome = ?
		AND NOT EXISTS (SELECT 1 FROM entry b WHERE b.envelope = e.envelope AND b.outcome IN (?, ?)) ORDER BY e.id LIMIT 1`,
		v.Subject, string(ledger.Clash), string(ledger.First), string(ledger.Replaces)).Scan(&next.Envelope, &next.Location, &next.Day, &next.Amount.Minor)
	if errors.Is(err, sql.ErrNoRows) {
		return tx.CloseCase(ctx, v.ID, a.Who, "booked as "+m.Entry.Key)
	}
	if err != nil {
		return err
	}
	next.Detail = fmt.Sprintf("record %d has the same number too: location %s, day %s", next.Envelope, next.Location, next.Day)
	if err := tx.putCase(ctx, next); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + v.ID, Who: a.Who, What: "booked as " + m.Entry.Key, Reason: "another record of this number waits", Before: v.Detail, After: next.Detail})
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// recount finds the business day of tickets anew after a location's zone or cutoff was set. Only those move whose day is in no document
// yet: a store that sold before head office said how it counts its days. A move is an entry of its own that takes the one before back.
func (c Clerk) recount(ctx context.Context, l retail.LocationCode, who string) (moved int, err error) {
	type row struct {
		ticket, envelope int64
	}
	var rows []row
	if err := each(ctx, c.read, func(r *sql.Rows) error {
		var t row
		err := r.Scan(&t.ticket, &t.envelope)
		rows = append(rows, t)
		return err
	}, `SELECT t.id, e.envelope FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND NOT EXISTS (SELECT 1 FROM document d
		WHERE d.location = t.location AND d.day = t.day AND d.own = 1) ORDER BY e.envelope`, string(l)); err != nil {
		return 0, classify("count days anew", err)
	}
	for _, t := range rows {
		e, err := c.whole(ctx, c.read, t.envelope)
		if errors.Is(err, ErrErased) {
			continue // nobody can read it any more: it stays where it is
		}
		if err != nil {
			return moved, err
		}
		m, _, err := c.gather(ctx, c.read, t.envelope, &e, c.Mean(&e), t.envelope)
		if err != nil {
			return moved, err
		}
		if m.Refused != nil || m.Entry == nil {
			continue
		}
		did, err := c.moveTicket(ctx, t.ticket, t.envelope, m, who)
		if err != nil {
			return moved, err
		}
		if did {
			moved++
		}
	}
	return moved, nil
}

// moveTicket gives a ticket the day that its record means now.
func (s *Store) moveTicket(ctx context.Context, ticket, envelope int64, m ingest.Meaning, who string) (moved bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		var day string
		var documents int
		c := current{ticket: ticket}
		if err := tx.QueryRowContext(ctx, `SELECT t.day, t.entry, (SELECT count(*) FROM document d WHERE d.location = t.location AND d.day = t.day AND d.own = 1) FROM ticket t WHERE t.id = ?`, ticket).
			Scan(&day, &c.entry, &documents); err != nil || documents > 0 || day == string(m.Entry.Day) {
			return err
		}
		entry, err := tx.putEntry(ctx, envelope, &c, m, ledger.Replaces)
		if err != nil {
			return err
		}
		moved = true
		if _, err := tx.ExecContext(ctx, `UPDATE ticket SET entry = ?, day = ? WHERE id = ?`, entry, string(m.Entry.Day), ticket); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "ticket " + m.Entry.Key, Who: who, What: "counted on another day", Before: day, After: string(m.Entry.Day),
			Reason: fmt.Sprintf("zone or cutoff of location %s was set", m.Entry.Location)})
	})
	return moved, err
}

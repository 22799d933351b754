package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

// sameAs puts into e the key under which a ticket is known, when it is known under another: an export knows it by the number on its receipt,
// the vendor's API by its id, and it is one ticket whichever comes first (DESIGN D6). A number is bound to one ticket for good: a later
// ticket that was given the same number by hand stands for itself.
func (tx *Tx) sameAs(ctx context.Context, t retail.Ticket, e *ledger.Entry) error {
	if e == nil || t.Key.System == retail.DefaultSystem && len(t.Also) == 0 {
		return nil // our own format has one name for a ticket
	}
	own := t.Key.String()
	key, err := tx.text(ctx, `SELECT key FROM alias WHERE alias = ?`, own)
	if err != nil || key != "" {
		if key != "" {
			e.Key = key
		}
		return err
	}
	if len(t.Also) == 0 {
		return nil
	}
	if known, err := tx.text(ctx, `SELECT key FROM ticket WHERE key = ?`, own); err != nil || known != "" {
		return err
	}
	for _, a := range t.Also {
		other := a.String()
		there, err := tx.text(ctx, `SELECT key FROM ticket WHERE key = ? AND NOT EXISTS (SELECT 1 FROM alias WHERE alias.key = ticket.key)`, other)
		if err != nil {
			return err
		}
		alias, to := other, own
		if there != "" { // the export came first: its ticket goes on under its name
			alias, to, e.Key = own, other, other
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO alias (alias, key) VALUES (?, ?) ON CONFLICT (alias) DO NOTHING`, alias, to); err != nil || there != "" {
			return err
		}
	}
	return nil
}

// text reads one text, "" when there is no row.
func (tx *Tx) text(ctx context.Context, query string, args ...any) (s string, err error) {
	err = tx.QueryRowContext(ctx, query, args...).Scan(&s)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return s, err
}

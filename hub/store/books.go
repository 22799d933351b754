package store

import (
	"context"
	"encoding/json"

	"github.com/tillpost/tillpost/hub/rollup"
)

// booksOf reads which journal documents are for.
func booksOf(ctx context.Context, q querier) (b rollup.Books, err error) {
	v, err := setting(ctx, q, "books")
	if err == nil && v != "" {
		err = json.Unmarshal([]byte(v), &b)
	}
	return b, err
}

// Books returns the journal and suspense account that setup found or made; empty before the first setup.
func (s *Store) Books(ctx context.Context) (rollup.Books, error) {
	b, err := booksOf(ctx, s.read)
	return b, classify("read books", err)
}

// SetBooks stores them, audited.
func (s *Store) SetBooks(ctx context.Context, b rollup.Books, who string) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.setBooks(ctx, b, who) })
}

func (tx *Tx) setBooks(ctx context.Context, b rollup.Books, who string) error {
	old, err := booksOf(ctx, tx)
	if err != nil || old == b {
		return err
	}
	body, err := json.Marshal(b)
	if err != nil {
		return err
	}
	before, _ := json.Marshal(old)
	if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('books', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, string(body)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE state IN ('open', 'complete', 'audited', 'shadow')`); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "books", Who: who, What: "set", Before: string(before), After: string(body)})
}

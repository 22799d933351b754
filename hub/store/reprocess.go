package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
)

// Reprocess reads refused records again, after a profile, a mapping or a location was mended: those that can be booked now are, and their
// cases close. Subject picks one case, "" all. It returns how many were booked and how many are still refused.
func (s *Store) Reprocess(ctx context.Context, id string, mean func(*envelope.Envelope) ingest.Meaning, who string) (booked, left int, err error) {
	var open []cases.Case
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body string
		var c cases.Case
		if err := r.Scan(&body); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &c)
		if c.Envelope != 0 {
			open = append(open, c)
		}
		return err
	}, `SELECT body FROM kase WHERE state = 'open' AND cause IN (?, ?) AND (? = '' OR id = ?) ORDER BY opened, id`, string(cases.Refused), string(cases.Unbalanced), id, id)
	if err != nil {
		return 0, 0, classify("list refused records", err)
	}
	for _, c := range open {
		e, err := s.Envelope(ctx, c.Envelope)
		if err != nil {
			return booked, left, err
		}
		if e.Body, err = s.edited(ctx, c.ID, c.Envelope); err != nil {
			return booked, left, err
		}
		m := mean(&e)
		if m.Refused != nil {
			left++
			continue
		}
		if err := s.InTx(ctx, func(tx *Tx) error {
			if err := tx.PutRecord(ctx, c.Envelope, &e, m); err != nil {
				return err
			}
			if err := tx.SealBody(ctx, c.Envelope, m.Record); err != nil { // it may name a customer, who may be erased one day
				return err
			}
			return tx.CloseCase(ctx, c.ID, who, "read again and booked")
		}); err != nil {
			return booked, left, err
		}
		booked++
	}
	return booked, left, nil
}

// edited is a record's text: as it came, or as a person mended it. The record itself is never changed.
func (s *Store) edited(ctx context.Context, id string, envelope int64) ([]byte, error) {
	v, err := setting(ctx, s.read, "edit "+id)
	if err != nil || v != "" {
		return []byte(v), classify("read mended record", err)
	}
	return s.Body(ctx, envelope)
}

// putEdit keeps a person's text for a refused record.
func (tx *Tx) putEdit(ctx context.Context, id, body string) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, "edit "+id, body); err != nil {
		return err
	}
	return nil
}

// text of a count for steps.
func outcome(booked, left int) string {
	return fmt.Sprintf("booked %d, still refused %d", booked, left)
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

func meanings(ctx context.Context, q querier) ([]rollup.Meaning, error) {
	var own []rollup.Meaning
	err := each(ctx, q, func(r *sql.Rows) error {
		var m rollup.Meaning
		err := r.Scan(&m.Status, &m.Move, &m.Payment)
		own = append(own, m)
		return err
	}, `SELECT status, move, payment FROM status ORDER BY status`)
	return rollup.Meanings(own), err
}

// Meanings is what each status means in Odoo, for locations whose tickets go as documents of their own.
func (s *Store) Meanings(ctx context.Context) ([]rollup.Meaning, error) {
	out, err := meanings(ctx, s.read)
	return out, classify("read statuses", err)
}

// SetMeaning makes a status mean something else, audited. Days whose tickets are posted already are looked at again: what the books should say
// otherwise now comes as documents of the difference. Code invalid.
func (s *Store) SetMeaning(ctx context.Context, m rollup.Meaning, who, reason string) error {
	if err := m.Check(); err != nil {
		return err
	}
	if who == "" || strings.TrimSpace(reason) == "" {
		return fault.Msg(fault.Invalid, "set status", "say why it means something else: whoever audits it will ask. Nothing was changed")
	}
	return s.InTx(ctx, func(tx *Tx) error {
		table, err := meanings(ctx, tx)
		if err != nil {
			return err
		}
		var was rollup.Meaning
		for _, have := range table {
			if have.Status == m.Status {
				was = have
			}
		}
		if was.Move == m.Move && was.Payment == m.Payment {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO status (status, move, payment) VALUES (?, ?, ?) ON CONFLICT (status) DO UPDATE SET move = excluded.move, payment = excluded.payment`,
			string(m.Status), string(m.Move), string(m.Payment)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location IN (SELECT location FROM posting_mode WHERE mode = ?)`, string(rollup.ByTicket)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "status " + string(m.Status), Who: who, What: "set", Reason: reason, Before: meaningText(was), After: meaningText(m)})
	})
}

// MeaningSteps lists who changed what statuses mean, the oldest first.
func (s *Store) MeaningSteps(ctx context.Context) ([]view.StepView, error) {
	return s.steps(ctx, "", "status ")
}

func meaningText(m rollup.Meaning) string {
	b, err := json.Marshal(map[string]string{"document": string(m.Move), "payment": string(m.Payment)})
	if err != nil {
		panic("BUG: a status cannot be written: " + err.Error())
	}
	return string(b)
}

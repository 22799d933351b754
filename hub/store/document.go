package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
)

// documents reads a day's documents in the order in which they were made, with their states.
func documents(ctx context.Context, q querier, k rollup.DayKey) (ds []rollup.Document, states []string, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var body, state string
		if err := r.Scan(&body, &state); err != nil {
			return err
		}
		var d rollup.Document
		err := json.Unmarshal([]byte(body), &d)
		ds, states = append(ds, d), append(states, state)
		return err
	}, `SELECT body, state FROM document WHERE location = ? AND day = ? ORDER BY number`, string(k.Location), string(k.Day))
	return ds, states, err
}

// putDocument stores a new document, which is its own outbox task: from now on it goes, whatever happens to this process.
func (tx *Tx) putDocument(ctx context.Context, d rollup.Document) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO document (id, location, day, number, state, body, hash, made, changed, entry)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(max(entry), 0) FROM cursor))`,
		d.ID(), string(d.Key.Location), string(d.Key.Day), d.Number, roll.Posting, string(body), d.Hash, micros(tx.Now), micros(tx.Now)); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "document " + d.ID(), Who: "hub", What: "made", Reason: d.Note, After: d.Hash})
}

// getDocument reads one by its id. Code not_found.
func getDocument(ctx context.Context, q querier, id string) (d rollup.Document, err error) {
	var body string
	err = q.QueryRowContext(ctx, `SELECT body FROM document WHERE id = ?`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return d, fault.Msg(fault.NotFound, "read document", "there is no document "+id)
	}
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(body), &d)
}

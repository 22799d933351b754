package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
)

// documents reads a series' documents in the order in which they were made, with their states.
func documents(ctx context.Context, q querier, k rollup.DayKey, series string) (ds []rollup.Document, states []string, err error) {
	return documentsOf(ctx, q, `series = ?`, k, series)
}

// ownDocuments are documents of the store-day itself, its tickets' too.
func ownDocuments(ctx context.Context, q querier, k rollup.DayKey) (ds []rollup.Document, states []string, err error) {
	return documentsOf(ctx, q, `own = ?`, k, 1)
}

func documentsOf(ctx context.Context, q querier, which string, k rollup.DayKey, arg any) (ds []rollup.Document, states []string, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var body, state string
		if err := r.Scan(&body, &state); err != nil {
			return err
		}
		var d rollup.Document
		err := json.Unmarshal([]byte(body), &d)
		ds, states = append(ds, d), append(states, state)
		return err
	}, `SELECT body, state FROM document WHERE location = ? AND day = ? AND `+which+` ORDER BY number, series`, string(k.Location), string(k.Day), arg)
	return ds, states, err
}

// putDocument stores a new document, which is its own outbox task: from now on it goes, whatever happens to this process. closed says what
// becomes of it should its period be.
func (tx *Tx) putDocument(ctx context.Context, d rollup.Document, closed lockdate.Policy) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO document (id, location, day, series, number, state, body, hash, period, made, changed, entry)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(max(entry), 0) FROM cursor))`,
		d.ID(), string(d.Key.Location), string(d.Key.Day), d.Series, d.Number, roll.Posting, string(body), d.Hash, string(closed), micros(tx.Now), micros(tx.Now)); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "document " + d.ID(), Who: "hub", What: "made", Reason: d.Note, After: d.Hash})
}

// touchOwner lets the store-day or voucher of a document be looked at again.
func (tx *Tx) touchOwner(ctx context.Context, id string) error {
	var location, day, series string
	if err := tx.QueryRowContext(ctx, `SELECT location, day, series FROM document WHERE id = ?`, id).Scan(&location, &day, &series); err != nil {
		return err
	}
	query := `UPDATE day SET dirty = 1 WHERE location = ? AND day = ? AND ? IS NOT NULL`
	if series != "" && !strings.HasPrefix(series, rollup.TicketSeries) {
		query = `UPDATE voucher SET dirty = 1 WHERE location = ? AND day = ? AND series = ?`
	}
	_, err := tx.ExecContext(ctx, query, location, day, series)
	return err
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

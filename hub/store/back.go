package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
)

// backRest is how long a device that has sent everything again is waited for: its streams tell one after another.
const backRest = 5 * time.Second

// adoptDay notes that documents of a store-day stand in Odoo whose tickets may not be here. A day that a person took back after the backup is held: its
// last document says so, and without that its tickets would be booked anew.
func (tx *Tx) adoptDay(ctx context.Context, d rollup.Document, last bool) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO day (location, day, adopted) VALUES (?, ?, ?) ON CONFLICT (location, day) DO UPDATE SET adopted = excluded.adopted, dirty = 1`,
		string(d.Key.Location), string(d.Key.Day), micros(tx.Now)); err != nil {
		return err
	}
	if !last || !strings.HasPrefix(d.Note, roll.TakenBack) {
		return nil
	}
	return tx.actOnDay(ctx, d.Key, Step{Who: "hub", What: "held", Reason: "it was taken back after the backup was made; release it, and it is booked anew"},
		`UPDATE day SET hold = ?, dirty = 1 WHERE location = ? AND day = ?`, true)
}

// cameBack notes that everything of a stream is here again, if the hub was put back and waits for that.
func (s *Store) cameBack(ctx context.Context, name string) error {
	i := strings.LastIndexByte(name, '/')
	var waits bool
	err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM setting WHERE name = ? AND value <> '') OR EXISTS (SELECT 1 FROM day WHERE adopted > 0)`, settingRestored).Scan(&waits)
	if err != nil || !waits || i < 0 {
		return classify("note stream", err)
	}
	return s.InTx(ctx, func(tx *Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO came_back (device, stream, at) VALUES (?, ?, ?) ON CONFLICT (device, stream) DO NOTHING`, name[:i], name[i+1:], micros(tx.Now))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return tx.touchAdopted(ctx)
	})
}

// touchAdopted lets days be looked at again that wait for their tickets.
func (tx *Tx) touchAdopted(ctx context.Context) error {
	_, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE adopted > 0`)
	return err
}

// back reads what a day waits for whose documents were adopted.
func (tx *Tx) back(ctx context.Context, k rollup.DayKey, b *roll.Back) error {
	var behind bool
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT COALESCE(max(id), 0) FROM entry) > (SELECT COALESCE(max(entry), 0) FROM cursor)`).Scan(&behind); err != nil {
		return err
	}
	if behind {
		b.Again = tx.Now.Add(time.Second)
	}
	devices := 0
	err := each(ctx, tx, func(r *sql.Rows) error {
		var device string
		var streams int
		var at int64
		var owes, lost bool
		if err := r.Scan(&device, &streams, &at, &owes, &lost); err != nil {
			return err
		}
		devices++
		switch rested := fromMicros(at).Add(backRest); {
		case lost:
			b.Away = append(b.Away, "PC "+device+" has lost records, see its case")
		case owes:
			b.Away = append(b.Away, "PC "+device+" is sending again what it holds")
		case streams > 0:
			b.Away = append(b.Away, "PC "+device+" has not been here since")
		case tx.Now.Before(rested) && rested.After(b.Again):
			b.Again = rested
		}
		return nil
	}, `SELECT d.id, (SELECT count(*) FROM (SELECT ? AS stream UNION SELECT stream FROM lane WHERE device = d.id AND stream IN (?, ?)) s
			WHERE NOT EXISTS (SELECT 1 FROM came_back c WHERE c.device = d.id AND c.stream = s.stream)),
		COALESCE((SELECT max(c.at) FROM came_back c WHERE c.device = d.id), 0),
		EXISTS (SELECT 1 FROM kase k WHERE k.state = 'open' AND k.cause = ? AND substr(k.id, 1, length(?) + length(d.id) + 1) = ? || d.id || '/'),
		EXISTS (SELECT 1 FROM kase k WHERE k.state = 'open' AND k.cause = ? AND substr(k.id, 1, length(?) + length(d.id) + 1) = ? || d.id || '/')
		FROM device d WHERE d.disabled = 0 AND EXISTS (SELECT 1 FROM assignment a WHERE a.device = d.id AND a.until = 0 AND a.location IN (?, ?)) ORDER BY d.id`,
		string(envelope.Sales), string(envelope.Sales), string(envelope.History),
		string(cases.HubRestored), cases.ID(cases.HubRestored, ""), cases.ID(cases.HubRestored, ""),
		string(cases.Lost), cases.ID(cases.Lost, ""), cases.ID(cases.Lost, ""), string(k.Location), AllLocations)
	if err == nil && devices == 0 {
		b.Away = append(b.Away, fmt.Sprintf("no PC is known that speaks for location %s", k.Location))
	}
	return err
}

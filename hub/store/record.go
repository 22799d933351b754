package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// PutRecord stores what an envelope means, in the transaction that stores the envelope. What cannot be booked becomes a case; only a
// database error is returned.
func (tx *Tx) PutRecord(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	if e.Kind == decode.Stub {
		c := cases.New(cases.TooLarge, "record "+e.Key, tx.Now)
		c.Envelope, c.Location, c.Detail = id, e.Location, fmt.Sprintf("device %s: %.500s", e.Device, e.Body)
		return tx.OpenCase(ctx, c)
	}
	if m.Refused != nil {
		return tx.refuse(ctx, id, e, m)
	}
	switch e.Kind {
	case decode.Profile:
		return tx.putProfile(ctx, id, e)
	case decode.EpochEnd:
		return tx.epochEnded(ctx, id, e)
	case decode.Health:
		return tx.tellHealth(ctx, e)
	case decode.Connections:
		return tx.tellConnections(ctx, e)
	case decode.Desired:
		return tx.tellDesired(ctx, e)
	case decode.Command:
		return tx.tellCommand(ctx, e)
	case decode.Release:
		return tx.tellReleaseReport(ctx, e)
	}
	if err := tx.noteMode(ctx, e); err != nil {
		return err
	}
	switch r := m.Record.(type) {
	case retail.Ticket:
		if err := tx.sameAs(ctx, r, m.Entry); err != nil {
			return err
		}
		if err := tx.putVersion(ctx, id, m, facts{r.Number, r.Sequence, r.At}); err != nil {
			return err
		}
		return tx.toldWell(ctx, id, e, r.Key)
	case retail.Drawer:
		if err := tx.putVersion(ctx, id, m, facts{r.Key.ID, 0, r.At}); err != nil {
			return err
		}
		return tx.toldWell(ctx, id, e, r.Key)
	case retail.Location:
		return tx.tellLocation(ctx, r)
	case retail.Terminal:
		return tx.tellTerminal(ctx, r)
	case retail.Payment:
		return tx.putPayment(ctx, id, r)
	case retail.Batch:
		return tx.putBatch(ctx, r)
	case retail.BankDeposit, retail.SettledPayment, retail.Dispute, retail.MonthlyFees:
		return tx.putSettlement(ctx, id, r)
	case retail.ReadTo:
		return tx.readTo(ctx, e.Device, r)
	case retail.Control:
		return tx.putControl(ctx, e.Device, r)
	}
	return nil
}

// toldWell closes the case of an earlier record of the same ticket that could not be booked: the till has told it again, and this time well. The
// envelope's key alone does not tell: two tills, or one till on two days, may each have a ticket 7, and the case of the one must not close
// because the other was booked. Whether there is any such case is asked once in a transaction.
func (tx *Tx) toldWell(ctx context.Context, id int64, e *envelope.Envelope, key retail.Key) error {
	if e.Key == "" {
		return nil
	}
	if tx.refusals == nil {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM kase WHERE state = 'open' AND cause IN (?, ?) LIMIT 1) some`, string(cases.Refused), string(cases.Unbalanced)).Scan(&n); err != nil {
			return err
		}
		tx.refusals = &n
	}
	if *tx.refusals == 0 {
		return nil
	}
	var ids []int64
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		ids = append(ids, n)
		return err
	}, `SELECT id FROM envelope WHERE key = ? AND (location = ? OR location = '') AND kind = ? AND refusal <> '' AND id <> ?`, e.Key, string(e.Location), string(e.Kind), id); err != nil {
		return err
	}
	for _, n := range ids {
		for _, cause := range []cases.Cause{cases.Refused, cases.Unbalanced} {
			c, found, err := tx.getCase(ctx, cases.ID(cause, fmt.Sprintf("record %d", n)))
			if err != nil {
				return err
			}
			if !found || decode.Keyed(e.Kind) && c.Record != key.String() {
				continue
			}
			if err := tx.CloseCase(ctx, c.ID, "hub", fmt.Sprintf("the till told it again, and record %d could be booked", id)); err != nil {
				return err
			}
		}
	}
	return nil
}

// epochEnded lists what the end of an epoch cost: rows that only the store's PC had and that it cannot read any more.
func (tx *Tx) epochEnded(ctx context.Context, id int64, e *envelope.Envelope) error {
	var end envelope.End
	if err := json.Unmarshal(e.Body, &end); err != nil || end.Lost == 0 {
		return nil // an end that cannot be read says nothing of losses; the raw record is kept
	}
	c := cases.New(cases.Lost, fmt.Sprintf("%s/%s/%s", e.Device, e.Stream, end.Epoch), tx.Now)
	c.Envelope, c.Detail = id, fmt.Sprintf("%d records of stream %s of device %s: %.500s", end.Lost, e.Stream, e.Device, end.Why)
	return tx.OpenCase(ctx, c)
}

// facts is what lists show of a record.
type facts struct {
	number   string
	sequence int64
	at       time.Time
}

func (tx *Tx) readTo(ctx context.Context, d retail.DeviceID, r retail.ReadTo) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO read_to (source, location, through, profile, kind) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (source, location) DO UPDATE SET through = max(through, excluded.through), profile = excluded.profile, kind = excluded.kind`,
		string(d)+"/"+r.Source, string(r.Location), micros(r.Through), r.Profile, r.Of)
	tx.touchLocation(r.Location)
	return err
}

func (tx *Tx) putControl(ctx context.Context, d retail.DeviceID, r retail.Control) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tx.touchDay(r.Location, r.Day)
	_, err = tx.ExecContext(ctx, `INSERT INTO control (source, location, day, body) VALUES (?, ?, ?, ?)
		ON CONFLICT (source, location, day) DO UPDATE SET body = excluded.body`, string(d)+"/"+r.Source, string(r.Location), string(r.Day), string(body))
	return err
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/bug"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/mode"
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

// refuse opens the case of a record that is kept and not booked.
func (tx *Tx) refuse(ctx context.Context, id int64, e *envelope.Envelope, m ingest.Meaning) error {
	if bug.RefusedDropped {
		return nil
	}
	if errors.Is(m.Refused, mode.ErrMixed) {
		return tx.refuseMixed(ctx, id, e, m)
	}
	if waits, err := tx.unplaced(ctx, m); err != nil || waits {
		return err
	}
	tx.refusals = nil // there is one more
	cause := cases.Refused
	if unbalanced(m.Refused) {
		cause = cases.Unbalanced
	}
	c := cases.New(cause, fmt.Sprintf("record %d", id), tx.Now)
	c.Envelope, c.Location = id, e.Location
	c.Detail = refusal(e, m)
	if m.Key.ID != "" {
		c.Record = m.Key.String()
	}
	if t, ok := m.Record.(retail.Ticket); ok {
		c.Location, c.Day = t.Location, t.Day
		if total, err := t.Total(); err == nil {
			c.Amount = total
		}
	}
	return tx.OpenCase(ctx, c)
}

// unplaced reports whether a record waits for nothing but the answer to the one question about its location, and sees that it is asked.
func (tx *Tx) unplaced(ctx context.Context, m ingest.Meaning) (bool, error) {
	if !errors.Is(m.Refused, ingest.ErrUnplaced) {
		return false, nil
	}
	var l retail.LocationCode
	var till retail.TillCode
	switch r := m.Record.(type) {
	case retail.Ticket:
		l, till = r.Location, r.Till
	case retail.Drawer:
		l, till = r.Location, r.Till
	}
	if l == "" {
		return false, nil
	}
	var confirmed bool
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT confirmed FROM location WHERE code = ?), 0)`, string(l)).Scan(&confirmed); err != nil || confirmed {
		return false, err // it was confirmed a moment ago, and nobody would ask again
	}
	tx.touchLocation(l)
	if till == "" {
		return true, nil
	}
	// Its till is known from now on, so that whoever confirms the location confirms it with it.
	_, err := tx.ExecContext(ctx, `INSERT INTO till (location, code) VALUES (?, ?) ON CONFLICT (location, code) DO NOTHING`, string(l), string(till))
	return true, err
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

// refusal is why a record is refused, for its case.
func refusal(e *envelope.Envelope, m ingest.Meaning) string {
	return fmt.Sprintf("%s of device %s: %s", strings.TrimSpace(string(e.Kind)+" "+e.Key), e.Device, brief(m.Refused))
}

// reasonMost bounds what a list shows of a reason: a ticket of ten thousand wrong lines says ten thousand times why.
const reasonMost = 2000

func brief(err error) string {
	s := err.Error()
	if len(s) <= reasonMost {
		return s
	}
	return strings.ToValidUTF8(s[:reasonMost], "") + " … and more of the kind"
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

func unbalanced(err error) bool { return errors.Is(err, retail.ErrUnbalanced) }

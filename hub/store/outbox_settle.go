package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Settle implements odoo.Tasks.
func (o Outbox) Settle(ctx context.Context, out []odoo.Outcome) error {
	return o.InTx(ctx, func(tx *Tx) error {
		for _, u := range out {
			if err := tx.settle(ctx, u); err != nil {
				return err
			}
		}
		return nil
	})
}

// documentCauses are the cases a document can have; a new outcome closes those it does not open again.
var documentCauses = []cases.Cause{cases.Parked, cases.DateShift, cases.LockedPeriod, cases.TotalDiffers, cases.ForeignEdit, cases.Deleted, cases.OtherHub}

func (tx *Tx) settle(ctx context.Context, u odoo.Outcome) error {
	var before, oldWhy string
	if err := tx.QueryRowContext(ctx, `SELECT state, why FROM document WHERE id = ?`, u.Document).Scan(&before, &oldWhy); err != nil {
		return err
	}
	state := map[odoo.Verdict]string{odoo.Done: roll.Verified, odoo.Wait: roll.Waiting, odoo.Park: roll.Parked}[u.Verdict]
	if u.Verdict == odoo.Wait && u.Posted {
		state = roll.Posted
	}
	broke := 0
	if u.Broke {
		broke = 1
	}
	read, checked := "", int64(0)
	if u.Read != nil {
		b, err := json.Marshal(u.Read)
		if err != nil {
			return err
		}
		read, checked = string(b), micros(tx.Now)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE document SET state = ?, why = ?, odoo = CASE WHEN ? <> '' THEN ? ELSE odoo END, due = ?, attempt = CASE WHEN ? = 'wait' THEN attempt + ? ELSE 0 END,
		held = CASE WHEN ? THEN held ELSE ? END, readback = CASE WHEN ? <> '' THEN ? ELSE readback END, checked = max(checked, ?), changed = ? WHERE id = ?`,
		state, u.Why, u.Entry, u.Entry, micros(u.Again), string(u.Verdict), broke, u.Unasked, u.Held, read, read, checked, micros(tx.Now), u.Document); err != nil {
		return err
	}
	if state != before || u.Why != oldWhy {
		if err := tx.PutStep(ctx, Step{Subject: "document " + u.Document, Who: "hub", What: "is " + state, Reason: u.Why, Before: before, After: u.Entry}); err != nil {
			return err
		}
	}
	for _, c := range documentCauses {
		if u.Unasked {
			break
		}
		if u.Case != nil && u.Case.Cause == c {
			if err := tx.ask(ctx, *u.Case); err != nil {
				return err
			}
		} else if err := tx.CloseCase(ctx, cases.ID(c, u.Document), "hub", "the document is "+state); err != nil {
			return err
		}
	}
	if u.Note != nil {
		if err := tx.note(ctx, *u.Note); err != nil {
			return err
		}
	}
	return tx.touchOwner(ctx, u.Document)
}

// Resend lets a parked or waiting document be tried again at once, under the same external id; an audited step. date, when given, is the
// accounting date a person chose; what comes late of the same day follows it.
func (s *Store) Resend(ctx context.Context, id string, date retail.BusinessDate, who, reason string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		var state, old, day, moved string
		if err := tx.QueryRowContext(ctx, `SELECT state, date, day, moved FROM document WHERE id = ?`, id).Scan(&state, &old, &day, &moved); err == sql.ErrNoRows {
			return fault.Msg(fault.NotFound, "resend", "there is no document "+id)
		} else if err != nil {
			return err
		}
		if date != "" && !date.Valid() {
			return fault.Msg(fault.Invalid, "resend", fmt.Sprintf("%q is not a date like 2026-12-01; nothing was sent", date))
		}
		if state == roll.Verified || state == roll.Accepted {
			return fault.Msg(fault.Conflict, "resend", "document "+id+" is settled; nothing was sent")
		}
		switch date {
		case "":
			date = retail.BusinessDate(old)
		case retail.BusinessDate(day):
			moved = ""
		default:
			moved = "as " + who + " decided"
		}
		if _, err := tx.ExecContext(ctx, `UPDATE document SET state = 'posting', why = '', due = 0, attempt = 0, held = 0, date = ?, moved = ?, changed = ? WHERE id = ?`, string(date), moved, micros(tx.Now), id); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE document AS d SET due = 0 WHERE d.state = 'waiting' AND EXISTS (SELECT 1 FROM document e WHERE `+firstOf+` AND e.id = ?)`, id); err != nil {
			return err
		}
		if err := tx.touchOwner(ctx, id); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "document " + id, Who: who, What: "resent", Reason: reason, Before: state + " " + old, After: "posting " + string(date)})
	})
}

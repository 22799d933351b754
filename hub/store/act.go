package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/retail"
)

// Clerk carries out what a person decides on a case. Every act is an audited step with before and after.
type Clerk struct {
	*Store
	Mean func(*envelope.Envelope) ingest.Meaning
	Done func() // something may go now; must not block
	// Places lists what the books have to map codes to; nil = nobody can ask them.
	Places func(ctx context.Context) ([]odoo.Place, error)
}

// Act does it. Codes: not_found, invalid when the act does not fit the case, conflict when it came too late.
func (c Clerk) Act(ctx context.Context, id string, a view.Act) error {
	v, err := c.CaseView(ctx, id)
	if err != nil {
		return err
	}
	if v.State != cases.Open {
		return fault.Msg(fault.Conflict, "decide case", "the case is "+string(v.State)+" already; nothing was changed")
	}
	if a.Who == "" {
		return fault.Msg(fault.Invalid, "decide case", "a decision needs the name of the person who takes it")
	}
	defer c.Done()
	switch a.What {
	case "accept":
		return c.accept(ctx, v, a)
	case "retry":
		return c.retry(ctx, v, a)
	case "map":
		return c.place(ctx, v, a)
	case "edit":
		return c.edit(ctx, v, a)
	case "confirm":
		return c.confirm(ctx, v, a)
	case "approve":
		if v.Cause == cases.ShadowDeposit {
			return c.forceVoucher(ctx, v, a)
		}
		return c.ApproveDay(ctx, dayOf(v), a.Who, a.Reason)
	case "take-over":
		return c.takeOver(ctx, v, a)
	case "release":
		if v.Cause == cases.OtherHub {
			return c.beside(ctx, v, a)
		}
		return c.InTx(ctx, func(tx *Tx) error {
			if err := tx.Release(ctx, retail.DeviceID(strings.SplitN(v.Subject, "/", 2)[0]), a.Who, a.Reason); err != nil {
				return err
			}
			return tx.CloseCase(ctx, id, a.Who, "released")
		})
	}
	return fault.Msg(fault.Invalid, "decide case", "there is no act "+a.What)
}

func dayOf(v view.CaseView) rollup.DayKey { return rollup.DayKey{Location: v.Location, Day: v.Day} }

// accept lives with it. A document that is accepted as it stands in Odoo, or with not being there, is not looked at any more.
func (c Clerk) accept(ctx context.Context, v view.CaseView, a view.Act) error {
	if by := v.Cause.AnsweredBy(); by != "" { // accepted, nobody would see what still waits behind it
		return fault.Msg(fault.Invalid, "accept case", "accepting would leave what waits here waiting, and nobody would be told any more: the answer to this case is "+by+". Nothing was changed")
	}
	return c.InTx(ctx, func(tx *Tx) error {
		if err := tx.AcceptCase(ctx, v.ID, a.Who, a.Reason); err != nil {
			return err
		}
		switch v.Cause {
		case cases.Parked, cases.DateShift, cases.TotalDiffers, cases.ForeignEdit, cases.Deleted, cases.OtherHub:
			if err := tx.acceptDocument(ctx, v.Subject, a); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ? AND day = ?`, string(v.Location), string(v.Day)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE voucher SET dirty = 1 WHERE location = ? AND day = ?`, string(v.Location), string(v.Day))
		return err
	})
}

func (tx *Tx) acceptDocument(ctx context.Context, id string, a view.Act) error {
	var before string
	if err := tx.QueryRowContext(ctx, `SELECT state FROM document WHERE id = ?`, id).Scan(&before); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE document SET state = ?, why = ?, changed = ? WHERE id = ?`, roll.Accepted, "accepted by "+a.Who+": "+a.Reason, micros(tx.Now), id); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "document " + id, Who: a.Who, What: "accepted", Reason: a.Reason, Before: before, After: roll.Accepted})
}

// retry does again what failed: a record is read again, a document is sent again under its same external id.
func (c Clerk) retry(ctx context.Context, v view.CaseView, a view.Act) error {
	switch v.Cause {
	case cases.Refused, cases.Unbalanced:
		booked, left, err := c.Reprocess(ctx, v.ID, c.Mean, a.Who)
		if err == nil && booked == 0 && left > 0 {
			err = c.stillRefused(ctx, v.ID)
		}
		return err
	case cases.ModeMix:
		booked, left, err := c.ReadMixed(ctx, c.Mean, a.Who)
		if err == nil && booked == 0 && left > 0 {
			err = fault.Msg(fault.Conflict, "retry", "the records still contradict the books ("+outcome(booked, left)+"): correct the key, address or setting first")
		}
		return err
	case cases.Deleted:
		// On a person's word the entry is made anew: Odoo forgot its external id when it was deleted.
		if err := c.InTx(ctx, func(tx *Tx) error {
			if _, err := tx.ExecContext(ctx, `DELETE FROM part WHERE document = ?`, v.Subject); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE document SET move = 0 WHERE id = ?`, v.Subject); err != nil {
				return err
			}
			return tx.PutStep(ctx, Step{Subject: "document " + v.Subject, Who: a.Who, What: "its entry is to be made anew", Reason: a.Reason, Before: v.Detail})
		}); err != nil {
			return err
		}
	case cases.Parked, cases.DateShift, cases.TotalDiffers, cases.ForeignEdit, cases.LockedPeriod, cases.OtherHub:
	default:
		return fault.Msg(fault.Invalid, "retry", "there is nothing to try again here: "+v.Do)
	}
	return c.Resend(ctx, v.Subject, a.Date, a.Who, a.Reason)
}

// stillRefused says why a record that was read again is not in the books yet.
func (c Clerk) stillRefused(ctx context.Context, id string) error {
	now, err := c.Store.CaseView(ctx, id)
	if err != nil {
		return err
	}
	if now.State == cases.Open {
		return fault.Msg(fault.Conflict, "retry", "the record still cannot be booked: "+now.Detail+". Mend the cause, or edit it")
	}
	return fault.Msg(fault.Conflict, "retry", "nothing is wrong with the record any more, but it waits: its location or its device is to be confirmed first, see the open cases; then it is booked by itself")
}

// place maps a code: what stood in suspense moves by itself.
func (c Clerk) place(ctx context.Context, v view.CaseView, a view.Act) error {
	if v.Cause != cases.UnknownCode {
		return fault.Msg(fault.Invalid, "map", "only an unknown code can be mapped")
	}
	role, code := ledger.Account(v.Subject).Split()
	return c.SetRule(ctx, mapping.Rule{Role: role, Code: code, Target: mapping.Target{Account: a.Account, Tax: a.Tax}}, a.Who, a.Reason)
}

// checksum stands in the audit trail for a text that may name a customer: the texts themselves are kept where an erasure reaches them.
func checksum(b []byte) string {
	return fmt.Sprintf("%d bytes, SHA-256 %x", len(b), sha256.Sum256(b))
}

// edit mends a refused record's text and reads it again; the record as it came stays beside it.
func (c Clerk) edit(ctx context.Context, v view.CaseView, a view.Act) error {
	if v.Cause != cases.Refused && v.Cause != cases.Unbalanced && v.Cause != cases.Conflict {
		return fault.Msg(fault.Invalid, "edit", "only a record that was refused or kept aside can be edited")
	}
	if strings.TrimSpace(a.Body) == "" {
		return fault.Msg(fault.Invalid, "edit", "the mended record is empty; nothing was changed")
	}
	was, err := c.whole(ctx, c.read, v.Envelope)
	if err != nil {
		return err
	}
	body := guard.Text(a.Body)
	if err := c.InTx(ctx, func(tx *Tx) error {
		if err := tx.putEdit(ctx, v.Envelope, body); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "case " + v.ID, Who: a.Who, What: "edited", Reason: a.Reason, Before: checksum(was.Body), After: checksum([]byte(body))})
	}); err != nil {
		return err
	}
	if v.Cause == cases.Conflict {
		return c.bookApart(ctx, v, a)
	}
	return c.retry(ctx, v, a)
}

// confirm answers the question about a location or till; records that waited for a time zone are read again.
func (c Clerk) confirm(ctx context.Context, v view.CaseView, a view.Act) error {
	switch v.Cause {
	case cases.UnknownTill:
		till := strings.TrimPrefix(v.Subject, string(v.Location)+"/")
		return c.Store.ConfirmTill(ctx, v.Location, retail.TillCode(till), a.Who)
	case cases.UnknownLocation:
		f := a.Form
		if f == nil {
			f = v.Proposal
		}
		if f.Zone == "" {
			return fault.Msg(fault.Invalid, "confirm location", fmt.Sprintf("its store has not told its time zone, and nobody else knows it: say it with `hub location add %s --zone America/New_York`, or in the case's page. Nothing was changed", v.Subject))
		}
		return c.PutLocation(ctx, *f, a.Who)
	}
	return fault.Msg(fault.Invalid, "confirm", "there is nothing to confirm here")
}

// PutLocation stores a location, counts the days of its tickets anew that are in no document yet, and reads again what waited for it.
func (c Clerk) PutLocation(ctx context.Context, f view.LocationForm, who string) error {
	before, err := tradings(ctx, c.read, f.Code)
	if err != nil {
		return classify("set location", err)
	}
	if err := c.Store.PutLocation(ctx, f, who); err != nil {
		return err
	}
	after, err := tradings(ctx, c.read, f.Code)
	if err != nil {
		return classify("set location", err)
	}
	c.Done() // what is remembered of the location is forgotten before anything is read again
	defer c.Done()
	if !slices.Equal(before, after) {
		if _, err := c.recount(ctx, f.Code, who); err != nil {
			return err
		}
	}
	_, _, err = c.Reprocess(ctx, "", c.Mean, who)
	return err
}

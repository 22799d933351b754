package store

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// ClaimBook implements odoo.ClaimBook for one lane.
type ClaimBook struct {
	*Store
	Lane string
}

// What is kept of a claim, by lane.
const (
	claimBeat   = "claim beat "
	claimOrder  = "claim order "
	claimStands = "claim stands "
)

// LastBeat implements odoo.ClaimBook.
func (b ClaimBook) LastBeat(ctx context.Context) (odoo.Beat, error) {
	var beat odoo.Beat
	s, err := b.Setting(ctx, claimBeat+b.Lane)
	if err != nil || s == "" {
		return beat, err
	}
	return beat, json.Unmarshal([]byte(s), &beat)
}

// Beating implements odoo.ClaimBook.
func (b ClaimBook) Beating(ctx context.Context, beat odoo.Beat) error {
	body, err := json.Marshal(beat)
	if err != nil {
		return err
	}
	return b.InTx(ctx, func(tx *Tx) error { return tx.SetSetting(ctx, claimBeat+b.Lane, string(body)) })
}

// Order implements odoo.ClaimBook.
func (b ClaimBook) Order(ctx context.Context) (string, error) {
	return b.Setting(ctx, claimOrder+b.Lane)
}

// Stands implements odoo.ClaimBook: one case per lane, which closes when no second hub lives any more.
func (b ClaimBook) Stands(ctx context.Context, s odoo.Standing) error {
	c := cases.New(cases.TwoHubs, b.Lane, b.Now())
	c.Detail = s.Detail()
	now := "held by " + s.Other.Name
	if s.Ours {
		now = "this hub's"
	}
	return b.InTx(ctx, func(tx *Tx) error {
		before, err := setting(ctx, tx, claimStands+b.Lane)
		if err != nil {
			return err
		}
		if before != now || s.By != "" {
			if err := tx.PutStep(ctx, Step{Subject: "claim " + b.Lane, Who: "hub", What: "the claim on the books is " + now, Reason: s.By, Before: before, After: now}); err != nil {
				return err
			}
		}
		if err := tx.SetSetting(ctx, claimStands+b.Lane, now); err != nil {
			return err
		}
		if s.By != "" {
			if err := tx.SetSetting(ctx, claimOrder+b.Lane, ""); err != nil {
				return err
			}
		}
		if c.Detail != "" {
			return tx.ask(ctx, c)
		}
		if s.Ours { // while another's claim is only being watched, what was known holds
			return tx.CloseCase(ctx, c.ID, "hub", "no second hub posts to these books")
		}
		return nil
	})
}

// ClaimStands tells how the running hub last saw a lane's claim, "" = it has not looked yet.
func (s *Store) ClaimStands(ctx context.Context, lane string) (string, error) {
	return s.Setting(ctx, claimStands+lane)
}

// ClaimOrdered tells whose word to take a lane's claim over the running hub has still to carry out, "" = none.
func (s *Store) ClaimOrdered(ctx context.Context, lane string) (string, error) {
	return s.Setting(ctx, claimOrder+lane)
}

// TakeOver orders that this hub takes the claim on a lane's books from whoever holds it; the running hub does it. Code invalid without a reason.
func (s *Store) TakeOver(ctx context.Context, lane, who, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fault.Msg(fault.Invalid, "take the claim over", "taking over needs a reason: the other hub stops posting, and its people will ask")
	}
	return s.InTx(ctx, func(tx *Tx) error {
		if err := tx.PutStep(ctx, Step{Subject: "claim " + lane, Who: who, What: "to be taken over", Reason: reason}); err != nil {
			return err
		}
		return tx.SetSetting(ctx, claimOrder+lane, who+": "+reason)
	})
}

// takeOver is the same as a decision on the case.
func (c Clerk) takeOver(ctx context.Context, v view.CaseView, a view.Act) error {
	if v.Cause != cases.TwoHubs {
		return fault.Msg(fault.Invalid, "take the claim over", "this case is not about two hubs on one database")
	}
	return c.TakeOver(ctx, v.Subject, a.Who, a.Reason)
}

// beside lets a document be posted although another hub has an entry of its store-day: a person has compared them.
func (c Clerk) beside(ctx context.Context, v view.CaseView, a view.Act) error {
	if strings.TrimSpace(a.Reason) == "" {
		return fault.Msg(fault.Invalid, "post beside another hub's entry", "it needs a reason: the day then stands in the books twice, and the next controller will ask")
	}
	if err := c.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE document SET beside = 1 WHERE id = ?`, v.Subject); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "document " + v.Subject, Who: a.Who, What: "to stand beside another hub's entry", Reason: a.Reason, Before: v.Detail})
	}); err != nil {
		return err
	}
	return c.Resend(ctx, v.Subject, a.Date, a.Who, a.Reason)
}

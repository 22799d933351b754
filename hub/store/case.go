package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Step is one audited act. Subject names what it was done to: "case …", "document …", "ticket …", "mapping", "location …".
type Step struct {
	Subject, Who, What, Reason, Before, After string
}

// PutStep writes an audit line at the transaction's time.
func (tx *Tx) PutStep(ctx context.Context, s Step) error {
	if tx.store.Told != nil {
		tx.told = append(tx.told, s)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO step (at, subject, who, what, reason, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		micros(tx.Now), s.Subject, s.Who, s.What, s.Reason, s.Before, s.After)
	return err
}

// OpenCase opens a case, or renews it when it is known: the count goes up, a closed one opens again, an accepted one stays accepted
// unless it is about another record each time.
func (tx *Tx) OpenCase(ctx context.Context, c cases.Case) error {
	old, found, err := tx.getCase(ctx, c.ID)
	if err != nil {
		return err
	}
	c.Opened, c.Seen, c.State = tx.Now, 1, cases.Open
	what := "opened"
	if found {
		c.Opened, c.Seen = old.Opened, old.Seen+1
		stays := old.State == cases.Accepted && !c.Cause.Anew()
		if stays {
			c.State = cases.Accepted
		}
		what = ""
		if old.State != cases.Open && !stays {
			c.Opened, what = tx.Now, "opened again"
		}
	}
	if err := tx.putCase(ctx, c); err != nil || what == "" {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + c.ID, Who: "hub", What: what, After: c.Detail})
}

// ask opens a question once: it is not counted up with every ticket. One about how a day stands follows the day, and opens again when what
// a person accepted is no longer all of it.
func (tx *Tx) ask(ctx context.Context, c cases.Case) error {
	old, found, err := tx.getCase(ctx, c.ID)
	switch {
	case err != nil || !found || old.State == cases.Closed:
		if err == nil {
			err = tx.OpenCase(ctx, c)
		}
		return err
	case !c.Cause.Living() || old.Detail == c.Detail || old.State == cases.Accepted && !c.Cause.Exact():
		return nil
	}
	c.Opened, c.Seen, c.State = old.Opened, old.Seen, cases.Open
	if err := tx.putCase(ctx, c); err != nil || old.State == cases.Open {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + c.ID, Who: "hub", What: "opened again: it has changed since it was accepted", Before: old.Detail, After: c.Detail})
}

// note keeps what people may want to read and nobody has to decide: a case that is closed from the start. The same again is kept once.
func (tx *Tx) note(ctx context.Context, c cases.Case) error {
	old, found, err := tx.getCase(ctx, c.ID)
	if err != nil || found && old.Detail == c.Detail {
		return err
	}
	c.Opened, c.Closed, c.Seen, c.State = tx.Now, tx.Now, 1, cases.Closed
	if err := tx.putCase(ctx, c); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + c.ID, Who: "hub", What: "noted", After: c.Detail})
}

// CloseCase closes a case whose cause is gone; one that is not open is left alone.
func (tx *Tx) CloseCase(ctx context.Context, id, who, why string) error {
	c, found, err := tx.getCase(ctx, id)
	if err != nil || !found || c.State == cases.Closed {
		return err
	}
	before := string(c.State)
	c.State, c.Closed = cases.Closed, tx.Now
	if err := tx.putCase(ctx, c); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + id, Who: who, What: "closed", Reason: why, Before: before, After: string(c.State)})
}

// AcceptCase records a person's decision to live with it.
func (tx *Tx) AcceptCase(ctx context.Context, id, who, reason string) error {
	if reason == "" {
		return fault.Msg(fault.Invalid, "accept case", "accepting needs a reason: the next controller will ask for it")
	}
	c, found, err := tx.getCase(ctx, id)
	if err != nil {
		return err
	}
	if !found || c.State != cases.Open {
		return fault.Msg(fault.Conflict, "accept case", "case "+id+" is not open")
	}
	c.State = cases.Accepted
	if err := tx.putCase(ctx, c); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "case " + id, Who: who, What: "accepted", Reason: reason, Before: string(cases.Open), After: string(c.State)})
}

func (tx *Tx) getCase(ctx context.Context, id string) (c cases.Case, found bool, err error) {
	var body string
	err = tx.QueryRowContext(ctx, `SELECT body FROM kase WHERE id = ?`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	c, err = readCase(body)
	return c, true, err
}

// readCase reads a case as it is kept. One whose amount was written in no currency, as a till may write it, is read without it: a single case must
// not hide all the others.
func readCase(body string) (c cases.Case, err error) {
	if err = json.Unmarshal([]byte(body), &c); err == nil {
		return c, nil
	}
	var rest map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &rest) != nil {
		return c, err
	}
	delete(rest, "Amount")
	plain, err := json.Marshal(rest)
	if err != nil {
		return c, err
	}
	c = cases.Case{}
	return c, json.Unmarshal(plain, &c)
}

func (tx *Tx) putCase(ctx context.Context, c cases.Case) error {
	if !c.Amount.Currency.Valid() { // it could not be read again
		c.Amount = money.Amount{}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write case %s: %w", c.ID, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO kase (id, cause, state, location, day, body, opened, closed, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, state = excluded.state, location = excluded.location, day = excluded.day, body = excluded.body,
		opened = excluded.opened, closed = excluded.closed, seen = excluded.seen`,
		c.ID, string(c.Cause), string(c.State), string(c.Location), string(c.Day), string(body), micros(c.Opened), micros(c.Closed), c.Seen)
	return err
}

// Cases lists cases, the oldest first; all = closed and accepted ones too.
func (s *Store) Cases(ctx context.Context, all bool) ([]cases.Case, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT body FROM kase WHERE state = 'open' OR ? ORDER BY opened, id`, all)
	if err != nil {
		return nil, classify("list cases", err)
	}
	out, err := scanAll(rows, func(r *sql.Rows) (c cases.Case, err error) {
		var body string
		if err = r.Scan(&body); err == nil {
			c, err = readCase(body)
		}
		return c, err
	})
	return out, classify("list cases", err)
}

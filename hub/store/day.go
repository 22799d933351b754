package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// Due implements roll.Store.
func (s *Store) Due(ctx context.Context, most int) (keys []rollup.DayKey, next time.Time, err error) {
	// A hub that was put back does not know yet what it has sent since its backup: a document made now could say it again.
	if at, err := s.Restored(ctx); err != nil || !at.IsZero() {
		return nil, s.Now().Add(10 * time.Second), err
	}
	if err := s.expect(ctx); err != nil {
		return nil, next, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT location, day FROM day WHERE dirty = 1 UNION SELECT location, day FROM day WHERE due > 0 AND due <= ? ORDER BY 2, 1 LIMIT ?`, micros(s.Now()), most)
	if err != nil {
		return nil, next, classify("list due days", err)
	}
	keys, err = scanAll(rows, scanKey)
	if err != nil {
		return nil, next, classify("list due days", err)
	}
	var due int64
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE(min(due), 0) FROM day WHERE due > ?`, micros(s.Now())).Scan(&due)
	return keys, fromMicros(due), classify("list due days", err)
}

func scanKey(r *sql.Rows) (k rollup.DayKey, err error) { return k, r.Scan(&k.Location, &k.Day) }

// Decide implements roll.Store.
func (s *Store) Decide(ctx context.Context, k rollup.DayKey, decide func(roll.Day) (roll.Decision, error)) error {
	calendar, err := s.Calendar(ctx, k.Location)
	if err != nil {
		return err
	}
	ends, _ := calendar.End(k.Day)
	return s.InTx(ctx, func(tx *Tx) error {
		d, err := tx.rollDay(ctx, k, ends)
		if err != nil {
			return err
		}
		if g, ok := calendar.On(k.Day); ok {
			d.Begins = g.Start(k.Day)
		}
		dec, err := decide(d)
		if err != nil {
			return err
		}
		return tx.decided(ctx, d, dec)
	})
}

// rollDay reads everything a decision needs.
func (tx *Tx) rollDay(ctx context.Context, k rollup.DayKey, ends time.Time) (d roll.Day, err error) {
	d.Ends = ends
	d.Key, d.Now, d.Accepted = k, tx.Now, map[string]string{}
	var gross, tax, changed, adopted int64
	var currency, openDays, reversed string
	if err = tx.QueryRowContext(ctx, `SELECT d.state, d.hold, d.approved, d.tickets, d.gross, d.tax, d.currency, d.changed, COALESCE(l.open_days, ''),
		COALESCE(l.review, ''), COALESCE(l.shadow_until, ''), COALESCE(l.cogs_from, ''), COALESCE(l.closed_period, ''), d.reversed, d.adopted FROM day d
		LEFT JOIN location l ON l.code = d.location WHERE d.location = ? AND d.day = ?`, string(k.Location), string(k.Day)).
		Scan(&d.State, &d.Hold, &d.ApprovedBy, &d.Tickets, &gross, &tax, &currency, &changed, &openDays, &d.Review, &d.ShadowUntil, &d.CostsFrom, &d.Period, &reversed, &adopted); err != nil {
		return d, err
	}
	d.Gross, d.Tax, d.Changed = money.Of(gross, money.Currency(currency)), money.Of(tax, money.Currency(currency)), fromMicros(changed)
	d.Approved = d.ApprovedBy != "" && d.ApprovedBy != "auto"
	d.Expected = opens(openDays, k.Day)
	if reversed != "" {
		if err := json.Unmarshal([]byte(reversed), &d.Reversed); err != nil {
			return d, err
		}
	}
	if d.Totals, err = totals(ctx, tx, k); err != nil {
		return d, err
	}
	if d.Goods, err = goods(ctx, tx, k); err != nil {
		return d, err
	}
	if d.Paid, err = roll.Paid(d.Totals); err != nil {
		return d, err
	}
	if d.Documents, d.States, err = ownDocuments(ctx, tx, k); err != nil {
		return d, err
	}
	if d.Set, err = rules(ctx, tx); err != nil {
		return d, err
	}
	if d.Books, err = booksOf(ctx, tx); err != nil {
		return d, err
	}
	if d.Parts, err = parts(ctx, tx, k, d.Set); err != nil {
		return d, err
	}
	if d.Mode, err = modeOn(ctx, tx, k.Location, k.Day); err != nil {
		return d, err
	}
	if d.By() == rollup.ByTicket {
		if d.Table, err = meanings(ctx, tx); err != nil {
			return d, err
		}
		if err := tx.slips(ctx, &d); err != nil {
			return d, err
		}
	}
	if adopted > 0 {
		d.Back.Since = fromMicros(adopted)
		if err := tx.back(ctx, k, &d.Back); err != nil {
			return d, err
		}
	}
	return d, tx.evidence(ctx, k, &d.Facts)
}

// decided writes a decision.
func (tx *Tx) decided(ctx context.Context, d roll.Day, dec roll.Decision) error {
	k := d.Key
	for _, c := range dec.Cases {
		if err := tx.ask(ctx, c); err != nil {
			return err
		}
	}
	for _, id := range dec.Gone {
		if err := tx.CloseCase(ctx, id, "hub", "the cause is gone"); err != nil {
			return err
		}
	}
	if dec.Document != nil {
		for _, doc := range append([]rollup.Document{*dec.Document}, dec.More...) {
			if err := tx.putDocument(ctx, doc, dec.Period); err != nil {
				return err
			}
		}
	}
	if dec.Goods != nil {
		if _, err := tx.putChanging(ctx, *dec.Goods); err != nil {
			return err
		}
	}
	if dec.State != d.State {
		if err := tx.PutStep(ctx, Step{Subject: "day " + k.String(), Who: "hub", What: "is " + dec.State, Reason: dec.Why, Before: d.State, After: dec.State}); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE day SET state = ?, why = ?, approved = ?, unproven = ?, dirty = 0, due = ?, adopted = CASE WHEN ? THEN 0 ELSE adopted END
		WHERE location = ? AND day = ?`, dec.State, dec.Why, dec.Approved, dec.Unproven, micros(dec.Next), dec.Whole, string(k.Location), string(k.Day))
	return err
}

// HoldDay stops a day from being posted, or lets it go again: what was taken back is then booked anew. An audited step.
func (s *Store) HoldDay(ctx context.Context, k rollup.DayKey, hold bool, who, reason string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		what, update := "released", `UPDATE day SET hold = ?, reversed = '', dirty = 1 WHERE location = ? AND day = ?`
		if hold {
			what, update = "held", `UPDATE day SET hold = ?, dirty = 1 WHERE location = ? AND day = ?`
		}
		return tx.actOnDay(ctx, k, Step{Who: who, What: what, Reason: reason}, update, hold)
	})
}

// ApproveDay lets a day be posted as it is, whatever proof is missing; an audited step.
func (s *Store) ApproveDay(ctx context.Context, k rollup.DayKey, who, reason string) error {
	if who == "" || who == "auto" {
		return fault.Msg(fault.Invalid, "approve day", "an approval needs the name of the person who gives it")
	}
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.actOnDay(ctx, k, Step{Who: who, What: "approved", Reason: reason}, `UPDATE day SET approved = ?, adopted = 0, dirty = 1 WHERE location = ? AND day = ?`, who)
	})
}

func (tx *Tx) actOnDay(ctx context.Context, k rollup.DayKey, step Step, update string, value any) error {
	var state, approved string
	var hold bool
	err := tx.QueryRowContext(ctx, `SELECT state, hold, approved FROM day WHERE location = ? AND day = ?`, string(k.Location), string(k.Day)).Scan(&state, &hold, &approved)
	if err == sql.ErrNoRows {
		return fault.Msg(fault.NotFound, "store-day", "there is no store-day "+k.String())
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, update, value, string(k.Location), string(k.Day)); err != nil {
		return err
	}
	word := func(hold bool, approved string) string {
		return fmt.Sprintf("%s, hold %v, approved by %q", state, hold, approved)
	}
	step.Subject, step.Before = "day "+k.String(), word(hold, approved)
	switch v := value.(type) {
	case bool:
		step.After = word(v, approved)
	case string:
		if step.After == "" {
			step.After = word(hold, v)
		}
	}
	if err := tx.PutStep(ctx, step); err != nil {
		return err
	}
	if step.What == "approved" {
		for _, c := range []cases.Cause{cases.MissingProof, cases.ControlTotal, cases.Gap, cases.SuspenseCap, cases.NotBack} {
			if err := tx.CloseCase(ctx, cases.ID(c, k.String()), step.Who, "the day was approved as it is"); err != nil {
				return err
			}
		}
	}
	return nil
}

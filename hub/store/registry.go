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
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// SetLocation puts a location into the registry, confirmed, as head office says; from is the first day on which zone and cutoff hold, "" =
// from the beginning. Tills that it is known to have are confirmed with it. What says nothing new leaves no step. Code conflict: zone or
// cutoff would move tickets that are in a document.
func (tx *Tx) SetLocation(ctx context.Context, l Location, from retail.BusinessDate, who string) error {
	if err := l.check(from); err != nil {
		return err
	}
	was, err := tx.location(ctx, l.Code, from)
	if err != nil {
		return err
	}
	moved, err := tx.setTrading(ctx, l, from)
	if err != nil {
		return err
	}
	switched, err := tx.setMode(ctx, &l, was.Posting)
	if err != nil {
		return err
	}
	moved = moved || switched
	l.Confirmed, l.Seen, l.Tills = true, was.Seen, nil
	before, after := text(was), text(l)
	if before == after && !moved {
		return nil
	}
	if err := tx.keepsShadow(ctx, was, l); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO location (code, name, currency, company, open_days, review, shadow_until, old_journal, cogs_from, closed_period, confirmed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (code) DO UPDATE SET name = excluded.name, currency = excluded.currency, company = excluded.company, open_days = excluded.open_days,
		review = excluded.review, shadow_until = excluded.shadow_until, old_journal = excluded.old_journal, cogs_from = excluded.cogs_from, closed_period = excluded.closed_period,
		confirmed = 1`,
		string(l.Code), l.Name, string(l.Currency), l.Company, l.OpenDays, string(l.Review), string(l.Shadow), l.OldWay, string(l.Costs), string(l.Period)); err != nil {
		return err
	}
	if err := tx.CloseCase(ctx, cases.ID(cases.UnknownLocation, string(l.Code)), who, "confirmed"); err != nil {
		return err
	}
	if from != "" {
		after += " from " + string(from)
	}
	if l.PostingFrom != "" && switched {
		after += " posting from " + string(l.PostingFrom)
	}
	if err := tx.PutStep(ctx, Step{Subject: "location " + string(l.Code), Who: who, What: "set", Before: before, After: after}); err != nil {
		return err
	}
	if !was.Confirmed {
		if err := tx.confirmTills(ctx, l.Code, who); err != nil {
			return err
		}
	}
	if _, err = tx.ExecContext(ctx, `UPDATE voucher SET dirty = 1 WHERE state IN ('shadow', 'waiting')`); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ?`, string(l.Code))
	return err
}

// check lists what cannot be said of a location. Code invalid.
func (l Location) check(from retail.BusinessDate) error {
	var bad []string
	if l.Code == "" {
		bad = append(bad, "the code is empty")
	}
	if _, err := time.LoadLocation(l.Zone); err != nil || l.Zone == "" {
		bad = append(bad, fmt.Sprintf("the time zone %q is unknown; write it like America/New_York", l.Zone))
	}
	if _, err := retail.ParseClock(l.Cutoff); err != nil {
		bad = append(bad, fmt.Sprintf("the day begins at %q, which is no time of day like 04:00", l.Cutoff))
	}
	if !l.Currency.Valid() {
		bad = append(bad, fmt.Sprintf("the currency %q is not an ISO code", l.Currency))
	}
	for d := range strings.FieldsSeq(l.OpenDays) {
		if !strings.Contains(" sun mon tue wed thu fri sat ", " "+d+" ") {
			bad = append(bad, fmt.Sprintf("the open day %q is none of mon tue wed thu fri sat sun", d))
		}
	}
	if l.Review != view.ByDefault && l.Review != view.Auto && l.Review != view.ByPerson {
		bad = append(bad, fmt.Sprintf("the review %q is none of auto and person", l.Review))
	}
	if l.Shadow != "" && !l.Shadow.Valid() {
		bad = append(bad, fmt.Sprintf("the first day that is posted, %q, is not a date like 2026-12-01", l.Shadow))
	}
	if l.Costs != "" && !l.Costs.Valid() {
		bad = append(bad, fmt.Sprintf("the first day whose cost of goods is posted, %q, is not a date like 2026-12-01", l.Costs))
	}
	if !l.Period.Valid() {
		bad = append(bad, fmt.Sprintf("the rule for closed periods, %q, is none of hold, next and ask", l.Period))
	}
	if !l.Posting.Valid() {
		bad = append(bad, fmt.Sprintf("the way of posting %q is none of %v", l.Posting, rollup.Modes))
	}
	if l.PostingFrom != "" && !l.PostingFrom.Valid() {
		bad = append(bad, fmt.Sprintf("the first day of the way of posting, %q, is not a date like 2026-12-01", l.PostingFrom))
	}
	if from != "" && !from.Valid() {
		bad = append(bad, fmt.Sprintf("the first day %q is not a date like 2026-12-01", from))
	}
	if len(bad) == 0 {
		return nil
	}
	return fault.Msg(fault.Invalid, "set location "+string(l.Code), strings.Join(bad, "; ")+". Nothing was changed")
}

// location is what the registry says of a location, with what holds on a day, "" = last; the zero Location when it says nothing.
func (tx *Tx) location(ctx context.Context, code retail.LocationCode, on retail.BusinessDate) (l Location, err error) {
	var currency string
	var seen int64
	err = tx.QueryRowContext(ctx, `SELECT code, name, currency, company, open_days, review, shadow_until, old_journal, cogs_from, closed_period, confirmed, seen FROM location WHERE code = ?`, string(code)).
		Scan((*string)(&l.Code), &l.Name, &currency, &l.Company, &l.OpenDays, (*string)(&l.Review), (*string)(&l.Shadow), &l.OldWay, (*string)(&l.Costs), (*string)(&l.Period), &l.Confirmed, &seen)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return l, err
	}
	l.Currency, l.Seen = money.Currency(currency), fromMicros(seen)
	rules, err := tx.tradings(ctx, code)
	for _, r := range rules {
		if on == "" || r.since <= string(on) {
			l.Zone, l.Cutoff = r.zone, r.cutoff
		}
	}
	if err != nil {
		return l, err
	}
	l.Posting, err = modeOn(ctx, tx, code, on)
	return l, err
}

// text is a location for the audit trail.
func text(l Location) string {
	l.Seen, l.Tills = time.Time{}, nil
	if l.Code == "" {
		return ""
	}
	b, err := json.Marshal(l)
	if err != nil {
		panic("BUG: a location cannot be written: " + err.Error())
	}
	return string(b)
}

// tradingRow is one rule of how a location counts its days.
type tradingRow struct{ since, zone, cutoff string }

func (tx *Tx) tradings(ctx context.Context, code retail.LocationCode) (out []tradingRow, err error) {
	return tradings(ctx, tx, code)
}

func tradings(ctx context.Context, q querier, code retail.LocationCode) (out []tradingRow, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var t tradingRow
		err := r.Scan(&t.since, &t.zone, &t.cutoff)
		out = append(out, t)
		return err
	}, `SELECT since, zone, cutoff FROM trading WHERE location = ? ORDER BY since`, string(code))
	return out, err
}

// setTrading makes zone and cutoff hold from a day on. A day's end is the next day's beginning: a rule from a day on may not touch a day
// that is in a document, nor the day before one (DESIGN D8).
func (tx *Tx) setTrading(ctx context.Context, l Location, from retail.BusinessDate) (changed bool, err error) {
	rules, err := tx.tradings(ctx, l.Code)
	if err != nil {
		return false, err
	}
	now := tradingRow{}
	for _, r := range rules {
		if from == "" || r.since <= string(from) {
			now = r
		}
	}
	if now.zone == l.Zone && now.cutoff == l.Cutoff {
		return false, nil
	}
	var last string
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(day), '') FROM document WHERE location = ? AND own = 1`, string(l.Code)).Scan(&last); err != nil {
		return false, err
	}
	if first := retail.BusinessDate(last).AddDays(2); last != "" && from < first {
		return false, fault.Msg(fault.Conflict, "set location "+string(l.Code), fmt.Sprintf("store-days up to %s are in documents, counted with %s and %s; a change may not move their tickets. "+
			"Nothing was changed. Let it hold from %s on, or later", last, now.zone, now.cutoff, first))
	}
	if from == "" {
		if _, err := tx.ExecContext(ctx, `DELETE FROM trading WHERE location = ?`, string(l.Code)); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO trading (location, since, zone, cutoff) VALUES (?, ?, ?, ?) ON CONFLICT (location, since) DO UPDATE SET zone = excluded.zone, cutoff = excluded.cutoff`,
		string(l.Code), string(from), l.Zone, l.Cutoff)
	return true, err
}

// confirmTills confirms the tills that a location is known to have: one answer is enough.
func (tx *Tx) confirmTills(ctx context.Context, l retail.LocationCode, who string) error {
	var codes []retail.TillCode
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var c string
		err := r.Scan(&c)
		codes = append(codes, retail.TillCode(c))
		return err
	}, `SELECT code FROM till WHERE location = ? AND confirmed = 0 ORDER BY code`, string(l)); err != nil {
		return err
	}
	for _, c := range codes {
		if err := tx.ConfirmTill(ctx, l, c, who); err != nil {
			return err
		}
	}
	return nil
}

// ConfirmTill answers the question about a till; days that its tickets are on are looked at again.
func (tx *Tx) ConfirmTill(ctx context.Context, l retail.LocationCode, t retail.TillCode, who string) error {
	if l == "" || t == "" {
		return fault.Msg(fault.Invalid, "confirm till", "it needs the location's code and the till's; nothing was changed")
	}
	before := "unknown"
	var confirmed bool
	err := tx.QueryRowContext(ctx, `SELECT confirmed FROM till WHERE location = ? AND code = ?`, string(l), string(t)).Scan(&confirmed)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case confirmed:
		return nil
	case err == nil:
		before = "not confirmed"
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO till (location, code, confirmed) VALUES (?, ?, 1) ON CONFLICT (location, code) DO UPDATE SET confirmed = 1`, string(l), string(t)); err != nil {
		return err
	}
	subject := string(l) + "/" + string(t)
	if err := tx.CloseCase(ctx, cases.ID(cases.UnknownTill, subject), who, "confirmed"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ? AND day IN (SELECT day FROM ticket WHERE location = ? AND till = ?)`, string(l), string(l), string(t)); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "till " + subject, Who: who, What: "confirmed", Before: before, After: "confirmed"})
}

// Calendar is how a location counts its days; empty when nobody has said.
func (s *Store) Calendar(ctx context.Context, l retail.LocationCode) (c retail.Calendar, err error) {
	rules, err := tradings(ctx, s.read, l)
	if err != nil {
		return nil, classify("read calendar", err)
	}
	for _, r := range rules {
		d := retail.Dated{From: retail.BusinessDate(r.since)}
		if d.Zone, err = time.LoadLocation(r.zone); err == nil {
			d.Cutoff, err = retail.ParseClock(r.cutoff)
		}
		if err != nil {
			return nil, classify("read calendar of "+string(l), err)
		}
		c = append(c, d)
	}
	return c, nil
}

// zone names the zone in which a location's day is read, "" when nobody has said.
func (s *Store) zone(ctx context.Context, l retail.LocationCode, d retail.BusinessDate) string {
	c, err := s.Calendar(ctx, l)
	if err != nil {
		return ""
	}
	if g, ok := c.On(d); ok {
		return g.Zone.String()
	}
	return ""
}

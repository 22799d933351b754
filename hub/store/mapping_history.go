package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// putChange keeps a change of a rule, before the set has its new version.
func (tx *Tx) putChange(ctx context.Context, r mapping.Rule, who, reason, before, after string) error {
	v, err := setting(ctx, tx, "mapping")
	if err != nil {
		return err
	}
	var version int64
	if v != "" {
		if version, err = strconv.ParseInt(v, 10, 64); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO rule_change (at, version, role, code, location, since, who, reason, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		micros(tx.Now), version+1, string(r.Role), r.Code, string(r.Location), string(r.From), who, reason, before, after)
	return err
}

// MappingHistory lists changes of rules, the newest first.
func (s *Store) MappingHistory(ctx context.Context, f view.MappingFilter) (out []view.MappingChange, err error) {
	limit := f.Limit
	if limit == 0 {
		limit = 1 << 30
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var c view.MappingChange
		var at int64
		var before, after string
		if err := r.Scan(&at, &c.Version, &c.Role, &c.Code, &c.Location, &c.From, &c.Who, &c.Reason, &before, &after); err != nil {
			return err
		}
		c.At = fromMicros(at)
		if c.New = before == ""; !c.New {
			if err := json.Unmarshal([]byte(before), &c.Before); err != nil {
				return err
			}
		}
		err := json.Unmarshal([]byte(after), &c.After)
		out = append(out, c)
		return err
	}, `SELECT at, version, role, code, location, since, who, reason, before, after FROM rule_change WHERE (? = '' OR role = ?) AND (? = '' OR code = ?) ORDER BY id DESC LIMIT ? OFFSET ?`,
		string(f.Role), string(f.Role), f.Code, f.Code, limit, f.Offset)
	return out, classify("read the mapping's history", err)
}

// concerns is which store-days a rule of who or where concerns, as a condition on a table x with location and day.
func concerns(r mapping.Rule) (cond string, args []any) {
	cond, args = `x.day >= ?`, []any{string(r.From)}
	at := string(r.Location)
	if r.Role == mapping.Location && r.Code != mapping.Any {
		at = r.Code
	}
	if at != "" {
		cond, args = cond+` AND x.location = ?`, append(args, at)
	}
	if r.Code == mapping.Any || r.Role == mapping.Location {
		return cond, args
	}
	switch r.Role {
	case mapping.Station:
		cond += ` AND EXISTS (SELECT 1 FROM ticket t WHERE t.location = x.location AND t.day = x.day AND t.till = ?)`
		args = append(args, r.Code)
	case mapping.Employee:
		cond += ` AND EXISTS (SELECT 1 FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = x.location AND t.day = x.day AND e.cashier = ?)`
		args = append(args, r.Code)
	case mapping.Category:
		cond += ` AND EXISTS (SELECT 1 FROM total t WHERE t.location = x.location AND t.day = x.day AND t.measure IN (?, ?))`
		args = append(args, string(ledger.Of(ledger.Sales, r.Code)), string(ledger.Of(ledger.Returns, r.Code)))
	}
	return cond, args
}

// touchDimension lets the days and vouchers be looked at that a rule of who or where concerns.
func (tx *Tx) touchDimension(ctx context.Context, r mapping.Rule) error {
	cond, args := concerns(r)
	if _, err := tx.ExecContext(ctx, `UPDATE day AS x SET dirty = 1 WHERE `+cond, args...); err != nil {
		return err
	}
	if r.Role != mapping.Location && r.Role != mapping.Category {
		return nil
	}
	wide := r
	wide.Code = mapping.Any // a voucher has no tickets: those of the place and time
	if r.Role == mapping.Location {
		wide.Code = r.Code
	}
	cond, args = concerns(wide)
	_, err := tx.ExecContext(ctx, `UPDATE voucher AS x SET dirty = 1 WHERE `+cond, args...)
	return err
}

// unusedDimension refuses to let a rule of who or where reach posted days unseen: a new one without a date, and one that was changed.
func (tx *Tx) unusedDimension(ctx context.Context, r mapping.Rule, before string) error {
	var was mapping.Target
	if before != "" {
		if err := json.Unmarshal([]byte(before), &was); err != nil {
			return err
		}
	}
	if mapping.Join(was.Analytic) == mapping.Join(r.Target.Analytic) { // journal, company and warehouse hold for documents to come
		return nil
	}
	cond, args := concerns(r)
	var day string
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(x.day), '') FROM document x WHERE x.series = '' AND `+cond, args...).Scan(&day); err != nil || day == "" {
		return err
	}
	if before == "" {
		return fault.Msg(fault.Conflict, "set mapping", fmt.Sprintf("store-days up to %s were posted without a rule of %s %q; nothing was changed. Give it the date from which it holds: one after %s, or an "+
			"earlier one to move what was posted since", day, r.Role, r.Code, day))
	}
	return fault.Msg(fault.Conflict, "set mapping", fmt.Sprintf("store-days up to %s were posted with the rule of %s %q; nothing was changed. Give the new rule a date after %s", day, r.Role, r.Code, day))
}

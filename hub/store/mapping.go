package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
)

// rules reads the mapping in force.
func rules(ctx context.Context, q querier) (set mapping.Set, err error) {
	if err = each(ctx, q, func(r *sql.Rows) error {
		var m mapping.Rule
		var target string
		if err := r.Scan(&m.Role, &m.Code, &m.Location, &m.From, &target); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(target), &m.Target)
		set.Rules = append(set.Rules, m)
		return err
	}, `SELECT role, code, location, since, target FROM rule ORDER BY role, code, location, since`); err != nil {
		return set, err
	}
	v, err := setting(ctx, q, "mapping")
	if err == nil && v != "" {
		set.Version, err = strconv.ParseInt(v, 10, 64)
	}
	return set, err
}

// Mapping returns the rules in force.
func (s *Store) Mapping(ctx context.Context) (mapping.Set, error) {
	set, err := rules(ctx, s.read)
	return set, classify("read mapping", err)
}

// SetRules stores rules, audited, closes the cases they answer and lets the days concerned be looked at: what stood in suspense moves to
// its account by itself. A rule that posted days have used is not changed backwards: give the new one a date. Code conflict.
func (s *Store) SetRules(ctx context.Context, rs []mapping.Rule, who, reason string) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.setRules(ctx, rs, who, reason) })
}

// SetPlan is SetRules and SetBooks together, as a plan says that was laid beside a version of the rules; hash names the plan in the audit trail. Code
// conflict when the rules are others by now: then nothing is changed.
func (s *Store) SetPlan(ctx context.Context, rs []mapping.Rule, b *rollup.Books, version int64, who, hash string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		set, err := rules(ctx, tx)
		if err != nil {
			return err
		}
		if set.Version != version {
			return fault.Msg(fault.Conflict, "set mapping", "somebody has changed the rules since the plan was made; no rule was written. Plan again")
		}
		if err := tx.setRules(ctx, rs, who, "plan "+hash); err != nil {
			return err
		}
		if b != nil {
			if err := tx.setBooks(ctx, *b, who); err != nil {
				return err
			}
		}
		return tx.PutStep(ctx, Step{Subject: "books", Who: who, What: "planned", Reason: "plan " + hash, After: fmt.Sprintf("%d rules", len(rs))})
	})
}

// setRules stores rules as one version of the set.
func (tx *Tx) setRules(ctx context.Context, rs []mapping.Rule, who, reason string) error {
	changed := false
	for _, r := range rs {
		did, err := tx.setRule(ctx, r, who, reason)
		if err != nil {
			return err
		}
		changed = changed || did
	}
	if !changed {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('mapping', '1') ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(setting.value AS INTEGER) + 1 AS TEXT)`)
	return err
}

func (tx *Tx) setRule(ctx context.Context, r mapping.Rule, who, reason string) (bool, error) {
	if err := r.Check(); err != nil {
		return false, fault.New(fault.Invalid, "set mapping", err)
	}
	target, err := json.Marshal(r.Target)
	if err != nil {
		return false, err
	}
	var before string
	err = tx.QueryRowContext(ctx, `SELECT target FROM rule WHERE role = ? AND code = ? AND location = ? AND since = ?`, string(r.Role), r.Code, string(r.Location), string(r.From)).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || before == string(target) {
		return false, err
	}
	if before != "" || mapping.Dimension(r.Role) && r.From == "" {
		if err := tx.unused(ctx, r, before); err != nil {
			return false, err
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO rule (role, code, location, since, target) VALUES (?, ?, ?, ?, ?) ON CONFLICT (role, code, location, since) DO UPDATE SET target = excluded.target`,
		string(r.Role), r.Code, string(r.Location), string(r.From), string(target)); err != nil {
		return false, err
	}
	subject := fmt.Sprintf("mapping %s:%s", r.Role, r.Code)
	if err := tx.PutStep(ctx, Step{Subject: subject, Who: who, What: "set", Reason: reason, Before: before, After: string(target)}); err != nil {
		return false, err
	}
	if err := tx.putChange(ctx, r, who, reason, before, string(target)); err != nil {
		return false, err
	}
	return true, tx.mapped(ctx, r, who)
}

// mapped closes the cases that a rule answers, and marks the days it concerns.
func (tx *Tx) mapped(ctx context.Context, r mapping.Rule, who string) error {
	if mapping.Dimension(r.Role) {
		return tx.touchDimension(ctx, r)
	}
	match, args := concerned("measure", r)
	if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE (location, day) IN (SELECT location, day FROM total WHERE `+match+`)`, args...); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE voucher SET dirty = 1 WHERE instr(body, ?) > 0`, `"`+string(measureOf(r))); err != nil {
		return err
	}
	var ids []string
	if err := each(ctx, tx, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM kase WHERE cause = ? AND state <> 'closed'`, string(cases.UnknownCode)); err != nil {
		return err
	}
	set, err := rules(ctx, tx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c, _, err := tx.getCase(ctx, id)
		if err != nil {
			return err
		}
		role, code := ledger.Account(c.Subject).Split()
		if _, ok := set.Find(role, code, c.Location, c.Day); ok {
			if err := tx.CloseCase(ctx, id, who, "mapped"); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureOf is what the rule places, or what its measures begin with.
func measureOf(r mapping.Rule) ledger.Account {
	if r.Code == mapping.Any {
		return ledger.Account(r.Role)
	}
	return ledger.Of(r.Role, r.Code)
}

// concerned is the condition for measures whose lines a rule places, and for those that are the base of a tax which it places.
func concerned(column string, r mapping.Rule) (where string, args []any) {
	m := string(measureOf(r))
	where, args = `(COLUMN = ? OR substr(COLUMN, 1, length(?) + 2) IN (? || ' ⊕', ? || ' ⊖')`, []any{m, m, m, m}
	if r.Code == mapping.Any {
		where, args = where+` OR substr(COLUMN, 1, length(?) + 1) = ? || ':'`, append(args, m, m)
	}
	if r.Role == ledger.Tax || r.Role == ledger.TaxRefund {
		l := ledger.Levy{Code: r.Code, Back: r.Role == ledger.TaxRefund}
		if r.Code == mapping.Any {
			l.Code = ""
			where, args = where+` OR instr(COLUMN, ?) > 0`, append(args, l.In())
		} else { // "NY" is not "NYC": behind it another mark begins, or nothing
			where, args = where+` OR instr(COLUMN || ' ⊕', ? || ' ⊕') > 0 OR instr(COLUMN || ' ⊖', ? || ' ⊖') > 0`, append(args, l.In(), l.In())
		}
	}
	return strings.ReplaceAll(where+`)`, "COLUMN", column), args
}

// unused refuses to change a rule backwards once documents were made with it.
func (tx *Tx) unused(ctx context.Context, r mapping.Rule, before string) error {
	if mapping.Dimension(r.Role) {
		return tx.unusedDimension(ctx, r, before)
	}
	var t mapping.Target
	if err := json.Unmarshal([]byte(before), &t); err != nil {
		return err
	}
	var day string
	match, args := concerned("t.measure", r)
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(d.day), '') FROM document d JOIN total t ON t.location = d.location AND t.day = d.day
		WHERE d.own = 1 AND d.day >= ? AND (? = '' OR d.location = ?) AND `+match,
		append([]any{string(r.From), string(r.Location), string(r.Location)}, args...)...).Scan(&day)
	if err != nil || day == "" {
		return err
	}
	return fault.Msg(fault.Conflict, "set mapping", fmt.Sprintf("store-days up to %s were posted with %s %q on %s%s; nothing was changed. Give the new rule a date (from): after %s it leaves them as they are; "+
		"at or before it, what was posted from that date on is moved by a further document of each day", day, r.Role, r.Code, t.Account, t.Tax, day))
}

// Setting reads one value of the hub's own, "" = never set.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	v, err := setting(ctx, s.read, name)
	return v, classify("read setting", err)
}

// SetSetting stores one. It is not audited: what a person sets has a step of its own.
func (tx *Tx) SetSetting(ctx context.Context, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// setting reads one value, "" = never set.
func setting(ctx context.Context, q querier, name string) (v string, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = ?`, name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return v, err
}

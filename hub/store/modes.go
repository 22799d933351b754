package store

import (
	"context"
	"database/sql"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// modeRules reads as what a location's days go to the books, by the days from which it holds.
func modeRules(ctx context.Context, q querier, l retail.LocationCode) (out []rollup.ModeRule, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var m rollup.ModeRule
		err := r.Scan(&m.Since, &m.Mode)
		out = append(out, m)
		return err
	}, `SELECT since, mode FROM posting_mode WHERE location = ? ORDER BY since`, string(l))
	return out, err
}

// modeOn is the mode in force on a day, on "" = last; "" = nobody has said.
func modeOn(ctx context.Context, q querier, l retail.LocationCode, on retail.BusinessDate) (m rollup.Mode, err error) {
	rules, err := modeRules(ctx, q, l)
	for _, r := range rules {
		if on == "" || r.Since <= string(on) {
			m = r.Mode
		}
	}
	return m, err
}

// setMode makes l's mode hold from its day on; what l does not say stays as it was. No day that has a document is touched by it: a day keeps
// the mode of its first one.
func (tx *Tx) setMode(ctx context.Context, l *Location, was rollup.Mode) (changed bool, err error) {
	if l.Posting == "" {
		l.Posting = was
		return false, nil
	}
	at := l.PostingFrom
	if at == "" { // as forms give it back that name no day: what holds today is nothing new, and a rule to come stays
		at = retail.DateOf(tx.Now)
	}
	now, err := modeOn(ctx, tx, l.Code, at)
	if err != nil || now.Or() == l.Posting {
		if now == "" {
			l.Posting = now // an entry, as it was: nothing is said anew
		}
		return false, err
	}
	if l.PostingFrom == "" {
		if _, err := tx.ExecContext(ctx, `DELETE FROM posting_mode WHERE location = ?`, string(l.Code)); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO posting_mode (location, since, mode) VALUES (?, ?, ?) ON CONFLICT (location, since) DO UPDATE SET mode = excluded.mode`,
		string(l.Code), string(l.PostingFrom), string(l.Posting))
	return true, err
}

// fillModes gives each location its modes, with the one that holds today.
func (s *Store) fillModes(ctx context.Context, out []view.LocationView, at map[retail.LocationCode]int) error {
	where, args := codesOf("location", out)
	today := retail.DateOf(s.Now())
	for i := range out {
		out[i].Posting = rollup.ByEntry
	}
	return each(ctx, s.read, func(r *sql.Rows) error {
		var l string
		var m rollup.ModeRule
		if err := r.Scan(&l, &m.Since, &m.Mode); err != nil {
			return err
		}
		v := &out[at[retail.LocationCode(l)]]
		v.Postings = append(v.Postings, m)
		if m.Since <= string(today) {
			v.Posting = m.Mode
		}
		return nil
	}, `SELECT location, since, mode FROM posting_mode WHERE `+where+` ORDER BY location, since`, args...)
}

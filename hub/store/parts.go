package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// parts sums up what of a day's totals tills and cashiers did that rules set apart. It is counted from the entries, up to the one that the totals
// go to, and only for a day that has such a rule: a day without one costs nothing, and a rule made today reaches the days of last month.
func parts(ctx context.Context, q querier, k rollup.DayKey, set mapping.Set) (rollup.Parts, error) {
	if !set.Splits(k.Location, k.Day) {
		return nil, nil
	}
	out := rollup.Parts{}
	add := func(sign int, query string) error {
		return each(ctx, q, func(r *sql.Rows) error {
			var w mapping.Who
			var h half
			if err := r.Scan(&w.Till, &w.Cashier, &h.currency, &h.postings); err != nil {
				return err
			}
			beside := set.Beside(w, k.Location, k.Day)
			if beside == "" {
				return nil
			}
			l, err := h.leg(sign)
			if err != nil {
				return fmt.Errorf("read entries of %s: %w", k, err)
			}
			if out[beside] == nil {
				out[beside] = rollup.Totals{}
			}
			return out[beside].Add(l.entry, sign)
		}, query, string(k.Location), string(k.Day.AddDays(-ledger.MaxMove)), string(k.Day.AddDays(ledger.MaxMove)), string(k.Day), string(k.Location), string(k.Day),
			string(ledger.First), string(ledger.Replaces))
	}
	// A ticket's versions lie at most so many days apart. Those that the fold has passed by, in another currency than their day, are in no total.
	const of = ` JOIN day d ON d.location = ? AND d.day = ? WHERE e.currency = d.currency AND n.id <= (SELECT COALESCE(max(entry), 0) FROM cursor) AND n.outcome IN (?, ?)`
	err := errors.Join(
		add(1, `SELECT t.till, e.cashier, e.currency, e.postings FROM ticket t JOIN entry n ON n.ticket = t.id AND t.location = ? AND t.day BETWEEN ? AND ? JOIN entry e ON e.id = n.id AND e.day = ?`+of),
		add(-1, `SELECT t.till, e.cashier, e.currency, e.postings FROM ticket t JOIN entry n ON n.ticket = t.id AND t.location = ? AND t.day BETWEEN ? AND ? JOIN entry e ON n.undo > 0 AND e.id = n.undo AND e.day = ?`+of))
	return out, err
}

// Stations lists the codes of all tills.
func (s *Store) Stations(ctx context.Context) (out []retail.TillCode, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var c retail.TillCode
		err := r.Scan(&c)
		out = append(out, c)
		return err
	}, `SELECT DISTINCT code FROM till ORDER BY code`)
	return out, classify("list tills", err)
}

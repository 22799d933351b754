package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// MappingEffect says what further rules would do: to each store-day of the last 62 days, the lines that would move. Rules that posted days have
// used and that would be changed backwards are refused, as SetRules refuses them. Nothing is changed.
func (s *Store) MappingEffect(ctx context.Context, more []mapping.Rule) (out []view.MappingEffect, err error) {
	errDry := fault.Msg(fault.Conflict, "try mapping", "nothing is kept")
	var before, after mapping.Set
	err = s.InTx(ctx, func(tx *Tx) error {
		if before, err = rules(ctx, tx); err != nil {
			return err
		}
		for _, r := range more {
			if _, err := tx.setRule(ctx, r, "trial", ""); err != nil {
				return err
			}
		}
		if after, err = rules(ctx, tx); err != nil {
			return err
		}
		return errDry // the transaction is undone
	})
	if err != errDry {
		return nil, err
	}
	b, err := booksOf(ctx, s.read)
	if err != nil {
		return nil, classify("try mapping", err)
	}
	keys, err := s.recentDays(ctx, retail.DateOf(s.Now()).AddDays(-62))
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		moves, err := s.moved(ctx, k, before, after, b)
		if err != nil {
			return nil, err
		}
		out = append(out, moves...)
	}
	return out, nil
}

func (s *Store) recentDays(ctx context.Context, since retail.BusinessDate) (keys []rollup.DayKey, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var k rollup.DayKey
		err := r.Scan(&k.Location, &k.Day)
		keys = append(keys, k)
		return err
	}, `SELECT location, day FROM day WHERE day >= ? ORDER BY day, location`, string(since))
	return keys, classify("list days", err)
}

// moved are a day's lines that stand elsewhere by other rules.
func (s *Store) moved(ctx context.Context, k rollup.DayKey, before, after mapping.Set, b rollup.Books) (out []view.MappingEffect, err error) {
	t, err := totals(ctx, s.read, k)
	if err != nil {
		return nil, classify("try mapping", err)
	}
	was, err := sheetBy(ctx, s.read, k, t, before, b)
	if err != nil {
		return nil, classify("try mapping", err)
	}
	is, err := sheetBy(ctx, s.read, k, t, after, b)
	if err != nil {
		return nil, classify("try mapping", err)
	}
	moves, err := rollup.Delta([]rollup.Document{{Lines: was.Lines}}, is.Lines)
	if err != nil {
		return nil, err
	}
	for _, l := range moves {
		if had, has := standsAt(was, l), standsAt(is, l); has <= had {
			continue // what leaves is told where it goes to
		}
		var from []string
		for _, o := range moves {
			if o.Measure == l.Measure && standsAt(is, o) < standsAt(was, o) {
				from = append(from, whereOf(o))
			}
		}
		out = append(out, view.MappingEffect{Location: k.Location, Day: k.Day, Measure: l.Measure, Amount: l.Amount, From: strings.Join(from, " and "), To: whereOf(l)})
	}
	return out, nil
}

func sheetBy(ctx context.Context, q querier, k rollup.DayKey, t rollup.Totals, set mapping.Set, b rollup.Books) (rollup.Sheet, error) {
	ps, err := parts(ctx, q, k, set)
	if err != nil {
		return rollup.Sheet{}, err
	}
	return rollup.MapParts(k, t, ps, set, b)
}

// standsAt is how much of a line's measure stands in its place, whatever the sign.
func standsAt(s rollup.Sheet, l rollup.Line) int64 {
	for _, o := range s.Lines {
		if o.Measure == l.Measure && whereOf(o) == whereOf(l) {
			return max(o.Amount.Minor, -o.Amount.Minor)
		}
	}
	return 0
}

// whereOf words a line's place: its account or tax, and what stands beside it.
func whereOf(l rollup.Line) string {
	where := l.Account + l.Tax
	if l.Account != "" && l.Tax != "" {
		where = l.Account + " " + l.Tax
	}
	if beside := mapping.Join(l.At, l.Analytic); beside != "" {
		where += " beside " + beside
	}
	return where
}

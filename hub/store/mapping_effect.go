package store

import (
	"context"
	"database/sql"
	"slices"

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
	was, err := rollup.Map(k, t, before, b)
	if err != nil {
		return nil, err
	}
	is, err := rollup.Map(k, t, after, b)
	if err != nil {
		return nil, err
	}
	for _, l := range is.Lines {
		i := slices.IndexFunc(was.Lines, func(o rollup.Line) bool { return o.Measure == l.Measure })
		if i < 0 || was.Lines[i].Account == l.Account && was.Lines[i].Tax == l.Tax {
			continue
		}
		out = append(out, view.MappingEffect{Location: k.Location, Day: k.Day, Measure: l.Measure, Amount: l.Amount, From: was.Lines[i].Account + was.Lines[i].Tax, To: l.Account + l.Tax})
	}
	return out, nil
}

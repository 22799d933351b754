package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// ReviewDays sums each store-day of a span; ReviewLocations sums each location over it. Both by location, then by day.
func (s *Store) ReviewDays(ctx context.Context, f view.ReviewFilter) ([]view.ReviewRow, error) {
	return s.review(ctx, f, true)
}

// ReviewLocations sums each location over a span.
func (s *Store) ReviewLocations(ctx context.Context, f view.ReviewFilter) ([]view.ReviewRow, error) {
	return s.review(ctx, f, false)
}

// reviewKey finds a row: of a day, or with "" of a whole span. A location that changed its currency has a row for each.
type reviewKey struct {
	location retail.LocationCode
	day      retail.BusinessDate
	currency money.Currency
}

func (s *Store) review(ctx context.Context, f view.ReviewFilter, byDay bool) ([]view.ReviewRow, error) {
	g := reviewing{at: map[reviewKey]int{}, byDay: byDay}
	err := s.readTx(ctx, func(tx *Tx) error {
		where, args := reviewWhere(f)
		if err := g.days(ctx, tx, where, args); err != nil {
			return err
		}
		if err := g.totals(ctx, tx, where, args); err != nil {
			return err
		}
		return g.readBack(ctx, tx, where, args)
	})
	return g.rows, classify("sum up store-days", err)
}

// reviewing sums store-days up in rows.
type reviewing struct {
	rows  []view.ReviewRow
	at    map[reviewKey]int
	byDay bool
}

func (g *reviewing) key(location, day, currency string) reviewKey {
	k := reviewKey{retail.LocationCode(location), "", money.Currency(currency)}
	if g.byDay {
		k.day = retail.BusinessDate(day)
	}
	return k
}

// row is that of a store-day, nil when its day is in another currency: a case says so.
func (g *reviewing) row(location, day, currency string) *view.ReviewRow {
	i, ok := g.at[g.key(location, day, currency)]
	if !ok {
		return nil
	}
	return &g.rows[i]
}

// days makes the rows, with how their store-days stand.
func (g *reviewing) days(ctx context.Context, tx *Tx, where string, args []any) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var l, d, name, currency, state string
		var tickets int
		var lacks bool
		if err := r.Scan(&l, &d, &name, &currency, &state, &tickets, &lacks); err != nil {
			return err
		}
		k := g.key(l, d, currency)
		i, ok := g.at[k]
		if !ok {
			i = len(g.rows)
			g.at[k] = i
			g.rows = append(g.rows, view.ReviewRow{Location: k.location, Name: name, Day: k.day, Currency: k.currency, Measures: map[ledger.Account]money.Amount{}, Difference: money.Of(0, k.currency)})
		}
		row := &g.rows[i]
		row.Days, row.Tickets, row.State = row.Days+1, row.Tickets+tickets, state
		if lacks {
			row.Unposted++
		} else if state == roll.Open {
			row.Running++
		}
		row.Known = row.Known || state == roll.Verified || state == roll.Accepted
		return nil
	}, `SELECT d.location, d.day, COALESCE(l.name, ''), COALESCE(NULLIF(d.currency, ''), l.currency, ''), d.state, d.tickets, `+unposted+` FROM day d LEFT JOIN location l ON l.code = d.location
		WHERE `+where+` ORDER BY d.location, d.day`, append(unpostedArgs(), args...)...)
}

// totals adds what the ledger holds.
func (g *reviewing) totals(ctx context.Context, tx *Tx, where string, args []any) error {
	return each(ctx, tx, func(r *sql.Rows) (err error) {
		var l, d, measure, currency string
		var minor int64
		if err := r.Scan(&l, &d, &measure, &currency, &minor); err != nil {
			return err
		}
		row, of := g.row(l, d, currency), ledger.Account(measure)
		if row == nil {
			return nil
		}
		row.Measures[of], err = row.Measures[of].Add(money.Of(minor, money.Currency(currency)))
		return err
	}, `SELECT d.location, d.day, d.measure, d.currency, d.minor FROM total d WHERE `+where, args...)
}

// readBack adds by how much Odoo's entries differ from their documents.
func (g *reviewing) readBack(ctx context.Context, tx *Tx, where string, args []any) error {
	return each(ctx, tx, func(r *sql.Rows) (err error) {
		var l, d, currency, readback string
		if err := r.Scan(&l, &d, &currency, &readback); err != nil {
			return err
		}
		row := g.row(l, d, currency)
		if row == nil || readback == "" {
			return nil
		}
		var read odoo.Reading
		if err := json.Unmarshal([]byte(readback), &read); err != nil {
			return err
		}
		row.Difference, err = row.Difference.Add(money.Of(read.Difference, money.Currency(currency)))
		return err
	}, `SELECT d.location, d.day, y.currency, d.readback FROM document d JOIN day y ON y.location = d.location AND y.day = d.day WHERE d.own = 1 AND `+where, args...)
}

func reviewWhere(f view.ReviewFilter) (string, []any) {
	where, args := only("d.location", f.Only)
	return where + ` AND (? = '' OR d.location = ?) AND d.day >= ? AND d.day <= ?`, append(args, string(f.Location), string(f.Location), string(f.From), string(f.To))
}

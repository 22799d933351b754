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

func (s *Store) review(ctx context.Context, f view.ReviewFilter, byDay bool) (out []view.ReviewRow, err error) {
	at := map[reviewKey]int{}
	of := func(l, d, c string) reviewKey {
		k := reviewKey{retail.LocationCode(l), "", money.Currency(c)}
		if byDay {
			k.day = retail.BusinessDate(d)
		}
		return k
	}
	where, args := reviewWhere(f)
	err = s.readTx(ctx, func(tx *Tx) error {
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var l, d, name, currency, state string
			var tickets int
			var lacks bool
			if err := r.Scan(&l, &d, &name, &currency, &state, &tickets, &lacks); err != nil {
				return err
			}
			k := of(l, d, currency)
			i, ok := at[k]
			if !ok {
				i = len(out)
				at[k] = i
				out = append(out, view.ReviewRow{Location: k.location, Name: name, Day: k.day, Currency: k.currency, Measures: map[ledger.Account]money.Amount{}, Difference: money.Of(0, k.currency)})
			}
			row := &out[i]
			row.Days, row.Tickets, row.State = row.Days+1, row.Tickets+tickets, state
			if lacks {
				row.Unposted++
			} else if state == roll.Open {
				row.Running++
			}
			row.Known = row.Known || state == roll.Verified || state == roll.Accepted
			return nil
		}, `SELECT d.location, d.day, COALESCE(l.name, ''), COALESCE(NULLIF(d.currency, ''), l.currency, ''), d.state, d.tickets, `+unposted+` FROM day d LEFT JOIN location l ON l.code = d.location
			WHERE `+where+` ORDER BY d.location, d.day`, append(unpostedArgs(), args...)...); err != nil {
			return err
		}
		if err := each(ctx, tx, func(r *sql.Rows) error {
			var l, d, measure, currency string
			var minor int64
			if err := r.Scan(&l, &d, &measure, &currency, &minor); err != nil {
				return err
			}
			i, ok := at[of(l, d, currency)]
			if !ok {
				return nil // its day is in another currency: a case says so
			}
			sum, err := out[i].Measures[ledger.Account(measure)].Add(money.Of(minor, money.Currency(currency)))
			out[i].Measures[ledger.Account(measure)] = sum
			return err
		}, `SELECT d.location, d.day, d.measure, d.currency, d.minor FROM total d WHERE `+where, args...); err != nil {
			return err
		}
		return each(ctx, tx, func(r *sql.Rows) error {
			var l, d, currency, readback string
			if err := r.Scan(&l, &d, &currency, &readback); err != nil {
				return err
			}
			i, ok := at[of(l, d, currency)]
			if !ok || readback == "" {
				return nil
			}
			var read odoo.Reading
			if err := json.Unmarshal([]byte(readback), &read); err != nil {
				return err
			}
			out[i].Difference, err = out[i].Difference.Add(money.Of(read.Difference, money.Currency(currency)))
			return err
		}, `SELECT d.location, d.day, y.currency, d.readback FROM document d JOIN day y ON y.location = d.location AND y.day = d.day WHERE d.own = 1 AND `+where, args...)
	})
	return out, classify("sum up store-days", err)
}

func reviewWhere(f view.ReviewFilter) (string, []any) {
	where, args := only("d.location", f.Only)
	return where + ` AND (? = '' OR d.location = ?) AND d.day >= ? AND d.day <= ?`, append(args, string(f.Location), string(f.Location), string(f.From), string(f.To))
}

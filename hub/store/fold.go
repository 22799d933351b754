package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// leg is one entry to add to its day, or to take out again.
type leg struct {
	id       int64 // the entry that it adds or takes out
	key      rollup.DayKey
	entry    ledger.Entry
	void     bool
	ticket   bool // a ticket and not a drawer event
	sign     int
	envelope int64
}

// sums is what the legs of one run change of one day.
type sums struct {
	currency   money.Currency // of the day
	totals     rollup.Totals
	tickets    int
	gross, tax money.Amount
	uncosted   int // lines of goods without a cost
}

// Fold adds entries that are not in the totals yet. One cursor serves all locations: there is one writer, and an entry that cannot be
// added becomes a case and is passed by, so that it stops nobody.
func (s *Store) Fold(ctx context.Context, most int) (n int, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		ctx := context.WithoutCancel(ctx) // for one that can end, the driver watches each row; a step is over in milliseconds
		var at int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(entry), 0) FROM cursor`).Scan(&at); err != nil {
			return err
		}
		legs, last, err := tx.legs(ctx, at, most)
		if err != nil || last == at {
			return err
		}
		n = len(legs)
		days := map[rollup.DayKey]*sums{}
		for _, l := range legs {
			if err := tx.fold(ctx, days, l); err != nil {
				return err
			}
		}
		for k, d := range days {
			if err := tx.addSums(ctx, k, d); err != nil {
				return err
			}
		}
		n = max(n, 1)
		if _, err = tx.ExecContext(ctx, `INSERT INTO cursor (location, entry) VALUES ('', ?) ON CONFLICT (location) DO UPDATE SET entry = excluded.entry`, last); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO folded (at, entry) VALUES (?, ?) ON CONFLICT (at) DO UPDATE SET entry = excluded.entry`, tx.Now.Unix(), last)
		return err
	})
	return n, err
}

// legs reads what entries after at do: each adds itself, and takes out the version before.
func (tx *Tx) legs(ctx context.Context, at int64, most int) (legs []leg, last int64, err error) {
	last = at
	rows, err := tx.QueryContext(ctx, `SELECT e.id, e.outcome, t.kind, e.envelope, e.location, e.day, e.currency, e.gross, e.tax, e.void, e.uncosted, e.postings,
		COALESCE(u.location, ''), COALESCE(u.day, ''), COALESCE(u.currency, ''), COALESCE(u.gross, 0), COALESCE(u.tax, 0), COALESCE(u.void, 0), COALESCE(u.uncosted, 0), COALESCE(u.postings, ''), e.undo
		FROM entry e JOIN ticket t ON t.id = e.ticket LEFT JOIN entry u ON e.undo > 0 AND u.id = e.undo WHERE e.id > ? ORDER BY e.id LIMIT ?`, at, most)
	if err != nil {
		return nil, at, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, envelope, undo int64
		var outcome, kind string
		var e, u half
		if err := rows.Scan(&id, &outcome, &kind, &envelope, &e.location, &e.day, &e.currency, &e.gross, &e.tax, &e.void, &e.uncosted, &e.postings,
			&u.location, &u.day, &u.currency, &u.gross, &u.tax, &u.void, &u.uncosted, &u.postings, &undo); err != nil {
			return nil, at, err
		}
		last = id
		if outcome != string(ledger.First) && outcome != string(ledger.Replaces) {
			continue
		}
		for i, h := range []half{e, u} {
			if h.currency == "" {
				continue
			}
			l, err := h.leg(1 - 2*i)
			if err != nil {
				return nil, at, fmt.Errorf("read entry %d: %w", id, err)
			}
			l.id, l.envelope, l.ticket = []int64{id, undo}[i], envelope, kind == "ticket"
			legs = append(legs, l)
		}
	}
	return legs, last, rows.Err()
}

// half is an entry's row.
type half struct {
	location, day, currency, postings string
	gross, tax                        int64
	uncosted                          int
	void                              bool
}

func (h half) leg(sign int) (leg, error) {
	c := money.Currency(h.currency)
	ps, err := decodePostings(h.postings, c)
	return leg{key: rollup.DayKey{Location: retail.LocationCode(h.location), Day: retail.BusinessDate(h.day)}, sign: sign, void: h.void,
		entry: ledger.Entry{Currency: c, Gross: money.Of(h.gross, c), Tax: money.Of(h.tax, c), Uncosted: h.uncosted, Postings: ps}}, err
}

// fold adds a leg to its day's sums. A day has the currency of its first entry; another one is a case, and so is a sum beyond 64 bits.
// Taking out follows the same rule, so that what was never added is never taken out.
func (tx *Tx) fold(ctx context.Context, days map[rollup.DayKey]*sums, l leg) error {
	d, err := tx.sums(ctx, days, l)
	if err != nil {
		return err
	}
	if d.currency != l.entry.Currency {
		return tx.unfoldable(ctx, l, fmt.Sprintf("it is in %s, the store-day %s is in %s", l.entry.Currency, l.key, d.currency))
	}
	gross, tax := l.entry.Gross, l.entry.Tax
	if l.sign < 0 {
		gross, tax = gross.Neg(), tax.Neg()
	}
	gross, err1 := d.gross.Add(gross)
	tax, err2 := d.tax.Add(tax)
	if err := errors.Join(err1, err2); err != nil {
		return tx.unfoldable(ctx, l, err.Error())
	}
	if err := d.totals.Add(l.entry, l.sign); err != nil {
		return tx.unfoldable(ctx, l, err.Error())
	}
	d.gross, d.tax = gross, tax
	d.uncosted += l.sign * l.entry.Uncosted
	if l.ticket && !l.void {
		d.tickets += l.sign
	}
	return nil
}

func (tx *Tx) sums(ctx context.Context, days map[rollup.DayKey]*sums, l leg) (*sums, error) {
	if d := days[l.key]; d != nil {
		return d, nil
	}
	d := &sums{totals: rollup.Totals{}}
	var c string
	err := tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT NULLIF(currency, '') FROM day WHERE location = ? AND day = ?), (SELECT currency FROM location WHERE code = ? AND confirmed = 1), '')`,
		string(l.key.Location), string(l.key.Day), string(l.key.Location)).Scan(&c)
	if err != nil {
		return nil, err
	}
	if d.currency = money.Currency(c); c == "" {
		d.currency = l.entry.Currency
	}
	d.gross, d.tax = money.Of(0, d.currency), money.Of(0, d.currency)
	days[l.key] = d
	return d, nil
}

func (tx *Tx) unfoldable(ctx context.Context, l leg, why string) error {
	c := cases.New(cases.Unfolded, fmt.Sprintf("entry %d", l.id), tx.Now)
	if l.sign < 0 { // it was never added, and now it is taken back
		return tx.CloseCase(ctx, c.ID, "hub", "the till took it back")
	}
	c.Envelope, c.Location, c.Day, c.Amount = l.envelope, l.key.Location, l.key.Day, l.entry.Gross
	c.Detail = "the ticket is in the ledger and not in its store-day: " + why
	return tx.OpenCase(ctx, c)
}

// addSums writes what changed of a day.
func (tx *Tx) addSums(ctx context.Context, k rollup.DayKey, d *sums) error {
	for a, m := range d.totals {
		put := `INSERT INTO total (location, day, measure, minor, currency) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (location, day, measure) DO UPDATE SET minor = total.minor + excluded.minor`
		if a.Goods() {
			put = `INSERT INTO goods (location, day, measure, minor, currency) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (location, day, measure) DO UPDATE SET minor = goods.minor + excluded.minor`
		}
		if _, err := tx.ExecContext(ctx, put, string(k.Location), string(k.Day), string(a), m.Minor, string(d.currency)); err != nil {
			return err
		}
	}
	// A number that another day lacked may be among these.
	if _, err := tx.ExecContext(ctx, `UPDATE day SET dirty = 1 WHERE location = ? AND day BETWEEN ? AND ? AND EXISTS (SELECT 1 FROM kase k
		WHERE k.id = 'gap:' || day.location || ' ' || day.day AND k.state <> 'closed')`, string(k.Location), string(k.Day.AddDays(-gapDays)), string(k.Day.AddDays(gapDays))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO day (location, day, tickets, gross, tax, uncosted, currency, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (location, day) DO UPDATE SET
		tickets = day.tickets + excluded.tickets, gross = day.gross + excluded.gross, tax = day.tax + excluded.tax, uncosted = day.uncosted + excluded.uncosted, currency = excluded.currency, changed = excluded.changed, dirty = 1`,
		string(k.Location), string(k.Day), d.tickets, d.gross.Minor, d.tax.Minor, d.uncosted, string(d.currency), micros(tx.Now))
	return err
}

// totals reads a day's sums.
func totals(ctx context.Context, q querier, k rollup.DayKey) (rollup.Totals, error) {
	return sumsIn(ctx, q, `SELECT measure, minor, currency FROM total WHERE location = ? AND day = ?`, k)
}

// goods reads what a day's goods had cost.
func goods(ctx context.Context, q querier, k rollup.DayKey) (rollup.Totals, error) {
	return sumsIn(ctx, q, `SELECT measure, minor, currency FROM goods WHERE location = ? AND day = ?`, k)
}

func sumsIn(ctx context.Context, q querier, query string, k rollup.DayKey) (rollup.Totals, error) {
	rows, err := q.QueryContext(ctx, query, string(k.Location), string(k.Day))
	if err != nil {
		return nil, err
	}
	out := rollup.Totals{}
	_, err = scanAll(rows, func(r *sql.Rows) (struct{}, error) {
		var a, c string
		var minor int64
		err := r.Scan(&a, &minor, &c)
		out[ledger.Account(a)] = money.Of(minor, money.Currency(c))
		return struct{}{}, err
	})
	return out, err
}

// querier is a transaction or the read side.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

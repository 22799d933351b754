package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// putVoucher stores one; a series that is there already stays as it is, and says so.
func (tx *Tx) putVoucher(ctx context.Context, v ledger.Voucher) (fresh bool, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO voucher (series, location, day, kind, body, made) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (location, day, series) DO NOTHING`,
		v.Series, string(v.Location), string(v.Day), string(v.Kind), string(body), micros(tx.Now))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.PutStep(ctx, Step{Subject: "voucher " + v.Series, Who: "hub", What: "made", Reason: v.Text, After: string(v.Location) + " " + string(v.Day)})
}

// putChanging makes a voucher whose figures follow the tickets, or makes it say what it is now: its documents follow as deltas.
func (tx *Tx) putChanging(ctx context.Context, v ledger.Voucher) (changed bool, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return false, err
	}
	var before string
	err = tx.QueryRowContext(ctx, `SELECT body FROM voucher WHERE location = ? AND day = ? AND series = ?`, string(v.Location), string(v.Day), v.Series).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		if len(v.Postings) > 0 {
			return tx.putVoucher(ctx, v)
		}
		return false, nil
	}
	if err != nil || before == string(body) {
		return false, err
	}
	if v.Kind == ledger.GiftVoucher {
		if err := tx.PutStep(ctx, Step{Subject: "voucher " + v.Series, Who: "hub", What: "counted again", Reason: v.Text, Before: before, After: string(body)}); err != nil {
			return false, err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE voucher SET body = ?, dirty = 1 WHERE location = ? AND day = ? AND series = ?`, string(body), string(v.Location), string(v.Day), v.Series)
	return err == nil, err
}

// DueVouchers implements roll.VoucherStore.
func (s *Store) DueVouchers(ctx context.Context, most int) (out []roll.VoucherKey, err error) {
	if at, err := s.Restored(ctx); err != nil || !at.IsZero() {
		return nil, err // as with store-days: what was sent since the backup is not known yet
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var k roll.VoucherKey
		err := r.Scan(&k.Location, &k.Day, &k.Series)
		out = append(out, k)
		return err
	}, `SELECT location, day, series FROM voucher WHERE dirty = 1 ORDER BY day, location, series LIMIT ?`, most)
	return out, classify("list due vouchers", err)
}

// DecideVoucher implements roll.VoucherStore.
func (s *Store) DecideVoucher(ctx context.Context, k roll.VoucherKey, decide func(roll.Voucher) (roll.Decision, error)) error {
	calendar, err := s.Calendar(ctx, k.Location)
	if err != nil {
		return err
	}
	return s.InTx(ctx, func(tx *Tx) error {
		v, before, err := tx.voucher(ctx, k)
		if err != nil {
			return err
		}
		if g, ok := calendar.On(k.Day); ok {
			v.Begins = g.Start(k.Day)
		}
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(shadow_until), ''), COALESCE(max(closed_period), '') FROM location WHERE code = ?`, string(k.Location)).Scan(&v.ShadowUntil, &v.Period); err != nil {
			return err
		}
		if v.Set, err = rules(ctx, tx); err != nil {
			return err
		}
		if v.Books, err = booksOf(ctx, tx); err != nil {
			return err
		}
		dec, err := decide(v)
		if err != nil {
			return err
		}
		for _, c := range dec.Cases {
			if err := tx.ask(ctx, c); err != nil {
				return err
			}
		}
		for _, id := range dec.Gone {
			if err := tx.CloseCase(ctx, id, "hub", "the deposit is "+dec.State); err != nil {
				return err
			}
		}
		if dec.Document != nil {
			if err := tx.putDocument(ctx, *dec.Document, dec.Period); err != nil {
				return err
			}
		}
		if dec.State != before {
			if err := tx.PutStep(ctx, Step{Subject: "voucher " + k.Series, Who: "hub", What: "is " + dec.State, Reason: dec.Why, Before: before, After: dec.State}); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE voucher SET state = ?, why = ?, dirty = 0 WHERE location = ? AND day = ? AND series = ?`, dec.State, dec.Why, string(k.Location), string(k.Day), k.Series)
		return err
	})
}

// voucher reads one with its documents. Code not_found.
func (tx *Tx) voucher(ctx context.Context, k roll.VoucherKey) (v roll.Voucher, state string, err error) {
	var body string
	err = tx.QueryRowContext(ctx, `SELECT body, state, forced FROM voucher WHERE location = ? AND day = ? AND series = ?`, string(k.Location), string(k.Day), k.Series).Scan(&body, &state, &v.Forced)
	if errors.Is(err, sql.ErrNoRows) {
		return v, "", fault.Msg(fault.NotFound, "read voucher", "there is no voucher "+k.Series)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &v.Voucher)
	}
	if err == nil {
		v.Documents, v.States, err = documents(ctx, tx, rollup.DayKey{Location: k.Location, Day: k.Day}, k.Series)
	}
	if err == nil && v.Kind == ledger.DepositVoucher && len(v.Documents) == 0 {
		v.Pays, err = tx.paidDays(ctx, v.Voucher)
	}
	return v, state, err
}

// Vouchers lists what happened to takings after the tills, the newest first.
func (s *Store) Vouchers(ctx context.Context, f view.VoucherFilter) (out []view.VoucherView, err error) {
	limit := f.Limit
	if limit == 0 {
		limit = -1
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		v, err := scanVoucher(r)
		out = append(out, v)
		return err
	}, `SELECT v.series, v.location, v.day, v.kind, v.state, v.why, v.body, COALESCE((SELECT max(odoo) FROM document d WHERE d.location = v.location AND d.day = v.day AND d.series = v.series), '')
		FROM voucher v WHERE (? = '' OR v.location = ?) AND (? = '' OR v.day >= ?) AND (? = '' OR v.day <= ?) AND (? = '' OR v.series = ?) ORDER BY v.day DESC, v.location, v.series LIMIT ?`,
		string(f.Location), string(f.Location), string(f.From), string(f.From), string(f.To), string(f.To), f.Series, f.Series, limit)
	return out, classify("list vouchers", err)
}

func scanVoucher(r *sql.Rows) (v view.VoucherView, err error) {
	var body string
	if err := r.Scan(&v.Series, &v.Location, &v.Day, &v.Kind, &v.State, &v.Why, &body, &v.Entry); err != nil {
		return v, err
	}
	var x ledger.Voucher
	if err := json.Unmarshal([]byte(body), &x); err != nil {
		return v, err
	}
	v.Text, v.From = x.Text, x.From
	v.Totals, err = rollup.TotalsOf(x)
	return v, err
}

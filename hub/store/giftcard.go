package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Redeemed is what a location's tills took in a tender in the month of a day, by its closed days' sums.
func (s *Store) Redeemed(ctx context.Context, l retail.LocationCode, tender string, day retail.BusinessDate) (money.Amount, error) {
	var minor int64
	var currency string
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(sum(t.minor), 0), COALESCE(max(t.currency), (SELECT currency FROM location WHERE code = ?), '') FROM total t
		WHERE t.location = ? AND t.measure = ? AND t.day BETWEEN ? AND ?`, string(l), string(l), string(ledger.Of(ledger.Tender, tender)), string(day[:7])+"-01", string(day[:7])+"-31").Scan(&minor, &currency)
	return money.Of(minor, money.Currency(currency)), classify("sum what was redeemed", err)
}

// BookByHand keeps a person's vouchers, all of them or none, with the reason; what is there already and says the same stays, so that a command may be
// repeated. Code conflict: one of that series says something else; invalid: no reason.
func (s *Store) BookByHand(ctx context.Context, vs []ledger.Voucher, who, reason string) (made int, err error) {
	if strings.TrimSpace(reason) == "" {
		return 0, fault.Msg(fault.Invalid, "book by hand", "it needs a reason: the next controller will ask")
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		made = 0
		for _, v := range vs {
			fresh, err := tx.putVoucher(ctx, v)
			if err != nil {
				return err
			}
			if !fresh {
				if err := tx.sameVoucher(ctx, v); err != nil {
					return err
				}
				continue
			}
			made++
			if err := tx.PutStep(ctx, Step{Subject: "voucher " + v.Series, Who: who, What: "booked by hand", Reason: reason, After: v.Text}); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}

// sameVoucher refuses a voucher whose series stands for other money.
func (tx *Tx) sameVoucher(ctx context.Context, v ledger.Voucher) error {
	var body string
	err := tx.QueryRowContext(ctx, `SELECT body FROM voucher WHERE location = ? AND day = ? AND series = ?`, string(v.Location), string(v.Day), v.Series).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	var had ledger.Voucher
	if err == nil {
		err = json.Unmarshal([]byte(body), &had)
	}
	if err != nil {
		return err
	}
	if len(had.Postings) != len(v.Postings) || had.Postings[0] != v.Postings[0] {
		return fault.Msg(fault.Conflict, "book by hand", v.Series+" of "+string(v.Location)+" on "+string(v.Day)+" is booked with another amount ("+had.Text+", "+had.Postings[0].Amount.String()+
			"). Nothing was changed; correct the difference by an entry in Odoo, or by another day's")
	}
	return nil
}

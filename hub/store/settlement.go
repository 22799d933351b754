package store

import (
	"context"
	"encoding/json"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// settled is a record of the settlement with what lists need of it.
type settled struct {
	kind     string
	key      retail.Key
	merchant string
	location retail.LocationCode
	day      retail.BusinessDate
	amount   money.Amount
	deposit  string
	revision int64
}

func settledOf(r retail.Record) (s settled) {
	switch x := r.(type) {
	case retail.BankDeposit:
		s = settled{"deposit", x.Key, x.Merchant, x.Location, x.Day, x.Amount, "", x.Revision}
	case retail.SettledPayment:
		s = settled{"settled", x.Key, x.Merchant, x.Location, utcDay(x.At), x.Amount, x.Deposit, x.Revision}
	case retail.Dispute:
		s = settled{"dispute", x.Key, x.Merchant, x.Location, utcDay(x.At), x.Amount, x.Deposit, x.Revision}
	case retail.MonthlyFees:
		s = settled{"fees", x.Key, x.Merchant, x.Location, x.Day, x.Amount, "", x.Revision}
	}
	return s
}

// putSettlement keeps a deposit, a payment in it, a dispute or a month's fees; the later reading stands.
func (tx *Tx) putSettlement(ctx context.Context, envelope int64, r retail.Record) error {
	s := settledOf(r)
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO settlement (kind, key, location, merchant, number, day, minor, deposit, envelope, revision, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET location = excluded.location, merchant = excluded.merchant, day = excluded.day, minor = excluded.minor, deposit = excluded.deposit,
		envelope = excluded.envelope, revision = excluded.revision, body = excluded.body WHERE excluded.revision >= settlement.revision`,
		s.kind, s.key.String(), string(s.location), s.merchant, s.key.ID, string(s.day), s.amount.Minor, s.deposit, envelope, s.revision, string(body))
	return err
}

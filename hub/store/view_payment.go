package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// PaymentViews lists card payments, the latest first.
func (s *Store) PaymentViews(ctx context.Context, f view.PaymentFilter) (out []view.PaymentView, err error) {
	where, args := only("p.location", f.Only)
	add := func(cond string, values ...any) { where, args = where+" AND "+cond, append(args, values...) }
	if f.Location != "" {
		add("p.location = ?", string(f.Location))
	}
	if f.From != "" {
		add("p.day >= ?", string(f.From))
	}
	if f.To != "" {
		add("p.day <= ?", string(f.To))
	}
	if f.Unmatched {
		add("p.tender = 0 AND p.state IN ('open', 'closed')")
	}
	if f.Number != "" {
		add("p.number = ?", f.Number)
	}
	if f.Ticket != 0 {
		add("p.tender > 0 AND p.tender BETWEEN ? AND ?", f.Ticket*places, f.Ticket*places+places-1)
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		v, err := scanPayment(r)
		out = append(out, v)
		return err
	}, `SELECT p.id, p.body, p.confidence, p.why, COALESCE(t.id, 0), COALESCE(t.number, ''), COALESCE(d.amount, 0), COALESCE(d.currency, ''),
		(SELECT count(*) FROM payment_version v WHERE v.payment = p.id) FROM payment p LEFT JOIN tender d ON p.tender > 0 AND d.id = p.tender LEFT JOIN ticket t ON t.id = d.id / 1000
		WHERE `+where+` ORDER BY p.at DESC, p.id DESC LIMIT ?`, append(args, limit(f.Limit))...)
	return out, classify("list payments", err)
}

func scanPayment(r *sql.Rows) (v view.PaymentView, err error) {
	var body, currency string
	var amount int64
	var p retail.Payment
	if err = r.Scan(&v.ID, &body, &v.Confidence, &v.Why, &v.Ticket, &v.Number, &amount, &currency, &v.Versions); err != nil {
		return v, err
	}
	if err = json.Unmarshal([]byte(body), &p); err != nil {
		return v, err
	}
	v.Gateway, v.Location, v.Till, v.Device, v.At, v.State, v.Service = p.Key.ID, p.Location, p.Till, p.Device, p.At, p.State, p.Service
	v.Amount, v.Tip, v.Brand, v.Last4, v.Auth, v.Batch = p.Amount, p.Tip, p.Brand, p.Last4, p.Auth, p.Batch
	if v.Ticket != 0 {
		v.Difference, err = p.Amount.Sub(money.Of(amount, money.Currency(currency)))
	}
	return v, err
}

// loneBack is how far tenders without a payment are looked for where nobody names a day: as far as a cardholder's bank still answers.
const loneBack = 45

// LoneTenders lists card tenders without a payment, of locations whose payments are read and past their time. slack is how long after its
// ticket a payment may come.
func (s *Store) LoneTenders(ctx context.Context, f view.PaymentFilter, slack time.Duration) (out []view.LoneTender, err error) {
	where, args := only("t.location", f.Only)
	from, to := f.From, f.To
	if from == "" {
		from = retail.DateOf(s.Now().UTC()).AddDays(-loneBack)
	}
	if to == "" {
		to = "9999-12-31"
	}
	args = append([]any{string(from), string(to), slack.Microseconds(), string(f.Location), string(f.Location)}, append(args, limit(f.Limit))...)
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.LoneTender
		var at, amount int64
		var currency string
		err := r.Scan(&v.Ticket, &v.Number, &v.Location, &v.Till, &at, &v.Type, &v.Last4, &v.Ref, &amount, &currency)
		v.At, v.Amount = fromMicros(at), money.Of(amount, money.Currency(currency))
		out = append(out, v)
		return err
	}, `SELECT t.id, t.number, t.location, t.till, t.at, d.type, d.last4, d.ref, d.amount, d.currency
		FROM (SELECT location, max(through) AS through, (SELECT COALESCE(min(at), 0) FROM payment p WHERE p.location = read_to.location AND p.at > 0) AS begins
			FROM read_to WHERE kind = 'payments' GROUP BY location) m
		JOIN ticket t ON t.location = m.location AND t.day BETWEEN ? AND ? JOIN tender d ON d.id BETWEEN t.id * 1000 AND t.id * 1000 + 999
		WHERE d.void = 0 AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.tender > 0 AND p.tender = d.id) AND t.at + ? < m.through AND t.at >= m.begins
		AND (? = '' OR t.location = ?) AND `+where+` ORDER BY t.at DESC, d.id DESC LIMIT ?`, args...)
	return out, classify("list tenders without payment", err)
}

// BatchViews lists settlement batches, the latest first, each beside what its payments here come to.
func (s *Store) BatchViews(ctx context.Context, f view.PaymentFilter) (out []view.BatchView, err error) {
	where, args := only("b.location", f.Only)
	args = append([]any{string(f.Location), string(f.Location), f.Number, f.Number}, append(args, limit(f.Limit))...)
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.BatchView
		var body string
		var sum int64
		if err := r.Scan(&v.ID, &body, &v.Payments, &sum); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &v.Batch); err != nil {
			return err
		}
		v.Sum = money.Of(sum, v.Total.Currency)
		if v.State.Final() {
			var err error
			if v.Difference, err = v.Total.Sub(v.Sum); err != nil {
				return err
			}
		}
		out = append(out, v)
		return nil
	}, `SELECT b.number, b.body, (SELECT count(*) FROM payment p WHERE p.batch <> '' AND p.batch = b.number AND p.location = b.location AND p.state IN ('open', 'closed')),
		COALESCE((SELECT sum(amount) FROM payment p WHERE p.batch <> '' AND p.batch = b.number AND p.location = b.location AND p.state IN ('open', 'closed')), 0)
		FROM batch b WHERE (? = '' OR b.location = ?) AND (? = '' OR b.number = ?) AND `+where+` ORDER BY b.opened DESC, b.id DESC LIMIT ?`, args...)
	return out, classify("list batches", err)
}

// SettlementViews lists deposits, disputes, bills or settled payments, the latest first.
func (s *Store) SettlementViews(ctx context.Context, f view.SettlementFilter) (out []view.SettlementView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.SettlementView
		var body string
		var sum int64
		if err := r.Scan(&v.ID, &v.Kind, &v.Envelope, &body, &v.Payments, &sum); err != nil {
			return err
		}
		var err error
		v.Record, err = settlementOf(v.Kind, []byte(body))
		if d, ok := v.Record.(retail.BankDeposit); ok && v.Payments > 0 {
			v.Sum = money.Of(sum, d.Amount.Currency)
		}
		out = append(out, v)
		return err
	}, `SELECT s.id, s.kind, s.envelope, s.body, (SELECT count(*) FROM settlement p WHERE s.kind = 'deposit' AND p.deposit = s.number AND p.kind = 'settled'),
		COALESCE((SELECT sum(minor) FROM settlement p WHERE s.kind = 'deposit' AND p.deposit = s.number AND p.kind = 'settled'), 0) FROM settlement s WHERE (? = '' OR s.kind = ?) AND (? = '' OR s.location = ?) AND (? = '' OR s.day >= ?) AND (? = '' OR s.day <= ?) ORDER BY s.day DESC, s.id DESC LIMIT ?`,
		f.Kind, f.Kind, string(f.Location), string(f.Location), string(f.From), string(f.From), string(f.To), string(f.To), limit(f.Limit))
	return out, classify("list settlement", err)
}

func settlementOf(kind string, body []byte) (retail.Record, error) {
	switch kind {
	case "deposit":
		return settlementAs[retail.BankDeposit](body)
	case "settled":
		return settlementAs[retail.SettledPayment](body)
	case "dispute":
		return settlementAs[retail.Dispute](body)
	case "fees":
		return settlementAs[retail.MonthlyFees](body)
	}
	return nil, fault.Msg(fault.Internal, "read settlement", "a record of kind "+kind+" is kept")
}

func settlementAs[T retail.Record](body []byte) (retail.Record, error) {
	var v T
	err := json.Unmarshal(body, &v)
	return v, err
}

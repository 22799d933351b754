package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

func (tx *Tx) facts(ctx context.Context, f *reconcile.Facts) (err error) {
	since := f.Today.AddDays(-learnDays)
	f.Taken = map[string]bool{}
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var subject, body, series string
		if err := r.Scan(&subject, &body, &series); err != nil {
			return err
		}
		f.Taken[subject] = true
		if strings.HasPrefix(subject, "batch ") && body != "" {
			var b settle.Batch
			if err := json.Unmarshal([]byte(body), &b); err != nil {
				return err
			}
			f.Batches = append(f.Batches, reconcile.Batch{Batch: b, Voucher: series})
		}
		return nil
	}, `SELECT subject, body, voucher FROM used WHERE day >= ? OR body = '' AND day >= ?`, string(since), string(since.AddDays(-disputeDays))); err != nil {
		return err
	}
	for _, read := range []func(context.Context, *reconcile.Facts, retail.BusinessDate) error{tx.factLines, tx.factBatches, tx.factBags, tx.factSettlement} {
		if err := read(ctx, f, since); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) factLines(ctx context.Context, f *reconcile.Facts, since retail.BusinessDate) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var l reconcile.Line
		var minor int64
		var currency string
		err := r.Scan(&l.Key, &l.Account, &l.Booked, &minor, &currency, &l.Text, &l.Code, &l.Voucher)
		l.Amount = money.Of(minor, money.Currency(currency))
		f.Lines = append(f.Lines, l)
		return err
	}, `SELECT key, account, booked, minor, currency, text, code, voucher FROM bank_line WHERE booked >= ? ORDER BY booked, key`, string(since))
}

// factBags reads the cash of posted store-days that no voucher has brought to the bank.
func (tx *Tx) factBags(ctx context.Context, f *reconcile.Facts, since retail.BusinessDate) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var b reconcile.Bag
		var minor int64
		var currency string
		if err := r.Scan(&b.Location, &b.Day, &minor, &currency); err != nil {
			return err
		}
		b.Amount = money.Of(minor, money.Currency(currency))
		if !f.Taken[bagSubject(b)] {
			f.Bags = append(f.Bags, b)
		}
		return nil
	}, `SELECT t.location, t.day, t.minor, t.currency FROM total t JOIN day d ON d.location = t.location AND d.day = t.day WHERE t.measure = ? AND t.day >= ? AND d.state IN ('posted', 'verified', 'accepted')
		ORDER BY t.day, t.location`, string(ledger.Of(ledger.Tender, ledger.Cash)), string(since))
}

func bagSubject(b reconcile.Bag) string { return "bag " + string(b.Location) + " " + string(b.Day) }

// factSettlement reads what the processor itself says of disputes and bills.
func (tx *Tx) factSettlement(ctx context.Context, f *reconcile.Facts, since retail.BusinessDate) error {
	return each(ctx, tx, func(r *sql.Rows) error {
		var kind, body string
		if err := r.Scan(&kind, &body); err != nil {
			return err
		}
		if kind == "fees" {
			var m retail.MonthlyFees
			err := json.Unmarshal([]byte(body), &m)
			f.Bills = append(f.Bills, reconcile.Bill{ID: m.Key.ID, Merchant: m.Merchant, Amount: m.Amount, Parts: m.Parts})
			return err
		}
		var d retail.Dispute
		err := json.Unmarshal([]byte(body), &d)
		f.Disputes = append(f.Disputes, reconcile.Dispute{ID: d.Key.ID, Merchant: d.Merchant, Amount: d.Amount, Won: strings.EqualFold(d.Result, "WON"), Lost: strings.EqualFold(d.Result, "LOST")})
		return err
	}, `SELECT kind, body FROM settlement WHERE kind IN ('dispute', 'fees') AND day >= ? ORDER BY id`, string(since.AddDays(-disputeDays)))
}

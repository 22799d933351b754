package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// BankBooks says where a bank account stands in Odoo.
type BankBooks struct {
	Name    string // code of role bank
	Journal string // of the bank in Odoo, "" = its lines are not brought on
	Make    bool   // statement lines that nobody brought are made
}

// Clearing implements odoo.BankLines.
type Clearing struct {
	*Store
	Name  string               // of the Odoo database, "" = the first
	Banks map[string]BankBooks // by account number
}

// tryAgain is when a line that could not be cleared is tried again.
const tryAgain = 10 * time.Minute

// ToClear implements odoo.BankLines.
func (c Clearing) ToClear(ctx context.Context, most int) (out []odoo.BankLine, err error) {
	type row struct {
		odoo.BankLine
		number, voucher string
	}
	var rows []row
	err = each(ctx, c.read, func(r *sql.Rows) error {
		var x row
		var minor int64
		var currency string
		err := r.Scan(&x.Key, &x.number, &x.Booked, &minor, &currency, &x.Text, &x.ID, &x.voucher)
		x.Amount = money.Of(minor, money.Currency(currency))
		rows = append(rows, x)
		return err
	}, `SELECT key, account, booked, minor, currency, text, odoo, voucher FROM bank_line b WHERE voucher <> '' AND cleared = 0 AND tried < ?
		AND EXISTS (SELECT 1 FROM document d WHERE d.series = b.voucher AND d.book = ?) AND NOT EXISTS (SELECT 1 FROM document d WHERE d.series = b.voucher AND d.state <> 'verified')
		ORDER BY tried, booked, key LIMIT ?`, micros(c.Now().Add(-tryAgain)), c.Name, most)
	if err != nil {
		return nil, classify("list bank lines to clear", err)
	}
	for _, x := range rows {
		b := c.Banks[x.number]
		if b.Journal == "" {
			continue
		}
		l := x.BankLine
		l.Journal, l.Make = b.Journal, b.Make
		if err = c.voucherMoves(ctx, x.voucher, ledger.Of(ledger.Bank, b.Name), &l); err != nil {
			return nil, classify("list bank lines to clear", err)
		}
		out = append(out, l)
	}
	return out, nil
}

// voucherMoves adds a voucher's entries in Odoo, their company, and the account on which they expect the bank's money.
func (c Clearing) voucherMoves(ctx context.Context, series string, bank ledger.Account, to *odoo.BankLine) error {
	return each(ctx, c.read, func(r *sql.Rows) error {
		var body string
		var move int64
		if err := r.Scan(&body, &move, &to.Home); err != nil {
			return err
		}
		var d rollup.Document
		if err := json.Unmarshal([]byte(body), &d); err != nil {
			return err
		}
		to.Moves = append(to.Moves, move)
		for _, l := range d.Lines {
			if l.Measure == bank {
				to.Account = l.Account
			}
		}
		return nil
	}, `SELECT body, move, home FROM document WHERE series = ? AND move > 0 ORDER BY number`, series)
}

// PutCleared implements odoo.BankLines.
func (c Clearing) PutCleared(ctx context.Context, out []odoo.Cleared) error {
	return c.InTx(ctx, func(tx *Tx) error {
		for _, o := range out {
			var was string
			if err := tx.QueryRowContext(ctx, `SELECT why FROM bank_line WHERE key = ?`, o.Key).Scan(&was); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE bank_line SET odoo = ?, cleared = ?, why = ?, tried = ? WHERE key = ?`, o.ID, o.Done, o.Why, micros(tx.Now), o.Key); err != nil {
				return err
			}
			if o.Done || o.Why != was {
				what := "waits in Odoo"
				if o.Done {
					what = "is reconciled in Odoo"
				}
				if err := tx.PutStep(ctx, Step{Subject: "bank line " + o.Key, Who: "hub", What: what, Reason: o.Why}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Homes are the companies, by Odoo's id, in which this database's documents stand.
func (c Clearing) Homes(ctx context.Context) (out []int64, err error) {
	err = each(ctx, c.read, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		out = append(out, n)
		return err
	}, `SELECT DISTINCT home FROM document WHERE book = ? AND move > 0 ORDER BY home`, c.Name)
	return out, classify("list companies", err)
}

// ClearingAccounts are the account codes on which takings stand until they are paid out.
func (s *Store) ClearingAccounts(ctx context.Context) ([]string, error) {
	set, err := rules(ctx, s.read)
	seen, out := map[string]bool{}, []string{}
	for _, r := range set.Rules {
		if r.Role == ledger.Tender && r.Target.Account != "" && !seen[r.Target.Account] {
			seen[r.Target.Account] = true
			out = append(out, r.Target.Account)
		}
	}
	return out, classify("read mapping", err)
}

var _ roll.VoucherStore = (*Store)(nil)

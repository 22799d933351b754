package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// PutBankFile takes a statement file's lines in; those that are known stay as they are. What could not be read is a case per file.
func (s *Store) PutBankFile(ctx context.Context, name string, f bank.File, who string) (fresh, known int, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		for _, st := range f.Statements {
			for _, l := range st.Lines {
				did, err := tx.putBankLine(ctx, l, name)
				if err != nil {
					return err
				}
				if did {
					fresh++
				} else {
					known++
				}
			}
		}
		c := cases.New(cases.BankFile, name, tx.Now)
		if len(f.Bad) == 0 {
			err = tx.CloseCase(ctx, c.ID, who, "the file was read whole")
		} else {
			c.Detail = fmt.Sprintf("%d parts of %s, the first: %s: %s", len(f.Bad), name, f.Bad[0].Where, f.Bad[0].Why)
			err = tx.ask(ctx, c)
		}
		if err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "bank file " + name, Who: who, What: "read", After: fmt.Sprintf("%s: %d lines are new, %d were known, %d parts could not be read", f.Format, fresh, known, len(f.Bad))})
	})
	return fresh, known, err
}

func (tx *Tx) putBankLine(ctx context.Context, l bank.Line, file string) (fresh bool, err error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO bank_line (key, account, booked, minor, currency, text, code, file, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		l.Key, l.Account, string(l.Booked), l.Amount.Minor, string(l.Amount.Currency), l.Text, l.Code, file, micros(tx.Now))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// BankLines lists movements on the bank accounts, the newest first.
func (s *Store) BankLines(ctx context.Context, f view.BankFilter) (out []view.BankLine, err error) {
	if f.Only != nil {
		return s.ownBankLines(ctx, f)
	}
	limit := f.Limit
	if limit == 0 {
		limit = -1
	}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var l view.BankLine
		var minor int64
		var currency string
		err := r.Scan(&l.Key, &l.Account, &l.Booked, &minor, &currency, &l.Text, &l.Voucher, &l.Why, &l.Odoo, &l.Cleared)
		l.Amount = money.Of(minor, money.Currency(currency))
		out = append(out, l)
		return err
	}, `SELECT key, account, booked, minor, currency, text, voucher, why, odoo, cleared FROM bank_line
		WHERE (? = '' OR booked >= ?) AND (? = '' OR booked <= ?) AND (NOT ? OR voucher = '') ORDER BY booked DESC, key LIMIT ?`,
		string(f.From), string(f.From), string(f.To), string(f.To), f.Open, limit)
	return out, classify("list bank lines", err)
}

// ownBankLines lists those of some locations. What a line brings to others is nobody's business there: its amount is left out.
func (s *Store) ownBankLines(ctx context.Context, f view.BankFilter) (out []view.BankLine, err error) {
	all := f
	all.Only, all.Limit = nil, 0
	lines, err := s.BankLines(ctx, all)
	if err != nil {
		return nil, err
	}
	mine, others := map[string]bool{}, map[string]bool{} // by series: vouchers of these locations, and of others
	if err := each(ctx, s.read, func(r *sql.Rows) error {
		var series string
		var l retail.LocationCode
		if err := r.Scan(&series, &l); err != nil {
			return err
		}
		if slices.Contains(f.Only, l) {
			mine[series] = true
		} else {
			others[series] = true
		}
		return nil
	}, `SELECT series, location FROM voucher WHERE (? = '' OR day >= ?) AND (? = '' OR day <= ?)`, string(f.From), string(f.From), string(f.To), string(f.To)); err != nil {
		return nil, classify("list bank lines", err)
	}
	for _, l := range lines {
		if l.Voucher == "" {
			at, known := retail.LocationCode(""), false
			if f.Place != nil {
				at, known = f.Place(l)
			}
			if !known || !slices.Contains(f.Only, at) {
				continue
			}
		} else if !mine[l.Voucher] {
			continue
		}
		if l.Voucher != "" && others[l.Voucher] {
			l.Shared, l.Amount.Minor = true, 0
		}
		if out = append(out, l); f.Limit > 0 && len(out) == f.Limit {
			break
		}
	}
	return out, nil
}

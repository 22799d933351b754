package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// TaxKey names a tax in one company's books. Home 0 = the settings' company.
type TaxKey struct {
	Book string
	Home int64
	Tax  string
}

// TaxesSent adds up what the verified documents of a span's store-days say of each tax, and how much tax of theirs has no base.
func (s *Store) TaxesSent(ctx context.Context, from, to retail.BusinessDate) (sent map[TaxKey]odoo.TaxFigures, unbased map[TaxKey]money.Amount, err error) {
	sent, unbased = map[TaxKey]odoo.TaxFigures{}, map[TaxKey]money.Amount{}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var body, book string
		var home int64
		if err := r.Scan(&body, &book, &home); err != nil {
			return err
		}
		var d rollup.Document
		if err := json.Unmarshal([]byte(body), &d); err != nil {
			return err
		}
		for _, l := range d.Lines {
			addTax(sent, unbased, TaxKey{Book: book, Home: home}, l)
		}
		return nil
	}, `SELECT body, book, home FROM document WHERE day >= ? AND day <= ? AND state = ?`, string(from), string(to), roll.Verified)
	return sent, unbased, classify("prove the taxes", err)
}

func addTax(sent map[TaxKey]odoo.TaxFigures, unbased map[TaxKey]money.Amount, k TaxKey, l rollup.Line) {
	figures := func() odoo.TaxFigures {
		f, ok := sent[k]
		if !ok {
			zero := money.Of(0, l.Amount.Currency)
			f = odoo.TaxFigures{Sold: zero, SoldBase: zero, Back: zero, BackBase: zero, Under: zero}
		}
		return f
	}
	for _, v := range l.Levies {
		k.Tax = v.Tax
		f := figures()
		f.Under.Minor -= l.Amount.Minor
		sent[k] = f
	}
	if l.Tax == "" {
		return
	}
	k.Tax = l.Tax
	f := figures()
	if l.Refund {
		f.Back.Minor += l.Amount.Minor
		f.BackBase.Minor += l.Base.Minor
	} else {
		f.Sold.Minor -= l.Amount.Minor
		f.SoldBase.Minor -= l.Base.Minor
	}
	sent[k] = f
	if l.Base.Minor == 0 {
		u := unbased[k]
		u.Currency = l.Amount.Currency
		u.Minor -= l.Amount.Minor
		unbased[k] = u
	}
}

// untold is the tax of a store-day whose base no till tells, by the tax's code.
func (s *Store) untold(ctx context.Context, k rollup.DayKey) (out []view.Figure, err error) {
	sums := map[string]int64{}
	var currency string
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var postings string
		if err := r.Scan(&currency, &postings); err != nil {
			return err
		}
		ps, err := decodePostings(postings, money.Currency(currency))
		ledger.Entry{Postings: ps}.Untold(sums)
		return err
	}, `SELECT e.currency, e.postings FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ? AND t.day = ?`, string(k.Location), string(k.Day))
	for code, minor := range sums {
		if minor != 0 {
			out = append(out, view.Figure{Measure: ledger.Of(ledger.Tax, code), Label: code, Amount: money.Of(minor, money.Currency(currency))})
		}
	}
	return sortFigures(out), err
}

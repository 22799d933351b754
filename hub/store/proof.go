package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// proofs are made in one pass over documents and one over totals.
type proofs struct {
	by   map[retail.LocationCode]*view.BooksProof
	left map[measureKey]int64 // ledger minus documents
}

type measureKey struct {
	location retail.LocationCode
	day      retail.BusinessDate
	measure  string
}

func (p *proofs) of(l retail.LocationCode, c money.Currency) *view.BooksProof {
	v := p.by[l]
	if v == nil {
		zero := money.Of(0, c)
		v = &view.BooksProof{Location: l, Sent: zero, Odoo: zero, Difference: zero, Pending: zero}
		p.by[l] = v
	}
	return v
}

// Proof puts beside each other what ledger, documents and Odoo, as it was read back last, say of store-days and vouchers of a span.
func (s *Store) Proof(ctx context.Context, from, to retail.BusinessDate) (out []view.BooksProof, err error) {
	p := &proofs{by: map[retail.LocationCode]*view.BooksProof{}, left: map[measureKey]int64{}}
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var k measureKey
		var minor int64
		err := r.Scan(&k.location, &k.day, &k.measure, &minor)
		p.left[k] += minor
		return err
	}, `SELECT t.location, t.day, t.measure, t.minor FROM total t JOIN day d ON d.location = t.location AND d.day = t.day WHERE t.day >= ? AND t.day <= ? AND d.reversed = ''`, string(from), string(to))
	if err == nil {
		err = each(ctx, s.read, p.document, `SELECT d.body, d.state, d.readback, COALESCE(y.reversed, '') FROM document d LEFT JOIN day y ON y.location = d.location AND y.day = d.day
			WHERE d.day >= ? AND d.day <= ?`, string(from), string(to))
	}
	if err != nil {
		return nil, classify("prove the books", err)
	}
	for k, n := range p.left {
		if v := p.by[k.location]; v != nil {
			v.Pending.Minor += max(n, -n)
		}
	}
	for _, l := range slices.Sorted(maps.Keys(p.by)) {
		out = append(out, *p.by[l])
	}
	return out, nil
}

func (p *proofs) document(r *sql.Rows) error {
	var body, state, readback, reversed string
	if err := r.Scan(&body, &state, &readback, &reversed); err != nil {
		return err
	}
	var d rollup.Document
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		return err
	}
	v := p.of(d.Key.Location, d.Currency)
	if v.Documents++; state != roll.Verified {
		v.Unsettled++
	}
	for _, l := range d.Lines {
		v.Sent.Minor += max(l.Amount.Minor, 0)
		if d.Series == "" && reversed == "" {
			p.left[measureKey{d.Key.Location, d.Key.Day, string(l.Measure)}] -= l.Amount.Minor
		}
	}
	if readback == "" {
		return nil
	}
	var read odoo.Reading
	if err := json.Unmarshal([]byte(readback), &read); err != nil {
		return err
	}
	for _, n := range read.Lines {
		v.Odoo.Minor += max(n, 0)
	}
	v.Difference.Minor += read.Difference
	return nil
}

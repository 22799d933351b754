package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// factBatches reads closed batches that stand in no voucher, each divided by who pays it out, location and the tills' own tender.
func (tx *Tx) factBatches(ctx context.Context, f *reconcile.Facts, since retail.BusinessDate) error {
	merchants := map[string]reconcile.Merchant{}
	for _, m := range f.Merchants {
		for _, number := range append([]string{m.Merchant}, m.Sites...) {
			merchants[number] = m
		}
	}
	var open []retail.Batch
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		var b retail.Batch
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return err
		}
		m, known := merchants[b.Merchant]
		decided := f.Taken["batch "+b.Key.ID] && (!m.OwnAmex || f.Taken["batch "+b.Key.ID+"/amex"])
		if known && !decided && !b.Closed.IsZero() && retail.BusinessDate(b.Closed.UTC().Format("2006-01-02")) > since.AddDays(1) { // a store's day may be the one before
			open = append(open, b)
		}
		return nil
	}, `SELECT body FROM batch WHERE state = 'closed' AND opened >= ? ORDER BY id`, micros(openedSince(since))); err != nil {
		return err
	}
	for _, b := range open {
		m := merchants[b.Merchant]
		b.Location = retail.LocationCode(cmp.Or(string(b.Location), string(m.Location)))
		calendar, err := tx.store.Calendar(ctx, b.Location)
		if err != nil {
			return err
		}
		closed, ok := calendar.Day(b.Closed)
		if !ok {
			closed = retail.BusinessDate(b.Closed.UTC().Format("2006-01-02"))
		}
		parts, err := tx.batchParts(ctx, b)
		if err != nil {
			return err
		}
		for _, piece := range byPayer(b, closed, m, parts) {
			if !f.Taken["batch "+piece.ID] {
				f.Batches = append(f.Batches, piece)
			}
		}
	}
	return nil
}

// openedSince is when a batch that was closed since may have been opened at the earliest: a terminal that nobody closes keeps one for weeks.
func openedSince(since retail.BusinessDate) time.Time {
	at, err := time.Parse(time.DateOnly, string(since.AddDays(-30)))
	if err != nil {
		return time.Time{}
	}
	return at
}

// batchParts divides a batch by what its payments paid: the tills' own tender where the payment is matched, else its brand.
func (tx *Tx) batchParts(ctx context.Context, b retail.Batch) (out []reconcile.Part, err error) {
	type key struct {
		location retail.LocationCode
		tender   string
	}
	sums := map[key]int64{}
	err = each(ctx, tx, func(r *sql.Rows) error {
		var location, tender, body string
		var minor int64
		if err := r.Scan(&location, &tender, &minor, &body); err != nil {
			return err
		}
		if tender == "" {
			var p retail.Payment
			if err := json.Unmarshal([]byte(body), &p); err != nil {
				return err
			}
			tender = strings.ToLower(p.Brand)
		}
		sums[key{retail.LocationCode(cmp.Or(location, string(b.Location))), tender}] += minor
		return nil
	}, `SELECT p.location, COALESCE(t.type, ''), p.amount, p.body FROM payment p LEFT JOIN tender t ON t.id = p.tender AND p.tender > 0 WHERE p.batch = ? AND p.state IN ('open', 'closed')`, b.Key.ID)
	if len(sums) == 0 {
		for brand, m := range b.ByBrand {
			sums[key{b.Location, strings.ToLower(brand)}] += m.Minor
		}
	}
	left := b.Total.Minor
	for k, n := range sums {
		left -= n
		out = append(out, reconcile.Part{Location: k.location, Share: ledger.Share{Tender: cmp.Or(k.tender, unknownCard), Amount: money.Of(n, b.Total.Currency)}})
	}
	if left != 0 { // the gateway's total counts: what its payments do not tell is named as that
		out = append(out, reconcile.Part{Location: b.Location, Share: ledger.Share{Tender: unknownCard, Amount: money.Of(left, b.Total.Currency)}})
	}
	slices.SortFunc(out, func(a, b reconcile.Part) int {
		return cmp.Or(cmp.Compare(a.Location, b.Location), cmp.Compare(a.Tender, b.Tender))
	})
	return out, err
}

// unknownCard is the tender of card money whose payments nobody has told.
const unknownCard = "card"

// byPayer divides a batch where American Express pays by itself.
func byPayer(b retail.Batch, closed retail.BusinessDate, m reconcile.Merchant, parts []reconcile.Part) (out []reconcile.Batch) {
	piece := func(id string, funds settle.Funds, which func(string) bool) {
		x := reconcile.Batch{Batch: settle.Batch{ID: id, Merchant: m.Merchant, Funds: funds, Closed: closed, Amount: money.Of(0, b.Total.Currency)}}
		for _, p := range parts {
			if which(p.Tender) {
				x.Parts = append(x.Parts, p)
				x.Amount.Minor += p.Amount.Minor
			}
		}
		if len(x.Parts) > 0 {
			out = append(out, x)
		}
	}
	amex := func(tender string) bool { return m.OwnAmex && isAmex(tender) }
	piece(b.Key.ID, settle.Cards, func(t string) bool { return !amex(t) })
	piece(b.Key.ID+"/amex", settle.Amex, amex)
	return out
}

func isAmex(tender string) bool {
	t := strings.ToLower(tender)
	return strings.Contains(t, "amex") || strings.Contains(t, "american express")
}

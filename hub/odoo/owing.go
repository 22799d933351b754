package odoo

import (
	"context"
	"maps"
	"slices"
)

// debts are what is owed on documents, by their ids.
type debts map[string]*owing

func (d debts) of(records []job) *owing { return d[records[0].Document.ID()] }

// owing is what of a document's receivable items is not matched yet, with those of earlier documents of its ticket; house is what is open on its customer's
// house account beside.
type owing struct {
	own, house []open
	left       int64 // minor units of its own, debit positive
}

type open struct{ id, left int64 }

// match are the items that can be matched now: a ticket's own first, then what is open the other way on its house account. nil = none.
func (o *owing) match() (ids []int64) {
	for _, all := range [][]open{o.own, slices.Concat(o.own, o.house)} {
		pos, neg := false, false
		for _, i := range all {
			pos, neg = pos || i.left > 0, neg || i.left < 0
		}
		if !pos || !neg || len(o.own) == 0 {
			continue
		}
		for n, i := range all {
			if n < len(o.own) || i.left > 0 == (o.own[0].left < 0) {
				ids = append(ids, i.id)
			}
		}
		if len(ids) > len(o.own) || len(all) == len(o.own) {
			return ids
		}
		ids = nil
	}
	return nil
}

// asked is a document that asks for the open items of a record: for its own, or for what is on its customer's house account beside.
type asked struct {
	records []job
	house   bool
}

// asking lists by entry and by payment who asks for its items.
func asking(receipts [][]job) (entries, payments map[int64][]asked) {
	entries, payments = map[int64][]asked{}, map[int64][]asked{}
	for _, records := range receipts {
		others := func(list []Earlier, house bool) {
			for _, b := range list {
				if house && customerKey(b.Document) != customerKey(records[0].Document) {
					continue
				}
				entries[b.Move] = append(entries[b.Move], asked{records, house})
				for part, n := range b.Parts {
					if isPayment(part) {
						payments[n] = append(payments[n], asked{records, house})
					}
				}
			}
		}
		for _, j := range records {
			if j.entry.receivable == 0 {
				continue
			}
			entries[j.inBooks()] = append(entries[j.inBooks()], asked{records, false})
			if j.entry.first {
				others(j.Before, false)
				others(j.House, true)
			}
		}
	}
	return entries, payments
}

// owing reads the receivable items of documents in one call.
func (ch *chart) owing(ctx context.Context, c *Client, receipts [][]job) (debts, error) {
	out := debts{}
	var accounts []int64
	for _, records := range receipts {
		out[records[0].Document.ID()] = &owing{}
		for _, j := range records {
			if j.entry.receivable != 0 {
				accounts = append(accounts, j.entry.receivable)
			}
		}
	}
	entries, payments := asking(receipts)
	domain := []any{[]any{"account_id", "in", accounts}, []any{"reconciled", "=", false}, []any{"parent_state", "=", "posted"}}
	in := []any{"move_id", "in", slices.Sorted(maps.Keys(entries))}
	if len(payments) > 0 {
		domain = append(domain, "|", in, []any{"payment_id", "in", slices.Sorted(maps.Keys(payments))})
	} else {
		domain = append(domain, in)
	}
	got, err := c.search(ctx, "account.move.line", domain, []string{"move_id", "payment_id", "account_id", "amount_residual"}, ch.in())
	if err != nil {
		return nil, err
	}
	for _, m := range got {
		left, err := Minor(m["amount_residual"], ch.currency)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, a := range slices.Concat(entries[id(m["move_id"])], payments[id(m["payment_id"])]) {
			key := a.records[0].Document.ID()
			if !seen[key] && !left.IsZero() && id(m["account_id"]) == leadOf(a.records).entry.receivable {
				out[key].add(open{id(m["id"]), left.Minor}, a.house)
			}
			seen[key] = true
		}
	}
	return out, nil
}

// add takes an item in.
func (o *owing) add(i open, house bool) {
	if house {
		o.house = append(o.house, i)
		return
	}
	o.own = append(o.own, i)
	o.left += i.left
}

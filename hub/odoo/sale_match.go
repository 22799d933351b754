package odoo

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/failpoint"
)

// finish settles documents whose records are all in the books as they should be: what a receipt is owed is matched with its payments, and read
// back. Each step may be repeated: what is matched already is seen before it is matched.
func (w *Writer) finish(ctx context.Context, ch *chart, jobs []job) (out []Outcome, err error) {
	var receipts [][]job
	for _, records := range byDocument(siblings(jobs)) {
		if len(records) == 1 && records[0].entry.receivable == 0 {
			out = append(out, w.verdict(ch, records[0]))
			continue
		}
		receipts = append(receipts, records)
	}
	if len(receipts) == 0 {
		return out, nil
	}
	open, err := ch.owing(ctx, w.client, receipts)
	if err != nil {
		return out, err
	}
	var again [][]job
	for _, records := range receipts {
		if len(records[0].Before) > 0 { // what another document of its ticket matched a moment ago is no longer open
			own, err := ch.owing(ctx, w.client, [][]job{records})
			if err != nil {
				return out, err
			}
			maps.Copy(open, own)
		}
		o := open.of(records)
		if !o.matchable() {
			out = append(out, w.paid(ch, records, o))
			continue
		}
		failpoint.Hit("match.before")
		err := w.reconcile(ctx, ch, o.ids)
		failpoint.Hit("match.after")
		switch kind := KindOf(err); {
		case err == nil:
			again = append(again, records)
		case kind != Refused && kind != Broken:
			return out, err
		default:
			o := w.park(records[0], cases.Parked, "It is in the books and its payments are not matched with it: "+err.Error()+". Match them in Odoo, then retry")
			o.Posted = true
			out = append(out, o)
		}
	}
	if len(again) == 0 {
		return out, nil
	}
	if open, err = ch.owing(ctx, w.client, again); err != nil {
		return out, err
	}
	for _, records := range again {
		out = append(out, w.paid(ch, records, open.of(records)))
	}
	return out, nil
}

// siblings adds to tickets' documents those of the same ticket that came into the books in this step.
func siblings(jobs []job) []job {
	first := map[string][]Earlier{}
	for _, j := range jobs {
		if d := j.Document; d.Slip != nil && j.entry.part == "" {
			key := d.Key.String() + " " + d.Series
			first[key] = append(first[key], Earlier{d, j.Move})
		}
	}
	for i, j := range jobs {
		d := j.Document
		if d.Slip == nil {
			continue
		}
		before := slices.Clone(j.Before)
		for _, e := range first[d.Key.String()+" "+d.Series] {
			if e.Document.Number < d.Number && !slices.ContainsFunc(before, func(b Earlier) bool { return b.Move == e.Move }) {
				before = append(before, e)
			}
		}
		jobs[i].Before = before
	}
	return jobs
}

// debts are what is owed on documents, by their ids.
type debts map[string]*owing

func (d debts) of(records []job) *owing { return d[records[0].Document.ID()] }

// owing is what of a document's receivable items is not matched yet.
type owing struct {
	ids      []int64
	left     int64 // minor units, debit positive
	pos, neg bool
}

func (o *owing) matchable() bool { return o.pos && o.neg }

// owing reads the receivable items of documents in one call.
func (ch *chart) owing(ctx context.Context, c *Client, receipts [][]job) (debts, error) {
	out, of := debts{}, map[int64][]job{}
	var moves, accounts []int64
	for _, records := range receipts {
		out[records[0].Document.ID()] = &owing{}
		for _, j := range records {
			if j.entry.receivable != 0 {
				moves, accounts = append(moves, j.inBooks()), append(accounts, j.entry.receivable)
				of[j.inBooks()] = append(of[j.inBooks()], j)
			}
			if j.entry.receivable != 0 && j.entry.part == "" {
				for _, b := range j.Before {
					moves, of[b.Move] = append(moves, b.Move), append(of[b.Move], j)
				}
			}
		}
	}
	got, err := c.search(ctx, "account.move.line", []any{[]any{"move_id", "in", moves}, []any{"account_id", "in", accounts}, []any{"reconciled", "=", false}},
		[]string{"move_id", "account_id", "amount_residual"}, ch.in())
	if err != nil {
		return nil, err
	}
	for _, m := range got {
		left, err := Minor(m["amount_residual"], ch.currency)
		if err != nil {
			return nil, err
		}
		for _, j := range of[id(m["move_id"])] {
			if id(m["account_id"]) != j.entry.receivable {
				continue
			}
			o := out[j.Document.ID()]
			o.ids = append(o.ids, id(m["id"]))
			o.left += left.Minor
			o.pos, o.neg = o.pos || left.Minor > 0, o.neg || left.Minor < 0
		}
	}
	return out, nil
}

// paid judges a receipt whose payments were matched: nothing may be owed on it but what its customer was charged.
func (w *Writer) paid(ch *chart, records []job, o *owing) Outcome {
	first := records[0]
	for _, j := range records {
		if j.entry.as != asEntry && j.entry.as != asPayment {
			first = j
		}
	}
	out := w.verdict(ch, first)
	out.Read = reading(records, w.client.cfg.URL, ch)
	stays := int64(0)
	for _, i := range first.owed(ch) {
		stays += i.minor
	}
	for _, b := range first.Before {
		for _, l := range b.Document.Lines {
			if l.Account == rollup.OnCustomer || ch.pays(l) && ch.accounts[l.Account].id == first.entry.receivable {
				stays += l.Amount.Minor
			}
		}
	}
	if o.left == stays {
		return out
	}
	why := fmt.Sprintf("It is in the books, and %s is open on it instead of %s: in Odoo somebody matched a payment of it with something else. Undo that match there and retry",
		ch.money(o.left), ch.money(stays))
	out.Verdict, out.Why, out.Case = Park, why, caseOf(cases.TotalDiffers, first.Task, why)
	return out
}

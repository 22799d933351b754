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

// finish settles documents whose records are all in the books as they should be: what a receipt is owed is matched with its payments, what is paid on a
// house account with what is owed on it, and read back. Each step may be repeated: what is matched already is seen before it is matched.
func (w *Writer) finish(ctx context.Context, ch *chart, jobs []job) (out []Outcome, err error) {
	var receipts [][]job
	for _, records := range byDocument(siblings(jobs)) {
		if len(records) == 1 && records[0].entry.receivable == 0 {
			out = append(out, w.verdict(ch, records[0]))
			continue
		}
		receipts = append(receipts, records)
	}
	if err := w.standFor(ctx, receipts); err != nil {
		return out, err
	}
	for pass := 0; len(receipts) > 0; pass++ {
		var again [][]job
		open, err := ch.owing(ctx, w.client, receipts)
		if err != nil {
			return out, err
		}
		for _, records := range receipts {
			if len(again) > 0 && len(records[0].Before)+len(records[0].House) > 0 { // what another document matched a moment ago is no longer open
				own, err := ch.owing(ctx, w.client, [][]job{records})
				if err != nil {
					return out, err
				}
				maps.Copy(open, own)
			}
			o := open.of(records)
			match := o.match()
			if pass == 2 || len(match) == 0 { // its own first, then what else is on its house account
				out = append(out, w.paid(ch, records, o))
				continue
			}
			failpoint.Hit("match.before")
			err := w.reconcile(ctx, ch, match)
			failpoint.Hit("match.after")
			switch kind := KindOf(err); {
			case err == nil:
				again = append(again, records)
			case kind != Refused && kind != Broken:
				return out, err
			default:
				o := w.park(leadOf(records), cases.Parked, "It is in the books and its payments are not matched with it: "+err.Error()+". Match them in Odoo, then retry")
				o.Posted = true
				out = append(out, o)
			}
		}
		receipts = again
	}
	return out, nil
}

// leadOf is the record by which a document is known.
func leadOf(records []job) job {
	for _, j := range records {
		if j.entry.first {
			return j
		}
	}
	return records[0]
}

// standFor keeps the entries of documents of payments alone: until a payment is posted it may have none.
func (w *Writer) standFor(ctx context.Context, receipts [][]job) error {
	var told []Task
	for _, records := range receipts {
		if j := leadOf(records); j.entry.part != "" && j.entry.first && j.lead != j.inBooks() {
			t := j.Task
			t.Move, t.Parts = j.inBooks(), nil
			told = append(told, t)
		}
	}
	if len(told) == 0 {
		return nil
	}
	failpoint.Hit("outbox.before")
	if err := w.Tasks.Loaded(ctx, told); err != nil {
		return outboxError{err}
	}
	failpoint.Hit("outbox.after")
	return nil
}

// siblings adds to tickets' documents those of the same ticket, and of the same house account, that came into the books in this step.
func siblings(jobs []job) []job {
	first, house := map[string][]Earlier{}, map[string][]Earlier{}
	for _, records := range byDocument(jobs) {
		j := leadOf(records)
		d := j.Document
		if d.Slip == nil || !j.entry.first {
			continue
		}
		e := Earlier{Document: d, Move: j.inBooks(), Parts: map[string]int64{}}
		for _, r := range records {
			if r.entry.part != "" {
				e.Parts[r.entry.part] = r.Move
			}
		}
		key := d.Key.String() + " " + d.Series
		first[key] = append(first[key], e)
		if n := customerKey(d); n != "" && d.Slip.House {
			house[n] = append(house[n], e)
		}
	}
	for i, j := range jobs {
		d := j.Document
		if d.Slip == nil {
			continue
		}
		jobs[i].Before = joined(j.Before, first[d.Key.String()+" "+d.Series], func(e rollup.Document) bool { return e.Number != d.Number })
		if n := customerKey(d); n != "" && d.Slip.House {
			jobs[i].House = joined(j.House, house[n], func(e rollup.Document) bool { return e.Series != d.Series || e.Key != d.Key })
		}
	}
	return jobs
}

// joined are those known and those that came, each once.
func joined(known, came []Earlier, which func(rollup.Document) bool) []Earlier {
	out := slices.Clone(known)
	for _, e := range came {
		if which(e.Document) && !slices.ContainsFunc(out, func(b Earlier) bool { return b.Move == e.Move }) {
			out = append(out, e)
		}
	}
	return out
}

// paid judges a receipt whose payments were matched: nothing may be owed on it but what its customer was charged. Of what was charged to a house account, or paid
// on one, any part may be settled by then.
func (w *Writer) paid(ch *chart, records []job, o *owing) Outcome {
	first := leadOf(records)
	out := w.verdict(ch, first)
	out.Read = reading(records, w.client.cfg.URL, ch)
	stays, house := first.stays(ch, first.Document)
	for _, b := range first.Before {
		s, h := first.stays(ch, b.Document)
		stays, house = stays+s, house+h
	}
	if o.left >= stays+min(house, 0) && o.left <= stays+max(house, 0) {
		return out
	}
	why := fmt.Sprintf("It is in the books, and %s is open on it instead of %s: in Odoo somebody matched a payment of it with something else. Undo that match there and retry",
		ch.money(o.left), ch.money(stays+house))
	out.Verdict, out.Why, out.Case = Park, why, caseOf(cases.TotalDiffers, first.Task, why)
	return out
}

// stays is what of a document stays on its customer's account: by a payment's status, and on a house account.
func (j job) stays(ch *chart, d rollup.Document) (open, house int64) {
	for _, l := range d.Lines {
		switch {
		case l.Account == rollup.OnCustomer:
			open += l.Amount.Minor
		case ch.pays(l) && ch.accounts[l.Account].id == j.entry.receivable:
			house += l.Amount.Minor
		}
	}
	return open, house
}

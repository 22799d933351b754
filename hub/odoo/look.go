package odoo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
)

// lookMost is how many entries one later look reads at once.
const lookMost = 200

// Look reads entries that were verified since then once more: somebody may have changed or deleted them in Odoo. It returns how many it
// read. Accountants may relabel and reconcile; money, dates and what a tax return reads may not move unseen. Each company's entries wait until they fill a page, so that
// many companies cost no more calls than one.
func (w *Writer) Look(ctx context.Context, since time.Time) (n int, err error) {
	defer func() { w.Met(err) }()
	waiting := map[books][]Task{}
	for after := ""; ; {
		ts, err := w.Tasks.Verified(ctx, since, after, lookMost)
		if err != nil {
			return n, err
		}
		if len(ts) == 0 {
			break
		}
		after = ts[len(ts)-1].Document.ID()
		for _, part := range w.byCompany(ts) {
			page := append(waiting[part.books], part.tasks...)
			if len(page) >= lookMost {
				if err := w.lookAt(ctx, part.books, page[:lookMost]); err != nil {
					return n, err
				}
				n, page = n+lookMost, slices.Clone(page[lookMost:])
			}
			waiting[part.books] = page
		}
	}
	for b, page := range waiting {
		if err := w.lookAt(ctx, b, page); err != nil {
			return n, err
		}
		n += len(page)
	}
	return n, nil
}

// lookAt reads entries of one company. One that the user may not see any more has said nothing of its entries.
func (w *Writer) lookAt(ctx context.Context, b books, ts []Task) error {
	ch, err := w.charts.get(ctx, b, false)
	if errors.Is(err, errNoCompany) && b != (books{}) {
		w.Log.WarnContext(ctx, "cannot look at posted entries of a company", "company", b, "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	if ch, err = ch.recall(ctx, w.client, ts); err != nil {
		return err
	}
	var jobs []job
	for _, t := range ts {
		es, whole, _, err := ch.records(w.Hub, t.Document, t.Date)
		if err != nil {
			continue // an account was renamed since: the entry itself is read by nobody's name
		}
		for _, e := range es {
			jobs = append(jobs, job{Task: t.record(e.part), entry: e, whole: whole})
		}
	}
	if err := w.see(ctx, ch, jobs); err != nil {
		return err
	}
	if out := once(w.changed(ch, jobs)); len(out) > 0 {
		return w.Tasks.Settle(ctx, out)
	}
	return nil
}

// changed lists entries that are no longer what was verified.
func (w *Writer) changed(ch *chart, jobs []job) (out []Outcome) {
	byID := map[string][]job{}
	for _, j := range jobs {
		byID[j.Document.ID()] = append(byID[j.Document.ID()], j)
	}
	for _, j := range jobs {
		switch {
		case j.seen == nil:
			out = append(out, w.park(j, cases.Deleted, deleted(j)))
		case j.seen.state != "posted":
			out = append(out, w.park(j, cases.ForeignEdit, fmt.Sprintf("It was in the books and is not any more: somebody put the entry %s back to %q in Odoo. Post it there again", j.seen.name, j.seen.state)))
		case j.seen.date != j.entry.date:
			o := w.park(j, cases.ForeignEdit, fmt.Sprintf("Somebody moved entry %s in Odoo from %s to %s: its money stands in another period. Move it back there, or accept it as the accountant's decision", j.seen.name, j.entry.date, j.seen.date))
			o.Read = reading(byID[j.Document.ID()], w.client.cfg.URL, ch)
			out = append(out, o)
		case j.entry.amountsDiffer(j.seen):
			o := w.park(j, cases.ForeignEdit, "Somebody changed the money of entry "+j.seen.name+" in Odoo: "+j.differ()+". Undo it there, or accept it as the accountant's correction")
			o.Read = reading(byID[j.Document.ID()], w.client.cfg.URL, ch)
			out = append(out, o)
		case j.entry.taxesDiffer(j.seen):
			o := w.park(j, cases.ForeignEdit, "Somebody changed the taxes of entry "+j.seen.name+" in Odoo; its money is as it was, a tax return is not: "+j.differ()+". Undo it there, or accept it as the accountant's correction")
			o.Read = reading(byID[j.Document.ID()], w.client.cfg.URL, ch)
			out = append(out, o)
		}
	}
	return out
}

// deleted words an entry that is gone. It is never made anew without a person's word.
func deleted(j job) string {
	return fmt.Sprintf("It is not in the books: the entry with id %d was deleted in Odoo. Nothing is sent again by itself; retry makes it anew, accept leaves it out", j.Move)
}

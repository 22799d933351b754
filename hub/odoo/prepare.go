package odoo

import (
	"context"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/retail"
)

// prepare resolves names and dates. What lacks something in Odoo waits with a case and stops nobody else.
func (w *Writer) prepare(ctx context.Context, b books, ch *chart, locks Locks, ts []Task) (jobs []job, out []Outcome, err error) {
	if err := ch.meet(ctx, w.client, w.Hub, ts); err != nil {
		if kind := KindOf(err); kind != Refused && kind != Broken && kind != Rights {
			return nil, nil, err
		}
		for _, t := range ts {
			if customerKey(t.Document) != "" {
				out = append(out, w.lacking(t, "its customer cannot be made in Odoo: "+err.Error()+". Give the user the right to create contacts there"))
			}
		}
		ts = slices.DeleteFunc(slices.Clone(ts), func(t Task) bool { return customerKey(t.Document) != "" })
	}
	for _, t := range ts {
		es, whole, tags, err := ch.records(w.Hub, t.Document, t.Date)
		if err != nil && t.Move == 0 {
			if fresh, ferr := w.charts.get(ctx, b, true); ferr == nil && fresh != ch {
				*ch = *fresh
				es, whole, tags, err = ch.records(w.Hub, t.Document, t.Date)
			}
		}
		if err != nil {
			out = append(out, w.lacking(t, err.Error()))
			continue
		}
		if t.Move == 0 {
			if wait := w.closed(es, t, locks); wait != nil {
				out = append(out, *wait)
				continue
			}
		}
		for _, e := range es {
			jobs = append(jobs, job{Task: t.record(e.part), entry: e, whole: whole, tags: tags})
		}
	}
	jobs, out, err = w.alive(ctx, ch, jobs, out)
	return drop(jobs, out), out, err
}

// alive takes out the jobs whose analytic account is gone: Odoo books on the id of one that does not exist without a word.
func (w *Writer) alive(ctx context.Context, ch *chart, jobs []job, out []Outcome) (rest []job, _ []Outcome, err error) {
	var ask []int64
	for _, j := range jobs {
		if j.Move == 0 && !slices.Contains(ask, j.entry.location) {
			ask = append(ask, j.entry.location)
		}
	}
	if len(ask) == 0 {
		return jobs, out, nil
	}
	got, err := w.client.search(ctx, "account.analytic.account", []any{[]any{"id", "in", ask}}, []string{"code"}, ch.in())
	if err != nil {
		return nil, out, err
	}
	for _, j := range jobs {
		if j.Move != 0 || len(only(got, j.entry.location)) == 1 {
			rest = append(rest, j)
			continue
		}
		w.charts.forget() // another account may have taken its place
		out = append(out, w.lacking(j.Task, fmt.Sprintf("the analytic account of location %s was deleted or archived in Odoo: make it again with the code %q, or run `hub odoo setup`",
			j.Document.Key.Location, j.Document.Key.Location)))
	}
	return rest, out, nil
}

// lacking is a document for which something is not there in Odoo.
func (w *Writer) lacking(t Task, what string) Outcome {
	why := "It is not in the books: " + what + ". It goes by itself once that is done"
	return Outcome{Document: t.Document.ID(), Verdict: Wait, Why: why, Again: w.Now().Add(lackAgain), Case: caseOf(cases.Parked, t, why)}
}

// cure is what a person does about a draft that differs. Odoo computes a receipt's taxes anew when it goes back to draft, from 18 on, and nobody can
// type them in again.
func (j job) cure() string {
	if j.entry.kind != asEntry {
		return "Delete the draft in Odoo and retry: it is made anew"
	}
	return "Correct the draft in Odoo and retry"
}

// closed looks whether the period is open before Odoo moves the entry without a word. What comes late goes to the first open date, with
// its day in the reference (DESIGN D12); a day's own document waits for a person.
func (w *Writer) closed(es []entry, t Task, locks Locks) *Outcome {
	until := locks.closedFor(es)
	if until == "" {
		return nil
	}
	if t.Document.Number > 1 { // all its records on one date
		for i := range es {
			es[i].date = until.AddDays(1)
		}
		return nil
	}
	o := w.locked(t, until, es[0].date)
	return &o
}

func (w *Writer) locked(t Task, until, date retail.BusinessDate) Outcome {
	why := fmt.Sprintf("It is not in the books: they are closed up to %s and the entry is of %s, so Odoo would put it on another date without a word. "+
		"Open the period in Odoo and it goes by itself, or let it go to the first open date", until, date)
	return Outcome{Document: t.Document.ID(), Verdict: Wait, Why: why, Again: w.Now().Add(lackAgain), Case: caseOf(cases.LockedPeriod, t, why)}
}

// before reads what stands in Odoo now: an entry is posted only if it is exactly what was to be sent.
// stand are those that are posted already and as they should be.
func (w *Writer) before(ctx context.Context, ch *chart, locks Locks, jobs []job) (drafts, stand []job, out []Outcome, err error) {
	if err := w.see(ctx, ch, jobs); err != nil {
		return nil, nil, nil, err
	}
	for _, j := range jobs {
		switch {
		case j.seen == nil:
			out = append(out, w.park(j, cases.Deleted, deleted(j)))
		case j.seen.state == "posted":
			if o := w.verdict(ch, j); o.Verdict == Done {
				stand = append(stand, j)
			} else {
				out = append(out, o)
			}
		case j.seen.state != "draft":
			out = append(out, w.park(j, cases.ForeignEdit, fmt.Sprintf("It is not in the books: somebody set the entry %s to %q in Odoo. Put it back to draft there and retry, or accept that this day is booked by hand", j.seen.name, j.seen.state)))
		case len(j.entry.differences(j.seen)) > 0 || j.seen.date != j.entry.date:
			out = append(out, w.park(j, cases.TotalDiffers, "It is not in the books: the draft in Odoo is not what was sent, so it was not posted: "+j.differ()+". "+j.cure()))
		case locks.closedFor([]entry{j.entry}) != "": // closed since it was loaded
			out = append(out, w.locked(j.Task, locks.closedFor([]entry{j.entry}), j.entry.date))
		default:
			drafts = append(drafts, j)
		}
	}
	return drafts, stand, out, nil
}

package odoo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/failpoint"
)

// post posts drafts: entries and receipts first, then the payments of those that went.
func (w *Writer) post(ctx context.Context, ch *chart, jobs []job) (failed []Outcome, err error) {
	moves, payments := partPayments(jobs)
	if failed, err = w.postAll(ctx, ch, moves); err != nil {
		return failed, err
	}
	f, err := w.postAll(ctx, ch, drop(payments, failed))
	return append(failed, f...), err
}

// postAll posts drafts of one model in one call; when Odoo refuses it, document by document, so that one bad entry holds nobody. A document's records of
// a model are posted together or not at all.
func (w *Writer) postAll(ctx context.Context, ch *chart, jobs []job) (failed []Outcome, err error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	which := make([]int64, len(jobs))
	for i, j := range jobs {
		which[i] = j.Move
	}
	failpoint.Hit("post.before")
	_, err = w.client.Call(ctx, jobs[0].entry.model(), "action_post", []any{which}, map[string]any{"context": ch.in()})
	failpoint.Hit("post.after")
	switch kind := KindOf(err); {
	case err == nil:
		return nil, nil
	case kind != Refused && kind != Broken:
		return nil, err
	}
	if parts := byDocument(jobs); len(parts) > 1 {
		for _, own := range parts {
			f, err := w.postAll(ctx, ch, own)
			if failed = append(failed, f...); err != nil {
				return failed, err
			}
		}
		return failed, nil
	}
	return w.postRest(ctx, ch, jobs, err)
}

// postRest looks what became of one document's records after a refusal: an earlier try, or a person, may have posted some. Only reading tells.
func (w *Writer) postRest(ctx context.Context, ch *chart, jobs []job, why error) (failed []Outcome, err error) {
	if err := w.see(ctx, ch, jobs); err != nil {
		return nil, err
	}
	var rest []job
	for _, j := range jobs {
		if j.seen == nil || j.seen.state != "posted" {
			rest = append(rest, j)
		}
	}
	switch {
	case len(rest) == 0:
		return nil, nil
	case len(rest) < len(jobs):
		return w.postAll(ctx, ch, rest)
	}
	o := w.refused(jobs[0], why)
	if jobs[0].entry.as == asPayment && !slices.ContainsFunc(jobs, func(j job) bool { return j.entry.first }) { // what it pays went before it
		o.Posted = o.Verdict == Park
		o.Why = "What was sold is in the books, and its payment is not: " + o.Why
		if o.Case != nil {
			o.Case.Detail = o.Why
		}
	}
	return []Outcome{o}, nil
}

// byDocument parts records by their documents, in order.
func byDocument(jobs []job) (parts [][]job) {
	at := map[string]int{}
	for _, j := range jobs {
		i, there := at[j.Document.ID()]
		if !there {
			i = len(parts)
			at[j.Document.ID()], parts = i, append(parts, nil)
		}
		parts[i] = append(parts[i], j)
	}
	return parts
}

// after reads back what was posted: only this makes a record verified.
func (w *Writer) after(ctx context.Context, ch *chart, jobs []job) (stand []job, out []Outcome, err error) {
	if err := w.seeNamed(ctx, ch, jobs); err != nil {
		return nil, nil, err
	}
	for _, j := range jobs {
		if j.seen == nil || j.seen.state != "posted" {
			out = append(out, Outcome{Document: j.Document.ID(), Verdict: Wait, Why: "Odoo took the posting and does not show it yet", Again: w.Now().Add(waitFirst), Broke: true})
			continue
		}
		if o := w.verdict(ch, j); o.Verdict == Done {
			stand = append(stand, j)
		} else {
			out = append(out, o)
		}
	}
	return stand, out, nil
}

// see reads jobs' records as they stand: entries in one call, payments in another.
func (w *Writer) see(ctx context.Context, ch *chart, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	moves, payments := partPayments(jobs)
	which := make([]int64, len(moves))
	for i, j := range moves {
		which[i] = j.Move
	}
	failpoint.Hit("readback.before")
	got, err := ch.readPayments(ctx, w.client, payments)
	if err == nil && len(which) > 0 {
		var more map[int64]*found
		more, err = ch.readBack(ctx, w.client, which)
		for i, j := range jobs {
			if j.entry.as != asPayment {
				jobs[i].seen = more[j.Move]
			}
		}
	}
	failpoint.Hit("readback.after")
	for i, j := range jobs {
		if j.entry.as == asPayment {
			jobs[i].seen = got[j.Move]
		}
	}
	return err
}

// verdict judges a posted entry: its date, then its items.
func (w *Writer) verdict(ch *chart, j job) Outcome {
	o := Outcome{Document: j.Document.ID(), Verdict: Done, Posted: true, Entry: fmt.Sprintf("%s (id %d)", j.seen.name, j.inBooks()), Read: reading([]job{j}, w.client.cfg.URL, ch)}
	if j.entry.part != "" || j.entry.receivable != 0 {
		o.Read = nil // one of several records is not the document
	}
	var c *cases.Case
	switch {
	case j.seen.date != j.entry.date:
		c = caseOf(cases.DateShift, j.Task, fmt.Sprintf("It is in the books on another date: entry %s was meant for %s, Odoo has it on %s, because the period was closed meanwhile. "+
			"Accept the date, or open the period and move the entry there", j.seen.name, j.entry.date, j.seen.date))
	case len(j.entry.differences(j.seen)) > 0:
		c = caseOf(cases.TotalDiffers, j.Task, "It is in the books and not as it was sent: entry "+j.seen.name+": "+j.differ()+". Correct the entry in Odoo")
	default:
		o.Note = j.settled()
		return o
	}
	o.Verdict, o.Why, o.Case = Park, c.Detail, c
	return o
}

func (w *Writer) park(j job, cause cases.Cause, why string) Outcome {
	o := Outcome{Document: j.Document.ID(), Verdict: Park, Why: why, Case: caseOf(cause, j.Task, why)}
	if j.seen != nil {
		o.Entry, o.Posted = fmt.Sprintf("%s (id %d)", j.seen.name, cmp.Or(j.inBooks(), j.Move)), j.seen.state == "posted"
	}
	return o
}

// refused is a document that Odoo will not take as it is; one that broke Odoo gets more tries.
func (w *Writer) refused(j job, err error) Outcome {
	if KindOf(err) == Broken && j.Attempt+1 < tries {
		return Outcome{Document: j.Document.ID(), Verdict: Wait, Why: err.Error(), Again: w.Now().Add(backoff(j.Attempt)), Broke: true}
	}
	return w.park(j, cases.Parked, err.Error())
}

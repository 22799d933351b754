package odoo

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// prepare resolves names and dates. What lacks something in Odoo waits with a case and stops nobody else.
func (w *Writer) prepare(ctx context.Context, b books, ch *chart, locks lockdate.Locks, ts []Task) (jobs []job, out []Outcome, err error) {
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
	led := leads{}
	for _, t := range ts {
		es, whole, tags, err := ch.records(w.Hub, t.Document, t.Date)
		if err != nil && !t.known() {
			if fresh, ferr := w.charts.get(ctx, b, true); ferr == nil && fresh != ch {
				*ch = *fresh
				es, whole, tags, err = ch.records(w.Hub, t.Document, t.Date)
			}
		}
		if err != nil {
			out = append(out, w.lacking(t, err.Error()))
			continue
		}
		own := make([]job, len(es))
		for i, e := range es {
			e.link = w.address(t.Document)
			own[i] = job{Task: t.record(e.part), entry: e, whole: whole, tags: tags, lead: t.Move}
		}
		if !t.known() {
			if wait := w.date(&own[0], locks, led); wait != nil {
				out = append(out, *wait)
				continue
			}
			together(own)
		}
		jobs = append(jobs, own...)
	}
	jobs, out, err = w.alive(ctx, ch, jobs, out)
	return drop(jobs, out), out, err
}

// address is where people see a document's day at the hub, "" = the settings do not say.
func (w *Writer) address(d rollup.Document) string {
	if w.Pages == "" {
		return ""
	}
	return strings.TrimSuffix(w.Pages, "/") + "/day?" + url.Values{"location": {string(d.Key.Location)}, "date": {string(d.Key.Day)}}.Encode()
}

// alive takes out the jobs of which an analytic account is gone: Odoo books on the id of one that does not exist without a word.
func (w *Writer) alive(ctx context.Context, ch *chart, jobs []job, out []Outcome) (rest []job, _ []Outcome, err error) {
	var ask []int64
	for _, j := range jobs {
		for _, n := range j.entry.analytics {
			if j.Move == 0 && !slices.Contains(ask, n) {
				ask = append(ask, n)
			}
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
		gone := slices.ContainsFunc(j.entry.analytics, func(n int64) bool { return len(only(got, n)) != 1 })
		if j.Move != 0 || !gone {
			rest = append(rest, j)
			continue
		}
		w.charts.forget() // another account may have taken its place
		out = append(out, w.lacking(j.Task, fmt.Sprintf("the analytic account of location %s, or one that stands beside its lines, was deleted or archived in Odoo: make it again with the code %q, or run `hub odoo setup`; what rules name shows `hub odoo check`",
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
	if j.entry.as != asEntry {
		return "Delete the draft in Odoo and retry: it is made anew"
	}
	return "Correct the draft in Odoo and retry"
}

// before reads what stands in Odoo now: an entry is posted only if it is exactly what was to be sent. stand are those that are posted already and as
// they should be.
func (w *Writer) before(ctx context.Context, ch *chart, locks lockdate.Locks, jobs []job) (drafts, stand []job, out []Outcome, err error) {
	if err := w.seeNamed(ctx, ch, jobs); err != nil {
		return nil, nil, nil, err
	}
	var late []job
	for _, j := range jobs {
		o, redate := w.inspect(ch, locks, &j)
		switch {
		case o != nil && o.Verdict == Done:
			stand = append(stand, j)
		case o != nil:
			out = append(out, *o)
		case redate:
			late = append(late, j)
		default:
			drafts = append(drafts, j)
		}
	}
	if len(late) == 0 {
		return drafts, stand, out, nil
	}
	late, refused, err := w.redate(ctx, ch, drop(late, out))
	if out = append(out, refused...); err != nil {
		return drafts, stand, out, err
	}
	for _, j := range late {
		j.Loaded, j.Date = j.entry.date, j.entry.date
		if o, redate := w.inspect(ch, locks, &j); o != nil && o.Verdict == Done {
			stand = append(stand, j)
		} else if o != nil {
			out = append(out, *o)
		} else if redate {
			out = append(out, w.park(j, cases.TotalDiffers, "It is not in the books: Odoo does not keep the date that its draft was given: "+j.differ()+". "+j.cure()))
		} else {
			drafts = append(drafts, j)
		}
	}
	return drafts, stand, out, nil
}

// inspect judges what stands in Odoo before it is posted: an outcome, a draft that must get another date first, or neither: it may be posted.
func (w *Writer) inspect(ch *chart, locks lockdate.Locks, j *job) (o *Outcome, redate bool) {
	say := func(o Outcome) (*Outcome, bool) { return &o, false }
	switch {
	case j.seen == nil:
		return say(w.park(*j, cases.Deleted, deleted(*j)))
	case j.seen.state == "posted":
		return say(w.verdict(ch, *j))
	case j.seen.state != "draft":
		return say(w.park(*j, cases.ForeignEdit, fmt.Sprintf("It is not in the books: somebody set the entry %s to %q in Odoo. Put it back to draft there and retry, or accept that this day is booked by hand", j.seen.name, j.seen.state)))
	}
	a := w.ask(j, locks) // closed since it was loaded, or a person gave another date
	meant := j.entry.date
	if a.Date != "" {
		j.move(a)
	}
	switch {
	case len(j.entry.differences(j.seen)) > 0 || !slices.Contains([]retail.BusinessDate{j.entry.date, meant, j.Loaded, j.Document.Date}, j.seen.date): // nobody here gave it that date
		return say(w.park(*j, cases.TotalDiffers, "It is not in the books: the draft in Odoo is not what was sent, so it was not posted: "+j.differ()+". "+j.cure()))
	case a.Date == "":
		return say(w.locked(j.Task, a, meant))
	}
	return nil, j.seen.date != j.entry.date || j.Loaded != j.entry.date
}

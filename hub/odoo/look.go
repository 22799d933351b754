package odoo

import (
	"context"
	"fmt"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
)

// lookMost is how many entries one later look reads at once.
const lookMost = 200

// Look reads entries that were verified since then once more: somebody may have changed or deleted them in Odoo. It returns how many it
// read. Accountants may relabel and reconcile; money and dates may not move unseen.
func (w *Writer) Look(ctx context.Context, since time.Time) (n int, err error) {
	ch, err := w.charts.get(ctx, false)
	if err != nil {
		return 0, err
	}
	for after := ""; ; {
		ts, err := w.Tasks.Verified(ctx, since, after, lookMost)
		if err != nil || len(ts) == 0 {
			return n, err
		}
		after = ts[len(ts)-1].Document.ID()
		n += len(ts)
		var jobs []job
		for _, t := range ts {
			e, _, err := ch.resolve(w.Hub, t.Document, t.Date)
			if err != nil {
				continue // an account was renamed since: the entry itself is read by nobody's name
			}
			jobs = append(jobs, job{Task: t, entry: e})
		}
		if err := w.see(ctx, ch, jobs); err != nil {
			return n, err
		}
		if out := w.changed(ch, jobs); len(out) > 0 {
			if err := w.Tasks.Settle(ctx, out); err != nil {
				return n, err
			}
		}
	}
}

// changed lists entries that are no longer what was verified.
func (w *Writer) changed(ch *chart, jobs []job) (out []Outcome) {
	for _, j := range jobs {
		switch {
		case j.seen == nil:
			out = append(out, w.park(j, cases.Deleted, fmt.Sprintf("the entry with id %d was deleted in Odoo", j.Move)))
		case j.seen.state != "posted":
			out = append(out, w.park(j, cases.ForeignEdit, fmt.Sprintf("the entry %s was put back to %s in Odoo", j.seen.name, j.seen.state)))
		case j.entry.amountsDiffer(j.seen):
			o := w.park(j, cases.ForeignEdit, "entry "+j.seen.name+" was changed: "+j.differ())
			o.Read = j.reading(w.client.cfg.URL, ch)
			out = append(out, o)
		}
	}
	return out
}

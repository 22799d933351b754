package odoo

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/tillpost/tillpost/shared/failpoint"
)

// load creates what does not exist yet, under its external id, and tells Odoo's ids to the outbox. A repeated load of the same id does
// nothing and returns the same id: that is why nothing is ever sent another way.
func (w *Writer) load(ctx context.Context, ch *chart, jobs []job) (loaded []job, failed []Outcome, err error) {
	var fresh []job
	for _, j := range jobs {
		if j.Move != 0 { // known: it is read by id only, a load would make a deleted one anew
			loaded = append(loaded, j)
			continue
		}
		fresh = append(fresh, j)
	}
	if ts := tasksOf(fresh); w.Sending != nil && len(ts) > 0 {
		if serr := w.Sending(ctx, ts); serr != nil {
			return nil, nil, outboxError{serr}
		}
	}
	made, failed, err := w.loadKinds(ctx, ch, fresh)
	for i := range made {
		made[i].Date, made[i].Loaded, made[i].Home = made[i].entry.date, made[i].entry.date, ch.company
	}
	if known := tasksOf(made); len(known) > 0 {
		failpoint.Hit("outbox.before")
		if serr := w.Tasks.Loaded(ctx, known); serr != nil {
			return nil, failed, outboxError{serr}
		}
		failpoint.Hit("outbox.after")
	}
	return append(loaded, made...), failed, err
}

// loadKinds loads receipts and what is like them first, then entries, then payments: each kind has columns of its own.
func (w *Writer) loadKinds(ctx context.Context, ch *chart, jobs []job) (made []job, failed []Outcome, err error) {
	var sales, entries, payments []job
	for _, j := range jobs {
		switch j.entry.as {
		case asEntry:
			entries = append(entries, j)
		case asPayment:
			payments = append(payments, j)
		default:
			sales = append(sales, j)
		}
	}
	for _, kind := range [][]job{sales, entries, payments} {
		m, f, err := w.loadChunk(ctx, ch, drop(kind, failed))
		made, failed = append(made, m...), append(failed, f...)
		if err != nil {
			return made, failed, err
		}
	}
	return made, failed, nil
}

// tasksOf are the tasks of records, each once, with the ids of its records as far as they are known.
func tasksOf(jobs []job) (out []Task) {
	at := map[string]int{}
	for _, j := range jobs {
		id := j.Document.ID()
		i, there := at[id]
		if !there {
			i = len(out)
			at[id] = i
			t := j.Task
			t.Move, t.Parts = 0, maps.Clone(t.Parts)
			out = append(out, t)
		}
		if j.entry.part == "" {
			out[i].Move = j.Move
		} else if j.Move != 0 {
			if out[i].Parts == nil {
				out[i].Parts = map[string]int64{}
			}
			out[i].Parts[j.entry.part] = j.Move
		}
	}
	return out
}

// record is the task with the id of one of its records.
func (t Task) record(part string) Task {
	if part != "" {
		t.Move = t.Parts[part]
	}
	return t
}

// loadChunk loads jobs in one call, which Odoo takes whole or not at all; when it refuses, in halves, until the bad one stands alone.
func (w *Writer) loadChunk(ctx context.Context, ch *chart, jobs []job) (made []job, failed []Outcome, err error) {
	if len(jobs) == 0 {
		return nil, nil, nil
	}
	ids, err := w.call(ctx, ch, jobs)
	switch kind := KindOf(err); {
	case err == nil:
		for i := range jobs {
			jobs[i].Move = ids[i]
		}
		return jobs, nil, nil
	case kind != Refused && kind != Broken:
		return nil, nil, err
	case len(jobs) == 1:
		return nil, []Outcome{w.refused(jobs[0], err)}, nil
	}
	half := len(jobs) / 2
	made, failed, err = w.loadChunk(ctx, ch, jobs[:half])
	if err != nil {
		return made, failed, err
	}
	m, f, err := w.loadChunk(ctx, ch, jobs[half:])
	return append(made, m...), append(failed, f...), err
}

// call is one load. Its result carries what went wrong: a fault is the exception.
func (w *Writer) call(ctx context.Context, ch *chart, jobs []job) ([]int64, error) {
	entries, tags := make([]entry, len(jobs)), map[int64][]int64{}
	for i, j := range jobs {
		entries[i] = j.entry
		for k, v := range j.tags {
			tags[k] = v
		}
	}
	in := ch.in()
	in["mode"], in["noupdate"] = "update", true
	in["tracking_disable"], in["mail_create_nolog"] = true, true
	in["skip_invoice_sync"] = true // Odoo adds neither tax lines nor a balancing line of its own
	var args []any
	switch entries[0].as {
	case asEntry:
		args = payload(entries, tags)
	case asPayment:
		args = ch.paymentPayload(entries)
	default:
		args = salePayload(entries, tags)
	}
	failpoint.Hit("load.before")
	got, err := w.client.Call(ctx, entries[0].model(), "load", args, map[string]any{"context": in})
	failpoint.Hit("load.after")
	if err != nil {
		if strings.Contains(err.Error(), ExternalField) { // somebody took the field away
			w.charts.forget()
		}
		return nil, err
	}
	m, _ := got.(map[string]any)
	out := ids(m["ids"])
	if len(out) == len(jobs) {
		return out, nil
	}
	words := messages(m["messages"])
	if transient(words) {
		return nil, &Error{Kind: Busy, Text: words}
	}
	return nil, &Error{Kind: Refused, Text: oneLine(words)}
}

// messages joins what load complains of.
func messages(v any) string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, strings.TrimSpace(text(m["message"])))
		}
	}
	if len(out) == 0 {
		return fmt.Sprintf("load gave no ids and no message: %v", v)
	}
	return strings.Join(out, " | ")
}

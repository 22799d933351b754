package odoo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// maxChunk is how many documents one load carries. Odoo kills a call after 120 s; 50 store-days take about 3.
	maxChunk = 50
	// tries is how often a document may break Odoo before a person looks at it.
	tries = 6

	waitFirst   = 2 * time.Second
	waitLongest = 5 * time.Minute
	// lackAgain is when a document that lacks a name in Odoo, or whose period is closed, is tried again.
	lackAgain = 2 * time.Minute
)

// Writer brings tasks into the books. One goroutine runs it; there is one per Odoo database.
type Writer struct {
	Hub   envelope.HubID
	Tasks Tasks
	Log   *slog.Logger
	Now   func() time.Time

	client *Client
	charts *charts
	silent int // calls in a row that Odoo did not take
	conn   connection
}

// NewWriter returns a writer on a connection.
func NewWriter(hub envelope.HubID, c *Client, t Tasks, log *slog.Logger) *Writer {
	return &Writer{Hub: hub, Tasks: t, Log: log, Now: time.Now, client: c, charts: &charts{client: c, now: time.Now}}
}

// job is a task on its way through one step.
type job struct {
	Task
	entry entry
	tags  map[int64][]int64
	seen  *found
}

// Step claims what is due and brings it as far as it goes; worked = there was something. An error is the outbox's: what Odoo says is in the
// outcomes.
func (w *Writer) Step(ctx context.Context) (worked bool, err error) {
	claimed, err := w.Tasks.Claim(ctx, maxChunk)
	if err != nil || len(claimed) == 0 {
		return false, err
	}
	out, err := w.bring(ctx, claimed)
	if ctx.Err() != nil {
		return true, ctx.Err() // what was done is found again by its external id
	}
	if err != nil {
		out = w.postpone(out, claimed, err)
	} else {
		w.silent = 0
		w.conn.note(nil, w.Now(), time.Time{})
	}
	failpoint.Hit("outbox.before")
	if err := w.Tasks.Settle(ctx, out); err != nil {
		return true, err
	}
	failpoint.Hit("outbox.after")
	for _, o := range out {
		w.Log.InfoContext(ctx, "document "+string(o.Verdict), "document", o.Document, "entry", o.Entry, "why", o.Why)
	}
	return true, nil
}

// bring runs the whole sequence for tasks. out are those that are settled; an error concerns all others.
func (w *Writer) bring(ctx context.Context, ts []Task) (out []Outcome, err error) {
	ch, err := w.charts.get(ctx, false)
	if err != nil {
		return nil, err
	}
	locks, err := ch.locks(ctx, w.client)
	if err != nil {
		return nil, err
	}
	jobs, out := w.prepare(ctx, ch, locks, ts)
	loaded, failed, err := w.load(ctx, ch, jobs)
	if out = append(out, failed...); err != nil {
		return out, err
	}
	drafts, settled, err := w.before(ctx, ch, locks, loaded)
	if out = append(out, settled...); err != nil {
		return out, err
	}
	failed, err = w.post(ctx, ch, drafts)
	if out = append(out, failed...); err != nil {
		return out, err
	}
	settled, err = w.after(ctx, ch, drop(drafts, failed))
	return append(out, settled...), err
}

// prepare resolves names and dates. What lacks something in Odoo waits with a case and stops nobody else.
func (w *Writer) prepare(ctx context.Context, ch *chart, locks Locks, ts []Task) (jobs []job, out []Outcome) {
	for _, t := range ts {
		e, tags, err := ch.resolve(w.Hub, t.Document, t.Date)
		if err != nil && t.Move == 0 {
			if fresh, ferr := w.charts.get(ctx, true); ferr == nil && fresh != ch {
				*ch = *fresh
				e, tags, err = ch.resolve(w.Hub, t.Document, t.Date)
			}
		}
		if err != nil {
			out = append(out, Outcome{Document: t.Document.ID(), Verdict: Wait, Why: err.Error(), Again: w.Now().Add(lackAgain), Case: caseOf(cases.Parked, t, err.Error())})
			continue
		}
		if t.Move == 0 {
			if wait := w.closed(&e, t, locks); wait != nil {
				out = append(out, *wait)
				continue
			}
		}
		jobs = append(jobs, job{Task: t, entry: e, tags: tags})
	}
	return jobs, out
}

// closed looks whether the period is open before Odoo moves the entry without a word. What comes late goes to the first open date, with
// its day in the reference (DESIGN D12); a day's own document waits for a person.
func (w *Writer) closed(e *entry, t Task, locks Locks) *Outcome {
	until := locks.Closed(e.date, e.taxed)
	if until == "" {
		return nil
	}
	if t.Document.Number > 1 {
		e.date = locks.Open(e.date, e.taxed)
		return nil
	}
	o := w.locked(t, until, e.date)
	return &o
}

func (w *Writer) locked(t Task, until, date retail.BusinessDate) Outcome {
	why := fmt.Sprintf("the books are closed up to %s, the entry is of %s; it would land on another date", until, date)
	return Outcome{Document: t.Document.ID(), Verdict: Wait, Why: why, Again: w.Now().Add(lackAgain), Case: caseOf(cases.LockedPeriod, t, why)}
}

// before reads what stands in Odoo now: an entry is posted only if it is exactly what was to be sent.
func (w *Writer) before(ctx context.Context, ch *chart, locks Locks, jobs []job) (drafts []job, out []Outcome, err error) {
	if err := w.see(ctx, ch, jobs); err != nil {
		return nil, nil, err
	}
	for _, j := range jobs {
		switch {
		case j.seen == nil:
			out = append(out, w.park(j, cases.Deleted, fmt.Sprintf("the entry with id %d was deleted in Odoo", j.Move)))
		case j.seen.state == "posted":
			out = append(out, w.verdict(ch, j))
		case j.seen.state != "draft":
			out = append(out, w.park(j, cases.ForeignEdit, fmt.Sprintf("the entry %s is %s in Odoo", j.seen.name, j.seen.state)))
		case len(j.entry.differences(j.seen)) > 0 || j.seen.date != j.entry.date:
			out = append(out, w.park(j, cases.TotalDiffers, "the draft in Odoo is not what was sent, and was not posted: "+j.differ()))
		case locks.Closed(j.entry.date, j.entry.taxed) != "": // closed since it was loaded
			out = append(out, w.locked(j.Task, locks.Closed(j.entry.date, j.entry.taxed), j.entry.date))
		default:
			drafts = append(drafts, j)
		}
	}
	return drafts, out, nil
}

// post posts drafts in one call; when Odoo refuses it, one by one, so that one bad entry holds nobody.
func (w *Writer) post(ctx context.Context, ch *chart, jobs []job) (failed []Outcome, err error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Move
	}
	failpoint.Hit("post.before")
	_, err = w.client.Call(ctx, "account.move", "action_post", []any{ids}, map[string]any{"context": ch.in()})
	failpoint.Hit("post.after")
	switch kind := KindOf(err); {
	case err == nil:
		return nil, nil
	case kind != Refused && kind != Broken:
		return nil, err
	case len(jobs) > 1:
		for i := range jobs {
			f, err := w.post(ctx, ch, jobs[i:i+1])
			if failed = append(failed, f...); err != nil {
				return failed, err
			}
		}
		return failed, nil
	}
	// Alone and refused: already posted by an earlier try, or really refused. Only reading tells.
	j := jobs[0]
	now, rerr := ch.readBack(ctx, w.client, []int64{j.Move})
	if rerr != nil {
		return nil, rerr
	}
	if f := now[j.Move]; f != nil && f.state == "posted" {
		return nil, nil
	}
	return []Outcome{w.refused(j, err)}, nil
}

// after reads back what was posted: only this makes a document verified.
func (w *Writer) after(ctx context.Context, ch *chart, jobs []job) (out []Outcome, err error) {
	if err := w.see(ctx, ch, jobs); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.seen == nil || j.seen.state != "posted" {
			out = append(out, Outcome{Document: j.Document.ID(), Verdict: Wait, Why: "Odoo took the posting and does not show it yet", Again: w.Now().Add(waitFirst), Broke: true})
			continue
		}
		out = append(out, w.verdict(ch, j))
	}
	return out, nil
}

// see reads jobs' entries in one call.
func (w *Writer) see(ctx context.Context, ch *chart, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Move
	}
	failpoint.Hit("readback.before")
	got, err := ch.readBack(ctx, w.client, ids)
	failpoint.Hit("readback.after")
	for i := range jobs {
		jobs[i].seen = got[jobs[i].Move]
	}
	return err
}

// verdict judges a posted entry: its date, then its items.
func (w *Writer) verdict(ch *chart, j job) Outcome {
	o := Outcome{Document: j.Document.ID(), Verdict: Done, Posted: true, Entry: fmt.Sprintf("%s (id %d)", j.seen.name, j.Move), Read: j.reading(w.client.cfg.URL, ch)}
	var c *cases.Case
	switch {
	case j.seen.date != j.entry.date:
		c = caseOf(cases.DateShift, j.Task, fmt.Sprintf("entry %s: wanted on %s, Odoo has it on %s", j.seen.name, j.entry.date, j.seen.date))
	case len(j.entry.differences(j.seen)) > 0:
		c = caseOf(cases.TotalDiffers, j.Task, "entry "+j.seen.name+": "+j.differ())
	default:
		return o
	}
	o.Verdict, o.Why, o.Case = Park, c.Detail, c
	return o
}

func (w *Writer) park(j job, cause cases.Cause, why string) Outcome {
	o := Outcome{Document: j.Document.ID(), Verdict: Park, Why: why, Case: caseOf(cause, j.Task, why)}
	if j.seen != nil {
		o.Entry, o.Posted = fmt.Sprintf("%s (id %d)", j.seen.name, j.Move), j.seen.state == "posted"
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

// postpone makes every task that is not settled wait: Odoo is away, busy, or refuses the login.
func (w *Writer) postpone(out []Outcome, ts []Task, err error) []Outcome {
	done := map[string]bool{}
	for _, o := range out {
		done[o.Document] = true
	}
	again := w.Now().Add(backoff(w.silent))
	w.silent++
	w.conn.note(err, w.Now(), again)
	for _, t := range ts {
		if !done[t.Document.ID()] {
			out = append(out, Outcome{Document: t.Document.ID(), Verdict: Wait, Why: err.Error(), Again: again})
		}
	}
	w.charts.forget()
	return out
}

// backoff is full jitter over waitFirst·2^n, never below a half of it.
func backoff(n int) time.Duration {
	d := min(waitFirst<<min(n, 10), waitLongest)
	return d/2 + rand.N(d/2+1)
}

func drop(jobs []job, failed []Outcome) (rest []job) {
	gone := map[string]bool{}
	for _, o := range failed {
		gone[o.Document] = true
	}
	for _, j := range jobs {
		if !gone[j.Document.ID()] {
			rest = append(rest, j)
		}
	}
	return rest
}

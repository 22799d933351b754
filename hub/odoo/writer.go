package odoo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/meter"
)

const (
	// maxChunk is how many documents one load carries. Odoo kills a call after 120 s; 50 store-days take about 3.
	maxChunk = 50
	// tries is how often a document may break Odoo before a person looks at it.
	tries = 6
	// lackAgain is when a document that lacks a name in Odoo, or whose period is closed, is tried again.
	lackAgain = 2 * time.Minute
	// aside is how much longer than the lane a document rests that got no answer although it went alone: something before Odoo may let just this one
	// not pass, and whatever else is due goes first.
	aside = 10 * time.Second
)

// Writer brings tasks into the books. One goroutine runs it; there is one per Odoo database.
type Writer struct {
	Hub   envelope.HubID
	Tasks Tasks
	Log   *slog.Logger
	Now   func() time.Time
	Pages string // the hub's address as people reach it, "" = not known: entries then name no page

	// Sending is told before tasks are sent for the first time; an error keeps them here. nil = nobody asks.
	Sending func(ctx context.Context, ts []Task) error

	// Claims is asked before each chain whether these books are this hub's to post to, and then the books for entries of other hubs
	// are searched before the first of a day. nil = nobody asks.
	Claims *Claims

	Count meter.Stage // documents that were claimed, are verified, wait for a person, are tried again

	client *Client
	charts *charts
	lane   *lane
}

// NewWriter returns a writer on a connection.
func NewWriter(hub envelope.HubID, c *Client, t Tasks, log *slog.Logger) *Writer {
	return &Writer{Hub: hub, Tasks: t, Log: log, Now: time.Now, client: c, charts: &charts{client: c, now: time.Now}, lane: newLane(time.Now())}
}

// job is one record of a task on its way through one step; Move is that record's. Most tasks have one, a receipt has one for itself and one
// for each of its payments.
type job struct {
	Task
	entry entry
	whole entry // the document as one entry
	tags  map[int64][]int64
	seen  *found
	lead  int64 // the document's entry as far as it is known here, 0 = not yet
}

// Step claims what is due and brings it as far as it goes; worked = there was something. An error is the outbox's: what Odoo says is in the
// outcomes.
func (w *Writer) Step(ctx context.Context) (worked bool, err error) {
	claimed, err := w.Tasks.Claim(ctx, w.lane.chunk())
	if err != nil || len(claimed) == 0 {
		return false, err
	}
	w.Count.In.Add(uint64(len(claimed)))
	var out []Outcome
	if until, why := w.lane.rests(w.Now()); !until.IsZero() {
		out = postpone(nil, claimed, until, why)
	} else {
		w.lane.probe(w.Now())
		out, err = w.bringAll(ctx, claimed)
		if ctx.Err() != nil {
			return true, ctx.Err() // what was done is found again by its external id
		}
		if errors.As(err, new(outboxError)) {
			return true, err // Odoo has nothing to do with it
		}
		if err != nil {
			again := w.lane.failedBy(err, w.Now())
			if KindOf(err) == Away && len(claimed) == 1 {
				again = again.Add(aside)
			}
			out = postpone(out, claimed, again, err.Error())
			w.charts.forget()
		} else {
			w.lane.took(w.Now())
		}
	}
	failpoint.Hit("outbox.before")
	if err := w.Tasks.Settle(ctx, out); err != nil {
		return true, err
	}
	failpoint.Hit("outbox.after")
	for _, o := range out {
		w.count(o.Verdict)
		w.Log.InfoContext(ctx, "document "+string(o.Verdict), "document", o.Document, "entry", o.Entry, "why", o.Why)
	}
	return true, nil
}

func (w *Writer) count(v Verdict) {
	switch v {
	case Done:
		w.Count.Out.Add(1)
	case Wait:
		w.Count.Retried.Add(1)
	case Park:
		w.Count.Refused.Add(1)
	}
}

// bringAll brings tasks company by company: a call of Odoo's is in one company's books.
func (w *Writer) bringAll(ctx context.Context, ts []Task) (out []Outcome, err error) {
	for _, part := range w.byCompany(ts) {
		held, err := w.claimed(ctx, part)
		if err != nil {
			return out, err
		}
		if out = append(out, held...); len(held) > 0 {
			continue
		}
		done, err := w.bring(ctx, part.books, part.tasks)
		if errors.Is(err, errNoCompany) && part.books != (books{}) { // the settings' own stops all, a location's only that location
			done, err = nil, nil
			for _, t := range part.tasks {
				done = append(done, w.lacking(t, fmt.Sprintf("user %s sees no company %s in Odoo: correct the company of location %s, or allow it to the user",
					w.client.cfg.User, part.books, t.Document.Key.Location)))
			}
		}
		if out = append(out, once(done)...); err != nil {
			return out, err
		}
	}
	return out, nil
}

// share is tasks of one company.
type share struct {
	books books
	tasks []Task
}

// byCompany parts tasks by their company and keeps their order.
func (w *Writer) byCompany(ts []Task) (parts []share) {
	at := map[books]int{}
	for _, t := range ts {
		b := w.charts.known(t)
		i, there := at[b]
		if !there {
			i = len(parts)
			at[b], parts = i, append(parts, share{books: b})
		}
		parts[i].tasks = append(parts[i].tasks, t)
	}
	return parts
}

// bring runs the whole sequence for tasks of one company. out are those that are settled; an error concerns all others.
func (w *Writer) bring(ctx context.Context, b books, ts []Task) (out []Outcome, err error) {
	ch, err := w.charts.get(ctx, b, false)
	if err != nil {
		return nil, err
	}
	locks, err := ch.locks(ctx, w.client)
	if err != nil {
		return nil, err
	}
	jobs, out, err := w.prepare(ctx, b, ch, locks, ts)
	if err != nil {
		return out, err
	}
	jobs, besides, err := w.besides(ctx, ch, jobs)
	if out = append(out, besides...); err != nil {
		return out, err
	}
	loaded, failed, err := w.load(ctx, ch, drop(jobs, out))
	if out = append(out, failed...); err != nil {
		return out, err
	}
	drafts, stand, settled, err := w.before(ctx, ch, locks, drop(loaded, out))
	if out = append(out, settled...); err != nil {
		return out, err
	}
	failed, err = w.post(ctx, ch, drop(drafts, out))
	if out = append(out, failed...); err != nil {
		return out, err
	}
	posted, settled, err := w.after(ctx, ch, drop(drafts, out))
	if out = append(out, settled...); err != nil {
		return out, err
	}
	settled, err = w.finish(ctx, ch, drop(append(stand, posted...), out))
	return append(out, settled...), err
}

// outboxError is the hub's own store that fails, told apart from Odoo.
type outboxError struct{ error }

func (e outboxError) Unwrap() error { return e.error }

// postpone makes every task that is not settled wait: Odoo is away, busy, or refuses the login.
func postpone(out []Outcome, ts []Task, again time.Time, why string) []Outcome {
	done := map[string]bool{}
	for _, o := range out {
		done[o.Document] = true
	}
	for _, t := range ts {
		if !done[t.Document.ID()] {
			out = append(out, Outcome{Document: t.Document.ID(), Verdict: Wait, Why: why, Again: again, Unasked: true})
		}
	}
	return out
}

// backoff is full jitter over waitFirst·2^n, never below a half of it.
func backoff(n int) time.Duration {
	d := min(waitFirst<<min(n, 10), waitLongest)
	return d/2 + rand.N(d/2+1)
}

// once keeps the first outcome of each document: its records may each have had trouble of their own.
func once(out []Outcome) (first []Outcome) {
	seen := map[string]bool{}
	for _, o := range out {
		if !seen[o.Document] {
			seen[o.Document] = true
			first = append(first, o)
		}
	}
	return first
}

// drop leaves out all records of documents that are settled.
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

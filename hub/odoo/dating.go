package odoo

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

// chain names the documents of one store-day or voucher.
type chain struct {
	key    rollup.DayKey
	series string
}

func chainOf(d rollup.Document) chain { return chain{d.Key, d.Series} }

// leads is what became in this round of each chain's first document: those that come with it go the same way.
type leads map[chain]lead

type lead struct {
	held bool
	date retail.BusinessDate
}

// date gives a job its accounting date before Odoo moves the entry without a word. What it returns waits.
func (w *Writer) date(j *job, locks lockdate.Locks, led leads) *Outcome {
	k := chainOf(j.Document)
	first, together := led[k]
	if together && j.Document.Number > 1 {
		j.Held, j.entry.date = first.held, max(j.entry.date, first.date)
	}
	a := w.ask(j, locks)
	if j.Document.Number == 1 {
		led[k] = lead{held: a.Date == "", date: a.Date}
	}
	if a.Date == "" {
		o := w.locked(j.Task, a, j.entry.date)
		return &o
	}
	j.move(a)
	return nil
}

// ask puts a job's case to the rule.
func (w *Writer) ask(j *job, locks lockdate.Locks) lockdate.Answer {
	return lockdate.Decide(lockdate.Question{Policy: j.Period, Date: j.entry.date, Entry: j.entry.concern(), Late: j.Document.Number > 1, Held: j.Held,
		Today: retail.DateOf(w.Now())}, locks)
}

// move takes an answer's date over, with the reason when it is another one than was wanted.
func (j *job) move(a lockdate.Answer) {
	if a.Moved() {
		j.Moved = fmt.Sprintf("the books are closed up to %s (%s)", a.Until, a.By)
	}
	j.entry.date = a.Date
	j.entry.narrate(j.Task)
}

// narrate tells in the entry itself why it does not stand on its own day.
func (e *entry) narrate(t Task) {
	if e.narration = ""; e.date != t.Document.Key.Day {
		what := "Store-day"
		if t.Document.Slip != nil {
			what = "Ticket " + t.Document.Slip.Number + " of"
		} else if t.Document.Series != "" {
			what = "Voucher " + t.Document.Series + " of"
		}
		e.narration = fmt.Sprintf("%s %s %s, dated %s", what, t.Document.Key.Location, t.Document.Key.Day, e.date)
		if t.Moved != "" {
			e.narration += ": " + t.Moved
		}
	}
}

// locked is a document that waits for a person, or for the first one of its store-day, which has the case then.
func (w *Writer) locked(t Task, a lockdate.Answer, date retail.BusinessDate) Outcome {
	o := Outcome{Document: t.Document.ID(), Verdict: Wait, Again: w.Now().Add(lackAgain), Held: true}
	if a.Follows {
		o.Why = "It is not in the books: the first document of the same day waits for a closed period, and this one follows it"
		return o
	}
	o.Why = fmt.Sprintf("It is not in the books: they are closed up to %s (%s) and the entry is of %s, so Odoo would put it on another date without a word. "+
		"Open the period in Odoo and it goes by itself, or ", a.Until, a.By, date)
	o.Case = caseOf(cases.LockedPeriod, t, "")
	switch {
	case a.Proposed != "":
		o.Why += "confirm that it goes to " + string(a.Proposed) + ", the first open date"
		o.Case.Proposed, o.Case.Do = a.Proposed, fmt.Sprintf("Confirm %s, the first open date, or open the period.", a.Proposed)
	case a.Far:
		o.Why += "correct the lock date there: the first open date would be " + string(a.Until.AddDays(1)) + ", which is too far ahead to be meant"
	default:
		o.Why += "give it another date"
	}
	o.Case.Detail = o.Why
	return o
}

// settled is a note that the rule of its location dated a store-day or voucher otherwise: to be read, nobody has to decide it.
func (j job) settled() *cases.Case {
	if j.Moved == "" || j.Document.Number > 1 || j.Period != lockdate.Next {
		return nil
	}
	return caseOf(cases.PeriodNext, j.Task, fmt.Sprintf("Entry %s stands on %s instead of %s: %s", j.seen.name, j.entry.date, j.Document.Key.Day, j.Moved))
}

// together gives all records of a document the date of its first.
func together(records []job) {
	for i := range records[1:] {
		j := &records[i+1]
		j.Held, j.Moved, j.entry.date = records[0].Held, records[0].Moved, records[0].entry.date
		j.entry.narrate(j.Task)
	}
}

// redated are the values that bring a draft to its date.
func (e entry) redated() map[string]any {
	values := map[string]any{"date": string(e.date), "narration": e.note()}
	switch e.as {
	case asEntry:
	case asPayment:
		delete(values, "narration") // it has none
	default:
		values["invoice_date"], values["invoice_date_due"] = string(e.date), string(e.date)
	}
	return values
}

// redate brings drafts that stand in Odoo to the dates they are to have now: the period was closed since they were loaded, or a person gave
// another date. A draft is in no book yet; what is posted is never moved.
func (w *Writer) redate(ctx context.Context, ch *chart, jobs []job) (moved []job, out []Outcome, err error) {
	for _, j := range jobs {
		if j.seen.date != j.entry.date {
			in := ch.in()
			in["skip_invoice_sync"] = true // as in the load: the till's cents stay
			_, err := w.client.Call(ctx, j.entry.model(), "write", []any{[]int64{j.Move}, j.entry.redated()}, map[string]any{"context": in})
			if kind := KindOf(err); kind == Refused || kind == Broken {
				out = append(out, w.refused(j, err))
				continue
			}
			if err != nil {
				return nil, out, err
			}
		}
		j.Date, j.Loaded = j.entry.date, j.entry.date
		moved = append(moved, j)
	}
	if known := tasksOf(moved); len(known) > 0 {
		if serr := w.Tasks.Loaded(ctx, known); serr != nil {
			return nil, out, outboxError{serr}
		}
	}
	return moved, out, w.see(ctx, ch, moved)
}

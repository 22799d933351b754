package odoo

import (
	"context"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Task is one document on its way to the books.
type Task struct {
	Document rollup.Document
	Date     retail.BusinessDate // the accounting date: the document's own, unless a person gave another
	Move     int64               // Odoo's id, 0 = not known. Once known, the entry is never loaded again
	Company  string              // name of the Odoo company whose books it goes to, "" = the one of the settings
	Home     int64               // Odoo's id of that company once it or its store-day stands there, which counts then: names change. 0 = not known
	Parts    map[string]int64    // Odoo's ids of what stands beside its first record, by the part's name
	Before   []Earlier           // of a ticket: its other documents, whose open items this one may pay, or which may have paid this one's
	House    []Earlier           // of a ticket on a house account: the other documents of that account, whose open items it may pay or be paid by
	Attempt  int                 // how often Odoo broke on it
	Beside   bool                // a person said that it, or an earlier one of its day, stands beside what another hub has posted
	Begun    bool                // an earlier one of its day or voucher stands in Odoo: the day is this hub's
	LeftOut  bool                // a person left the first one of its day or voucher out

	Period lockdate.Policy     // what becomes of it when its period is closed, as it was when it was made
	Loaded retail.BusinessDate // the date its draft was last given, "" = it was not loaded yet
	Moved  string              // why Date is not its own day, "" = it is
	Held   bool                // the first document of its store-day or voucher waits for a closed period
}

// Earlier is another document, of the same ticket or house account, that stands in Odoo.
type Earlier struct {
	Document rollup.Document
	Move     int64
	Parts    map[string]int64 // as a task's
}

// known tells a task of which something stands in Odoo under ids that are kept here. A document of payments alone has no entry before they are posted.
func (t Task) known() bool { return t.Move != 0 || len(t.Parts) > 0 }

// Verdict is what becomes of a task.
type Verdict string

const (
	Done Verdict = "done" // posted and verified
	Wait Verdict = "wait" // tried again at a time: Odoo is away, the period is closed, a name is missing
	Park Verdict = "park" // a person decides
)

// Outcome is the result of one try.
type Outcome struct {
	Document string
	Verdict  Verdict
	Posted   bool        // the entry is in the books, if not as it should be
	Entry    string      // "TPOS/2026/11/0001 (id 57)", "" = not known
	Why      string      // for people; "" when done
	Again    time.Time   // when to try again, for Wait
	Broke    bool        // counts as an attempt
	Unasked  bool        // Odoo was not there to ask: what was known of the document, and its cases, stay as they are
	Held     bool        // it waits for a closed period, and what comes late of the same day with it
	Case     *cases.Case // opened with it; every other case of the document is closed
	Note     *cases.Case // to be read, with nothing to decide, nil = none
	Read     *Reading    // what Odoo says now, nil = not asked
}

// Reading is what was read back of an entry.
type Reading struct {
	Move       int64               `json:"move"`
	Parts      []int64             `json:"parts,omitempty"` // what belongs to it: payments
	Name       string              `json:"name"`            // the number Odoo gave
	URL        string              `json:"url,omitempty"`
	Date       retail.BusinessDate `json:"date"`
	Lines      []int64             `json:"lines"`      // beside the document's lines, minor units, debit positive
	Difference int64               `json:"difference"` // Σ |ours − Odoo's| over the lines, minor units
}

// Tasks is the outbox. Each method is one transaction.
type Tasks interface {
	// Claim returns tasks that are due, the oldest first. There is one writer per Odoo database: nothing is locked.
	Claim(ctx context.Context, most int) ([]Task, error)
	// Loaded stores tasks' Odoo ids, those of their parts too, the dates their drafts were given, why these are not their own, and the companies they stand in.
	Loaded(ctx context.Context, ts []Task) error
	// Settle stores what became of tasks, with their documents' states and cases.
	Settle(ctx context.Context, out []Outcome) error
	// Verified returns tasks that were verified since, in the order of their documents' ids, those after one id: for the later look.
	Verified(ctx context.Context, since time.Time, after string, most int) ([]Task, error)
}

// caseOf words a case about a document.
func caseOf(cause cases.Cause, t Task, detail string) *cases.Case {
	d := t.Document
	c := cases.New(cause, d.ID(), time.Time{})
	c.Location, c.Day, c.Detail, c.Amount = d.Key.Location, d.Key.Day, detail, debit(d)
	return &c
}

// debit is what a document moves: the money at stake.
func debit(d rollup.Document) money.Amount {
	sum := money.Of(0, d.Currency)
	for _, l := range d.Lines {
		if l.Amount.Minor > 0 {
			sum, _ = sum.Add(l.Amount) // the document was checked when it was made
		}
	}
	return sum
}

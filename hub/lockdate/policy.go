package lockdate

import (
	"cmp"

	"github.com/tillpost/tillpost/shared/retail"
)

// Policy is what a location wants for a document whose period is closed.
type Policy string

// What a location can say; ByDefault is what head office says for all, and Hold when it says nothing either.
const (
	ByDefault Policy = ""
	Hold      Policy = "hold" // it waits until the period is opened or a person gives another date
	Next      Policy = "next" // it goes to the first open date, with its own day in reference and narration
	Ask       Policy = "ask"  // it waits, and its case offers the first open date for one confirmation
)

// Valid tells the words of settings from others.
func (p Policy) Valid() bool { return p == ByDefault || p == Hold || p == Next || p == Ask }

// Of is the policy of a new document: the location's, else head office's. A document keeps it, whatever settings say later: what comes late
// of its day follows it, so that a change splits no store-day.
func Of(location, all Policy) Policy { return cmp.Or(location, all, Hold) }

// aheadMost is how many days from today the first open date may lie for a document to go there by itself: books that are closed far into the
// future are a typing error rather than a period.
const aheadMost = 31

// Question is one document with all that counts.
type Question struct {
	Policy Policy
	Date   retail.BusinessDate // the accounting date it is meant for
	Entry  Entry
	Late   bool // its store-day's or voucher's first document is made already: what comes late goes to the first open date (DESIGN D12)
	Held   bool // that first document waits for a closed period
	Today  retail.BusinessDate
}

// Answer is where it goes. A document that waits has no Date.
type Answer struct {
	Date     retail.BusinessDate // "" = it waits
	Until    retail.BusinessDate // up to when the books are closed to the wanted date, "" = they are open
	By       string              // by which lock: "tax lock"
	Proposed retail.BusinessDate // the date that a person is asked to confirm, "" = none is offered
	Far      bool                // the first open date is too far ahead to be meant
	Follows  bool                // it waits for the first document of its chain, which has the case
}

// Moved tells that the date is another than the one wanted.
func (a Answer) Moved() bool { return a.Date != "" && a.Until != "" }

// Decide says where a document goes. A later document never overtakes a first one that waits: one day does not stand in two periods by halves.
func Decide(q Question, l Locks) (a Answer) {
	a.Until, a.By = l.Closed(q.Date, q.Entry)
	if q.Late && q.Held {
		a.Follows = true
		return a
	}
	if a.Until == "" {
		a.Date = q.Date
		return a
	}
	open := l.Open(q.Date, q.Entry)
	a.Far = open.DaysSince(q.Today) > aheadMost
	switch by := cmp.Or(q.Policy, Hold); {
	case a.Far:
	case q.Late || by == Next:
		a.Date = open
	case by == Ask:
		a.Proposed = open
	}
	return a
}

// Package lockdate says what becomes of a document whose accounting date lies in a closed period: whether the books are closed to it, and
// whether it waits, asks or goes to the first open date. It is pure; odoo reads the dates and carries the answer out.
package lockdate

import "github.com/tillpost/tillpost/shared/retail"

// Locks are the dates up to and including which a company's books are closed, "" = open. They are those that bind the user who posts, with
// what holds for parent companies and by exception.
type Locks struct {
	Year     retail.BusinessDate // everything: the fiscal year, and in 17 the lock for all but advisers
	Hard     retail.BusinessDate // everything, and no exception lifts it
	Tax      retail.BusinessDate // entries that stand in a tax report
	Sale     retail.BusinessDate // journals of type sale
	Purchase retail.BusinessDate // journals of type purchase
}

// Entry is what decides which locks concern an entry.
type Entry struct {
	Taxed   bool
	Journal string // Odoo's type of its journal: general, sale, purchase, bank, cash
}

// Closed says up to when an entry's date is locked and by what; until "" = the date is open.
func (l Locks) Closed(d retail.BusinessDate, e Entry) (until retail.BusinessDate, by string) {
	for _, k := range []struct {
		date     retail.BusinessDate
		by       string
		concerns bool
	}{
		{l.Hard, "hard lock", true},
		{l.Year, "global lock", true},
		{l.Tax, "tax lock", e.Taxed},
		{l.Sale, "sales lock", e.Journal == "sale"},
		{l.Purchase, "purchase lock", e.Journal == "purchase"},
	} {
		if k.concerns && k.date != "" && d <= k.date && k.date > until {
			until, by = k.date, k.by
		}
	}
	return until, by
}

// Open is the first date from d on that is open to an entry.
func (l Locks) Open(d retail.BusinessDate, e Entry) retail.BusinessDate {
	if until, _ := l.Closed(d, e); until != "" {
		return until.AddDays(1)
	}
	return d
}

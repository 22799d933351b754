package odoo

import (
	"context"

	"github.com/tillpost/tillpost/shared/retail"
)

// Locks are the dates up to and including which the books are closed, "" = open. Odoo does not refuse to post into a closed period: it
// moves the entry to another date without a word. So they are read before, and the date is read back after.
type Locks struct {
	All retail.BusinessDate // everything
	Tax retail.BusinessDate // entries with tax lines

	Sale retail.BusinessDate // receipts, invoices and credit notes, from 18 on
}

// locks reads the company's lock dates. From 18 on the user's own effective dates count: they know exceptions and parent companies. In 17
// the date for "non-advisers" is taken as closed: a machine is no adviser.
func (ch *chart) locks(ctx context.Context, c *Client) (l Locks, err error) {
	fields, taxField := []string{"fiscalyear_lock_date", "period_lock_date", "tax_lock_date"}, "tax_lock_date"
	if ch.version.Major >= 18 {
		fields, taxField = []string{"user_fiscalyear_lock_date", "user_hard_lock_date", "user_tax_lock_date", "user_sale_lock_date"}, "user_tax_lock_date"
	}
	got, err := c.read(ctx, "res.company", []int64{ch.company}, fields, ch.in())
	if err != nil {
		return l, err
	}
	if len(got) != 1 {
		return l, &Error{Kind: Rights, Text: "the company cannot be read any more"}
	}
	for _, f := range fields {
		d := retail.BusinessDate(text(got[0][f]))
		if len(d) != len("2006-01-02") || d < "1900" { // 18 and 19: "never locked" is Python's first day, as "1-01-01" or "0001-01-01"
			d = ""
		}
		switch f {
		case taxField:
			l.Tax = max(l.Tax, d)
		case "user_sale_lock_date":
			l.Sale = max(l.Sale, d)
		default:
			l.All = max(l.All, d)
		}
	}
	return l, nil
}

// Closed says up to when an entry's date is locked, "" = it is open.
func (l Locks) Closed(d retail.BusinessDate, taxed bool) retail.BusinessDate {
	until := l.All
	if taxed {
		until = max(until, l.Tax)
	}
	if until == "" || d > until {
		return ""
	}
	return until
}

// closedFor says up to when the date of a document's records is locked for one of them, "" = it is open for all.
func (l Locks) closedFor(es []entry) (until retail.BusinessDate) {
	for _, e := range es {
		until = max(until, l.Closed(e.date, e.taxed))
		if e.kind != asEntry && e.date <= l.Sale {
			until = max(until, l.Sale)
		}
	}
	return until
}

// Open is the first date from d on that is open.
func (l Locks) Open(d retail.BusinessDate, taxed bool) retail.BusinessDate {
	if until := l.Closed(d, taxed); until != "" {
		return until.AddDays(1)
	}
	return d
}

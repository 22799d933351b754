package odoo

import (
	"context"
	"fmt"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/shared/retail"
)

// Odoo does not refuse to post into a closed period: it moves the entry to another date without a word. So lock dates are read before, and
// the date is read back after. From 18 on the user's own effective dates count: they know exceptions and parent companies.
var (
	lockFields   = []string{"user_fiscalyear_lock_date", "user_hard_lock_date", "user_tax_lock_date", "user_sale_lock_date", "user_purchase_lock_date"}
	lockFields17 = []string{"fiscalyear_lock_date", "period_lock_date", "max_tax_lock_date", "parent_ids"}
)

// locks reads what binds entries of the company, made by this user.
func (ch *chart) locks(ctx context.Context, c *Client) (lockdate.Locks, error) {
	if ch.version.Major < 18 {
		return ch.locks17(ctx, c)
	}
	m, err := ch.readOwn(ctx, c, lockFields)
	return lockdate.Locks{Year: lockDate(m["user_fiscalyear_lock_date"]), Hard: lockDate(m["user_hard_lock_date"]), Tax: lockDate(m["user_tax_lock_date"]),
		Sale: lockDate(m["user_sale_lock_date"]), Purchase: lockDate(m["user_purchase_lock_date"])}, err
}

// locks17 reads them from 17, which knows neither exceptions nor locks of one kind of journal. Its tax date includes the parents'; those of the
// year are asked of each parent. The date for "non-advisers" is taken as closed: a machine is no adviser.
func (ch *chart) locks17(ctx context.Context, c *Client) (l lockdate.Locks, err error) {
	m, err := ch.readOwn(ctx, c, lockFields17)
	if err != nil {
		return l, err
	}
	l.Tax, l.Year = lockDate(m["max_tax_lock_date"]), max(lockDate(m["fiscalyear_lock_date"]), lockDate(m["period_lock_date"]))
	above := without(ids(m["parent_ids"]), ch.company)
	if len(above) == 0 {
		return l, nil
	}
	got, err := c.search(ctx, "res.company", []any{[]any{"id", "in", above}}, lockFields17[:2], nil)
	for _, p := range got {
		l.Year = max(l.Year, lockDate(p["fiscalyear_lock_date"]), lockDate(p["period_lock_date"]))
	}
	return l, err
}

// readOwn reads fields of the company. Code rights when it is out of sight.
func (ch *chart) readOwn(ctx context.Context, c *Client, fields []string) (map[string]any, error) {
	got, err := c.read(ctx, "res.company", []int64{ch.company}, fields, ch.in())
	if err == nil && len(got) != 1 {
		err = &Error{Kind: Rights, Text: "the company cannot be read any more"}
	}
	if err != nil {
		return nil, err
	}
	return got[0], nil
}

// unseen names the parent companies of 17 whose lock dates the user may not read: Odoo goes by them all the same, and an entry that they
// move is seen only once it is posted.
func (ch *chart) unseen(ctx context.Context, c *Client) (string, error) {
	if ch.version.Major >= 18 {
		return "", nil
	}
	m, err := ch.readOwn(ctx, c, lockFields17[3:])
	above := without(ids(m["parent_ids"]), ch.company)
	if err != nil || len(above) == 0 {
		return "", err
	}
	got, err := c.search(ctx, "res.company", []any{[]any{"id", "in", above}}, []string{"name"}, nil)
	if err != nil || len(got) == len(above) {
		return "", err
	}
	return fmt.Sprintf("user %s sees %d of the %d companies above %s, so that lock dates of the others are noticed only when an entry was moved by them: allow them to the user",
		c.cfg.User, len(got), len(above), ch.name), nil
}

func without(list []int64, drop int64) (out []int64) {
	for _, n := range list {
		if n != drop {
			out = append(out, n)
		}
	}
	return out
}

// lockDate reads a date; 18 and 19 write "never" as Python's first day, "1-01-01" or "0001-01-01".
func lockDate(v any) retail.BusinessDate {
	d := retail.BusinessDate(text(v))
	if len(d) != len("2006-01-02") || d < "1900" {
		return ""
	}
	return d
}

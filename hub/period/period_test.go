package period_test

import (
	"testing"

	"github.com/tillpost/tillpost/hub/period"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	day   = retail.BusinessDate("2026-06-15")
	today = retail.BusinessDate("2026-07-10")
	june  = retail.BusinessDate("2026-06-30")
	july1 = retail.BusinessDate("2026-07-01")
)

func TestEachLockConcernsItsOwnEntries(t *testing.T) {
	general, taxed := period.Entry{Journal: "general"}, period.Entry{Journal: "general", Taxed: true}
	sale, purchase := period.Entry{Journal: "sale"}, period.Entry{Journal: "purchase"}
	for _, c := range []struct {
		name  string
		locks period.Locks
		entry period.Entry
		until retail.BusinessDate
		by    string
	}{
		{"nothing is locked", period.Locks{}, taxed, "", ""},
		{"the year binds every journal", period.Locks{Year: june}, general, june, "global lock"},
		{"so does the hard lock", period.Locks{Hard: june}, sale, june, "hard lock"},
		{"the tax lock leaves an entry without taxes alone", period.Locks{Tax: june}, general, "", ""},
		{"and binds one with them", period.Locks{Tax: june}, taxed, june, "tax lock"},
		{"the sales lock leaves general journals alone", period.Locks{Sale: june}, taxed, "", ""},
		{"and binds sales journals", period.Locks{Sale: june}, sale, june, "sales lock"},
		{"the purchase lock leaves sales journals alone", period.Locks{Purchase: june}, sale, "", ""},
		{"and binds purchase journals", period.Locks{Purchase: june}, purchase, june, "purchase lock"},
		{"the latest lock counts", period.Locks{Year: day, Tax: june}, taxed, june, "tax lock"},
		{"one that ended before the date does not", period.Locks{Year: "2026-06-14"}, taxed, "", ""},
		{"the last day is closed too", period.Locks{Year: day}, general, day, "global lock"},
	} {
		until, by := c.locks.Closed(day, c.entry)
		if until != c.until || by != c.by {
			t.Errorf("%s: got %q by %q, want %q by %q", c.name, until, by, c.until, c.by)
		}
		if open := c.locks.Open(day, c.entry); c.until == "" && open != day || c.until != "" && open != c.until.AddDays(1) {
			t.Errorf("%s: the first open date is %s", c.name, open)
		}
	}
}

func TestTheFirstOpenDateIsOpen(t *testing.T) {
	e := period.Entry{Journal: "sale", Taxed: true}
	for _, l := range []period.Locks{{Year: june, Tax: "2026-07-31", Sale: "2026-08-15"}, {Sale: june, Hard: day}, {Tax: "2026-12-31"}} {
		if until, by := l.Closed(l.Open(day, e), e); until != "" {
			t.Errorf("%+v: %s is closed by the %s", l, l.Open(day, e), by)
		}
	}
}

func TestDecide(t *testing.T) {
	closed, wide := period.Locks{Year: june}, period.Locks{Year: "2062-12-31"}
	for _, c := range []struct {
		name  string
		q     period.Question
		locks period.Locks
		want  period.Answer
	}{
		{"an open date stays, whatever the policy", period.Question{Policy: period.Ask}, period.Locks{}, period.Answer{Date: day}},
		{"hold waits", period.Question{Policy: period.Hold}, closed, period.Answer{Until: june, By: "global lock"}},
		{"nothing said is hold", period.Question{}, closed, period.Answer{Until: june, By: "global lock"}},
		{"ask waits and proposes", period.Question{Policy: period.Ask}, closed, period.Answer{Until: june, By: "global lock", Proposed: july1}},
		{"next goes to the first open date", period.Question{Policy: period.Next}, closed, period.Answer{Date: july1, Until: june, By: "global lock"}},
		{"what comes late goes there under every policy", period.Question{Policy: period.Hold, Late: true}, closed, period.Answer{Date: july1, Until: june, By: "global lock"}},
		{"but not before the day itself", period.Question{Policy: period.Ask, Late: true, Held: true}, closed, period.Answer{Until: june, By: "global lock", Follows: true}},
		{"not even when it is open to itself", period.Question{Policy: period.Hold, Late: true, Held: true}, period.Locks{}, period.Answer{Follows: true}},
		{"a first document is held by nobody", period.Question{Policy: period.Next, Held: true}, closed, period.Answer{Date: july1, Until: june, By: "global lock"}},
		{"nothing goes decades ahead by itself", period.Question{Policy: period.Next}, wide, period.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
		{"what comes late neither", period.Question{Policy: period.Next, Late: true}, wide, period.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
		{"and nobody is asked to confirm it", period.Question{Policy: period.Ask}, wide, period.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
	} {
		c.q.Date, c.q.Today, c.q.Entry = day, today, period.Entry{Journal: "general"}
		if got := period.Decide(c.q, c.locks); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if got := period.Decide(c.q, c.locks); got.Moved() != (c.want.Date != "" && c.want.Date != day) {
			t.Errorf("%s: moved is %v", c.name, got.Moved())
		}
	}
}

func TestAChainKeepsThePolicyItBeganWith(t *testing.T) {
	for _, c := range []struct{ chain, location, all, want period.Policy }{
		{"", "", "", period.Hold}, {"", "", period.Ask, period.Ask}, {"", period.Next, period.Ask, period.Next}, {period.Hold, period.Next, period.Ask, period.Hold},
	} {
		if got := period.Of(c.chain, c.location, c.all); got != c.want {
			t.Errorf("Of(%q, %q, %q) = %q, want %q", c.chain, c.location, c.all, got, c.want)
		}
	}
}

package lockdate_test

import (
	"testing"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	day   = retail.BusinessDate("2026-06-15")
	today = retail.BusinessDate("2026-07-10")
	june  = retail.BusinessDate("2026-06-30")
	july1 = retail.BusinessDate("2026-07-01")
)

func TestEachLockConcernsItsOwnEntries(t *testing.T) {
	general, taxed := lockdate.Entry{Journal: "general"}, lockdate.Entry{Journal: "general", Taxed: true}
	sale, purchase := lockdate.Entry{Journal: "sale"}, lockdate.Entry{Journal: "purchase"}
	for _, c := range []struct {
		name  string
		locks lockdate.Locks
		entry lockdate.Entry
		until retail.BusinessDate
		by    string
	}{
		{"nothing is locked", lockdate.Locks{}, taxed, "", ""},
		{"the year binds every journal", lockdate.Locks{Year: june}, general, june, "global lock"},
		{"so does the hard lock", lockdate.Locks{Hard: june}, sale, june, "hard lock"},
		{"the tax lock leaves an entry without taxes alone", lockdate.Locks{Tax: june}, general, "", ""},
		{"and binds one with them", lockdate.Locks{Tax: june}, taxed, june, "tax lock"},
		{"the sales lock leaves general journals alone", lockdate.Locks{Sale: june}, taxed, "", ""},
		{"and binds sales journals", lockdate.Locks{Sale: june}, sale, june, "sales lock"},
		{"the purchase lock leaves sales journals alone", lockdate.Locks{Purchase: june}, sale, "", ""},
		{"and binds purchase journals", lockdate.Locks{Purchase: june}, purchase, june, "purchase lock"},
		{"the latest lock counts", lockdate.Locks{Year: day, Tax: june}, taxed, june, "tax lock"},
		{"one that ended before the date does not", lockdate.Locks{Year: "2026-06-14"}, taxed, "", ""},
		{"the last day is closed too", lockdate.Locks{Year: day}, general, day, "global lock"},
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
	e := lockdate.Entry{Journal: "sale", Taxed: true}
	for _, l := range []lockdate.Locks{{Year: june, Tax: "2026-07-31", Sale: "2026-08-15"}, {Sale: june, Hard: day}, {Tax: "2026-12-31"}} {
		if until, by := l.Closed(l.Open(day, e), e); until != "" {
			t.Errorf("%+v: %s is closed by the %s", l, l.Open(day, e), by)
		}
	}
}

func TestDecide(t *testing.T) {
	closed, wide := lockdate.Locks{Year: june}, lockdate.Locks{Year: "2062-12-31"}
	for _, c := range []struct {
		name  string
		q     lockdate.Question
		locks lockdate.Locks
		want  lockdate.Answer
	}{
		{"an open date stays, whatever the policy", lockdate.Question{Policy: lockdate.Ask}, lockdate.Locks{}, lockdate.Answer{Date: day}},
		{"hold waits", lockdate.Question{Policy: lockdate.Hold}, closed, lockdate.Answer{Until: june, By: "global lock"}},
		{"nothing said is hold", lockdate.Question{}, closed, lockdate.Answer{Until: june, By: "global lock"}},
		{"ask waits and proposes", lockdate.Question{Policy: lockdate.Ask}, closed, lockdate.Answer{Until: june, By: "global lock", Proposed: july1}},
		{"next goes to the first open date", lockdate.Question{Policy: lockdate.Next}, closed, lockdate.Answer{Date: july1, Until: june, By: "global lock"}},
		{"what comes late goes there under every policy", lockdate.Question{Policy: lockdate.Hold, Late: true}, closed, lockdate.Answer{Date: july1, Until: june, By: "global lock"}},
		{"but not before the day itself", lockdate.Question{Policy: lockdate.Ask, Late: true, Held: true}, closed, lockdate.Answer{Until: june, By: "global lock", Follows: true}},
		{"not even when it is open to itself", lockdate.Question{Policy: lockdate.Hold, Late: true, Held: true}, lockdate.Locks{}, lockdate.Answer{Follows: true}},
		{"a first document is held by nobody", lockdate.Question{Policy: lockdate.Next, Held: true}, closed, lockdate.Answer{Date: july1, Until: june, By: "global lock"}},
		{"nothing goes decades ahead by itself", lockdate.Question{Policy: lockdate.Next}, wide, lockdate.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
		{"what comes late neither", lockdate.Question{Policy: lockdate.Next, Late: true}, wide, lockdate.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
		{"and nobody is asked to confirm it", lockdate.Question{Policy: lockdate.Ask}, wide, lockdate.Answer{Until: "2062-12-31", By: "global lock", Far: true}},
	} {
		c.q.Date, c.q.Today, c.q.Entry = day, today, lockdate.Entry{Journal: "general"}
		if got := lockdate.Decide(c.q, c.locks); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
		if got := lockdate.Decide(c.q, c.locks); got.Moved() != (c.want.Date != "" && c.want.Date != day) {
			t.Errorf("%s: moved is %v", c.name, got.Moved())
		}
	}
}

func TestTheLocationsWordGoesBeforeHeadOffices(t *testing.T) {
	for _, c := range []struct{ location, all, want lockdate.Policy }{{"", "", lockdate.Hold}, {"", lockdate.Ask, lockdate.Ask}, {lockdate.Next, lockdate.Ask, lockdate.Next}} {
		if got := lockdate.Of(c.location, c.all); got != c.want {
			t.Errorf("Of(%q, %q) = %q, want %q", c.location, c.all, got, c.want)
		}
	}
}

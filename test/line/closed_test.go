package line_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

// lockKinds are the locks that bind a store-day with taxes in a sales journal, by the version that brought them.
var lockKinds = []struct {
	field, by string
	since     int
}{{"fiscalyear_lock_date", "global lock", 17}, {"tax_lock_date", "tax lock", 17}, {"sale_lock_date", "sales lock", 18}, {"hard_lock_date", "hard lock", 18}}

// TestADayOfAClosedPeriodGoesAsItsLocationSays: the whole hub on each version of Odoo, each policy under each lock.
func TestADayOfAClosedPeriodGoesAsItsLocationSays(t *testing.T) {
	for _, version := range []int{17, 18, 19} {
		for _, policy := range []lockdate.Policy{lockdate.Hold, lockdate.Ask, lockdate.Next} {
			t.Run(fmt.Sprintf("%d %s", version, policy), func(t *testing.T) {
				t.Parallel() // a hub mostly waits: for its next look, and for a day to be quiet
				closedDays(t, version, policy)
			})
		}
	}
}

// closed is one hub with a location of one policy.
type closed struct {
	t *testing.T
	o *line.FakeOdoo
	h *line.Books
	a *line.Agent
	n int // tickets so far
}

func closedDays(t *testing.T, version int, policy lockdate.Policy) {
	o, err := line.StartFakeOdooOf(version)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	c := line.BooksConfig(t.TempDir())
	c.Posting.Grace, c.Posting.Settle, c.Posting.Closed = config.Duration(1000*time.Hour), 0, lockdate.Ask
	if c.Locations[0].Closed = policy; policy == lockdate.Ask { // head office's word for all
		c.Locations[0].Closed = lockdate.ByDefault
	}
	if c.Odoo, err = o.Config(c.DataDir); err != nil {
		t.Fatal(err)
	}
	g := closed{t: t, o: o}
	if g.h, err = line.StartBooks(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer g.h.Stop()
	books, err := g.h.Store.Books(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.SetJournal(books.Journal, "sale")
	g.a = agent(t, t.TempDir(), g.h.Broker.URL())
	defer g.a.Stop()
	for i, k := range lockKinds {
		if version < k.since {
			continue
		}
		day := retail.DateOf(time.Now().AddDate(0, 0, -30+6*i))
		until := day.AddDays(2)
		o.SetLock(k.field, string(until))
		switch policy {
		case lockdate.Next:
			g.next(day, until, k.by)
		case lockdate.Ask:
			g.ask(day, until, k.by)
		default:
			g.hold(day, until, k.field)
		}
		g.late(k.field, day, until, policy)
	}
}

// sell hands a day's tickets in.
func (g *closed) sell(day retail.BusinessDate, n int) {
	g.t.Helper()
	if err := g.a.Buffer.Append(g.t.Context(), "till", "", storeDay(g.t, day, g.n, n)); err != nil {
		g.t.Fatal(err)
	}
	g.n += n
}

// reaches waits until the day's newest of so many documents stands on a date in Odoo.
func (g *closed) reaches(day retail.BusinessDate, documents int, state string) view.DocumentView {
	g.t.Helper()
	var d view.DayDetail
	until(g.t, fmt.Sprintf("document %d of %s, %s", documents, day, state), func() bool {
		var err error
		d, err = g.h.Store.DayDetail(g.t.Context(), rollup.DayKey{Location: "S1", Day: day})
		return err == nil && len(d.Documents) == documents && d.Documents[documents-1].State == state
	})
	return d.Documents[documents-1]
}

// kept is the day's case of a cause.
func (g *closed) kept(cause cases.Cause, day retail.BusinessDate) view.CaseView {
	g.t.Helper()
	v, err := g.h.Clerk.CaseView(g.t.Context(), cases.ID(cause, fmt.Sprintf("S1/%s/1", day)))
	if err != nil {
		g.t.Fatal(err)
	}
	return v
}

func (g *closed) act(id string, a view.Act) {
	g.t.Helper()
	a.Who = "anna"
	if err := g.h.Clerk.Act(g.t.Context(), id, a); err != nil {
		g.t.Fatal(err)
	}
}

func (g *closed) next(day, until retail.BusinessDate, by string) {
	g.sell(day, 3)
	d := g.reaches(day, 1, roll.Verified)
	if d.Date != day || d.Dated != until.AddDays(1) || d.Odoo.Date != until.AddDays(1) || !strings.Contains(d.Moved, by) || !strings.Contains(d.Moved, string(until)) {
		g.t.Errorf("the day of %s stands on %s, Odoo says %s, because %q", d.Date, d.Dated, d.Odoo.Date, d.Moved)
	}
	if k := g.kept(cases.PeriodNext, day); k.State != cases.Closed || !strings.Contains(k.Detail, string(until.AddDays(1))) {
		g.t.Errorf("the note is %+v", k)
	}
	if open, err := g.h.Store.OpenCases(g.t.Context(), nil); err != nil || open != 0 {
		g.t.Errorf("%d cases wait for a person: %v", open, err)
	}
}

func (g *closed) ask(day, until retail.BusinessDate, by string) {
	g.sell(day, 3)
	g.reaches(day, 1, roll.Waiting)
	k := g.kept(cases.LockedPeriod, day)
	if k.State != cases.Open || k.Proposed != until.AddDays(1) || !strings.Contains(k.Detail, by) {
		g.t.Fatalf("the case is %+v", k)
	}
	g.act(k.ID, view.Act{What: "retry", Date: k.Proposed})
	d := g.reaches(day, 1, roll.Verified)
	if d.Odoo.Date != k.Proposed || d.Dated != k.Proposed || !strings.Contains(d.Moved, "anna") {
		g.t.Errorf("it stands on %s (%s), because %q", d.Odoo.Date, d.Dated, d.Moved)
	}
	if k = g.kept(cases.LockedPeriod, day); k.State != cases.Closed {
		g.t.Errorf("the case is %s afterwards", k.State)
	}
}

func (g *closed) hold(day, until retail.BusinessDate, field string) {
	g.sell(day, 3)
	g.reaches(day, 1, roll.Waiting)
	k := g.kept(cases.LockedPeriod, day)
	if k.State != cases.Open || k.Proposed != "" {
		g.t.Fatalf("the case is %+v", k)
	}
	g.act(k.ID, view.Act{What: "retry"}) // nothing has changed: it goes on waiting
	g.reaches(day, 1, roll.Waiting)
	g.o.SetLock(field, "")
	g.act(k.ID, view.Act{What: "retry"})
	if d := g.reaches(day, 1, roll.Verified); d.Odoo.Date != day || d.Dated != day || d.Moved != "" {
		g.t.Errorf("it stands on %s (%s), because %q", d.Odoo.Date, d.Dated, d.Moved)
	}
	g.o.SetLock(field, string(until))
}

// late lets a ticket come late and looks that the day is not split: it goes where its day went, or to the first open date from there; and
// what was posted stays where it is, whatever the lock says now.
func (g *closed) late(field string, day, until retail.BusinessDate, policy lockdate.Policy) {
	g.t.Helper()
	want, first := until.AddDays(1), g.reaches(day, 1, roll.Verified)
	if policy != lockdate.Hold {
		g.o.SetLock(field, "")
	}
	g.sell(day, 1)
	if d := g.reaches(day, 2, roll.Verified); d.Odoo.Date != want {
		g.t.Errorf("%s: what came late stands on %s, want %s", field, d.Odoo.Date, want)
	}
	g.o.SetLock(field, "")
	d, err := g.h.Store.DayDetail(g.t.Context(), rollup.DayKey{Location: "S1", Day: day})
	if err != nil || d.Documents[0].Odoo.Date != first.Odoo.Date {
		g.t.Errorf("the day itself moved from %s to %s: %v", first.Odoo.Date, d.Documents[0].Odoo.Date, err)
	}
	if n := g.o.PostedWrites(); n != 0 {
		g.t.Errorf("%d entries were written after they were posted", n)
	}
}

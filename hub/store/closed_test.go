package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// say sets location S1's rule for closed periods.
func (g *rig) say(p lockdate.Policy) error {
	return g.PutLocation(g.t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Period: p}, "anna")
}

// claims are the tasks that are due.
func (g *rig) claims() []odoo.Task {
	g.t.Helper()
	ts, err := store.Outbox{Store: g.Store}.Claim(g.t.Context(), 10)
	g.ok(err)
	return ts
}

func TestTheRuleForClosedPeriodsIsKeptAndAudited(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.say(lockdate.Next))
	if s := g.lastStep("location S1"); s.Who != "anna" || !strings.Contains(s.After, `"closed_period":"next"`) {
		t.Errorf("the step is %+v", s)
	}
	g.ok(g.say(lockdate.Ask))
	if s := g.lastStep("location S1"); !strings.Contains(s.Before, `"next"`) || !strings.Contains(s.After, `"ask"`) {
		t.Errorf("the step is %+v", s)
	}
	if err := g.say("sometimes"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "sometimes") {
		t.Errorf("a word that is none: %v", err)
	}
	f, err := g.LocationForm(t.Context(), "S1")
	ls, lerr := g.LocationViews(t.Context(), view.LocationFilter{})
	if err != nil || lerr != nil || f.Period != lockdate.Ask || len(ls) != 1 || ls[0].Period != lockdate.Ask {
		t.Errorf("kept as %q and %+v: %v %v", f.Period, ls, err, lerr)
	}
}

// A document keeps the rule that held when it was made; a voucher's and a store-day's are the location's, else head office's.
func TestADocumentKeepsTheRuleItWasMadeUnder(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.roller.Period = lockdate.Ask
	g.ok(g.say(lockdate.ByDefault))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	g.ok(g.say(lockdate.Next))
	g.sell("b", "2026-11-21T09:00:00Z")
	g.later(48 * time.Hour)
	var got []string
	for _, k := range g.claims() {
		got = append(got, fmt.Sprint(k.Document.ID(), " ", k.Period))
	}
	if want := "S1/2026-11-20/1 ask, S1/2026-11-21/1 next"; strings.Join(got, ", ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// What comes late of a day waits while the day waits, and goes to the date that the day went to.
func TestWhatComesLateFollowsTheDaysFirstDocument(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.say(lockdate.Ask))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	first := g.claims()[0]
	c := cases.New(cases.LockedPeriod, first.Document.ID(), time.Time{})
	c.Location, c.Day, c.Detail, c.Proposed = "S1", "2026-11-20", "closed up to 2026-11-30", "2026-12-01"
	wait := odoo.Outcome{Document: first.Document.ID(), Verdict: odoo.Wait, Why: "closed", Held: true, Case: &c, Again: g.clock.Add(time.Hour)}
	g.settle(wait)
	g.sell("b", "2026-11-20T19:00:00Z")
	g.later(10 * time.Minute)
	ts := g.claims()
	if len(ts) != 1 || ts[0].Document.Number != 2 || !ts[0].Held || ts[0].Date != "2026-11-20" {
		t.Fatalf("got %+v", ts)
	}
	g.settle(odoo.Outcome{Document: ts[0].Document.ID(), Verdict: odoo.Wait, Why: "it follows", Held: true, Again: g.clock.Add(2 * time.Hour)})
	g.settle(odoo.Outcome{Document: first.Document.ID(), Verdict: odoo.Wait, Unasked: true, Why: "Odoo is away", Again: g.clock.Add(time.Hour)})

	// The lock moved on: the case says so, and what it proposes with it.
	c.Detail, c.Proposed = "closed up to 2026-12-31", "2027-01-01"
	g.settle(wait)
	v, err := g.Clerk.CaseView(t.Context(), c.ID)
	if err != nil || v.Proposed != "2027-01-01" || v.State != cases.Open {
		t.Fatalf("the case is %+v: %v", v, err)
	}
	g.ok(g.Act(t.Context(), c.ID, view.Act{What: "retry", Date: v.Proposed, Who: "anna"}))
	ts = g.claims() // both are due at once
	if len(ts) != 2 || ts[0].Date != "2027-01-01" || ts[1].Date != "2027-01-01" || ts[1].Held || !strings.Contains(ts[0].Moved, "anna") {
		t.Fatalf("got %+v", ts)
	}
	ts[0].Move = 7
	g.ok(store.Outbox{Store: g.Store}.Loaded(t.Context(), ts[:1]))
	g.settle(odoo.Outcome{Document: ts[0].Document.ID(), Verdict: odoo.Done, Posted: true, Entry: "TPOS/1 (id 7)"})
	if s := g.state(cases.LockedPeriod, first.Document.ID()); s != cases.Closed {
		t.Errorf("the case is %s", s)
	}
	d := g.day("2026-11-20")
	if d.Documents[0].Date != "2026-11-20" || d.Documents[0].Dated != "2027-01-01" || !strings.Contains(d.Documents[0].Moved, "anna") {
		t.Errorf("the day's page says %s instead of %s because %q", d.Documents[0].Dated, d.Documents[0].Date, d.Documents[0].Moved)
	}
	if ts = g.claims(); len(ts) != 1 || ts[0].Document.Number != 2 || ts[0].Loaded != "" || ts[0].Date != "2027-01-01" {
		t.Errorf("got %+v", ts)
	}
}

// A draft is known by the date it was last given, whatever a person says since.
func TestADraftIsKnownByTheDateItWasGiven(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	box := store.Outbox{Store: g.Store}
	k := g.claims()[0]
	if k.Loaded != "" || k.Move != 0 {
		t.Fatalf("got %+v", k)
	}
	k.Move = 7
	g.ok(box.Loaded(t.Context(), []odoo.Task{k}))
	g.ok(g.Resend(t.Context(), k.Document.ID(), "2026-12-01", "anna", "period closed"))
	if k = g.claims()[0]; k.Loaded != "2026-11-20" || k.Date != "2026-12-01" || k.Moved == "" {
		t.Fatalf("got %+v", k)
	}
	g.ok(box.Loaded(t.Context(), []odoo.Task{k}))
	if k = g.claims()[0]; k.Loaded != "2026-12-01" {
		t.Fatalf("got %+v", k)
	}
	g.ok(g.Resend(t.Context(), k.Document.ID(), "2026-11-20", "anna", "opened again"))
	if k = g.claims()[0]; k.Date != "2026-11-20" || k.Moved != "" {
		t.Fatalf("got %+v", k)
	}
}

// A note is there to be read: nobody has to close it, and it opens nothing.
func TestADayThatWentToTheNextPeriodLeavesANote(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.say(lockdate.Next))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	k := g.claims()[0]
	k.Move, k.Date, k.Moved = 7, "2026-12-01", "the books are closed up to 2026-11-30 (tax lock)"
	g.ok(store.Outbox{Store: g.Store}.Loaded(t.Context(), []odoo.Task{k}))
	n := cases.New(cases.PeriodNext, k.Document.ID(), time.Time{})
	n.Location, n.Day, n.Detail = "S1", "2026-11-20", "dated 2026-12-01"
	done := odoo.Outcome{Document: k.Document.ID(), Verdict: odoo.Done, Posted: true, Entry: "TPOS/1 (id 7)", Note: &n}
	g.settle(done)
	g.settle(done) // told again
	if open := g.opened(); len(open) != 0 || g.state(cases.PeriodNext, k.Document.ID()) != cases.Closed {
		t.Errorf("open are %v", open)
	}
	v, err := g.Clerk.CaseView(t.Context(), n.ID)
	if err != nil || len(v.Steps) != 1 || v.Steps[0].What != "noted" {
		t.Errorf("its steps are %+v: %v", v.Steps, err)
	}
	if d := g.day("2026-11-20"); d.State != roll.Verified || d.Documents[0].Dated != retail.BusinessDate("2026-12-01") || d.Documents[0].Moved != k.Moved {
		t.Errorf("the day is %+v", d.Documents)
	}
}

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// shadow sets the rule as a start or a changed settings file does.
func (g *rig) shadow(on bool) {
	g.t.Helper()
	r, err := g.ShadowRule(g.t.Context(), on)
	g.ok(err)
	o := g.roller.Options
	o.Shadow = r
	g.roller.Set(o)
	g.ok(g.Rejudge(g.t.Context()))
	g.roll()
}

func TestAfterShadowTheDaysBeforeAreNeverPosted(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.clock = g.clock.Add(-72 * time.Hour)
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.shadow(true)
	g.sell("1", "2026-11-17T18:00:00Z")
	g.later(24 * time.Hour) // the 19th, noon
	g.sell("2", "2026-11-19T10:00:00Z")
	if d := g.day("2026-11-17"); d.State != roll.Shadow || d.Documents[0].Number != 0 || !strings.Contains(d.Why, "nothing is posted") {
		t.Fatalf("in shadow: %s, document %d: %s", d.State, d.Documents[0].Number, d.Why)
	}
	g.ok(g.ApproveDay(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-17"}, "anna", "as it is"))
	g.roll()
	g.shadow(false)
	g.sell("3", "2026-11-16T10:00:00Z") // a day nobody knew of while it was on
	g.sell("4", "2026-11-20T10:00:00Z")
	g.later(48 * time.Hour)
	g.shadow(false) // as a restart does
	for d, posted := range map[retail.BusinessDate]bool{"2026-11-16": false, "2026-11-17": false, "2026-11-19": false, "2026-11-20": true} {
		if v := g.day(d); (v.Documents[0].Number > 0) != posted {
			t.Errorf("%s: document %d, state %s: %s", d, v.Documents[0].Number, v.State, v.Why)
		}
	}
	n, err := g.CountDays(t.Context(), view.DayFilter{Unposted: true})
	if g.ok(err); n != 1 { // the 20th is on its way; days in shadow miss nothing
		t.Errorf("%d days are told to be missing in the books", n)
	}
	if st := g.lastStep("books"); st.What != "shadow" || !strings.Contains(st.After, `"On":false`) {
		t.Errorf("the end is not audited: %+v", st)
	}
}

func TestALocationIsPostedFromItsOwnDateOn(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.clock = g.clock.Add(-48 * time.Hour)
	form := view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Shadow: "2026-11-20"}
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	g.sell("1", "2026-11-19T10:00:00Z")
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("2", "2026-11-20T10:00:00Z")
	g.later(48 * time.Hour)
	if a, b := g.day("2026-11-19"), g.day("2026-11-20"); a.State != roll.Shadow || b.Documents[0].Number != 1 {
		t.Fatalf("the 19th is %s, the 20th has document %d", a.State, b.Documents[0].Number)
	}
	form.Shadow = ""
	if err := g.PutLocation(t.Context(), form, "anna"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "2026-11-20") {
		t.Errorf("the first day was forgotten: %v", err)
	}
	// What comes late for a day that is posted still goes.
	g.sell("3", "2026-11-20T11:00:00Z")
	g.book()
	g.later(time.Hour)
	if b := g.day("2026-11-20"); len(b.Documents) != 2 {
		t.Errorf("a late ticket of a posted day: %d documents", len(b.Documents))
	}
	sheets, err := g.ShadowSheets(t.Context(), view.ReviewFilter{Location: "S1", From: "2026-11-01", To: "2026-11-30"})
	if g.ok(err); len(sheets) != 1 || sheets[0].Key.Day != "2026-11-19" || len(sheets[0].Lines) != 2 {
		t.Errorf("to be compared: %+v", sheets)
	}
}

func TestReviewOfALocationGoesBeforeHeadOffice(t *testing.T) {
	g := newRig(t, t.TempDir())
	form := view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Review: view.ByPerson}
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	g.sell("1", "2026-11-21T10:00:00Z")
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.later(48 * time.Hour)
	if d := g.day("2026-11-21"); d.State != roll.Audited || !strings.Contains(d.Why, "approval") {
		t.Fatalf("by person: %s %s", d.State, d.Why)
	}
	form.Review = view.Auto
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	g.roll()
	if d := g.day("2026-11-21"); d.Documents[0].Number != 1 || d.Approved != "auto" {
		t.Errorf("auto: document %d, approved by %q", d.Documents[0].Number, d.Approved)
	}
	if st := g.lastStep("location S1"); !strings.Contains(st.Before, "person") || !strings.Contains(st.After, "auto") {
		t.Errorf("not audited: %+v", st)
	}
	form.Review = "maybe"
	if err := g.PutLocation(t.Context(), form, "anna"); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

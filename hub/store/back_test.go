package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// putBack is a hub that was put back from a backup made before it had any ticket, with what it then finds of itself in Odoo.
func putBack(t *testing.T, own ...rollup.Document) *rig {
	t.Helper()
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.clock = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var all []odoo.Adopted
	for i, d := range own {
		all = append(all, odoo.Adopted{Document: d, Move: int64(7 + i), Entry: "TPOS/1", Posted: true})
	}
	n, err := g.Adopt(t.Context(), all)
	if g.ok(err); n != len(own) {
		t.Fatalf("adopted %d", n)
	}
	g.roll()
	return g
}

// posted is what a hub that lost its memory had posted of a day with tickets 1 and 2.
func posted(t *testing.T) rollup.Document {
	t.Helper()
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.clock = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-20T19:00:00Z")
	g.later(24 * time.Hour)
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 10)
	if g.ok(err); len(tasks) != 1 {
		t.Fatalf("%d documents", len(tasks))
	}
	return tasks[0].Document
}

func (g *rig) back() {
	g.t.Helper()
	g.ok(g.Store.Settle(g.t.Context(), cases.ID(cases.HubRestored, "d1/sales"), "all is here"))
	g.roll()
}

func TestAHubThatWasPutBackTakesNothingOutOfTheBooks(t *testing.T) {
	g := putBack(t, posted(t))
	d := g.day("2026-11-20")
	if len(d.Documents) != 1 || d.State != roll.Waiting || !strings.Contains(d.Why, "d1") {
		t.Fatalf("no store has sent anything again, and the day has %d documents: %s, %q", len(d.Documents), d.State, d.Why)
	}
	g.sell("1", "2026-11-20T18:00:00Z")
	g.later(time.Minute)
	if d := g.day("2026-11-20"); len(d.Documents) != 1 || d.State != roll.Waiting || g.state(cases.NotBack, "S1 2026-11-20") == cases.Open {
		t.Errorf("half of it is here: %d documents, %s", len(d.Documents), d.State)
	}
	g.later(time.Hour)
	if g.state(cases.NotBack, "S1 2026-11-20") != cases.Open {
		t.Errorf("nobody is told: %v", g.opened())
	}
	if err := g.Act(t.Context(), cases.ID(cases.NotBack, "S1 2026-11-20"), view.Act{What: "accept", Who: "anna", Reason: "never mind"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("accepted, the day would wait unseen: %v", err)
	}
	g.sell("2", "2026-11-20T19:00:00Z")
	if d := g.day("2026-11-20"); len(d.Documents) != 1 || d.State != roll.Verified || len(g.opened()) != 0 {
		t.Errorf("all of it is here: %d documents, %s, cases %v", len(d.Documents), d.State, g.opened())
	}
	g.sell("3", "2026-11-20T20:00:00Z") // from now on it is a day as any other
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 2 {
		t.Errorf("a late ticket does not go: %d documents, %s %q", len(d.Documents), d.State, d.Why)
	}
}

func TestWhatNobodyHoldsAnyMoreGoesWhenEverybodyIsBack(t *testing.T) {
	g := putBack(t, posted(t))
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("9", "2026-11-20T21:00:00Z") // while the hub was away
	g.back()
	if d := g.day("2026-11-20"); len(d.Documents) != 1 {
		t.Errorf("its other streams have had no time to tell, and the day has %d documents", len(d.Documents))
	}
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 1 || d.State != roll.Verified { // two tickets of ten dollars, as in the books
		t.Errorf("%d documents, %s", len(d.Documents), d.State)
	}
	g = putBack(t, posted(t))
	g.sell("1", "2026-11-20T18:00:00Z")
	g.back()
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 2 {
		t.Errorf("the only PC has sent all that it has: %d documents, %s %q", len(d.Documents), d.State, d.Why)
	}
}

func TestAPersonMayLetTheBooksSayWhatIsHere(t *testing.T) {
	g := putBack(t, posted(t))
	g.sell("1", "2026-11-20T18:00:00Z")
	g.later(time.Hour)
	g.ok(g.Act(t.Context(), cases.ID(cases.NotBack, "S1 2026-11-20"), view.Act{What: "approve", Who: "anna", Reason: "the PC burnt"}))
	g.roll()
	if d := g.day("2026-11-20"); len(d.Documents) != 2 || len(g.opened()) != 0 {
		t.Errorf("%d documents, cases %v, %q", len(d.Documents), g.opened(), d.Why)
	}
}

func TestADayThatWasTakenBackAfterTheBackupStaysSo(t *testing.T) {
	first := posted(t)
	second := first
	second.Number, second.Kind, second.Note = 2, rollup.DeltaDocument, roll.TakenBack
	second.Lines = nil
	for _, l := range first.Lines {
		l.Amount = l.Amount.Neg()
		second.Lines = append(second.Lines, l)
	}
	g := putBack(t, first, second)
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-20T19:00:00Z")
	g.back()
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 2 || !d.Hold {
		t.Fatalf("a person took it back, and it is booked anew: %d documents, held %v", len(d.Documents), d.Hold)
	}
	g.ok(g.HoldDay(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"}, false, "anna", "it was right"))
	g.roll()
	if d := g.day("2026-11-20"); len(d.Documents) != 3 {
		t.Errorf("released: %d documents, %s %q", len(d.Documents), d.State, d.Why)
	}
}

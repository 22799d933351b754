package store_test

import (
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// refusedCases are the open cases of records that are refused for themselves.
func (g *rig) refusedCases() (open []cases.Case) {
	g.t.Helper()
	list, err := g.Store.Cases(g.t.Context(), false)
	g.ok(err)
	for _, c := range list {
		if c.Cause == cases.Refused || c.Cause == cases.Unbalanced {
			open = append(open, c)
		}
	}
	return open
}

func (g *rig) reprocess(booked, left int) {
	g.t.Helper()
	b, l, err := g.Reprocess(g.t.Context(), "", g.Mean, "anna")
	g.ok(err)
	if b != booked || l != left {
		g.t.Fatalf("reprocess: booked %d, left %d; want %d and %d", b, l, booked, left)
	}
	g.roll()
}

// TestWhatIsWrongBesidesItsPlaceIsACase: a record waits for its location without a case of its own; what else is wrong with it is seen when the
// location is known, and must be a case then, as the till's is that tells it well closes it.
func TestWhatIsWrongBesidesItsPlaceIsACase(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.sell("1", "2026-11-20T10:00:00Z", `"amount":"10.00"`, `"amount":"9.00"`)
	if open := g.refusedCases(); len(open) != 0 {
		t.Fatalf("a record that waits for its location has a case of its own: %+v", open)
	}
	g.place()
	open := g.refusedCases()
	if len(open) != 1 || open[0].Cause != cases.Unbalanced || open[0].Location != "S1" || open[0].Record == "" {
		t.Fatalf("a ticket that does not balance, at a location that is known now, stands as %+v", open)
	}
	g.reprocess(0, 1)
	v, err := g.CaseView(t.Context(), open[0].ID)
	if g.ok(err); v.State != cases.Open || v.Seen != 1 || len(v.Steps) != 1 {
		t.Errorf("read once more, with nothing new in it, it stands as %+v", v)
	}
	g.sell("2", "2026-11-20T11:00:00Z")
	if d := g.day("2026-11-20"); d.Tickets != 1 || d.DayView.Cases != 1 || len(d.Cases) != 1 || d.Cases[0].ID != open[0].ID {
		t.Errorf("the day does not name the ticket that it lacks: %+v", d)
	}
	g.sell("1", "2026-11-20T10:00:00Z")
	if open := g.refusedCases(); len(open) != 0 {
		t.Errorf("told well, it stands as %+v", open)
	}
}

// TestACaseSaysWhatIsWrongNow: a mended text may be wrong in another way, wait for its location, or be right.
func TestACaseSaysWhatIsWrongNow(t *testing.T) {
	const ticket = `{"id":"1","location":"S1","at":"2026-11-20T10:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":"10.00"}],"tenders":[{"type":"cash","amount":"10.00"}]}`
	g := newRig(t, t.TempDir())
	g.place()
	g.tell("ticket.v1", "1", strings.Replace(ticket, "10.00", "ten", 1))
	edit := func(body string) {
		t.Helper()
		open := g.refusedCases()
		if len(open) != 1 {
			t.Fatalf("%d cases are open: %+v", len(open), open)
		}
		_ = g.Act(t.Context(), open[0].ID, view.Act{What: "edit", Body: body, Reason: "typed wrong", Who: "anna"}) // what is still wrong is told
	}
	edit(strings.Replace(ticket, "10.00", "9.00", 1))
	if open := g.refusedCases(); len(open) != 1 || open[0].Cause != cases.Unbalanced || !strings.Contains(open[0].Detail, "9.00") || open[0].Record == "" {
		t.Fatalf("a text that does not balance stands as %+v", open)
	}
	edit(strings.Replace(ticket, `"S1"`, `"S2"`, 1))
	if open := g.refusedCases(); len(open) != 0 {
		t.Fatalf("a text that waits for its location alone stands as %+v", open)
	}
	g.reprocess(0, 1)
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S2", Name: "Two", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "anna"))
	g.roll()
	d, err := g.Store.DayDetail(t.Context(), rollup.DayKey{Location: "S2", Day: "2026-11-20"})
	if g.ok(err); d.Gross != money.Of(1000, "USD") {
		t.Errorf("the mended ticket is booked as %+v", d)
	}
	if open := g.refusedCases(); len(open) != 0 {
		t.Errorf("booked, it stands as %+v", open)
	}
}

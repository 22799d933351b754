package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
)

func TestAStoreDayStaysInTheCompanyThatHasItsFirstDocument(t *testing.T) {
	g := newRig(t, t.TempDir())
	move := func(company string) {
		t.Helper()
		g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Company: company}, "anna"))
	}
	box := store.Outbox{Store: g.Store}
	claim := func() (out string) {
		t.Helper()
		ts, err := box.Claim(t.Context(), 10)
		g.ok(err)
		for _, k := range ts {
			out += fmt.Sprintf("%s %q %d; ", k.Document.ID(), k.Company, k.Home)
		}
		return out
	}
	move("East")
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	if got := claim(); got != `S1/2026-11-20/1 "East" 0; ` {
		t.Fatalf("got %s", got)
	}
	move("West") // nothing is in the books yet: it goes along
	if got := claim(); got != `S1/2026-11-20/1 "West" 0; ` {
		t.Fatalf("got %s", got)
	}
	ts, err := box.Claim(t.Context(), 10)
	g.ok(err)
	ts[0].Move, ts[0].Home = 7, 5
	g.ok(box.Loaded(t.Context(), ts))
	move("South")
	if got := claim(); got != `S1/2026-11-20/1 "" 5; ` {
		t.Fatalf("got %s", got)
	}
	g.settle(odoo.Outcome{Document: "S1/2026-11-20/1", Verdict: odoo.Done, Posted: true, Entry: "TPOS/1 (id 7)"})
	g.sell("b", "2026-11-20T19:00:00Z") // late
	g.sell("c", "2026-11-21T19:00:00Z") // another day
	g.later(48 * time.Hour)
	if got := claim(); got != `S1/2026-11-20/2 "" 5; S1/2026-11-21/1 "South" 0; ` {
		t.Fatalf("got %s", got)
	}
}

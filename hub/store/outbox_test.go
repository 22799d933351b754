package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
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

func TestADocumentIsOneDatabasesAlone(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Company: "West LLC"}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	box := func(name string, books ...store.Book) store.Outbox {
		return store.Outbox{Store: g.Store, Name: name, Books: books}
	}
	has := func(o store.Outbox) bool {
		t.Helper()
		ts, err := o.Claim(t.Context(), 10)
		g.ok(err)
		next, err := o.Next(t.Context())
		g.ok(err)
		if next.IsZero() != (len(ts) == 0) && len(ts) == 0 {
			t.Errorf("%q has nothing and waits for %v", o.Name, next)
		}
		return len(ts) == 1
	}
	byCompany, byCode := store.Book{Name: "west", Companies: []string{"East LLC", "West LLC"}}, store.Book{Name: "mine", Locations: []retail.LocationCode{"S9", "S1"}}
	for _, c := range []struct {
		books []store.Book
		want  string
	}{{nil, ""}, {[]store.Book{byCompany}, "west"}, {[]store.Book{byCode}, "mine"}, {[]store.Book{byCompany, byCode}, "mine"}, {[]store.Book{{Name: "far", Companies: []string{"Far"}}}, ""}} {
		for _, name := range []string{"", "west", "mine", "far"} {
			if got := has(box(name, c.books...)); got != (name == c.want) {
				t.Errorf("%v: %q has it %v, want it in %q", c.books, name, got, c.want)
			}
		}
	}
	west := box("west", byCompany)
	ts, err := west.Claim(t.Context(), 10)
	g.ok(err)
	g.ok(west.Sending(t.Context(), ts)) // from now on Odoo may have it, whether or not it answers
	g.ok(west.Sending(t.Context(), ts))
	if has(box("mine", byCompany, byCode)) || has(box("", byCode)) || !has(box("west", byCompany, byCode)) {
		t.Error("other settings took a document along that Odoo may have")
	}
	if err := box("mine", byCode).Sending(t.Context(), ts); !fault.Is(err, fault.Conflict) {
		t.Errorf("a second database may send it: %v", err)
	}
	g.sell("b", "2026-11-20T19:00:00Z")
	g.settle(odoo.Outcome{Document: "S1/2026-11-20/1", Verdict: odoo.Done, Posted: true, Entry: "TPOS/1 (id 7)"})
	g.later(48 * time.Hour)
	if has(box("mine", byCode)) || !has(box("west", byCode)) {
		t.Error("a late ticket went to another database than its day")
	}
}

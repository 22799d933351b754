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

func TestTheClaimOutlivesTheProcessAndItsCaseFollowsIt(t *testing.T) {
	dir := t.TempDir()
	g := newRig(t, dir)
	b := store.ClaimBook{Store: g.Store, Lane: "odoo"}
	beat := odoo.Beat{Run: "r2", N: 7, Was: "r1", WasN: 90}
	g.ok(b.Beating(t.Context(), beat))
	if got, err := b.LastBeat(t.Context()); err != nil || got != beat {
		t.Errorf("last beat %+v, %v; want %+v", got, err, beat)
	}
	if got, err := (store.ClaimBook{Store: g.Store, Lane: "odoo west"}).LastBeat(t.Context()); err != nil || got != (odoo.Beat{}) {
		t.Errorf("another lane has the beat %+v, %v", got, err)
	}
	id := cases.ID(cases.TwoHubs, "odoo")
	state := func() cases.State {
		t.Helper()
		v, err := g.CaseView(t.Context(), id)
		if fault.Is(err, fault.NotFound) {
			return ""
		}
		g.ok(err)
		return v.State
	}
	other := odoo.Claim{Hub: "beef", Run: "x", Beat: 3, Name: "the cellar"}
	g.ok(b.Stands(t.Context(), odoo.Standing{Other: other, Company: "Ours"}))
	if state() != "" {
		t.Error("a claim that was only seen once is a case already")
	}
	g.ok(b.Stands(t.Context(), odoo.Standing{Other: other, Lives: true, Company: "Ours"}))
	if state() != cases.Open {
		t.Fatal("two living hubs are no case")
	}
	if err := g.Act(t.Context(), id, view.Act{What: "take-over", Who: "anna"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("taken over without a reason: %v", err)
	}
	g.ok(g.Act(t.Context(), id, view.Act{What: "take-over", Who: "anna", Reason: "the cellar is old"}))
	order, err := b.Order(t.Context())
	if err != nil || !strings.Contains(order, "anna") {
		t.Errorf("the order is %q, %v", order, err)
	}
	g.ok(b.Stands(t.Context(), odoo.Standing{Ours: true, By: order, Company: "Ours"}))
	if order, _ = b.Order(t.Context()); order != "" || state() != cases.Closed {
		t.Errorf("after taking over: order %q, case %q", order, state())
	}
}

// soldByAnother is an outcome of a document whose day another hub has posted.
func soldByAnother(id string) odoo.Outcome {
	c := cases.New(cases.OtherHub, id, cases.Case{}.Opened)
	c.Location, c.Day, c.Detail = "S1", "2026-11-20", "another hub's entry stands there"
	return odoo.Outcome{Document: id, Verdict: odoo.Park, Why: c.Detail, Case: &c}
}

func TestADocumentBesideAnotherHubsIsAPersonsWord(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	const first = "S1/2026-11-20/1"
	g.settle(soldByAnother(first))
	g.sell("b", "2026-11-20T19:00:00Z")
	g.later(48 * time.Hour)
	box := store.Outbox{Store: g.Store}
	tasks := func() map[string]odoo.Task {
		t.Helper()
		ts, err := box.Claim(t.Context(), 10)
		g.ok(err)
		out := map[string]odoo.Task{}
		for _, k := range ts {
			out[k.Document.ID()] = k
		}
		return out
	}
	if k, ok := tasks()["S1/2026-11-20/2"]; !ok || k.Begun || k.Beside || k.LeftOut {
		t.Fatalf("the delta is %+v, %v: want it neither begun, beside nor left out", k, ok)
	}
	id := cases.ID(cases.OtherHub, first)
	if err := g.Act(t.Context(), id, view.Act{What: "release", Who: "anna"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("released without a reason: %v", err)
	}
	g.ok(g.Act(t.Context(), id, view.Act{What: "release", Who: "anna", Reason: "that hub had the morning"}))
	got := tasks()
	if !got[first].Beside || !got["S1/2026-11-20/2"].Beside {
		t.Errorf("after a person's word: %+v", got)
	}
	k := got[first]
	k.Move, k.Date = 7, k.Document.Date
	g.ok(box.Loaded(t.Context(), []odoo.Task{k}))
	if !tasks()["S1/2026-11-20/2"].Begun {
		t.Error("the day's first document stands in Odoo, and its delta does not know")
	}
}

func TestWhatAnotherHubPostedIsLeftOut(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z")
	g.later(48 * time.Hour)
	const first = "S1/2026-11-20/1"
	g.settle(soldByAnother(first))
	g.ok(g.Act(t.Context(), cases.ID(cases.OtherHub, first), view.Act{What: "accept", Who: "anna", Reason: "the other entry is right"}))
	d, err := g.DayDetail(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"})
	if g.ok(err); len(d.Documents) != 1 || d.Documents[0].State != roll.Accepted {
		t.Errorf("the day's documents: %+v", d.Documents)
	}
}

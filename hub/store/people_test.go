package store_test

import (
	"slices"
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
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

func TestAnUnknownLocationPostsAfterOneAnswer(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.tell("location.v1", "S1", `{"code":"S1","name":"One","zone":"America/New_York","cutoff":"00:00","currency":"USD"}`)
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-20T19:00:00Z", `"T1"`, `"T2"`)
	g.later(24 * time.Hour)
	if got := g.opened(); !slices.Equal(got, []cases.Cause{cases.UnknownLocation}) {
		t.Fatalf("questions %v, want the one about the location", got)
	}
	g.ok(g.Act(t.Context(), cases.ID(cases.UnknownLocation, "S1"), view.Act{What: "confirm", Who: "anna"}))
	g.later(time.Hour)
	if d := g.day("2026-11-20"); d.State != roll.Posting || d.Gross != money.Of(2000, "USD") || len(g.opened()) != 0 {
		t.Errorf("after one answer: %s %s %s, cases %v", d.State, d.Gross, d.Why, g.opened())
	}
	if st := g.lastStep("till S1/T2"); st.Who != "anna" || st.Before != "not confirmed" || st.After != "confirmed" {
		t.Errorf("the till's step: %+v", st)
	}
}

func TestALateTicketOfAnUnknownTillGoesAfterOneAnswer(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-20T18:00:00Z")
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.later(24 * time.Hour)
	g.book()
	g.sell("2", "2026-11-20T19:00:00Z", `"T1"`, `"T9"`)
	g.later(time.Hour)
	if d := g.day("2026-11-20"); len(d.Documents) != 1 || g.state(cases.UnknownTill, "S1/T9") != cases.Open {
		t.Fatalf("%d documents, the question is %q", len(d.Documents), g.state(cases.UnknownTill, "S1/T9"))
	}
	g.ok(g.Act(t.Context(), cases.ID(cases.UnknownTill, "S1/T9"), view.Act{What: "confirm", Who: "anna"}))
	g.roll()
	if d := g.day("2026-11-20"); len(d.Documents) != 2 || d.Documents[1].Kind != "delta" {
		t.Errorf("%d documents: what waited for the answer does not go", len(d.Documents))
	}
}

func TestASetLocationIsAuditedWithBeforeAndAfter(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	f := view.LocationForm{Code: "S1", Name: "First Street", Zone: "UTC", Cutoff: "00:00", Currency: "USD", OpenDays: "mon tue"}
	g.ok(g.PutLocation(t.Context(), f, "bert"))
	st := g.lastStep("location S1")
	if st.Who != "bert" || !strings.Contains(st.Before, `"One"`) || !strings.Contains(st.After, `"First Street"`) || !strings.Contains(st.After, "mon tue") {
		t.Errorf("got %+v", st)
	}
	g.ok(g.PutLocation(t.Context(), f, "carl"))
	if st := g.lastStep("location S1"); st.Who != "bert" {
		t.Errorf("a step that says nothing new: %+v", st)
	}
	err := g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Zone: "Mars", Cutoff: "4", Currency: "x", OpenDays: "monday", From: "soon"}, "bert")
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"Mars", `"4"`, `"x"`, "monday", "soon"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not told in %v", want, err)
		}
	}
}

func TestACutoffMovesNoTicketThatIsInADocument(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1", "2026-11-20T02:00:00Z")
	g.later(24 * time.Hour)
	g.book()
	g.sell("2", "2026-11-22T02:00:00Z")
	g.sell("3", "2026-11-22T05:00:00Z")
	later := view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "04:00", Currency: "USD"}
	for _, from := range []retail.BusinessDate{"", "2026-11-20", "2026-11-21"} { // the 21st would give the 20th another end
		later.From = from
		if err := g.PutLocation(t.Context(), later, "anna"); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "2026-11-22") {
			t.Errorf("from %q: got %v", from, err)
		}
	}
	later.From = "2026-11-22"
	g.ok(g.PutLocation(t.Context(), later, "anna"))
	g.roll()
	for d, want := range map[string]int{"2026-11-20": 1, "2026-11-21": 1, "2026-11-22": 1} {
		if v := g.day(retail.BusinessDate(d)); v.Tickets != want {
			t.Errorf("%s has %d tickets, want %d", d, v.Tickets, want)
		}
	}
	if st := g.lastStep("ticket |tillpost|ticket||2"); st.Before != "2026-11-22" || st.After != "2026-11-21" || st.Who != "anna" {
		t.Errorf("the move is not audited: %+v", st)
	}
	// A new word on the posted ticket stays on its day.
	g.sell("1", "2026-11-20T02:00:00Z", `"kind":"sale"`, `"kind":"sale","revision":2`, `"Toys"`, `"Games"`)
	if v := g.day("2026-11-20"); v.Tickets != 1 {
		t.Errorf("the posted ticket moved: %d tickets are left on its day", v.Tickets)
	}
}

func TestDaysThatPassedWhileTheHubWasOffAreExpected(t *testing.T) {
	dir := t.TempDir()
	g := newRig(t, dir)
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Zone: "UTC", Cutoff: "00:00", Currency: "USD", OpenDays: "mon tue wed thu fri sat"}, "anna"))
	g.sell("1", "2026-11-21T08:00:00Z") // a Saturday
	g.later(2 * time.Minute)
	g.Store.Close()
	g.Store = openIn(t, dir)
	g.Store.Now = func() time.Time { return g.clock }
	g.roller.Store = g.Store
	g.clock = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	g.roll()
	days, err := g.Store.DayViews(t.Context(), view.DayFilter{})
	g.ok(err)
	var got []string
	for _, d := range days {
		got = append(got, string(d.Key.Day))
	}
	if want := []string{"2026-11-25", "2026-11-24", "2026-11-23", "2026-11-21"}; !slices.Equal(got, want) { // the 22nd is a Sunday
		t.Errorf("got %v, want %v", got, want)
	}
	if g.state(cases.MissingProof, "S1 2026-11-23") != cases.Open {
		t.Error("nobody is told that nothing came of Monday")
	}
}

func TestAMendedRecordIsErasedWithItsCustomer(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-20T18:00:00Z", `"amount":"10.00"}],"tenders"`, `"amount":"9.00"}],"tenders"`)
	id := cases.ID(cases.Unbalanced, "record 1")
	good := `{"id":"1","location":"S1","till":"T1","at":"2026-11-20T18:00:00Z","currency":"USD","kind":"sale","customer":"C7","lines":[{"kind":"item","category":"Toys","amount":"10.00","description":"for Mrs Smith"}],"tenders":[{"type":"cash","amount":"10.00"}]}`
	if err := g.Act(t.Context(), id, view.Act{What: "edit", Who: "anna", Reason: "receipt", Body: " "}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty text: %v", err)
	}
	if err := g.Act(t.Context(), id, view.Act{What: "edit", Who: "anna", Reason: "receipt", Body: strings.Replace(good, "cash", "", 1)}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a text that still cannot be booked: %v", err)
	}
	g.ok(g.Act(t.Context(), id, view.Act{What: "edit", Who: "anna", Reason: "receipt", Body: good}))
	g.roll()
	if d := g.day("2026-11-20"); d.Gross != money.Of(1000, "USD") || g.state(cases.Unbalanced, "record 1") != cases.Closed {
		t.Fatalf("gross %s, the case is %s", d.Gross, g.state(cases.Unbalanced, "record 1"))
	}
	v, err := g.Clerk.TicketView(t.Context(), 1)
	if err != nil || len(v.Lines) != 1 || v.Lines[0].Description != "for Mrs Smith" || !v.Mended {
		t.Errorf("the ticket's page shows %+v %v", v.Lines, err)
	}
	n, err := g.Erase(t.Context(), "", "tillpost", "C7", "anna", "asked for it")
	if g.ok(err); n != 1 {
		t.Errorf("%d records are told to be erased", n)
	}
	if _, err := g.Erase(t.Context(), "", "tillpost", "C7", "anna", "again"); !fault.Is(err, fault.Conflict) {
		t.Errorf("erased twice: %v", err)
	}
	if _, err := g.Erase(t.Context(), "", "tillpost", "C8", "anna", "asked for it"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a customer whom nothing names: %v", err)
	}
	if v, err = g.Clerk.TicketView(t.Context(), 1); err != nil || len(v.Lines) != 0 || !v.Raw.Erased {
		t.Errorf("after the erasure its page shows %+v %v", v.Lines, err)
	}
	var steps int
	g.ok(g.Store.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM step WHERE before LIKE '%Smith%' OR after LIKE '%Smith%') + (SELECT count(*) FROM edit WHERE bytes LIKE '%Smith%')`).Scan(&steps)
	}))
	if steps != 0 {
		t.Error("the audit trail or the mended text still names the customer's data")
	}
	if d := g.day("2026-11-20"); d.Gross != money.Of(1000, "USD") {
		t.Errorf("the erasure changed the day: %s", d.Gross)
	}
	if booked, left, err := g.Reprocess(t.Context(), "", g.Mean, "test"); booked != 0 || left != 0 || err != nil {
		t.Errorf("reprocess: %d %d %v", booked, left, err)
	}
}

func TestATicketInAnotherCurrencyIsNotForgotten(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-20T19:00:00Z", `"USD"`, `"CAD"`)
	if g.state(cases.Unfolded, "entry 2") != cases.Open {
		t.Fatalf("cases %v", g.opened())
	}
	if _, _, err := g.Reprocess(t.Context(), "", g.Mean, "test"); err != nil {
		t.Fatal(err)
	}
	if g.state(cases.Unfolded, "entry 2") != cases.Open {
		t.Error("a reprocess closed the case, and the money is in no document")
	}
	g.sell("2", "2026-11-20T19:00:00Z", `"kind":"sale"`, `"kind":"sale","revision":2`)
	if g.state(cases.Unfolded, "entry 2") != cases.Closed {
		t.Error("the till corrected it, and the case is still open")
	}
	if d := g.day("2026-11-20"); d.Gross != money.Of(2000, "USD") || d.Tickets != 2 {
		t.Errorf("the day: %s, %d tickets", d.Gross, d.Tickets)
	}
}

func TestARecordToldWellClosesTheCaseOfTheOneBefore(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.tell("ticket.v1", "1", `{"broken`)
	g.sell("2", "2026-11-20T18:00:00Z", `"10.00"}],"tenders"`, `"9.00"}],"tenders"`)
	if g.state(cases.Refused, "record 1") != cases.Open || g.state(cases.Unbalanced, "record 2") != cases.Open {
		t.Fatalf("cases %v", g.opened())
	}
	g.sell("2", "2026-11-20T18:00:00Z")
	if g.state(cases.Unbalanced, "record 2") != cases.Closed || g.state(cases.Refused, "record 1") != cases.Open {
		t.Errorf("after ticket 2 was told well: %s, of ticket 1: %s", g.state(cases.Unbalanced, "record 2"), g.state(cases.Refused, "record 1"))
	}
}

func TestWhatIsAcceptedOfADocumentStaysAccepted(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1", "2026-11-20T18:00:00Z")
	g.later(24 * time.Hour)
	g.book()
	doc := "S1/2026-11-20/1"
	c := cases.New(cases.ForeignEdit, doc, g.clock)
	c.Location, c.Day, c.Detail = "S1", "2026-11-20", "cash 9.00"
	g.settle(odoo.Outcome{Document: doc, Verdict: odoo.Park, Why: c.Detail, Case: &c})
	if d := g.day("2026-11-20"); d.State != roll.Parked {
		t.Fatalf("the day is %s", d.State)
	}
	if err := g.Act(t.Context(), c.ID, view.Act{What: "accept", Who: "anna"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("accepted without a reason: %v", err)
	}
	g.ok(g.Act(t.Context(), c.ID, view.Act{What: "accept", Who: "anna", Reason: "a dollar was given back"}))
	g.roll()
	if d := g.day("2026-11-20"); d.State != roll.Accepted {
		t.Errorf("the day is %s", d.State)
	}
	if st := g.lastStep("document " + doc); st.Who != "anna" || st.Before != roll.Parked || st.After != roll.Accepted || st.Reason == "" {
		t.Errorf("the step: %+v", st)
	}
	box := store.Outbox{Store: g.Store}
	if ts, err := box.Verified(t.Context(), time.Time{}, "", 10); err != nil || len(ts) != 0 {
		t.Errorf("it is looked at again: %v %v", ts, err)
	}
	if err := g.Resend(t.Context(), doc, "", "anna", "again"); !fault.Is(err, fault.Conflict) {
		t.Errorf("it is sent again: %v", err)
	}
}

func TestNumbersMissingBetweenTwoDaysAreSeen(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	number := func(id, n, at string) { g.sell(id, at, `"kind":"sale"`, `"kind":"sale","sequence":`+n) }
	number("a", "10", "2026-11-19T18:00:00Z")
	number("b", "13", "2026-11-20T18:00:00Z")
	number("c", "14", "2026-11-20T19:00:00Z")
	g.later(48 * time.Hour)
	if g.state(cases.Gap, "S1 2026-11-19") != "" || g.state(cases.Gap, "S1 2026-11-20") != cases.Open {
		t.Fatalf("of the 19th %q, of the 20th %q", g.state(cases.Gap, "S1 2026-11-19"), g.state(cases.Gap, "S1 2026-11-20"))
	}
	g.book()
	number("d", "11", "2026-11-19T19:00:00Z") // they come late, of the day before
	number("e", "12", "2026-11-19T20:00:00Z")
	if g.state(cases.Gap, "S1 2026-11-20") != cases.Closed {
		t.Error("the numbers are here, and the case is still open")
	}
}

func TestAnUnknownLocationWithoutATimeZoneIsOneQuestionToo(t *testing.T) {
	g := newRig(t, t.TempDir())
	for _, id := range []string{"1", "2", "3"} {
		g.sell(id, "2026-11-20T18:00:00Z")
	}
	if got := g.opened(); !slices.Equal(got, []cases.Cause{cases.UnknownLocation}) {
		t.Fatalf("questions %v, want the one about the location", got)
	}
	v, err := g.CaseView(t.Context(), cases.ID(cases.UnknownLocation, "S1"))
	if err != nil || !strings.Contains(v.Detail, "3 records") {
		t.Errorf("it says %q %v", v.Detail, err)
	}
	g.place()
	g.later(24 * time.Hour)
	if d := g.day("2026-11-20"); d.Gross != money.Of(3000, "USD") || d.State != roll.Posting || len(g.opened()) != 0 {
		t.Errorf("after the answer: %s, %s %s, cases %v", d.Gross, d.State, d.Why, g.opened())
	}
}

func TestReadingAgainAssignsNoLocation(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.unassign(store.AllLocations)
	g.sell("1", "2026-11-20T18:00:00Z")
	id := cases.ID(cases.Refused, "record 1")
	if booked, left, err := g.Reprocess(t.Context(), "", g.Mean, "hub"); booked != 0 || left != 1 || err != nil {
		t.Fatalf("reprocess: booked %d, left %d, %v", booked, left, err)
	}
	if err := g.Act(t.Context(), id, view.Act{What: "retry", Who: "anna"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a retry books a location that nobody assigned: %v", err)
	}
	g.assign("S1")
	g.ok(g.Act(t.Context(), id, view.Act{What: "retry", Who: "anna"}))
	g.roll()
	if d := g.day("2026-11-20"); d.Tickets != 1 {
		t.Errorf("%d tickets after the location was assigned", d.Tickets)
	}

	// A till that was set up with a wrong location: what a person mends is that person's word.
	e := g.line.seal("ticket.v1", "2", strings.ReplaceAll(body("2", 1, "sale", "10.00"), `"S1"`, `"S71"`))
	g.commit(e)
	if g.state(cases.Refused, "record 2") != cases.Open {
		t.Fatalf("a ticket of a location that is not the device's has no case: %v", g.opened())
	}
	g.ok(g.Act(t.Context(), cases.ID(cases.Refused, "record 2"), view.Act{What: "edit", Who: "anna", Reason: "set up wrongly", Body: body("2", 1, "sale", "10.00")}))
	g.roll()
	if d := g.day("2026-11-20"); d.Tickets != 2 {
		t.Errorf("%d tickets after the second was mended", d.Tickets)
	}
}

func TestARecordOfAUsedNumberIsBookedUnderAnIDOfItsOwn(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("1", "2026-11-20T19:00:00Z", `"T1"`, `"T2"`) // another till counts from one as well
	g.sell("1", "2026-11-20T20:00:00Z", `"T1"`, `"T3"`)
	id := cases.ID(cases.Conflict, "|tillpost|ticket||1")
	if g.state(cases.Conflict, "|tillpost|ticket||1") != cases.Open || g.day("2026-11-20").Tickets != 1 {
		t.Fatalf("cases %v", g.opened())
	}
	edit := func(text string) error {
		return g.Act(t.Context(), id, view.Act{What: "edit", Who: "anna", Reason: "two tills count alike", Body: text})
	}
	third := `{"id":"1","location":"S1","till":"T3","at":"2026-11-20T20:00:00Z","currency":"USD","kind":"sale","lines":[{"kind":"item","category":"Toys","amount":"10.00"}],"tenders":[{"type":"cash","amount":"10.00"}]}`
	if err := edit(third); !fault.Is(err, fault.Invalid) {
		t.Errorf("it still has the number of the one that is booked: %v", err)
	}
	g.ok(edit(strings.Replace(third, `"id":"1"`, `"id":"T3-1"`, 1)))
	g.roll()
	v, err := g.Clerk.CaseView(t.Context(), id)
	if g.ok(err); v.State != cases.Open || v.Envelope != 2 || g.day("2026-11-20").Tickets != 2 {
		t.Fatalf("the one before it: case %s, record %d, %d tickets", v.State, v.Envelope, g.day("2026-11-20").Tickets)
	}
	g.ok(edit(strings.NewReplacer(`"id":"1"`, `"id":"T2-1"`, "T3", "T2", "20:00", "19:00").Replace(third)))
	g.roll()
	if d := g.day("2026-11-20"); d.Tickets != 3 || d.Gross != money.Of(3000, "USD") || g.state(cases.Conflict, "|tillpost|ticket||1") != cases.Closed {
		t.Errorf("%d tickets, gross %s, case %s", d.Tickets, d.Gross, g.state(cases.Conflict, "|tillpost|ticket||1"))
	}
	g.sell("1", "2026-11-20T20:00:00Z", `"T1"`, `"T3"`) // an old export again
	if d := g.day("2026-11-20"); d.Tickets != 3 || g.state(cases.Conflict, "|tillpost|ticket||1") != cases.Closed {
		t.Errorf("told again: %d tickets, case %s", d.Tickets, g.state(cases.Conflict, "|tillpost|ticket||1"))
	}
}

func TestWhoAcceptedOneConflictHasNotSeenTheNext(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("1", "2026-11-20T19:00:00Z", `"T1"`, `"T2"`)
	g.ok(g.Act(t.Context(), cases.ID(cases.Conflict, "|tillpost|ticket||1"), view.Act{What: "accept", Who: "anna", Reason: "a training till"}))
	g.sell("1", "2026-11-20T19:00:00Z", `"T1"`, `"T2"`)
	if st := g.state(cases.Conflict, "|tillpost|ticket||1"); st != cases.Accepted {
		t.Errorf("the same record again made it %s", st)
	}
	g.sell("1", "2026-11-20T20:00:00Z", `"T1"`, `"T3"`)
	if st := g.state(cases.Conflict, "|tillpost|ticket||1"); st != cases.Open {
		t.Errorf("another record of that number is not told: the case is %s", st)
	}
}

func TestWhatMoneyWaitsForCannotBeAccepted(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1", "2026-11-20T18:00:00Z", `"T1"`, `"T9"`)
	g.later(24 * time.Hour)
	err := g.Act(t.Context(), cases.ID(cases.UnknownTill, "S1/T9"), view.Act{What: "accept", Who: "anna", Reason: "a new till"})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "confirm") || g.state(cases.UnknownTill, "S1/T9") != cases.Open {
		t.Errorf("accepted, its day would wait unseen: %v, case %s", err, g.state(cases.UnknownTill, "S1/T9"))
	}
}

func TestAStoreThatIsClosedIsNotSilent(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Zone: "UTC", Cutoff: "00:00", Currency: "USD", OpenDays: "mon tue wed thu fri sat"}, "anna"))
	g.clock = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC) // a Saturday
	g.sell("1", "2026-11-21T17:00:00Z")
	for _, c := range []struct {
		at     time.Time
		silent bool
	}{{time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC), false}, {time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), false}, {time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC), true}} {
		g.clock = c.at
		got, err := g.Silent(t.Context(), c.at.Add(-26*time.Hour))
		if g.ok(err); (len(got) > 0) != c.silent {
			t.Errorf("at %s: silent %v, want %v", c.at.Format("Mon 15:04"), got, c.silent)
		}
	}
}

func TestADayThatWaitsForAnAnswerIsToldAsNotPosted(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.sell("1", "2026-11-21T11:00:00Z") // of a till that nobody has confirmed; the day still runs
	missing := func() int {
		n, err := g.CountDays(t.Context(), view.DayFilter{Unposted: true})
		g.ok(err)
		rows, err := g.ReviewDays(t.Context(), view.ReviewFilter{From: "2026-11-01", To: "2026-11-30"})
		if g.ok(err); len(rows) != 1 || rows[0].Unposted != n {
			t.Errorf("the review and the list part: %d and %+v", n, rows)
		}
		return n
	}
	if n := missing(); n != 0 {
		t.Errorf("%d days miss in the books while the day runs", n)
	}
	g.later(24 * time.Hour)
	if n := missing(); n != 1 {
		t.Errorf("the day is over and waits for its till, and %d days miss in the books", n)
	}
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.later(time.Hour)
	if n := missing(); n != 1 || g.day("2026-11-21").State != roll.Posting {
		t.Errorf("on its way: %d", n)
	}
	g.book()
	if n := missing(); n != 0 {
		t.Errorf("verified, and %d days miss in the books", n)
	}
	g.ok(g.HoldDay(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-21"}, true, "anna", "a look"))
	g.sell("2", "2026-11-21T12:00:00Z")
	g.later(time.Hour)
	if n := missing(); n != 1 {
		t.Errorf("what came late is held, and %d days miss in the books", n)
	}
}

func TestAWaitingDaySaysWhatItsDocumentWaitsFor(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1", "2026-11-20T18:00:00Z")
	g.later(24 * time.Hour)
	g.settle(odoo.Outcome{Document: "S1/2026-11-20/1", Verdict: odoo.Wait, Why: "Odoo has no analytic account"})
	days, err := g.DayViews(t.Context(), view.DayFilter{})
	if g.ok(err); len(days) != 1 || days[0].State != roll.Waiting || days[0].Why != "Odoo has no analytic account" {
		t.Errorf("the list says %+v", days)
	}
}

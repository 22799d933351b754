package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
)

// A day whose period is closed: its case offers the first open date by one button, which only deciders may press, and the day's page shows
// both dates afterwards.
func TestAClosedPeriodIsConfirmedByOneButton(t *testing.T) {
	w := newSite(t)
	r := roll.Roller{Store: w.Store, Log: slog.New(slog.DiscardHandler), Options: roll.Options{AutoApprove: true}}
	if err := w.ApproveDay(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	if err := w.ConfirmTill(t.Context(), "S1", "T1", "ann"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, _, err := r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	box := store.Outbox{Store: w.Store}
	ts, err := box.Claim(t.Context(), 10)
	if err != nil || len(ts) != 1 {
		t.Fatalf("%d documents wait: %v", len(ts), err)
	}
	c := cases.New(cases.LockedPeriod, ts[0].Document.ID(), time.Time{})
	c.Location, c.Day, c.Detail, c.Proposed = "S1", "2026-11-20", "closed up to 2026-11-30", "2026-12-01"
	if err := box.Settle(t.Context(), []odoo.Outcome{{Document: ts[0].Document.ID(), Verdict: odoo.Wait, Why: c.Detail, Held: true, Case: &c}}); err != nil {
		t.Fatal(err)
	}
	button := `name="date" value="2026-12-01"`
	press := func(user string, date string) int {
		w.signIn(t, user, "correct horse 9")
		code, _ := w.post(t, "/case", url.Values{"csrf": {w.csrf(t)}, "id": {c.ID}, "what": {"retry"}, "date": {date}})
		return code
	}
	if code := press("ida", "2026-12-01"); code != http.StatusForbidden {
		t.Errorf("IT chose an accounting date: %d", code)
	}
	if code := press("eve", "2026-12-01"); code != http.StatusForbidden {
		t.Errorf("an auditor chose an accounting date: %d", code)
	}
	w.signIn(t, "ann", "correct horse 9")
	for _, p := range []string{"/case?id=" + url.QueryEscape(c.ID), "/cases", "/day?location=S1&date=2026-11-20"} {
		if _, page := w.get(t, p); !strings.Contains(page, button) || !strings.Contains(page, "Let it go to") {
			t.Errorf("%s offers no date to confirm", p)
		}
	}
	if code := press("ann", "2026-12-01"); code != http.StatusOK {
		t.Fatalf("the button gave %d", code)
	}
	if ts, err = box.Claim(t.Context(), 10); err != nil || len(ts) != 1 || ts[0].Date != "2026-12-01" {
		t.Fatalf("it goes with %+v: %v", ts, err)
	}
	if _, page := w.get(t, "/day?location=S1&date=2026-11-20"); !strings.Contains(page, "instead of") || !strings.Contains(page, "as ann decided") {
		t.Errorf("the day's page does not show both dates: %s", page)
	}
	if _, csv := w.get(t, "/day.csv?location=S1&date=2026-11-20"); !strings.Contains(csv, "accounting date") || !strings.Contains(csv, "2026-12-01") {
		t.Errorf("the table does not show both dates: %s", csv)
	}
}

// Who decides whether days are posted decides when.
func TestOnlyDecidersChangeWhatBecomesOfClosedPeriods(t *testing.T) {
	w := newSite(t)
	form := url.Values{"code": {"S1"}, "name": {evil}, "zone": {"UTC"}, "cutoff": {"00:00"}, "currency": {"USD"}, "period": {"next"}}
	for user, want := range map[string]int{"ida": http.StatusForbidden, "ann": http.StatusOK} {
		w.signIn(t, user, "correct horse 9")
		form.Set("csrf", w.csrf(t))
		if code, _ := w.post(t, "/location", form); code != want {
			t.Errorf("%s: %d, want %d", user, code, want)
		}
	}
	if _, page := w.get(t, "/location?code=S1"); !strings.Contains(page, `<option value="next" selected>go to the first open date`) {
		t.Errorf("the page does not show it: %s", page)
	}
}

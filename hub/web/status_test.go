package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
)

// What statuses mean is seen by all and set by those who decide for every store, with a reason that stays.
func TestStatusesAreShownAndSetWithAReason(t *testing.T) {
	w := newSite(t)
	form := url.Values{"status": {"Approved"}, "move": {"posted"}, "payment": {"open"}}
	w.signIn(t, "eve", "correct horse 9")
	if code, body := w.get(t, "/statuses"); code != http.StatusOK || !strings.Contains(body, "Declined") || strings.Contains(body, "<select") {
		t.Errorf("an auditor sees %d %s", code, body)
	}
	form.Set("csrf", w.csrf(t))
	if code, _ := w.post(t, "/statuses", form); code == http.StatusOK {
		t.Error("an auditor may set it")
	}
	w.signIn(t, "ann", "correct horse 9")
	form.Set("csrf", w.csrf(t))
	if code, body := w.post(t, "/statuses", form); code != http.StatusBadRequest || !strings.Contains(strings.ToLower(body), "say why") {
		t.Errorf("without a reason: %d", code)
	}
	form.Set("reason", "only settled money is money")
	if code, body := w.post(t, "/statuses", form); code != http.StatusOK || !strings.Contains(body, "only settled money is money") || !strings.Contains(body, "stays unpaid") {
		t.Errorf("with one: %d %s", code, body)
	}
	table, err := w.Meanings(t.Context())
	if err != nil || table[2] != (rollup.Meaning{Status: rollup.IsApproved, Move: rollup.MovePosted, Payment: rollup.PaymentOpen, Own: true}) {
		t.Errorf("the table is %+v %v", table, err)
	}
	form.Set("payment", "soon")
	if code, _ := w.post(t, "/statuses", form); code != http.StatusBadRequest {
		t.Errorf("an unknown state gave %d", code)
	}
}

// A day that goes ticket by ticket shows its tickets' documents as one, whose lines open to tickets; each ticket's page names its own.
func TestADayOfTicketsIsOnePage(t *testing.T) {
	w := newSite(t)
	err := w.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: evil, Zone: "UTC", Cutoff: "00:00", Currency: "USD", Posting: rollup.ByTicket}, "test")
	if err == nil {
		err = w.ConfirmTill(t.Context(), "S1", "T1", "test")
	}
	if err == nil {
		err = w.SetBooks(t.Context(), rollup.Books{Journal: "TPOS", Suspense: "999", Sales: "TPOSR", Payments: "TPOSP"}, "test")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Approve(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"}, "ann", "as it is"); err != nil {
		t.Fatal(err)
	}
	r := roll.Roller{Store: w.Store, Log: slog.New(slog.DiscardHandler), Options: roll.Options{AutoApprove: true}}
	for worked := true; worked; {
		if worked, _, err = r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.signIn(t, "ann", "correct horse 9")
	code, page := w.get(t, "/day?location=S1&date=2026-11-20")
	if code != http.StatusOK || !strings.Contains(page, "One document per ticket: 1") || !strings.Contains(page, "document=-2") || !strings.Contains(page, "1,234.50") {
		t.Errorf("the day is %d %s", code, page)
	}
	if code, page := w.get(t, "/day/tickets?location=S1&date=2026-11-20&document=-2&measure=tender%3Acash"); code != http.StatusOK || !strings.Contains(page, "A-1") {
		t.Errorf("the line opens to %d %s", code, page)
	}
	if code, page := w.get(t, "/ticket/1"); code != http.StatusOK || !strings.Contains(page, "S1/2026-11-20/"+rollup.TicketSeries) {
		t.Errorf("the ticket is %d %s", code, page)
	}
}

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/rollup"
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

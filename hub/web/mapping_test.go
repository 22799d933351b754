package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
)

func TestTheMappingPageShowsRulesAndWhoChangedThem(t *testing.T) {
	w := newSite(t)
	for _, r := range []mapping.Rule{{Role: ledger.Tender, Code: "visa", Target: mapping.Target{Account: "102", Journal: "BNK1"}}, {Role: ledger.Tender, Code: "visa", From: "2027-01-01", Target: mapping.Target{Account: "103"}},
		{Role: mapping.Category, Code: "<script>alert(1)</script>", Target: mapping.Target{Analytic: "=cmd|x"}}} {
		if err := w.SetRules(t.Context(), []mapping.Rule{r}, "anna", "the bank's letter"); err != nil {
			t.Fatal(err)
		}
	}
	w.signIn(t, "ann", "correct horse 9")
	_, page := w.get(t, "/mapping")
	for _, want := range []string{"102, journal BNK1", "103", "beside =cmd|x", "anna", "the bank&#39;s letter", "Category", `href="/mapping" aria-current="page"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(page, "<script>alert") {
		t.Error("a code runs as a script")
	}
	_, page = w.get(t, "/mapping?on=2026-12-31&role=tender&code=visa")
	if rules, _, _ := strings.Cut(page, `id="history"`); !strings.Contains(rules, "102, journal BNK1") || strings.Contains(rules, "103") || strings.Contains(rules, "Category") {
		t.Errorf("on a day it shows %s", page)
	}
	_, csv := w.get(t, "/mapping.csv")
	if !strings.HasPrefix(csv, strings.Join(mapping.Columns(), ",")) || !strings.Contains(csv, "tender,visa,,2027-01-01,103,") || !strings.Contains(csv, "'=cmd|x") {
		t.Errorf("the download is %s", csv)
	}
	if _, csv = w.get(t, "/mapping/history.csv?role=tender"); strings.Count(csv, "anna") != 2 {
		t.Errorf("the history is %s", csv)
	}
	if code, _ := w.get(t, "/mapping?on=soon"); code != http.StatusBadRequest && code != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d", code)
	}

	// A store sees its own days and not head office's rules.
	poor := newSite(t)
	poor.signIn(t, "store", "correct horse 9")
	for _, p := range []string{"/mapping", "/mapping.csv", "/mapping/history.xlsx"} {
		if code, _ := poor.get(t, p); code != http.StatusNotFound {
			t.Errorf("%s is shown to a store: %d", p, code)
		}
	}
	if _, page := poor.get(t, "/"); strings.Contains(page, `href="/mapping"`) {
		t.Error("a store is led to a page that it may not see")
	}
}

package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/view"
)

// finderOf answers with the store's word, and with what no test store holds.
type finderOf struct{ *site }

func (f finderOf) Find(ctx context.Context, q view.FindFilter) (view.Found, error) {
	found, err := f.Store.Find(ctx, q)
	if q.Find != "two" {
		return found, err
	}
	found.Things = []view.FoundThing{
		{Kind: "batch", ID: evil, Text: evil, Location: "S1", Rests: []string{evil}, Documents: []view.FoundDocument{
			{ID: "S1/2026-11-20/1", Location: "S1", Day: "2026-11-20", State: "verified", Odoo: view.OdooRecord{Model: "account.move", ID: 57, Name: "TPOS/2026/11/0001", State: "cancel", Date: "2026-11-20", URL: "https://books/odoo/account.move/57", Ref: evil}},
			{ID: "S1/2026-11-20/2", Location: "S1", Day: "2026-11-20", State: "waiting", Why: "the books are closed"}}},
		{Kind: "odoo entry", ID: "account.move/99", Text: "not made by this hub", Records: []view.OdooRecord{{Model: "account.move", ID: 99, Name: "MISC/2026/11/0001", State: "draft", URL: "javascript:alert(1)"}}}}
	found.Things = append(found.Things, view.FoundThing{Kind: "case", ID: "unbalanced:record 7", Text: "The ticket is not in the books"})
	found.Away = "Odoo does not answer"
	return found, err
}

func TestFindListsWhatAnIdNamesAndRunsNoScript(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	if _, page := w.get(t, "/find?q=A-1"); !strings.Contains(page, "Ticket A-1") {
		t.Errorf("the only ticket of a number is not opened: %s", page)
	}
	if _, page := w.get(t, "/find?q=nobody"); !strings.Contains(page, "Nothing here is called this") || !strings.Contains(page, "customers, by the vendor") {
		t.Errorf("it does not say where it looked: %s", page)
	}
	code, page := w.get(t, "/find?q=two")
	for _, s := range []string{"3 things are called this", `<a href="/case?id=unbalanced%3Arecord&#43;7">`, "The ticket is not in the books", "Batch &lt;script&gt;", "https://books/odoo/account.move/57", "TPOS/2026/11/0001", "cancel", "account.move/99", "not there yet", "the books are closed", "Odoo does not answer"} {
		if code != http.StatusOK || !strings.Contains(page, s) {
			t.Errorf("%d, %q is missing in %s", code, s, page)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, `href="javascript`) {
		t.Errorf("a script gets through: %s", page)
	}
	if _, page := w.get(t, "/"); !strings.Contains(page, `action="/find"`) {
		t.Error("the pages have no search box")
	}
}

func TestAStoresUserFindsOnlyItsOwn(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "store", "correct horse 9")
	for _, q := range []string{"A-1", "S1+2026-11-20", "S1/2026-11-20/1"} {
		if code, page := w.get(t, "/find?q="+q); code != http.StatusOK || !strings.Contains(page, "Nothing here is called this") || strings.Contains(page, "1,234.50") {
			t.Errorf("%s: %d shows another store: %s", q, code, page)
		}
	}
}

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// A switch holds from its day on, is told with who and when, and a day that has a document keeps its mode for all that comes late.
func TestADayKeepsTheModeOfItsFirstDocument(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.roller.Books.Sales = "TPOSR"
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	form := func() view.LocationForm {
		f, err := g.LocationForm(t.Context(), "S1")
		g.ok(err)
		return f
	}
	docs := func(d retail.BusinessDate) (out []rollup.Document) {
		t.Helper()
		ps, err := g.Store.DayPosted(t.Context(), rollup.DayKey{Location: "S1", Day: d})
		g.ok(err)
		for _, p := range ps {
			out = append(out, p.Document)
		}
		return out
	}
	g.sell("1", "2026-11-19T10:00:00Z")
	if ds := docs("2026-11-19"); len(ds) != 1 || ds[0].Mode != "" || ds[0].Sales != "" {
		t.Fatalf("the first day is %+v", ds)
	}
	first := docs("2026-11-19")[0].Hash
	f := form()
	f.Posting = rollup.ByReceipt // from the beginning: the day that has a document keeps its own
	g.ok(g.PutLocation(t.Context(), f, "anna"))
	if s := g.lastStep("location S1"); s.Who != "anna" || !strings.Contains(s.After, `"posting":"receipt"`) || strings.Contains(s.Before, "posting") {
		t.Errorf("the step is %+v", s)
	}
	f.Posting, f.PostingFrom = rollup.ByInvoice, "2026-11-21"
	g.ok(g.PutLocation(t.Context(), f, "ben"))
	if s := g.lastStep("location S1"); s.Who != "ben" || !strings.Contains(s.After, "posting from 2026-11-21") {
		t.Errorf("the step is %+v", s)
	}
	g.book()
	g.sell("2", "2026-11-19T11:00:00Z")
	g.sell("3", "2026-11-20T10:00:00Z")
	g.sell("4", "2026-11-21T10:00:00Z")
	g.later(60 * time.Hour)
	if ds := docs("2026-11-19"); len(ds) != 2 || ds[1].Mode != "" || ds[0].Hash != first {
		t.Errorf("what came late is %+v", ds)
	}
	for day, want := range map[retail.BusinessDate]rollup.Mode{"2026-11-20": rollup.ByReceipt, "2026-11-21": rollup.ByInvoice} {
		if ds := docs(day); len(ds) != 1 || ds[0].Mode != want || ds[0].Sales != "TPOSR" || ds[0].Journal != "TPOS" {
			t.Errorf("%s is %+v, want %s: %s", day, ds, want, g.day(day).Why)
		}
	}
	// What a form gives back unchanged changes nothing, and takes back no rule.
	before := g.lastStep("location S1")
	f = form()
	f.Posting = rollup.ByInvoice
	g.ok(g.PutLocation(t.Context(), f, "carl"))
	if s := g.lastStep("location S1"); s != before {
		t.Errorf("nothing changed, and there is %+v", s)
	}
	ls, err := g.LocationViews(t.Context(), view.LocationFilter{})
	g.ok(err)
	if l := ls[0]; l.Posting != rollup.ByInvoice || len(l.Postings) != 2 || l.Postings[1] != (rollup.ModeRule{Since: "2026-11-21", Mode: rollup.ByInvoice}) {
		t.Errorf("the registry shows %+v", l)
	}
	f.Posting = "slips"
	if err := g.PutLocation(t.Context(), f, "anna"); err == nil || !strings.Contains(err.Error(), "slips") {
		t.Errorf("an unknown mode: %v", err)
	}
}

// A location whose days go as receipts waits, and says so, until there is a sales journal.
func TestWithoutASalesJournalItWaits(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Posting: rollup.ByReceipt}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("1", "2026-11-20T10:00:00Z")
	if d := g.day("2026-11-20"); len(d.Documents) > 0 && d.Documents[0].Number > 0 || !strings.Contains(d.Why, "hub odoo setup") {
		t.Errorf("the day is %s: %s", d.State, d.Why)
	}
	g.ok(g.SetBooks(t.Context(), rollup.Books{Journal: "TPOS", Suspense: "999", Sales: "TPOSR"}, "anna"))
	g.roll()
	ps, err := g.Store.DayPosted(t.Context(), rollup.DayKey{Location: "S1", Day: "2026-11-20"})
	g.ok(err)
	if len(ps) != 1 || ps[0].Document.Mode != rollup.ByReceipt || ps[0].Document.Sales != "TPOSR" {
		t.Errorf("it is %+v", ps)
	}
}

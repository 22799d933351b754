package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// The update in which a Retail ticket's cost entered its hash: tickets of the look-back are told again as they are, and become a new version once. Their money
// is the same, and no document comes of it.
func TestTheUpdateThatReadCostsChangesNoMoney(t *testing.T) {
	body, err := os.ReadFile("../../shared/heartland/hretail/testdata/ticket-cash-change.json")
	if err != nil {
		t.Fatal(err)
	}
	told := strings.NewReplacer("2026-01-17", "2026-11-20", "2026-01-16", "2026-11-20", `"source_location_id": 100005`, `"source_location_id": 1`).Replace(string(body))
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "1", Name: "Main St", Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "anna"))
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Discount, Code: "*", Target: mapping.Target{Account: "402"}}, {Role: ledger.Tax, Code: "Sales Tax", Target: mapping.Target{Account: "220", Tax: "State"}}}, "test", ""))
	g.roller.Settle = time.Minute
	hear := func(before bool) {
		t.Helper()
		e := g.line.seal("heartland.ticket.v1", "117041", told)
		e.Part, e.Parts = 1, 1
		m := g.Mean(&e)
		if m.Refused != nil || m.Entry == nil {
			t.Fatalf("the sample is not booked: %v", m.Refused)
		}
		if before { // as the version before meant it
			old, ok := m.Record.(retail.Ticket)
			if !ok {
				t.Fatalf("it is a %T", m.Record)
			}
			for i := range old.Lines {
				old.Lines[i].Cost = retail.Line{}.Cost
			}
			entry, _, err := ledger.Post(old, m.Entry.Day, g.clock)
			g.ok(err)
			m.Version, err = ledger.VersionOf(old, m.Entry.Day)
			g.ok(err)
			entry.Uncosted = 0
			m.Entry = &entry
		}
		g.ok(g.ConfirmTill(t.Context(), "1", m.Entry.Till, "anna"))
		g.ok(g.Store.Commit(t.Context(), []ingest.Advance{{From: g.from, Envs: []ingest.Accepted{{Env: &e, Meaning: m}}}}))
		g.from, err = g.Store.Head(t.Context(), "d1", envelope.Sales, g.line.epoch)
		g.ok(err)
		g.roll()
	}
	look := func() (view.DayDetail, []view.TicketRow) {
		t.Helper()
		d, err := g.Store.DayDetail(t.Context(), rollup.DayKey{Location: "1", Day: "2026-11-20"})
		g.ok(err)
		rows, err := g.FindTickets(t.Context(), view.TicketFilter{Find: "100123", Limit: 9})
		g.ok(err)
		return d, rows
	}
	hear(true)
	g.later(48 * time.Hour)
	g.book()
	was, rows := look()
	if len(was.Documents) != 1 || len(was.Pending) != 0 || was.Documents[0].Number != 1 || len(rows) != 1 || rows[0].Versions != 1 {
		t.Fatalf("before the update: %d documents, %+v %+v", len(was.Documents), rows, was.Pending)
	}
	for i, versions := range []int{2, 2} { // told again by the update, and by the next night's look
		hear(false)
		g.later(48 * time.Hour)
		g.book()
		is, rows := look()
		if len(rows) != 1 || rows[0].Versions != versions {
			t.Errorf("after telling %d: %+v, want %d versions", i+1, rows, versions)
		}
		if len(is.Documents) != 1 || len(is.Pending) != 0 || is.Gross != was.Gross || is.Tax != was.Tax || is.Tickets != was.Tickets {
			t.Errorf("after telling %d: %d documents, %d pending, gross %s tax %s", i+1, len(is.Documents), len(is.Pending), is.Gross, is.Tax)
		}
	}
}

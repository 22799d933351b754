package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/envelope"
)

// TestATicketToldWellClosesItsOwnCaseAlone: a number is one ticket's within its scope. That till 2 has a ticket 7, or till 1 one on the next day, says
// nothing of the 7 that could not be booked; when that one is told well, its case closes.
func TestATicketToldWellClosesItsOwnCaseAlone(t *testing.T) {
	ticket := func(scope, amount string) string {
		return fmt.Sprintf(`{"scope":%q,"id":"7","location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Toys","amount":%q}],"tenders":[{"type":"cash","amount":"10.00"}]}`, scope, amount)
	}
	other := func(amount string) string {
		return strings.Replace(ticket("", amount), `"id"`, `"system":"other","id"`, 1)
	}
	rows := func(till, price string) string {
		return fmt.Sprintf(`{"profile":"heartland-retail-sales-history","file":"a.csv","sha256":"x","header":["Location #","Ticket #","Completed At","Item #","Item Qty","Item Adjusted Unit Price","Tax Total","Sales Rep","Customer #"],"rows":[{"n":2,"cells":[%q,"7","2026-11-20T10:00:00Z","A","1",%q,"0","",""]}]}`, till, price)
	}
	drawer := func(scope, at string) string {
		return fmt.Sprintf(`{"key":{"system":"tillpost","record":"drawer","scope":%q,"id":"7"},"location":"S1","till":"T1","at":%q,"kind":"no_sale","currency":"USD"}`, scope, at)
	}
	for _, c := range []struct{ kind, bad, other, good string }{
		{"ticket.v1", ticket("T1", "ten"), ticket("T2", "10.00"), ticket("T1", "10.00")},
		{"ticket.v1", ticket("T1", "9.00"), ticket("T2", "10.00"), ticket("T1", "10.00")},
		{"ticket.v1", other("ten"), ticket("", "10.00"), other("10.00")},
		{"rows.v1", rows("S1", "ten"), rows("S2", "10.00"), rows("S1", "10.00")},
		{"drawer.v1", drawer("T1", "noon"), drawer("T2", "2026-11-20T10:00:00Z"), drawer("T1", "2026-11-20T10:00:00Z")},
	} {
		g := newRig(t, t.TempDir())
		g.place()
		g.tell(envelope.Kind(c.kind), "7", c.bad)
		waits := func() (open []cases.Case) {
			list, err := g.Store.Cases(t.Context(), false)
			g.ok(err)
			for _, k := range list {
				if k.Cause == cases.Refused || k.Cause == cases.Unbalanced {
					open = append(open, k)
				}
			}
			return open
		}
		if open := waits(); len(open) != 1 {
			t.Fatalf("%s: %d cases of a record that cannot be booked", c.bad, len(open))
		}
		g.tell(envelope.Kind(c.kind), "7", c.other)
		if open := waits(); len(open) != 1 {
			t.Errorf("%s closed the case of\n%s", c.other, c.bad)
		}
		g.tell(envelope.Kind(c.kind), "7", c.good)
		if open := waits(); len(open) != 0 {
			t.Errorf("%s left the case of\n%s: %+v", c.good, c.bad, open)
		}
	}
}

// TestACaseInNoCurrency: whatever a till writes for a currency, its ticket is a case, and every case can be read.
func TestACaseInNoCurrency(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	for i, c := range []string{"usd", "", "Dollars", "€", "USD EUR"} {
		id := fmt.Sprint(i)
		g.tell("ticket.v1", id, fmt.Sprintf(`{"id":%q,"location":"S1","at":"2026-11-20T10:00:00Z","currency":%q,"lines":[{"kind":"item","category":"Toys","amount":"10.00"}],"tenders":[{"type":"cash","amount":"10.00"}]}`, id, c))
	}
	open, err := g.Store.Cases(t.Context(), false)
	g.ok(err)
	n := 0
	for _, c := range open {
		if c.Cause == cases.Refused && strings.Contains(c.Detail, "is not an ISO code") {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d of 5 are told: %+v", n, open)
	}
	if _, _, err := g.Store.Reprocess(t.Context(), "", g.Mean, "test"); err != nil {
		t.Error(err)
	}
	// As a hub before this one has written it.
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE kase SET body = replace(body, '"Amount":""', '"Amount":"10.00 usd"')`)
		return err
	}))
	if old, err := g.Store.Cases(t.Context(), false); err != nil || len(old) != len(open) {
		t.Errorf("%d cases, %v", len(old), err)
	}
}

// TestWhatCannotBeIsACase: a mark of the year 2099 would close every day before its tickets are here, a total of no day would make a day, and a sale
// would be booked where its till's date is mistyped.
func TestWhatCannotBeIsACase(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.tell("read_to.v1", "", `{"source":"x","location":"S1","through":"2099-01-01T00:00:00Z"}`)
	g.tell("control.v1", "", `{"source":"x","location":"S1","day":"nope","gross":"1.00 USD"}`)
	g.tell("payment.v1", "", `{"location":"S1","amount":"1.00 USD"}`)
	g.tell("drawer.v1", "1", `{"key":{"system":"s","record":"drawer","id":"1"},"location":"S1","at":"2099-01-01T00:00:00Z","kind":"paid_out","currency":"USD","amount":"5.00 USD"}`)
	g.sell("1", "2026-11-20T10:00:00Z", `"till"`, `"business_day":"2099-01-01","till"`)
	g.sell("2", "2026-11-20T10:00:00Z", `"till"`, `"business_day":"1999-01-01","till"`)
	open, err := g.Store.Cases(t.Context(), false)
	g.ok(err)
	n := 0
	for _, c := range open {
		if c.Cause == cases.Refused {
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d of 6 are cases: %+v", n, open)
	}
	days, err := g.Store.DayViews(t.Context(), view.DayFilter{})
	g.ok(err)
	if len(days) != 0 {
		t.Errorf("there are days: %+v", days)
	}
}

package line_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

// TestAStoreDayIsOneChainOfCalls: 2,000 tickets of a day become one entry, and Odoo is asked at most eight times until it is read back. What
// a hub asks once after its start, the login and the names of accounts, journals and taxes, is asked for the day before.
func TestAStoreDayIsOneChainOfCalls(t *testing.T) {
	const n, most = 2000, 8
	o, err := line.StartFakeOdoo()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	c := line.BooksConfig(t.TempDir())
	c.Posting.Grace = config.Duration(1000 * time.Hour) // only proof closes a day here: a part of one must not be posted
	if c.Odoo, err = o.Config(c.DataDir); err != nil {
		t.Fatal(err)
	}
	h, err := line.StartBooks(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	a := agent(t, t.TempDir(), h.Broker.URL())
	defer a.Stop()
	day := retail.DateOf(time.Now().AddDate(0, 0, -4))
	setup := o.Requests.Load()
	sell(t, a, h, day, 0, 10)
	first, loads := o.Requests.Load(), o.Calls()["account.move.load"]
	sell(t, a, h, day.AddDays(1), 10, n)
	calls := o.Requests.Load() - first
	if calls > most || calls == 0 || o.Calls()["account.move.load"] != loads+1 {
		t.Errorf("%d calls with %d loads, want at most %d with one: %v", calls, o.Calls()["account.move.load"]-loads, most, o.Calls())
	}
	t.Logf("%d tickets: %d calls; the first store-day of this hub, with login and chart: %d", n, calls, first-setup)
}

// sell hands a day's tickets in and waits until the day is verified in Odoo.
func sell(t *testing.T, a *line.Agent, h *line.Books, day retail.BusinessDate, from, n int) {
	t.Helper()
	if err := a.Buffer.Append(t.Context(), "till", "", storeDay(t, day, from, n)); err != nil {
		t.Fatal(err)
	}
	until(t, "the day in Odoo", func() bool {
		days, err := h.Store.DayViews(t.Context(), view.DayFilter{From: day, To: day})
		if err != nil {
			t.Fatal(err)
		}
		return len(days) == 1 && days[0].State == roll.Verified && days[0].Tickets == n
	})
}

// storeDay is a day's tickets and the word that there are no more.
func storeDay(t *testing.T, day retail.BusinessDate, from, n int) (ds []source.Draft) {
	t.Helper()
	for i := range n {
		d, err := line.DraftOn(day, from+i)
		if err != nil {
			t.Fatal(err)
		}
		ds = append(ds, d)
	}
	through, err := time.Parse(time.DateOnly, string(day.AddDays(2)))
	if err != nil {
		t.Fatal(err)
	}
	return append(ds, source.Draft{Stream: envelope.Sales, Location: "S1", Kind: decode.ReadTo, ContentType: "application/json", At: through,
		Body: fmt.Appendf(nil, `{"source":"till","location":"S1","through":%q}`, through.Format(time.RFC3339))})
}

package line_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/line"
)

// TestALocationGoesToItsOwnDatabase: a hub that posted to one Odoo gets a second one for location S1. New store-days go there, what the first
// one has stays there and its late tickets follow it, and a database that is away holds nobody up but its own.
func TestALocationGoesToItsOwnDatabase(t *testing.T) {
	first, second := odoos(t), odoos(t)
	c := line.BooksConfig(t.TempDir())
	c.Posting.Grace, c.Posting.Settle = config.Duration(1000*time.Hour), 0
	var err error
	if c.Odoo, err = first.Config(c.DataDir); err != nil {
		t.Fatal(err)
	}
	h, err := line.StartBooks(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := agent(t, dir, h.Broker.URL())
	day := retail.DateOf(time.Now().AddDate(0, 0, -6))
	sell(t, a, h, day, 0, 5)
	a.Stop()
	h.Stop()

	west, err := second.Config(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	west.Locations = []retail.LocationCode{"S1"}
	c.Odoo.Also = map[string]app.OdooConfig{"west": west}
	if h, err = line.StartBooks(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer h.Stop()
	mapsToEither(t, h, c.Odoo, west)
	a = agent(t, dir, h.Broker.URL())
	defer a.Stop()
	sell(t, a, h, day.AddDays(1), 5, 7)
	if one, two := loads(first), loads(second); one != 1 || two != 1 {
		t.Errorf("%d loads went to the first database and %d to the second, want one each", one, two)
	}

	// A late ticket of the day that the first one has.
	late := storeDay(t, day, 12, 1)
	if err := a.Buffer.Append(t.Context(), "till", "", late[:1]); err != nil {
		t.Fatal(err)
	}
	until(t, "the late ticket in Odoo", func() bool {
		d, err := h.Store.DayDetail(t.Context(), rollup.DayKey{Location: "S1", Day: day})
		if err != nil {
			t.Fatal(err)
		}
		return d.State == roll.Verified && d.Tickets == 6 && len(d.Documents) == 2
	})
	if one, two := loads(first), loads(second); one != 2 || two != 1 {
		t.Errorf("%d loads went to the first database and %d to the second, want 2 and 1", one, two)
	}

	// The first is away, the second goes on, and each is told by its name.
	first.Close()
	sell(t, a, h, day.AddDays(2), 13, 3)
	if two := loads(second); two != 2 {
		t.Errorf("%d loads went to the second database, want 2", two)
	}
	seen := map[string]breaker.State{}
	cs, err := h.Store.Connections(t.Context())
	for _, v := range cs {
		if v.Device == "" {
			seen[v.Name] = v.State
		}
	}
	if err != nil || len(seen) < 2 || seen["odoo west"] != breaker.Closed {
		t.Errorf("the connections are %v %v", seen, err)
	}
}

// mapsToEither: a code may go to an account that only one of the databases has, and not to one that none has; several are all named.
func mapsToEither(t *testing.T, h *line.Books, books ...app.OdooConfig) {
	t.Helper()
	var rules []mapping.Rule
	for i, b := range books {
		client, err := app.OpenOdoo(b)
		if err != nil {
			t.Fatal(err)
		}
		code := fmt.Sprintf("47110%d", i)
		if _, err := client.Call(t.Context(), "account.account", "create", []any{map[string]any{"code": code, "name": "Of one alone", "account_type": "income"}}, nil); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, mapping.Rule{Role: ledger.Sales, Code: "of " + code, Target: mapping.Target{Account: code}})
	}
	if err := h.Clerk.TakeRules(t.Context(), rules, "line", "each database has its own"); err != nil {
		t.Errorf("accounts that one of the databases has: %v", err)
	}
	for i := range rules {
		rules[i].Code, rules[i].Target.Account = "none", fmt.Sprintf("99999%d", i)
	}
	if err := h.Clerk.TakeRules(t.Context(), rules, "line", "no database has them"); err == nil || !strings.Contains(err.Error(), `"999990"`) || !strings.Contains(err.Error(), `"999991"`) {
		t.Errorf("accounts that no database has: %v", err)
	}
}

func odoos(t *testing.T) *line.FakeOdoo {
	t.Helper()
	o, err := line.StartFakeOdoo()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// loads counts those of documents: one more has made the hub's claim on the books.
func loads(b interface{ Calls() map[string]int }) int { return b.Calls()["account.move.load"] - 1 }

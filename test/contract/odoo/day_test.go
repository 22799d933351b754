package odoo_test

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/till"
)

// The number of calls is the number of store-days' business, not of their tickets.
func TestAStoreDayOfTwoThousandTicketsCostsAtMostEightCalls(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		store := till.Three[0]
		store.Tips = true
		o := options
		for _, x := range store.Taxes {
			o.Taxes = append(o.Taxes, x.Name)
		}
		day := today.AddDays(-2)
		totals, tickets := bigDay(t, store, day)
		if tickets < 2000 {
			t.Fatalf("the day has %d tickets", tickets)
		}
		for _, m := range []string{"cash", "visa", "mastercard", "amex", "discover", "debit", "check", "gift_card", "ewallet"} {
			o.Tenders = append(o.Tenders, m)
		}
		rep, err := odoo.Setup(t.Context(), s.client(t), o)
		if err != nil {
			t.Fatal(err)
		}
		set, _ := s.set(t)
		set.Rules = rep.Rules
		key := rollup.DayKey{Location: "S-NY", Day: day}
		sheet, err := rollup.Map(key, totals, set, rep.Books)
		if err != nil || len(sheet.Unmapped) > 0 {
			t.Fatalf("map: %v %v", sheet.Unmapped, err)
		}
		d, ok, err := rollup.Next(key, day, sheet, nil, rep.Books, tickets, set, "")
		if err != nil || !ok {
			t.Fatalf("no document: %v", err)
		}
		warm := document(t, set, rep.Books, "S-NY", today)
		box, hub := newOutbox(warm), newHub()
		w, c := s.writer(t, box, hub)
		step(t, w)
		want(t, box.outcome(warm), odoo.Done)
		before := c.Calls()
		box.tasks[d.ID()] = &task{Task: odoo.Task{Document: d, Date: d.Date}}
		step(t, w)
		want(t, box.outcome(d), odoo.Done)
		t.Logf("%d tickets, %d lines, %d calls", tickets, len(d.Lines), c.Calls()-before)
		if n := c.Calls() - before; n > 8 {
			t.Errorf("a store-day of %d tickets took %d calls, want at most 8", tickets, n)
		}
		s.audit(t, hub, d)
	})
}

// bigDay folds a seeded day of a store: its tickets as they came, without the drawer.
func bigDay(t *testing.T, store till.Store, day retail.BusinessDate) (totals rollup.Totals, tickets int) {
	t.Helper()
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		t.Fatal(err)
	}
	events, _ := till.New(store, 7).Day(at, 2100)
	last := map[retail.Key]ledger.Entry{}
	for _, e := range events {
		if e.Path != "/v1/tickets" {
			continue
		}
		k, err := retail.DecodeTicket(e.Body)
		if err != nil {
			t.Fatal(err)
		}
		entry, ok, err := ledger.Post(k, day, at.AddDate(0, 0, 2))
		if err != nil {
			t.Fatal(err)
		}
		if old, had := last[k.Key]; had {
			if totals, err = rollup.Fold(totals, old, -1); err != nil {
				t.Fatal(err)
			}
			delete(last, k.Key)
		}
		if !ok {
			continue
		}
		if totals, err = rollup.Fold(totals, entry, 1); err != nil {
			t.Fatal(err)
		}
		last[k.Key] = entry
	}
	return totals, len(last)
}

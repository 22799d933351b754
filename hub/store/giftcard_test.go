package store_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Breakage, escheat and a card across companies (T8, T10) are documents of their own, booked once however often they are asked for, with who and why.
func TestWhatBecomesOfGiftCardsIsBookedOnce(t *testing.T) {
	g := newRig(t, t.TempDir())
	to := func(r ledger.Role, code, account string) mapping.Rule {
		return mapping.Rule{Role: r, Code: code, Target: mapping.Target{Account: account}}
	}
	g.ok(g.SetRules(t.Context(), []mapping.Rule{to(ledger.GiftCard, "", "251"), to(ledger.Tender, "gift_card", "251"), to(ledger.Breakage, "", "401"), to(ledger.Unclaimed, "", "259"),
		to(ledger.DueTo, "*", "270"), to(ledger.DueFrom, "*", "130")}, "test", ""))
	for code, company := range map[retail.LocationCode]string{"S1": "A", "S2": "B"} {
		g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: code, Name: string(code), Zone: "UTC", Cutoff: "00:00", Currency: "USD", Company: company}, "anna"))
	}
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.sell("a", "2026-11-20T18:00:00Z", `"type":"cash"`, `"type":"gift_card"`)
	g.sell("b", "2026-11-21T08:00:00Z", `"type":"cash"`, `"type":"gift_card"`)
	redeemed, err := g.Redeemed(t.Context(), "S1", "gift_card", "2026-11-01")
	if err != nil || redeemed != money.Of(2000, "USD") {
		t.Fatalf("redeemed %s: %v", redeemed, err)
	}
	broken, err := ledger.Broken("S1", "2026-11-01", redeemed, decimal.RequireFromString("2.5"))
	g.ok(err)
	owed, err := ledger.Escheated("S1", "2026-11-30", money.Of(700, "USD"))
	g.ok(err)
	pair, err := ledger.Across(ledger.Holder{Location: "S1", Company: "A"}, ledger.Holder{Location: "S2", Company: "B"}, "2026-11-20", money.Of(5000, "USD"), "gift_card", "100123")
	g.ok(err)
	all := append([]ledger.Voucher{broken, owed}, pair...)
	if _, err := g.BookByHand(t.Context(), all, "anna", " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("booked without a reason: %v", err)
	}
	for _, want := range []int{4, 0} {
		if made, err := g.BookByHand(t.Context(), all, "anna", "November's close"); err != nil || made != want {
			t.Errorf("%d made, want %d: %v", made, want, err)
		}
	}
	more, err := ledger.Escheated("S1", "2026-11-30", money.Of(701, "USD"))
	g.ok(err)
	if made, err := g.BookByHand(t.Context(), []ledger.Voucher{more}, "anna", "again"); !fault.Is(err, fault.Conflict) {
		t.Errorf("another amount of the same day: %d made, %v", made, err)
	}
	g.later(time.Hour)
	got := map[string]map[string]int64{}
	tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 100)
	g.ok(err)
	for _, k := range tasks {
		d := k.Document
		if d.Series == "" {
			continue
		}
		sums := map[string]int64{}
		for _, l := range d.Lines {
			sums[l.Account] += l.Amount.Minor
		}
		got[string(d.Key.Location)+" "+string(d.Key.Day)+" "+d.Series[:6]+" "+k.Company] = sums
	}
	for doc, want := range map[string]map[string]int64{ // 20.00 × 2.5 ÷ 97.5 = 0.51
		"S1 2026-11-30 breaka A": {"251": 51, "401": -51}, "S1 2026-11-30 eschea A": {"251": 700, "259": -700},
		"S1 2026-11-20 across A": {"251": 5000, "270": -5000}, "S2 2026-11-20 across B": {"130": 5000, "251": -5000},
	} {
		for a, n := range want {
			if got[doc][a] != n {
				t.Errorf("%s: account %s has %d, want %d", doc, a, got[doc][a], n)
			}
		}
		if len(got[doc]) != len(want) {
			t.Errorf("%s: %v", doc, got[doc])
		}
	}
	if _, err := ledger.Across(ledger.Holder{Location: "S1", Company: "A"}, ledger.Holder{Location: "S3", Company: "A"}, "2026-11-20", money.Of(1, "USD"), "gift_card", "x"); !fault.Is(err, fault.Invalid) {
		t.Errorf("one company owes itself: %v", err)
	}
	for _, rate := range []string{"0", "-1", "100"} {
		if _, err := ledger.Broken("S1", "2026-11-01", redeemed, decimal.RequireFromString(rate)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a rate of %s: %v", rate, err)
		}
	}
}

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

// A company's gift cards are one document a month by the policy, made once however often it is asked; late tickets make a document of the difference; a location
// with a policy of its own is apart.
func TestTheHubBooksGiftCardsByADatedPolicy(t *testing.T) {
	g := newRig(t, t.TempDir())
	to := func(r ledger.Role, code, account string) mapping.Rule {
		return mapping.Rule{Role: r, Code: code, Target: mapping.Target{Account: account}}
	}
	g.ok(g.SetRules(t.Context(), []mapping.Rule{to(ledger.GiftCard, "", "251"), to(ledger.Tender, "gift_card", "251"), to(ledger.Breakage, "", "401"), to(ledger.Unclaimed, "", "259")}, "test", ""))
	for _, code := range []retail.LocationCode{"S1", "S2", "S3"} {
		company := map[retail.LocationCode]string{"S2": "A"}[code] // the settings' own by name, and by none
		g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: code, Name: string(code), Zone: "UTC", Cutoff: "00:00", Currency: "USD", Company: company}, "anna"))
		g.ok(g.ConfirmTill(t.Context(), code, "T1", "anna"))
	}
	card := []string{`"type":"cash"`, `"type":"gift_card"`}
	at := func(l string) []string { return append([]string{`"location":"S1"`, `"location":"` + l + `"`}, card...) }
	g.sell("a", "2026-11-18T18:00:00Z", at("S1")...)
	g.sell("b", "2026-11-19T18:00:00Z", at("S2")...)
	g.sell("c", "2026-11-19T18:00:00Z", append([]string{`"kind":"item","category":"Toys"`, `"kind":"gift_card"`}, `"location":"S1"`, `"location":"S3"`)...)

	rate := decimal.RequireFromString("2.5")
	company := ledger.GiftPolicy{GiftPool: ledger.GiftPool{Company: "A"}, Since: "2026-11-01", Rate: rate, Tender: "gift_card", At: "S1"}
	apart := ledger.GiftPolicy{GiftPool: ledger.GiftPool{Location: "S3"}, Since: "2026-11-01", Dormancy: 1, Tender: "gift_card"}
	if err := g.SetGiftPolicy(t.Context(), company, "A", "anna", " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a reason: %v", err)
	}
	wrong := company
	wrong.Company = "B"
	if err := g.SetGiftPolicy(t.Context(), wrong, "A", "anna", "study"); !fault.Is(err, fault.Invalid) {
		t.Errorf("documents at another company's location: %v", err)
	}
	wrong.At = "S9"
	if err := g.SetGiftPolicy(t.Context(), wrong, "A", "anna", "study"); !fault.Is(err, fault.NotFound) {
		t.Errorf("documents at no location: %v", err)
	}
	g.ok(g.SetGiftPolicy(t.Context(), company, "A", "anna", "breakage study"))
	g.ok(g.SetGiftPolicy(t.Context(), apart, "A", "anna", "the law"))
	if ps, err := g.GiftPolicies(t.Context()); err != nil || len(ps) != 2 || !ps[0].Rate.Equal(rate) || ps[0].Company != "" {
		t.Errorf("%+v %v", ps, err)
	}

	closes := func(want int) {
		t.Helper()
		if made, err := g.CloseGiftCards(t.Context(), "A"); err != nil || made != want {
			t.Errorf("on %s %d are made, want %d: %v", g.clock, made, want, err)
		}
	}
	closes(0) // November is not over
	g.clock = time.Date(2026, 12, 3, 3, 0, 0, 0, time.UTC)
	closes(0) // three days are not over
	g.later(24 * time.Hour)
	closes(1)
	closes(0)
	if err := g.SetGiftPolicy(t.Context(), company, "A", "anna", "another study"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a policy under what is booked: %v", err)
	}
	later := ledger.GiftPolicy{GiftPool: ledger.GiftPool{Location: "S2"}, Since: "2026-11-15", Dormancy: 36, Tender: "gift_card"}
	if err := g.SetGiftPolicy(t.Context(), later, "A", "anna", "the law"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a location taken out of what is booked: %v", err)
	}
	got := func() map[string]int64 {
		out := map[string]int64{}
		tasks, err := store.Outbox{Store: g.Store}.Claim(t.Context(), 100)
		g.ok(err)
		for _, k := range tasks {
			for _, l := range k.Document.Lines {
				if k.Document.Series != "" && l.Amount.Minor < 0 {
					out[string(k.Document.Key.Location)+" "+string(k.Document.Key.Day)+" "+k.Document.Series+" "+l.Account] += l.Amount.Minor
				}
			}
		}
		return out
	}
	g.roll()
	if have := got(); len(have) != 1 || have["S1 2026-11-30 giftcards-breakage-2026-11 401"] != -51 { // 20.00 × 2.5 ÷ 97.5
		t.Fatalf("%v", have)
	}

	g.sell("late", "2026-11-20T18:00:00Z", at("S2")...)
	closes(1) // 30.00 × 2.5 ÷ 97.5 = 0.77
	g.roll()
	if have := got(); have["S1 2026-11-30 giftcards-breakage-2026-11 401"] != -51-26 {
		t.Errorf("after a late ticket: %v", have)
	}

	g.clock = time.Date(2027, 1, 4, 3, 0, 0, 0, time.UTC)
	closes(1) // S3's card of November is a month old at December's end, and nobody redeemed a company's card in December
	g.roll()
	if have := got(); have["S3 2026-12-31 giftcards-escheat-2026-12 259"] != -1000 {
		t.Errorf("escheat: %v", have)
	}
	owed, err := ledger.Escheated("S3", "2026-12-31", money.Of(400, "USD"))
	g.ok(err)
	_, err = g.BookByHand(t.Context(), []ledger.Voucher{owed}, "anna", "paid for already")
	g.ok(err)
	closes(1) // a person's word counts: what the hub booked follows
	g.roll()
	if vs, err := g.Vouchers(t.Context(), view.VoucherFilter{Location: "S3", Series: "giftcards-escheat-2026-12"}); err != nil || len(vs) != 1 || vs[0].Totals[ledger.Account(ledger.Unclaimed)].Minor != -600 {
		t.Errorf("%+v %v", vs, err)
	}
}

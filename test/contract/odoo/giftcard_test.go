package odoo_test

import (
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// Breakage, escheat and a card across companies stand in Odoo to the cent, each side of the last in its own company's books, and a restored hub knows them.
func TestWhatBecomesOfGiftCardsStandsInBothCompaniesBooks(t *testing.T) {
	withSecond(t, func(t *testing.T, s server) {
		o := options
		o.Tenders = append(slices.Clone(o.Tenders), "gift_card")
		o.Codes = map[ledger.Role][]string{ledger.DueTo: {"B"}, ledger.DueFrom: {"A"}}
		rep, err := odoo.Setup(t.Context(), s.client(t), o)
		if err != nil {
			t.Fatal(err)
		}
		set := mapping.Set{Rules: slices.Clone(rep.Rules), Version: 1}
		for _, role := range []ledger.Role{ledger.Breakage, ledger.Unclaimed} { // accounts of head office's choice
			with := map[ledger.Role]ledger.Role{ledger.Breakage: ledger.Fee, ledger.Unclaimed: ledger.Deposit}[role]
			code := map[ledger.Role]string{ledger.Fee: mapping.Any}[with]
			set.Rules = append(set.Rules, mapping.Rule{Role: role, Target: mapping.Target{Account: target(rep.Rules, with, code).Account}})
		}
		other := s
		other.cfg.Company = secondName
		o.Have, o.Books = set, rep.Books
		if _, err := odoo.Setup(t.Context(), other.client(t), o); err != nil {
			t.Fatal(err)
		}
		day := unusedDay()
		usd := func(n int64) money.Amount { return money.Of(n, "USD") }
		broken, err1 := ledger.Broken("S-NY", day, usd(2000), decimal.RequireFromString("2.5"))
		owed, err2 := ledger.Escheated("S-NY", day, usd(700))
		pair, err3 := ledger.Across(ledger.Holder{Location: "S-NY", Company: "A"}, ledger.Holder{Location: "S 2/ä", Company: "B"}, day, usd(5000), "gift_card", "100123")
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		var docs []rollup.Document
		for _, v := range append([]ledger.Voucher{broken, owed}, pair...) {
			totals, err := rollup.TotalsOf(v)
			if err != nil {
				t.Fatal(err)
			}
			sheet, err := rollup.Map(rollup.DayKey{Location: v.Location, Day: v.Day}, totals, set, rep.Books)
			if err != nil || len(sheet.Unmapped) > 0 {
				t.Fatalf("%v %v", sheet.Unmapped, err)
			}
			d, ok, err := rollup.NextVoucher(v, sheet, nil, rep.Books, set)
			if err != nil || !ok {
				t.Fatal(err)
			}
			docs = append(docs, d)
		}
		box, hub := newOutbox(docs...), newHub()
		box.tasks[docs[3].ID()].Company = secondName
		w, _ := s.writer(t, box, hub)
		step(t, w)
		for _, d := range docs {
			want(t, box.outcome(d), odoo.Done)
			if r := box.outcome(d).Read; r == nil || r.Difference != 0 {
				t.Errorf("%s read back: %+v", d.ID(), r)
			}
		}
		if a, b := box.tasks[docs[2].ID()].Home, box.tasks[docs[3].ID()].Home; a == b || b == 0 {
			t.Errorf("both sides stand in company %d", a)
		}
		blank, _ := s.writer(t, newOutbox(), hub)
		own, err := blank.Own(t.Context(), secondName)
		if err != nil || len(own) != len(docs) {
			t.Errorf("a restored hub finds %d of %d: %v", len(own), len(docs), err)
		}
	})
}

package ledger

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// A pool's months: breakage until July, then escheat of what is six months old; what persons booked is taken off, and nothing is ever taken twice.
func TestAPoolsMonthsGoByThePolicyOfTheirLastDay(t *testing.T) {
	g := GiftCards{Pool: GiftPool{Company: "A"}, Currency: "USD", Policies: []GiftPolicy{
		{Since: "2026-07-31", Dormancy: 6, At: "S2", Tender: "gift_card"}, // as nobody sorts them
		{Since: "2026-02-15", Rate: decimal.RequireFromString("2.5"), At: "S1", Tender: "gift_card"},
		{Since: "2026-09-30", At: "S1", Tender: "gift_card"}, // nothing any more
	}, Months: []GiftMonth{
		{Month: "2026-01", Sold: 10000, Redeemed: 2000},
		{Month: "2026-02", Sold: 5000, Redeemed: 27300},               // 273.00 × 2.5 ÷ 97.5 = 7.00
		{Month: "2026-03", Redeemed: 2000, Hand: 30, Broken: 30},      // 0.51 less 0.30
		{Month: "2026-04", Redeemed: -100},                            // more went back onto cards than was taken
		{Month: "2026-05", Redeemed: 1000, Hand: 26, Broken: 26},      // all of it is booked by hand
		{Month: "2025-01", Sold: 30000}, {Month: "2026-08", Sold: 99}, // 300.00 + 100.00 + 50.00 sold until February
	}}
	vs, err := g.Close("2026-10")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, v := range vs {
		got[v.Series] = 0
		for _, p := range v.Postings {
			if p.Debit == Account(GiftCard) {
				got[v.Series] += p.Amount.Minor
			} else if (p.Credit == Account(Breakage)) != strings.Contains(v.Series, "breakage") {
				t.Errorf("%s: %+v", v.Series, p)
			}
		}
		if v.From[0] != "gift cards of company A" || v.Kind != GiftVoucher || v.Location != map[bool]retail.LocationCode{true: "S1", false: "S2"}[v.Day < "2026-07-31"] {
			t.Errorf("%+v", v)
		}
	}
	// At the end of July what was sold until January is six months old: 400.00, of which 322.00 were redeemed and 0.56 + 7.00 + 0.21 booked as breakage. In August 50.00 of February follow.
	want := map[string]int64{"giftcards-breakage-2026-02": 700, "giftcards-breakage-2026-03": 21, "giftcards-breakage-2026-04": 0, "giftcards-breakage-2026-05": 0, "giftcards-breakage-2026-06": 0,
		"giftcards-escheat-2026-07": 40000 - 32200 - 56 - 721, "giftcards-escheat-2026-08": 5000}
	for s, n := range want {
		if had, ok := got[s]; !ok || had != n {
			t.Errorf("%s: %d, want %d", s, had, n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	again, err := g.Close("2026-10")
	if err != nil || len(again) != len(vs) || again[0].Text != vs[0].Text {
		t.Errorf("asked again it says otherwise: %v %v", again, err)
	}
	if day := vs[0].Day; day != "2026-02-28" {
		t.Errorf("February's stands on %s", day)
	}
	g.Policies = nil
	if vs, err := g.Close("2026-10"); err != nil || len(vs) > 0 {
		t.Errorf("without a policy: %v %v", vs, err)
	}
}

func TestAGiftCardPolicyIsChecked(t *testing.T) {
	good := GiftPolicy{GiftPool: GiftPool{Location: "S1"}, Since: "2026-01-01", Tender: "gift_card"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*GiftPolicy){
		"no day":    func(p *GiftPolicy) { p.Since = "" },
		"no tender": func(p *GiftPolicy) { p.Tender = "" },
		"negative":  func(p *GiftPolicy) { p.Rate = decimal.NewFromInt(-1) },
		"all":       func(p *GiftPolicy) { p.Rate = decimal.NewFromInt(100) },
		"past":      func(p *GiftPolicy) { p.Dormancy = -1 },
		"both":      func(p *GiftPolicy) { p.Rate, p.Dormancy = decimal.NewFromInt(1), 36 },
		"nowhere":   func(p *GiftPolicy) { p.Location = "" },
	} {
		p := good
		spoil(&p)
		if err := p.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

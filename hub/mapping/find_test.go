package mapping

import (
	"math/rand/v2"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/retail"
)

func to(account string) Target { return Target{Account: account} }

var rules = []Rule{
	{Role: ledger.Tender, Code: Any, Target: to("any")},
	{Role: ledger.Tender, Code: Any, Location: "S1", Target: to("any at S1")},
	{Role: ledger.Tender, Code: "cash", Target: to("cash")},
	{Role: ledger.Tender, Code: "cash", From: "2026-11-20", Target: to("cash, new")},
	{Role: ledger.Tender, Code: "cash", Location: "S1", From: "2026-11-25", Target: to("cash at S1")},
	{Role: ledger.Tax, Code: "cash", Target: to("a tax of that name")},
}

// The code itself before "*", the location before all, the later date before the earlier; what is not in force yet does not count.
func TestFind(t *testing.T) {
	for _, c := range []struct {
		role ledger.Role
		code string
		at   retail.LocationCode
		on   retail.BusinessDate
		want string
	}{
		{ledger.Tender, "cash", "S2", "2026-11-19", "cash"},
		{ledger.Tender, "cash", "S2", "2026-11-20", "cash, new"},
		{ledger.Tender, "cash", "S1", "2026-11-24", "cash, new"}, // the code beats the location's default
		{ledger.Tender, "cash", "S1", "2026-11-25", "cash at S1"},
		{ledger.Tender, "visa", "S1", "2026-11-25", "any at S1"},
		{ledger.Tender, "visa", "S2", "2026-11-25", "any"},
		{ledger.Tax, "cash", "S1", "2026-11-25", "a tax of that name"},
	} {
		if got, ok := (Set{Rules: rules}).Find(c.role, c.code, c.at, c.on); !ok || got.Account != c.want {
			t.Errorf("%s %s at %s on %s: got %q, want %q", c.role, c.code, c.at, c.on, got.Account, c.want)
		}
	}
	if got, ok := (Set{Rules: rules}).Find(ledger.Tax, "state", "S1", "2026-11-25"); ok {
		t.Errorf("an unknown code is %q: it must stand in suspense", got.Account)
	}
}

// The order in which rules were made decides nothing as long as no two are the same.
func TestOrderOfRulesDoesNotMatter(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		mixed := append([]Rule(nil), rules...)
		dice.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for _, at := range []retail.LocationCode{"S1", "S2"} {
			for _, on := range []retail.BusinessDate{"2026-11-01", "2026-11-20", "2026-11-30"} {
				a, _ := Set{Rules: rules}.Find(ledger.Tender, "cash", at, on)
				if b, _ := (Set{Rules: mixed}).Find(ledger.Tender, "cash", at, on); a != b {
					t.Fatalf("%s %s: %q and %q", at, on, a.Account, b.Account)
				}
			}
		}
	}
}

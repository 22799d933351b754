package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
)

// What a person says of the books, by a command or a file, is looked up there: every fault is told at once and nothing is kept; what is in force is not asked about again.
func TestRulesThatTheBooksDoNotHaveAreRefusedTogether(t *testing.T) {
	g := newRig(t, t.TempDir())
	ctx := t.Context()
	old := mapping.Rule{Role: ledger.Sales, Code: "Toys", Target: mapping.Target{Account: "409999"}} // closed in Odoo since
	if err := g.Clerk.SetRules(ctx, []mapping.Rule{old}, "test", ""); err != nil {
		t.Fatal(err)
	}
	g.Clerk.Places = func(context.Context) ([]odoo.Place, error) {
		return []odoo.Place{{Code: "400000", Name: "Product Sales"}, {Code: "400100", Name: "Service"}, {Tax: true, Name: "NY State 4%"}}, nil
	}
	before, err := g.Mapping(ctx)
	if err != nil {
		t.Fatal(err)
	}
	good := mapping.Rule{Role: ledger.Sales, Code: "Food", Target: mapping.Target{Account: "400100"}}
	bad := []mapping.Rule{old, good,
		{Role: ledger.Sales, Code: "Books", Target: mapping.Target{Account: "400999"}},
		{Role: ledger.Sales, Code: "Tents", Target: mapping.Target{Account: "9"}},
		{Role: ledger.Tax, Code: "NY State", Target: mapping.Target{Tax: "NY State 5%"}}}
	_, tried := g.Clerk.TryRules(ctx, bad)
	for what, err := range map[string]error{"tried": tried, "taken": g.Clerk.TakeRules(ctx, bad, "test", "")} {
		for _, words := range []string{"nothing was changed", `"400999" in use; near it are: 400000 Product Sales; 400100 Service`, `"9" in use; take it as`, `"NY State 5%" with one tax line; near it are: NY State 4%`} {
			if err == nil || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q is not said in: %v", what, words, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "409999") {
			t.Errorf("%s: a rule in force is refused: %v", what, err)
		}
	}
	if now, err := g.Mapping(ctx); err != nil || !slices.Equal(now.Rules, before.Rules) {
		t.Errorf("something was kept: %v, %v", now.Rules, err)
	}
	if err := g.Clerk.TakeRules(ctx, []mapping.Rule{old, good}, "test", ""); err != nil {
		t.Errorf("good rules are refused: %v", err)
	}
}

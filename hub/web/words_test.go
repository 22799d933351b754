package web

import (
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
)

// TestTwoLinesNeverLookAlike: a sale inside of a return is another line than a sale, and says so.
func TestTwoLinesNeverLookAlike(t *testing.T) {
	ny, back := ledger.Levy{Code: "NY"}, ledger.Levy{Code: "NY", Back: true}
	for want, a := range map[string]ledger.Account{
		"Sales: Toys (taxed NY)":               ledger.Levied("sales:Toys", []ledger.Levy{ny}),
		"Sales: Toys (tax given back: NY)":     ledger.Levied("sales:Toys", []ledger.Levy{back}),
		"Returns: Toys (taxed NY)":             ledger.Levied("returns:Toys", []ledger.Levy{back}),
		"Returns: Toys (off a sale's tax: NY)": ledger.Levied("returns:Toys", []ledger.Levy{ny}),
		"Discounts: D1 (tax given back: NY)":   ledger.Levied("discount:D1", []ledger.Levy{back}),
		"Sales: Toys":                          "sales:Toys",
	} {
		if got := measureLabel(a); got != want {
			t.Errorf("%s: %q, want %q", a, got, want)
		}
	}
}

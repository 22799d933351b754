package store

import (
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
)

// TestAPoolOfTwoCurrenciesHasNone: what is owed on its cards cannot be one sum, and nothing is booked of it.
func TestAPoolOfTwoCurrenciesHasNone(t *testing.T) {
	g := newGiftPools([]ledger.GiftPolicy{{Tender: "gift_card"}})
	g.place("S1", "USD", "")
	g.place("S2", "USD", "")
	if got := g.cards[0].Currency; got != "USD" {
		t.Errorf("two locations in USD: %q", got)
	}
	g.place("S3", "CAD", "")
	g.place("S4", "CAD", "")
	g.place("S9", "EUR", "another company") // of which there is no policy
	if got := g.all(); len(got) != 1 || got[0].Currency != "" {
		t.Errorf("%+v", got)
	}
}

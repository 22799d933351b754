package odoo

import (
	"testing"

	"github.com/shopspring/decimal"
)

// Whatever is sold at whatever rate, taking the tax out of its price gives the cent that the till has.
func TestAPriceContainsItsTaxToTheCent(t *testing.T) {
	for _, rate := range []string{"0", "0.375", "4", "8", "8.875", "19", "25", "99.99"} {
		r := decimal.RequireFromString(rate)
		share := decimal.NewFromInt(100).Add(r).Div(decimal.NewFromInt(100))
		for net := range int64(20000) {
			if got := decimal.NewFromInt(containing(net, r)).Div(share).Round(0).IntPart(); got != net {
				t.Fatalf("at %s percent %d cents come back as %d", rate, net, got)
			}
		}
	}
}

package odoo

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/rollup"
)

// includedFields tell of a tax whether 17 takes it out of a line's price, and how much.
var includedFields = []string{"price_include", "include_base_amount", "amount", "amount_type"}

// contained reads them; in 18 and 19, which take a line's balance as it is given, nobody asks.
func (t *tax) contained(m map[string]any) {
	if !yes(m["price_include"]) {
		return
	}
	rate, err := decimal.NewFromString(fmt.Sprint(m["amount"])) // the shortest decimal that means the wire's double
	t.tangled = err != nil || rate.IsNegative() || text(m["amount_type"]) != "percent" || yes(m["include_base_amount"])
	t.included = rate
}

// containedIn is how many percent of tax Odoo 17 takes out of a sold line's price before it books it; the till's amount is without. The error is a *lack: the
// tax is included by more than a percentage.
func (ch *chart) containedIn(l rollup.Line) (percent decimal.Decimal, err error) {
	for _, v := range l.Levies {
		t, err := ch.taxNamed(v.Tax, l.Measure)
		if err != nil {
			return percent, err
		}
		if t.tangled {
			return percent, &lack{fmt.Sprintf("tax %q is included in the price, and not by a plain percentage: Odoo 17 would take it out of a receipt's lines in a way of its own. "+
				"Map the code to a tax that is not included, or let the location's days go as entries", t.name)}
		}
		percent = percent.Add(t.included)
	}
	return percent, nil
}

// containing is the price out of which Odoo makes net when it takes percent of tax out: every net has one, for a price's cents are finer than its net's.
func containing(net int64, percent decimal.Decimal) int64 {
	if percent.IsZero() {
		return net
	}
	hundred := decimal.NewFromInt(100)
	share := hundred.Add(percent).Div(hundred)
	price := decimal.NewFromInt(net).Mul(share).Round(0).IntPart()
	for _, by := range []int64{0, -1, 1} {
		if decimal.NewFromInt(price+by).Div(share).Round(0).IntPart() == net {
			return price + by
		}
	}
	return price
}

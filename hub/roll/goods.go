package roll

import (
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/shared/money"
)

// GoodsSeries names the voucher of a store-day's cost of goods.
const GoodsSeries = "cost"

// goods is the voucher of what a store-day's goods had cost (T2). It goes with the day: made with its first document, changed when the day has been quiet
// like its deltas, and taken back with it. Without a word of the location there is none: an Odoo that values stock itself books it.
func goods(d Day, dec Decision, o Options) *ledger.Voucher {
	switch {
	case d.CostsFrom == "" || d.Key.Day < d.CostsFrom || len(d.Goods) == 0:
		return nil
	case len(d.Documents) == 0 && dec.Document == nil:
		return nil
	case len(d.Documents) > 0 && d.Now.Before(d.Changed.Add(o.Settle)):
		return nil // Decide looks again then
	}
	v := ledger.Voucher{Series: GoodsSeries, Kind: ledger.CostVoucher, Location: d.Key.Location, Day: d.Key.Day, Text: "cost of goods sold of " + d.Key.String()}
	for _, a := range slices.Sorted(maps.Keys(d.Goods)) {
		sum := d.Goods[a]
		v.Currency = sum.Currency
		role, code := a.Split()
		if d.Reversed != nil || role != ledger.COGS || sum.Minor == 0 {
			continue
		}
		debit, credit := a, ledger.Of(ledger.Inventory, code)
		if sum.Minor < 0 {
			debit, credit, sum = credit, debit, money.Of(-sum.Minor, sum.Currency)
		}
		v.Postings = append(v.Postings, ledger.Posting{Debit: debit, Credit: credit, Amount: sum})
	}
	return &v
}

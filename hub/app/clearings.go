package app

import (
	"context"

	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// clearings ages clearing accounts for the pages.
type clearings struct {
	*store.Store
	cfg Config
}

// BankLines implements web.Settlement: a line in no voucher is the location's whose merchant id stands in its text.
func (c clearings) BankLines(ctx context.Context, f view.BankFilter) ([]view.BankLine, error) {
	facts := c.cfg.settlement(c.Now())
	var terms []settle.Terms
	places := map[string]retail.LocationCode{}
	for _, m := range facts.Merchants {
		terms = append(terms, m.Terms)
		places[m.Merchant] = m.Location
	}
	f.Place = func(l view.BankLine) (retail.LocationCode, bool) {
		at, known := places[settle.Classify(l.Text, l.Amount.Minor > 0, terms).Merchant]
		return at, known
	}
	return c.Store.BankLines(ctx, f)
}

// OpenClearings implements web.Settlement.
func (c clearings) OpenClearings(ctx context.Context) ([]view.Clearing, error) {
	return c.Clearings(ctx, retail.DateOf(c.Now()), reconcile.Banking)
}

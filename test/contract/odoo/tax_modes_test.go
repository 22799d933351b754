package odoo_test

import (
	"maps"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
)

// A tax return reads the same of a receipt or an invoice as of an entry of the same day.
func TestAReceiptSaysOfTaxesWhatAnEntrySays(t *testing.T) {
	each(t, func(t *testing.T, s server) { readsAlike(t, s, false) })
}

// The cents are the till's also of taxes that head office has included in prices: 17 takes those out of a receipt's lines.
func TestAReceiptSaysTheSameOfTaxesInPrices(t *testing.T) {
	each(t, func(t *testing.T, s server) { readsAlike(t, s, true) })
}

func readsAlike(t *testing.T, s server, included bool) {
	p := s.person(t)
	set, b := s.set(t)
	set, state, city := p.taxedBy(set, included)
	var entry map[string]taxGroup
	for i, mode := range []rollup.Mode{rollup.ByEntry, rollup.ByReceipt, rollup.ByInvoice} {
		d := documentOf(t, set, b, "S-NY", today.AddDays(-i), mode, taxedDay())
		o, hub := newOutbox(d), newHub()
		w, _ := s.writer(t, o, hub)
		step(t, w)
		want(t, o.outcome(d), odoo.Done)
		if r := o.outcome(d).Read; r == nil || r.Difference != 0 {
			t.Errorf("%q read back: %+v", mode, r)
		}
		begin, _, _ := cutRef(odoo.Ref(hub, d), d)
		items := s.taxItems(t, []any{[]any{"ref", "=like", begin + "%"}})
		got := groupTax(items)
		if mode == rollup.ByEntry {
			entry = got
		}
		if !maps.Equal(got, entry) {
			t.Errorf("%q: grouped by repartition line, tags and company:\n got %v\nwant %v", mode, got, entry)
		}
		for _, h := range []headTax{state, city} {
			if base := p.reported(items, h, "base"); base != map[int64]int64{state.id: 91000, city.id: 88000}[h.id] {
				t.Errorf("%q: a tax return shows %d of base for %s", mode, base, h.name)
			}
		}
	}
}

package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/retail"
)

// mostBags is how many days' cash a store brings to the bank at once.
const mostBags = 5

// oldestBag is how long cash may be on its way, in banking days.
const oldestBag = 7

// cashWords say that a line is cash that a store brought.
var cashWords = []string{"CASH", "DEPOSIT", "CURRENCY", "NIGHT DROP", "BAG", "BRANCH DEP", "ARMORED", "LOOMIS", "BRINKS", "GARDA"}

// bags finds the store-days whose cash a line is: exact to the cent (finance.md A17), of one store, of days that follow one another. Where
// two explanations fit, none is taken.
func (r *round) bags() error {
	for _, l := range r.open() {
		if l.Amount.Minor <= 0 || r.reading[l.Key].Kind != settle.Other || !slices.ContainsFunc(cashWords, func(w string) bool { return strings.Contains(strings.ToUpper(l.Text), w) }) {
			continue
		}
		found, ways := r.bagsOf(l)
		if ways == 0 && r.bankingDays(l.Booked) > 1 {
			r.dec.Open[l.Key] = "no store's cash of one to five days comes to this amount"
		}
		if ways > 1 {
			r.dec.Open[l.Key] = settle.WhyAmbiguous
		}
		if ways != 1 {
			continue
		}
		ps, err := ledger.BankCash(r.names[l.Account], l.Amount, l.Amount)
		if err != nil {
			return err
		}
		var days []string
		for _, b := range found {
			days = append(days, string(b.Day))
		}
		r.voucher(ledger.BagVoucher, l, found[0].Location, ps, fmt.Sprintf("cash of %s", join(days)), Used{Bags: found})
		r.Bags = slices.DeleteFunc(slices.Clone(r.Bags), func(b Bag) bool { return slices.Contains(found, b) })
	}
	return nil
}

// bagsOf looks for runs of a store's open days that come to a line; ways is how many there are. Where several do, a text that names the
// store decides.
func (r *round) bagsOf(l Line) (found []Bag, ways int) {
	var all, named [][]Bag
	for loc, bags := range r.bagsNear(l) {
		for i := range bags {
			sum := int64(0)
			for j := i; j < min(len(bags), i+mostBags); j++ {
				if sum += bags[j].Amount.Minor; sum != l.Amount.Minor {
					continue
				}
				all = append(all, bags[i:j+1])
				if says(l.Text, string(loc)) {
					named = append(named, bags[i:j+1])
				}
			}
		}
	}
	if len(named) == 1 {
		all = named
	}
	if len(all) == 1 {
		found = slices.Clone(all[0])
	}
	return found, len(all)
}

// bagsNear are each location's open days before a line that are not too old for it, in their order.
func (r *round) bagsNear(l Line) map[retail.LocationCode][]Bag {
	by := map[retail.LocationCode][]Bag{}
	for _, b := range r.Bags {
		if b.Day <= l.Booked && r.bankingDaysBetween(b.Day, l.Booked) <= oldestBag && b.Amount.Minor > 0 && b.Amount.Currency == l.Amount.Currency {
			by[b.Location] = append(by[b.Location], b)
		}
	}
	for _, bags := range by {
		slices.SortFunc(bags, func(a, b Bag) int { return strings.Compare(string(a.Day), string(b.Day)) })
	}
	return by
}

func says(text, code string) bool {
	for _, w := range strings.FieldsFunc(strings.ToUpper(text), func(c rune) bool { return c == ' ' || c == ',' || c == '/' || c == '#' }) {
		if w == strings.ToUpper(code) {
			return true
		}
	}
	return false
}

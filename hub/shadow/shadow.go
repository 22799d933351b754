// Package shadow compares store-days that run beside the books with what the old way posted of them in Odoo, account by account and cent by
// cent. It is pure.
package shadow

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Line is one line of a document as it would be posted.
type Line struct {
	Account, Label string
	Minor          int64 // debit positive
}

// Day is a store-day in shadow.
type Day struct {
	Key      rollup.DayKey
	State    string
	Currency money.Currency
	Lines    []Line
}

// Item is one journal item of the old way. Location is "" when nothing says whose it is.
type Item struct {
	Entry    string // the entry's number
	Date     retail.BusinessDate
	Account  string // code
	Label    string
	Minor    int64 // debit positive, in the company's currency
	Location retail.LocationCode
}

// Compare lays the days beside the items of their location and date. An account that both say the same of is listed too: an accountant wants to
// see what agrees.
func Compare(days []Day, items []Item) (out view.ShadowReport) {
	by := map[rollup.DayKey][]Item{}
	for _, it := range items {
		k := rollup.DayKey{Location: it.Location, Day: it.Date}
		by[k] = append(by[k], it)
	}
	for _, d := range days {
		one := compare(d, by[d.Key])
		if !one.Missing && one.Difference.IsZero() {
			out.Same++
		}
		out.Days = append(out.Days, one)
	}
	return out
}

// sum is what both sides say of an account.
type sum struct {
	ours, theirs int64
	labels       []string // ours, else theirs
}

func compare(d Day, items []Item) view.ShadowDay {
	at := map[string]*sum{}
	of := func(account string) *sum {
		if at[account] == nil {
			at[account] = &sum{}
		}
		return at[account]
	}
	for _, l := range d.Lines {
		s := of(l.Account)
		s.ours += l.Minor
		s.name(l.Label)
	}
	entries := map[string]bool{}
	for _, it := range items {
		s := of(it.Account)
		s.theirs += it.Minor
		if len(s.labels) == 0 || s.ours == 0 {
			s.name(it.Label)
		}
		entries[it.Entry] = true
	}
	out := view.ShadowDay{Location: d.Key.Location, Day: d.Key.Day, State: d.State, Missing: len(items) == 0, Entries: slices.Sorted(maps.Keys(entries)), Difference: money.Of(0, d.Currency)}
	for _, account := range slices.SortedFunc(maps.Keys(at), cmp.Compare) {
		s := at[account]
		if s.ours == 0 && s.theirs == 0 {
			continue
		}
		out.Lines = append(out.Lines, view.ShadowLine{Account: account, Label: strings.Join(s.labels, ", "), Ours: money.Of(s.ours, d.Currency), Theirs: money.Of(s.theirs, d.Currency),
			Difference: money.Of(s.ours-s.theirs, d.Currency)})
		out.Difference.Minor += max(s.ours-s.theirs, s.theirs-s.ours)
	}
	return out
}

// labelsMost is how many names an account's line carries; a clearing account may stand for a dozen tenders.
const labelsMost = 4

func (s *sum) name(label string) {
	if label != "" && len(s.labels) < labelsMost && !slices.Contains(s.labels, label) {
		s.labels = append(s.labels, label)
	}
}

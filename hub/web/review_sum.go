package web

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// column is a figure of a review: the sum of some roles, or of one tender.
type column struct {
	Title  string
	Hint   string
	roles  []ledger.Role
	tender ledger.Account
}

// sign turns books into words: what the books credit was sold or owed and is positive, and a tender is positive when it was taken.
func sign(r ledger.Role, a money.Amount) money.Amount {
	if r == ledger.Tender {
		return a
	}
	return a.Neg()
}

var netRoles = []ledger.Role{ledger.Sales, ledger.Returns, ledger.Discount, ledger.Shipping, ledger.Fee}

// columns are the figures that a review can have; Over and short, like tips, shows only where there is any. What was sold and owed sums to the tenders.
var columns = []column{
	{Title: "Sales", Hint: "without tax", roles: []ledger.Role{ledger.Sales}},
	{Title: "Returns", Hint: "without tax", roles: []ledger.Role{ledger.Returns}},
	{Title: "Discounts", roles: []ledger.Role{ledger.Discount}},
	{Title: "Shipping", roles: []ledger.Role{ledger.Shipping}},
	{Title: "Fees", Hint: "charged at the till", roles: []ledger.Role{ledger.Fee}},
	{Title: "Net sales", Hint: "all of the columns before", roles: netRoles},
	{Title: "Tax", Hint: "sold less returned", roles: []ledger.Role{ledger.Tax, ledger.TaxRefund}},
	{Title: "Tips", roles: []ledger.Role{ledger.Tip}},
	{Title: "Gift cards sold", roles: []ledger.Role{ledger.GiftCard}},
	{Title: "Deposits", Hint: "of customers", roles: []ledger.Role{ledger.Deposit}},
	{Title: "House accounts", Hint: "received", roles: []ledger.Role{ledger.House}},
	{Title: "Paid in", roles: []ledger.Role{ledger.PaidIn}},
	{Title: "Paid out", roles: []ledger.Role{ledger.PaidOut}},
	{Title: "Rounding", roles: []ledger.Role{ledger.Rounding}},
	{Title: "Over and short", Hint: "short is negative", roles: []ledger.Role{ledger.OverShort}},
	{Title: "Tendered", Hint: "all tenders", roles: []ledger.Role{ledger.Tender}},
}

// always are columns that are shown even where they are nothing.
var always = []string{"Sales", "Returns", "Discounts", "Net sales", "Tax", "Over and short", "Tendered"}

// of sums the column out of a row; what cannot be added is left out and marked by ok.
func (c column) of(row view.ReviewRow) (sum money.Amount, ok bool) {
	sum, ok = money.Of(0, row.Currency), true
	for a, m := range row.Measures {
		r, _ := a.Split()
		if c.tender != "" && a != c.tender || c.tender == "" && !slices.Contains(c.roles, r) {
			continue
		}
		next, err := sum.Add(sign(r, m))
		if err != nil {
			ok = false
			continue
		}
		sum = next
	}
	return sum, ok
}

// columnsOf are those that have something to say over rows, with one for each tender.
func columnsOf(rows []view.ReviewRow) (out []column) {
	used := map[ledger.Role]bool{}
	tenders := map[ledger.Account]bool{}
	for _, row := range rows {
		for a, m := range row.Measures {
			if r, _ := a.Split(); !m.IsZero() {
				used[r] = true
				if r == ledger.Tender {
					tenders[a] = true
				}
			}
		}
	}
	for _, c := range columns {
		if slices.Contains(always, c.Title) || slices.ContainsFunc(c.roles, func(r ledger.Role) bool { return used[r] }) {
			out = append(out, c)
		}
	}
	for _, a := range slices.Sorted(maps.Keys(tenders)) {
		_, code := a.Split()
		out = append(out, column{Title: code, Hint: "tender", tender: a})
	}
	return out
}

// sumRows adds rows of each currency into one, in the order of the currencies. bad tells that a sum could not be made.
func sumRows(rows []view.ReviewRow) (out []view.ReviewRow, bad bool) {
	at := map[money.Currency]int{}
	for _, row := range rows {
		i, ok := at[row.Currency]
		if !ok {
			i = len(out)
			at[row.Currency] = i
			out = append(out, view.ReviewRow{Currency: row.Currency, Measures: map[ledger.Account]money.Amount{}, Difference: money.Of(0, row.Currency)})
		}
		sum := &out[i]
		sum.Days, sum.Tickets, sum.Unposted, sum.Running, sum.Known = sum.Days+row.Days, sum.Tickets+row.Tickets, sum.Unposted+row.Unposted, sum.Running+row.Running, sum.Known || row.Known
		for a, m := range row.Measures {
			bad = !addTo(sum.Measures, a, m) || bad
		}
		d, err := sum.Difference.Add(row.Difference)
		if sum.Difference = d; err != nil {
			bad = true
		}
	}
	slices.SortFunc(out, func(a, b view.ReviewRow) int { return cmp.Compare(a.Currency, b.Currency) })
	return out, bad
}

func addTo(t map[ledger.Account]money.Amount, a ledger.Account, m money.Amount) bool {
	sum, err := t[a].Add(m)
	if err == nil {
		t[a] = sum
	}
	return err == nil
}

// reviewLine is one measure of a span: a category, a jurisdiction, a tender.
type reviewLine struct {
	Code   string
	Amount money.Amount
}

// reviewGroup is the measures of one role.
type reviewGroup struct {
	Title, Hint string
	Lines       []reviewLine
	Sum         money.Amount
}

// linesOf lists a row's measures as a controller reads them.
func linesOf(row view.ReviewRow) (out []reviewGroup) {
	for _, x := range roles {
		g := reviewGroup{Title: x.title, Hint: x.hint, Sum: money.Of(0, row.Currency)}
		for _, a := range slices.Sorted(maps.Keys(row.Measures)) {
			r, code := a.Split()
			m := sign(r, row.Measures[a])
			if r != x.role || m.IsZero() {
				continue
			}
			g.Sum = total(g.Sum, m)
			name := cmp.Or(code, x.title)
			if i := slices.IndexFunc(g.Lines, func(l reviewLine) bool { return l.Code == name }); i >= 0 { // told apart by its taxes only
				g.Lines[i].Amount = total(g.Lines[i].Amount, m)
				continue
			}
			g.Lines = append(g.Lines, reviewLine{name, m})
		}
		if len(g.Lines) > 0 {
			out = append(out, g)
		}
	}
	return out
}

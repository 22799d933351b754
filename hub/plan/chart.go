package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tillpost/tillpost/shared/retail"
)

// Chart is what Odoo has in one company, as far as a plan needs it.
type Chart struct {
	Version    string
	Company    string
	Accounts   []Account
	Journals   []Journal
	Taxes      []Tax
	Analytic   []Analytic
	Plans      []string // names of the analytic plans
	Warehouses []Warehouse
	Methods    []Method              // of payments
	WalkIns    []retail.LocationCode // that have a customer for all who give no name
	Blind      []string              // what could not be read, and what is lacking for it
	NoAnalytic bool                  // analytic accounting is off, or the user may not see it
}

// Account is a line of the chart of accounts.
type Account struct {
	Code, Name string
	Type       string // Odoo's account_type
	Open       bool   // its items can be reconciled
	Dead       bool   // archived or deprecated
}

// Journal is a journal with the accounts that are its own.
type Journal struct {
	Code, Name, Type  string
	Account, Suspense string // account codes, "" = none
}

// Tax is a sales tax. Only one with exactly one tax line can take a till's amount.
type Tax struct {
	Name            string
	Rate            string // percent as decimal text, "" = not of a rate
	Lines           int    // tax lines on the invoice side
	Account, Refund string // account codes of the tax lines, "" = none: then the rule names one
}

// Analytic is an analytic account.
type Analytic struct{ Plan, Code, Name string }

// Warehouse is a warehouse of the stock app.
type Warehouse struct{ Code, Name string }

func (c Chart) account(code string) (Account, bool) {
	for _, a := range c.Accounts {
		if a.Code == code {
			return a, true
		}
	}
	return Account{}, false
}

func (c Chart) journal(code string) (Journal, bool) {
	for _, j := range c.Journals {
		if j.Code == code {
			return j, true
		}
	}
	return Journal{}, false
}

func (c Chart) tax(name string) (Tax, bool) {
	for _, t := range c.Taxes {
		if t.Name == name {
			return t, true
		}
	}
	return Tax{}, false
}

// bound tells which journal an account is the own or suspense account of: what Odoo books there by itself must not mix with what tills bring.
func (c Chart) bound(code string) (Journal, bool) {
	for _, j := range c.Journals {
		if code != "" && (j.Account == code && (j.Type == "bank" || j.Type == "cash" || j.Type == "credit") || j.Suspense == code) {
			return j, true
		}
	}
	return Journal{}, false
}

// sorted is the chart in an order of its own, so that Odoo's decides nothing.
func (c Chart) sorted() Chart {
	c.Accounts = slices.SortedFunc(slices.Values(c.Accounts), func(a, b Account) int { return cmp.Compare(a.Code, b.Code) })
	c.Journals = slices.SortedFunc(slices.Values(c.Journals), func(a, b Journal) int { return cmp.Compare(a.Code, b.Code) })
	c.Taxes = slices.SortedFunc(slices.Values(c.Taxes), func(a, b Tax) int { return cmp.Compare(a.Name, b.Name) })
	c.Analytic = slices.SortedFunc(slices.Values(c.Analytic), func(a, b Analytic) int {
		return cmp.Or(cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Name, b.Name))
	})
	c.Methods = slices.SortedFunc(slices.Values(c.Methods), func(a, b Method) int {
		return cmp.Or(cmp.Compare(a.Journal, b.Journal), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Account, b.Account))
	})
	return c
}

// sorted is the wish in an order of its own.
func (w Wish) sorted() Wish {
	w.Codes = maps.Clone(w.Codes)
	for r, codes := range w.Codes {
		w.Codes[r] = slices.Compact(slices.Sorted(slices.Values(codes)))
	}
	w.Stations = slices.Compact(slices.Sorted(slices.Values(w.Stations)))
	return w
}

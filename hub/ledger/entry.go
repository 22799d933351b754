// Package ledger turns decoded records into balanced entries. It is pure: no clock, no disk, no network.
package ledger

import (
	"strings"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Account is a measure of the store-day: a role and the till's own code, "tender:cash", "sales:Toys", "tax:NY State". Which account of
// the books it is in Odoo is the mapping's business and may change by date; the entry never does.
type Account string

// Role says what an Account measures. Document lines are made per Account, so refunds stay apart from sales as POS closing keeps them.
type Role string

const (
	Sales     Role = "sales"     // code = category
	Returns   Role = "returns"   // code = category
	Tax       Role = "tax"       // code = jurisdiction; on sold lines
	TaxRefund Role = "taxrefund" // code = jurisdiction; on returned lines
	Discount  Role = "discount"  // code = discount code
	Shipping  Role = "shipping"
	Fee       Role = "fee"
	GiftCard  Role = "giftcard" // sold or loaded; redemption is a tender
	Tip       Role = "tip"
	Deposit   Role = "deposit"   // layaway and order deposits
	House     Role = "house"     // received on house accounts
	Rounding  Role = "rounding"  // cash rounding
	Tender    Role = "tender"    // code = tender type: a clearing line each
	PaidIn    Role = "paidin"    // code = reason
	PaidOut   Role = "paidout"   // code = reason
	OverShort Role = "overshort" // code = "over" or "short"
	Control   Role = "control"   // every posting of a ticket touches it; it nets to zero within the entry
)

// Of builds an account.
func Of(r Role, code string) Account {
	if code == "" {
		return Account(r)
	}
	if taxable[r] {
		code = unmarked.Replace(code)
	}
	return Account(string(r) + ":" + code)
}

// Split takes an account apart; the taxes that it is the base of are no part of its code.
func (a Account) Split() (Role, string) {
	plain, _ := a.cut()
	role, code, _ := strings.Cut(plain, ":")
	return Role(role), code
}

// Posting moves a positive amount from Credit to Debit: an unbalanced entry cannot be written down.
type Posting struct {
	Debit, Credit Account
	Amount        money.Amount
}

// Entry is the immutable meaning of one version of one record. A void posts nothing and still is an entry: it takes back what an earlier
// version of the same key posted.
type Entry struct {
	Key      string // retail.Key as text: the idempotency key
	Kind     string // "ticket" or "drawer"
	Location retail.LocationCode
	Till     retail.TillCode
	Cashier  string // as the till writes it, "" = it does not say
	Number   string
	Sequence int64
	Day      retail.BusinessDate
	Currency money.Currency
	Gross    money.Amount // lines without tax
	Tax      money.Amount
	Postings []Posting
	Rounded  string // decimal text, see retail.Ticket
	Lines    int    // source rows or lines, for "rows = tickets' lines + listed cases"
	Uncosted int    // lines of goods whose cost is not known: they are missing from the cost of goods
}

// Known reports whether there is such a role.
func (r Role) Known() bool {
	switch r {
	case Sales, Returns, Tax, TaxRefund, Discount, Shipping, Fee, GiftCard, Tip, Deposit, House, Rounding, Tender, PaidIn, PaidOut, OverShort, Bank, Charge, Dispute, Loss, COGS,
		Inventory, DueTo, DueFrom, Unclaimed, Breakage, Cancelling:
		return true
	}
	return false
}

// Coded reports whether the role's measures carry a code of the till's.
func (r Role) Coded() bool {
	switch r {
	case Shipping, GiftCard, Tip, Deposit, House, Rounding, Dispute, Unclaimed, Breakage, Cancelling:
		return false
	}
	return true
}

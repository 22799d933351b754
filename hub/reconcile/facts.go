// Package reconcile decides what a bank's lines are and which vouchers they make: deposits of card batches, a processor's bills,
// chargebacks, bags of cash. It is pure. What is not sure is left open with its reason; what was decided once stays as it is.
package reconcile

import (
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Account is a bank account of the company.
type Account struct {
	Number string // as the bank's files name it
	Name   string // short: the code of its role in the mapping
}

// Merchant is a merchant id with what is agreed for it.
type Merchant struct {
	settle.Terms
	Sites    []string // other numbers under which the gateway knows it
	Location retail.LocationCode
	OwnAmex  bool         // American Express pays out by itself
	BackFee  money.Amount // that a chargeback costs; no currency = not known
}

// Part is what a batch holds of one location's takings.
type Part struct {
	Location retail.LocationCode
	ledger.Share
}

// Batch is a closed batch, as far as one payer pays it.
type Batch struct {
	settle.Batch
	Parts   []Part // together its Amount
	Voucher string // series of the voucher that it stands in, "" = open
}

// Line is a movement on a bank account.
type Line struct {
	Key     string // names it for good
	Account string // the bank's number of the account
	Booked  retail.BusinessDate
	Amount  money.Amount
	Text    string
	Code    string // the bank's type of it
	Voucher string // series of its voucher, "" = open
}

// Bag is the cash of a store-day that a store brings to the bank.
type Bag struct {
	Location retail.LocationCode
	Day      retail.BusinessDate
	Amount   money.Amount
}

// Dispute is a payment that a cardholder's bank questions, as the processor tells of it.
type Dispute struct {
	ID       string
	Merchant string
	Amount   money.Amount // ≥ 0
	Won      bool
	Lost     bool
}

// Bill is what the processor says that a month costs.
type Bill struct {
	ID       string
	Merchant string
	Amount   money.Amount
	Parts    map[string]money.Amount
}

// Facts are all that a decision needs: what is open, and the last weeks of what was decided, from which usual fees are learned.
type Facts struct {
	Accounts  []Account
	Merchants []Merchant
	Batches   []Batch
	Lines     []Line
	Bags      []Bag // open: posted by the tills, in no voucher
	Disputes  []Dispute
	Bills     []Bill
	Banking   settle.Calendar
	Today     retail.BusinessDate
	Taken     map[string]bool // "dispute X", "bill X": what stands in a voucher already
}

// Used says in which voucher something stands from now on.
type Used struct {
	Series  string
	Lines   []string
	Batches []string
	Bags    []Bag
	Others  []string // "dispute X", "bill X"
}

// Decision is what is new.
type Decision struct {
	Vouchers []ledger.Voucher
	Used     []Used
	Cases    []cases.Case
	Gone     []string          // ids of cases whose cause is gone
	Still    map[string]bool   // ids of cases about deposits that miss or fit nothing and that are still so: all others are gone
	Open     map[string]string // line key → why it has no voucher
}

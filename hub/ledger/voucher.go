package ledger

import (
	"cmp"
	"slices"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Roles of what happens to takings after the till has them.
const (
	Bank       Role = "bank"       // code = the bank account's short name: money that the bank has booked, or will
	Charge     Role = "charge"     // code = what a processor or bank keeps: "processing", "amex", "monthly", "chargeback"
	Dispute    Role = "dispute"    // taken back by a cardholder's bank until it is won or lost
	Loss       Role = "loss"       // code = of what: "chargeback"
	COGS       Role = "cogs"       // code = category: what the goods sold had cost
	Inventory  Role = "inventory"  // code = category
	DueTo      Role = "dueto"      // code = the company that is owed
	DueFrom    Role = "duefrom"    // code = the company that owes
	Unclaimed  Role = "unclaimed"  // gift cards that go to the state
	Breakage   Role = "breakage"   // gift cards that are never redeemed
	Cancelling Role = "cancelling" // kept when a layaway is given up
)

// VoucherKind says what a voucher is.
type VoucherKind string

const (
	DepositVoucher VoucherKind = "deposit" // batches that the bank paid out
	FeesVoucher    VoucherKind = "fees"    // a processor's bill
	DisputeVoucher VoucherKind = "dispute" // a chargeback, its reversal, its end
	BagVoucher     VoucherKind = "bag"     // cash that reached the bank
	CostVoucher    VoucherKind = "cost"    // cost of goods sold of a store-day
	ManualVoucher  VoucherKind = "manual"  // a person's, by a named template
	GiftVoucher    VoucherKind = "gift"    // a month's breakage or escheat of gift cards, by head office's policy
)

// Voucher is what happened to takings after the till: the fold of a document's series that is no store-day. It is balanced as an Entry is.
type Voucher struct {
	Series   string // names it for good within its location and day: "deposit-1f0c…"
	Kind     VoucherKind
	Location retail.LocationCode
	Day      retail.BusinessDate // the bank's, or the processor's
	Currency money.Currency
	Postings []Posting
	Text     string   // for people: what it is
	From     []string // what it rests on: "line 1f0c…", "batch 41", in a fixed order
}

// Share is a part of a batch's gross by the tender that the tills called it.
type Share struct {
	Tender string // code of the Tender role
	Amount money.Amount
}

// Paid describes money of card batches that a bank booked.
type Paid struct {
	Account string // short name of the bank account
	Net     money.Amount
	Shares  []Share // together the gross of the batches
	Charge  string  // code of what was kept back: "processing" or "amex"
}

// PayOut makes the postings of a deposit (finance.md T3 to T5): what the bank has, what was kept back, and the clearing accounts that are
// paid. Code invalid: amounts of two currencies, or none.
func PayOut(p Paid) ([]Posting, error) {
	e := Entry{Number: "deposit", Currency: p.Net.Currency}
	kept := p.Net.Neg()
	for _, s := range slices.SortedFunc(slices.Values(p.Shares), func(a, b Share) int { return cmp.Compare(a.Tender, b.Tender) }) {
		var err error
		if kept, err = kept.Add(s.Amount); err != nil {
			return nil, fault.New(fault.Invalid, "post deposit", err)
		}
		e.credit(Of(Tender, s.Tender), s.Amount)
	}
	e.debit(Of(Bank, p.Account), p.Net)
	e.debit(Of(Charge, p.Charge), kept)
	return e.done()
}

// Take makes the postings of money that a processor or bank takes for itself (T3, month-end billing). amount is what left the account.
func Take(account, charge string, amount money.Amount) ([]Posting, error) {
	e := Entry{Number: "fees", Currency: amount.Currency}
	e.debit(Of(Charge, charge), amount)
	e.credit(Of(Bank, account), amount)
	return e.done()
}

// TakeBack makes the postings of a chargeback (T6): amount is in dispute, fee is what it costs, both left the account.
func TakeBack(account string, amount, fee money.Amount) ([]Posting, error) {
	e := Entry{Number: "chargeback", Currency: amount.Currency}
	e.debit(Account(Dispute), amount)
	e.debit(Of(Charge, "chargeback"), fee)
	e.credit(Of(Bank, account), amount)
	e.credit(Of(Bank, account), fee)
	return e.done()
}

// WinDispute makes the postings of a dispute whose money came back; LoseDispute of one that is given up.
func WinDispute(account string, amount money.Amount) ([]Posting, error) {
	e := Entry{Number: "dispute", Currency: amount.Currency}
	e.debit(Of(Bank, account), amount)
	e.credit(Account(Dispute), amount)
	return e.done()
}

// LoseDispute books what is lost for good.
func LoseDispute(amount money.Amount) ([]Posting, error) {
	e := Entry{Number: "dispute", Currency: amount.Currency}
	e.debit(Of(Loss, "chargeback"), amount)
	e.credit(Account(Dispute), amount)
	return e.done()
}

// BankCash makes the postings of bags of cash that reached the bank (T7): bags is what the tills had for them, booked what the bank counted.
func BankCash(account string, bags, booked money.Amount) ([]Posting, error) {
	e := Entry{Number: "cash deposit", Currency: bags.Currency}
	diff, err := booked.Sub(bags)
	if err != nil {
		return nil, err
	}
	e.debit(Of(Bank, account), booked)
	e.credit(Of(Tender, Cash), bags)
	e.credit(Of(OverShort, "bank"), diff)
	return e.done()
}

// Move makes the postings of an amount that goes from one measure to another: the templates of finance.md that have just two lines.
func Move(debit, credit Account, amount money.Amount) ([]Posting, error) {
	e := Entry{Number: string(debit) + " / " + string(credit), Currency: amount.Currency}
	e.debit(debit, amount)
	e.credit(credit, amount)
	return e.done()
}

func (e *Entry) done() ([]Posting, error) {
	if len(e.Postings) == 0 {
		return nil, fault.Msg(fault.Invalid, "post "+e.Number, "no money moved")
	}
	return e.Postings, e.Check()
}

// Package journals works finance's journals T1 to T18 out of records, as the hub does: entry, fold, mapping, document. Their arithmetic is the
// reference's; the golden files beside it are what a controller would read.
package journals

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Day is the store-day of every example.
const Day retail.BusinessDate = "2026-11-20"

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// usd is a number of cents.
func usd(minor int64) money.Amount { return money.Of(minor, "USD") }

// chart is a retailer's mapping, as head office would set it up (finance.md T1): names instead of codes, so that the golden files can be read.
func chart() mapping.Set {
	rule := func(r ledger.Role, code, account string) mapping.Rule {
		return mapping.Rule{Role: r, Code: code, Target: mapping.Target{Account: account}}
	}
	return mapping.Set{Version: 1, Rules: []mapping.Rule{
		rule(ledger.Tender, "visa", "Card clearing - V/MC/Disc credit"), rule(ledger.Tender, "mastercard", "Card clearing - V/MC/Disc credit"),
		rule(ledger.Tender, "discover", "Card clearing - V/MC/Disc credit"), rule(ledger.Tender, "debit", "Card clearing - debit"), rule(ledger.Tender, "amex", "Card clearing - Amex"),
		rule(ledger.Tender, "cash", "Cash in transit"), rule(ledger.Tender, "gift_card", "Gift card liability"), rule(ledger.Tender, "store_credit", "Store credit liability"),
		rule(ledger.Tender, "on_account", "A/R house accounts"), rule(ledger.GiftCard, "", "Gift card liability"), rule(ledger.House, "", "A/R house accounts"),
		rule(ledger.Deposit, "", "Layaway deposits"), rule(ledger.Discount, mapping.Any, "Discounts"), rule(ledger.Returns, mapping.Any, "Returns"),
		rule(ledger.Sales, "A", "Sales - dept A"), rule(ledger.Sales, "B", "Sales - dept B"), rule(ledger.Tip, "", "Tips payable"),
		rule(ledger.PaidOut, "tips", "Tips payable"), rule(ledger.PaidOut, mapping.Any, "Paid-outs"), rule(ledger.PaidIn, mapping.Any, "Paid-in"),
		rule(ledger.OverShort, mapping.Any, "Cash over/short"), rule(ledger.OverShort, "over", "Cash over"), rule(ledger.Rounding, "", "Cash rounding"),
		rule(ledger.Tax, "state", "Sales tax payable - state"), rule(ledger.Tax, "city", "Sales tax payable - city"), rule(ledger.Tax, "transit", "Sales tax payable - transit"),
		rule(ledger.TaxRefund, "state", "Sales tax payable - state"), rule(ledger.Fee, "bag_fee", "Bag fees payable"), rule(ledger.Fee, "donation", "Donations payable"),
		rule(ledger.Fee, "service_charge", "Service charges"), rule(ledger.Fee, "layaway_cancelled", "Cancellation fees"),
		rule(ledger.Bank, "main", "Bank"), rule(ledger.Charge, mapping.Any, "Card processing fees"), rule(ledger.Charge, "amex", "Amex fees"), rule(ledger.Charge, "chargeback", "Chargeback fees"),
		rule(ledger.Dispute, "", "Chargebacks receivable"), rule(ledger.Loss, mapping.Any, "Chargeback losses"), rule(ledger.COGS, mapping.Any, "Cost of goods sold"),
		rule(ledger.Inventory, mapping.Any, "Inventory"), rule(ledger.DueTo, mapping.Any, "Due to other companies"), rule(ledger.DueFrom, mapping.Any, "Due from other companies"),
		rule(ledger.Unclaimed, "", "Unclaimed property payable"), rule(ledger.Breakage, "", "Breakage income"),
	}}
}

// books are where documents go.
var books = rollup.Books{Journal: "TPOS", Suspense: "Suspense - POS"}

// ticket is a ticket of number n that is paid by its lines' sum with the tenders named.
func ticket(n string, lines []retail.Line, tenders ...retail.Tender) retail.Ticket {
	kind, sum := retail.Sale, int64(0)
	for i := range lines {
		sum += lines[i].Amount.Minor
	}
	if sum < 0 {
		kind = retail.Return
	}
	return retail.Ticket{Key: retail.Key{System: "journals", Record: "ticket", ID: n}, Number: n, Location: "S1", Till: "T1", At: now.Add(-20 * time.Hour), Kind: kind, Currency: "USD", Lines: lines, Tenders: tenders}
}

func line(k retail.LineKind, code, category string, minor int64) retail.Line {
	return retail.Line{Kind: k, Code: code, Category: category, Amount: usd(minor)}
}

func item(category string, minor int64) retail.Line { return line(retail.Item, "sku", category, minor) }

func paid(kind string, minor int64) retail.Tender {
	return retail.Tender{Type: kind, Amount: usd(minor)}
}

func drawer(n string, k retail.DrawerKind, amount, counted int64, reason string) retail.Drawer {
	return retail.Drawer{Key: retail.Key{System: "journals", Record: "drawer", ID: n}, Location: "S1", Till: "T1", At: now.Add(-12 * time.Hour), Kind: k, Currency: "USD", Amount: usd(amount), Counted: usd(counted), Reason: reason}
}

// Fold posts records and adds them up.
func Fold(records ...retail.Record) (rollup.Totals, error) {
	t := rollup.Totals{}
	for _, r := range records {
		e, ok, err := ledger.Post(r, Day, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("%T posts nothing", r)
		}
		if err := t.Add(e, 1); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Voucher folds postings.
func Voucher(ps []ledger.Posting, err error) (rollup.Totals, error) {
	if err != nil {
		return nil, err
	}
	return rollup.TotalsOf(ledger.Voucher{Postings: ps})
}

// Document makes the next document of totals after those that are posted.
func Document(t rollup.Totals, set mapping.Set, posted ...rollup.Document) (rollup.Document, error) {
	k := rollup.DayKey{Location: "S1", Day: Day}
	sheet, err := rollup.Map(k, t, set, books)
	if err != nil {
		return rollup.Document{}, err
	}
	d, ok, err := rollup.Next(k, Day, sheet, posted, books, 1, set, "")
	if err == nil && !ok {
		err = fmt.Errorf("there is nothing to post")
	}
	return d, err
}

// Text is a document as a controller reads it: per account, debit and credit, and their sums.
func Text(d rollup.Document) string {
	type row struct{ debit, credit int64 }
	rows, order := map[string]*row{}, []string{}
	for _, l := range d.Lines {
		r := rows[l.Account]
		if r == nil {
			r = &row{}
			rows[l.Account], order = r, append(order, l.Account)
		}
		if l.Amount.Minor > 0 {
			r.debit += l.Amount.Minor
		} else {
			r.credit -= l.Amount.Minor
		}
	}
	var b strings.Builder
	sum := row{}
	write := func(name string, r row) {
		cell := func(n int64) string {
			if n == 0 {
				return ""
			}
			return usd(n).Decimal()
		}
		fmt.Fprintf(&b, "%-36s %10s %10s\n", name, cell(r.debit), cell(r.credit))
	}
	for _, name := range order {
		write(name, *rows[name])
		sum.debit, sum.credit = sum.debit+rows[name].debit, sum.credit+rows[name].credit
	}
	write("", sum)
	return b.String()
}

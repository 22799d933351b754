package journals

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files")

// sums are what finance.md says: by account, debit positive.
type sums map[string]int64

// hold compares a document with finance's figures and with its golden file.
func hold(t *testing.T, name string, d rollup.Document, want sums) {
	t.Helper()
	got := sums{}
	for _, l := range d.Lines {
		got[l.Account] += l.Amount.Minor
	}
	for account, n := range want {
		if got[account] != n {
			t.Errorf("%s: %s is %s, want %s", name, account, usd(got[account]), usd(n))
		}
	}
	for account, n := range got {
		if _, known := want[account]; !known && n != 0 {
			t.Errorf("%s: %s of %s is not in the journal", name, account, usd(n))
		}
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(Text(d)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != Text(d) {
		t.Errorf("%s: %v\n%s", file, err, Text(d))
	}
}

func make1(t *testing.T, totals rollup.Totals, err error, posted ...rollup.Document) rollup.Document {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Document(totals, chart(), posted...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// T1: a store-day with everything; float 200.00, expected 735.50, counted 731.50.
func TestT01StoreDay(t *testing.T) {
	records := []retail.Record{
		ticket("1", []retail.Line{item("A", 250000), item("B", 150000), line(retail.Tax, "state", "", 21252), line(retail.Tax, "city", "", 3400), line(retail.Tax, "transit", "", 3401),
			line(retail.Discount, "SALE", "", -15000), line(retail.GiftCard, "", "", 30000), line(retail.Tip, "", "", 8500), line(retail.Account, "", "", 12000), line(retail.Deposit, "", "", 6000),
			line(retail.Deposit, "", "", -10000), line(retail.Rounding, "", "", -3)},
			paid("visa", 245000), paid("debit", 32500), paid("amex", 61000), paid("cash", 64550+20000), paid("gift_card", 17500), paid("store_credit", 4000), paid("on_account", 15000)),
		ticket("2", []retail.Line{item("A", -20000)}, paid("cash", -20000)),
		drawer("1", retail.PaidIn, 2000, 0, "change fund"), drawer("2", retail.PaidOut, 4500, 0, "window cleaner"), drawer("3", retail.PaidOut, 8500, 0, "tips"),
		drawer("4", retail.DrawerCount, 73550, 73150, ""),
	}
	totals, err := Fold(records...)
	d := make1(t, totals, err)
	hold(t, "T01", d, sums{"Card clearing - V/MC/Disc credit": 245000, "Card clearing - debit": 32500, "Card clearing - Amex": 61000, "Cash in transit": 53150, "Gift card liability": 17500 - 30000,
		"Store credit liability": 4000, "A/R house accounts": 15000 - 12000, "Layaway deposits": 10000 - 6000, "Discounts": 15000, "Returns": 20000, "Paid-outs": 4500, "Tips payable": 8500 - 8500,
		"Cash over/short": 400, "Cash rounding": 3, "Sales - dept A": -250000, "Sales - dept B": -150000, "Sales tax payable - state": -21252, "Sales tax payable - city": -3400,
		"Sales tax payable - transit": -3401, "Paid-in": -2000})
}

func TestT02CostOfGoods(t *testing.T) {
	totals, err := Voucher(ledger.Move(ledger.Of(ledger.COGS, "A"), ledger.Of(ledger.Inventory, "A"), usd(123456)))
	hold(t, "T02", make1(t, totals, err), sums{"Cost of goods sold": 123456, "Inventory": -123456})
}

func TestT03DailyNetbillingAndMonthEnd(t *testing.T) {
	totals, err := Voucher(ledger.PayOut(ledger.Paid{Account: "main", Net: usd(271672), Charge: "processing", Shares: []ledger.Share{{Tender: "visa", Amount: usd(245000)}, {Tender: "debit", Amount: usd(32500)}}}))
	hold(t, "T03", make1(t, totals, err), sums{"Bank": 271672, "Card processing fees": 5828, "Card clearing - V/MC/Disc credit": -245000, "Card clearing - debit": -32500})
	totals, err = Voucher(ledger.PayOut(ledger.Paid{Account: "main", Net: usd(277500), Charge: "processing", Shares: []ledger.Share{{Tender: "visa", Amount: usd(245000)}, {Tender: "debit", Amount: usd(32500)}}}))
	hold(t, "T03-month-end", make1(t, totals, err), sums{"Bank": 277500, "Card clearing - V/MC/Disc credit": -245000, "Card clearing - debit": -32500})
	totals, err = Voucher(ledger.Take("main", "monthly", usd(5828)))
	hold(t, "T03-bill", make1(t, totals, err), sums{"Bank": -5828, "Card processing fees": 5828})
}

func TestT04AmexNet(t *testing.T) {
	totals, err := Voucher(ledger.PayOut(ledger.Paid{Account: "main", Net: usd(59475), Charge: "amex", Shares: []ledger.Share{{Tender: "amex", Amount: usd(61000)}}}))
	hold(t, "T04", make1(t, totals, err), sums{"Bank": 59475, "Amex fees": 1525, "Card clearing - Amex": -61000})
}

func TestT05OneDepositTwoDays(t *testing.T) {
	totals, err := Voucher(ledger.PayOut(ledger.Paid{Account: "main", Net: usd(577160), Charge: "processing", Shares: []ledger.Share{{Tender: "visa", Amount: usd(277500)}, {Tender: "visa", Amount: usd(312040)}}}))
	hold(t, "T05", make1(t, totals, err), sums{"Bank": 577160, "Card processing fees": 12380, "Card clearing - V/MC/Disc credit": -589540})
}

func TestT06Chargeback(t *testing.T) {
	totals, err := Voucher(ledger.TakeBack("main", usd(8500), usd(1500)))
	hold(t, "T06", make1(t, totals, err), sums{"Chargebacks receivable": 8500, "Chargeback fees": 1500, "Bank": -10000})
	totals, err = Voucher(ledger.WinDispute("main", usd(8500)))
	hold(t, "T06-won", make1(t, totals, err), sums{"Bank": 8500, "Chargebacks receivable": -8500})
	totals, err = Voucher(ledger.LoseDispute(usd(8500)))
	hold(t, "T06-lost", make1(t, totals, err), sums{"Chargeback losses": 8500, "Chargebacks receivable": -8500})
}

func TestT07CashBag(t *testing.T) {
	totals, err := Voucher(ledger.BankCash("main", usd(53150), usd(53150)))
	hold(t, "T07", make1(t, totals, err), sums{"Bank": 53150, "Cash in transit": -53150})
	totals, err = Voucher(ledger.BankCash("main", usd(53150), usd(53050)))
	hold(t, "T07-short", make1(t, totals, err), sums{"Bank": 53050, "Cash over/short": 100, "Cash in transit": -53150})
}

func TestT08GiftCard(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{line(retail.GiftCard, "", "", 5000)}, paid("cash", 5000)))
	hold(t, "T08-sold", make1(t, totals, err), sums{"Cash in transit": 5000, "Gift card liability": -5000})
	totals, err = Fold(ticket("1", []retail.Line{item("A", 4619), line(retail.Tax, "state", "", 381)}, paid("gift_card", 5000)))
	hold(t, "T08-redeemed", make1(t, totals, err), sums{"Gift card liability": 5000, "Sales - dept A": -4619, "Sales tax payable - state": -381})
	totals, err = Fold(ticket("1", []retail.Line{item("A", -4619), line(retail.Tax, "state", "", -381)}, paid("gift_card", -5000)))
	hold(t, "T08-refunded", make1(t, totals, err), sums{"Gift card liability": -5000, "Returns": 4619, "Sales tax payable - state": 381})
	totals, err = Voucher(ledger.Move(ledger.Account(ledger.GiftCard), ledger.Account(ledger.Breakage), usd(700)))
	hold(t, "T08-breakage", make1(t, totals, err), sums{"Gift card liability": 700, "Breakage income": -700})
	totals, err = Voucher(ledger.Move(ledger.Account(ledger.GiftCard), ledger.Account(ledger.Unclaimed), usd(300)))
	hold(t, "T08-escheat", make1(t, totals, err), sums{"Gift card liability": 300, "Unclaimed property payable": -300})
}

// T8 by head office's policy, as the hub makes it every month: 273.00 redeemed × 2.5 % ÷ 97.5 % = 7.00; of 10.00 sold three years ago 7.00 were redeemed.
func TestT08GiftCardsByPolicy(t *testing.T) {
	pool := ledger.GiftPool{Location: "S1"}
	for name, g := range map[string]ledger.GiftCards{
		"T08-breakage": {Policies: []ledger.GiftPolicy{{GiftPool: pool, Since: "2026-10-01", Rate: decimal.RequireFromString("2.5"), Tender: "gift_card"}}, Months: []ledger.GiftMonth{{Month: "2026-10", Redeemed: 27300}}},
		"T08-escheat": {Policies: []ledger.GiftPolicy{{GiftPool: pool, Since: "2026-10-01", Dormancy: 36, Tender: "gift_card"}},
			Months: []ledger.GiftMonth{{Month: "2023-10", Sold: 1000}, {Month: "2023-11", Sold: 5000}, {Month: "2026-10", Redeemed: 700}}},
	} {
		g.Pool, g.Currency = pool, "USD"
		vs, err := g.Close("2026-10")
		if err != nil || len(vs) != 1 {
			t.Fatal(vs, err)
		}
		totals, err := rollup.TotalsOf(vs[0])
		hold(t, name, make1(t, totals, err), map[string]sums{"T08-breakage": {"Gift card liability": 700, "Breakage income": -700}, "T08-escheat": {"Gift card liability": 300, "Unclaimed property payable": -300}}[name])
	}
}

// T9: a ticket that comes after posting is a delta; the posted document stays as it is.
func TestT09LateTicket(t *testing.T) {
	first := ticket("1", []retail.Line{item("A", 10000)}, paid("visa", 10000))
	totals, err := Fold(first)
	posted := make1(t, totals, err)
	totals, err = Fold(first, ticket("2", []retail.Line{item("A", 5999), line(retail.Tax, "state", "", 495)}, paid("visa", 6494)))
	d := make1(t, totals, err, posted)
	if d.Kind != rollup.DeltaDocument || d.Number != 2 {
		t.Errorf("it is a %s with number %d", d.Kind, d.Number)
	}
	hold(t, "T09", d, sums{"Card clearing - V/MC/Disc credit": 6494, "Sales - dept A": -5999, "Sales tax payable - state": -495})
}

// T10: a card sold by company A and redeemed at B. B's mapping leads the tender to what A owes; A's books take the other side.
func TestT10GiftCardOfAnotherCompany(t *testing.T) {
	at := chart()
	at.Rules = append(at.Rules, mapping.Rule{Role: ledger.Tender, Code: "gift_card", Location: "S1", Target: mapping.Target{Account: "Due from other companies"}})
	totals, err := Fold(ticket("1", []retail.Line{item("A", 4619), line(retail.Tax, "state", "", 381)}, paid("gift_card", 5000)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Document(totals, at)
	if err != nil {
		t.Fatal(err)
	}
	hold(t, "T10-redeemed-at-B", d, sums{"Due from other companies": 5000, "Sales - dept A": -4619, "Sales tax payable - state": -381})
	totals, err = Voucher(ledger.Move(ledger.Account(ledger.GiftCard), ledger.Of(ledger.DueTo, "B"), usd(5000)))
	hold(t, "T10-owed-by-A", make1(t, totals, err), sums{"Gift card liability": 5000, "Due to other companies": -5000})
}

func TestT11Layaway(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{line(retail.Deposit, "", "", 3000)}, paid("cash", 3000)))
	hold(t, "T11-deposit", make1(t, totals, err), sums{"Cash in transit": 3000, "Layaway deposits": -3000})
	totals, err = Fold(ticket("1", []retail.Line{item("A", 10000), line(retail.Tax, "state", "", 800), line(retail.Deposit, "", "", -3000)}, paid("cash", 7800)))
	hold(t, "T11-final", make1(t, totals, err), sums{"Layaway deposits": 3000, "Cash in transit": 7800, "Sales - dept A": -10000, "Sales tax payable - state": -800})
	totals, err = Fold(ticket("1", []retail.Line{line(retail.Deposit, "", "", -3000), line(retail.Fee, "layaway_cancelled", "", 500)}, paid("cash", -2500)))
	hold(t, "T11-cancelled", make1(t, totals, err), sums{"Layaway deposits": 3000, "Cash in transit": -2500, "Cancellation fees": -500})
}

func TestT12HouseAccount(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{item("A", 10000), line(retail.Tax, "state", "", 800)}, paid("on_account", 10800)))
	hold(t, "T12-charged", make1(t, totals, err), sums{"A/R house accounts": 10800, "Sales - dept A": -10000, "Sales tax payable - state": -800})
	totals, err = Fold(ticket("1", []retail.Line{line(retail.Account, "", "", 10800)}, paid("visa", 10800)))
	hold(t, "T12-received", make1(t, totals, err), sums{"Card clearing - V/MC/Disc credit": 10800, "A/R house accounts": -10800})
}

func TestT13StoreCreditOnReturn(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{item("A", -5000), line(retail.Tax, "state", "", -400)}, paid("store_credit", -5400)))
	hold(t, "T13", make1(t, totals, err), sums{"Returns": 5000, "Sales tax payable - state": 400, "Store credit liability": -5400})
}

// T14: tips that payroll pays stay on Tips payable; those paid in cash leave it with the drawer.
func TestT14Tips(t *testing.T) {
	sale := ticket("1", []retail.Line{item("A", 5000), line(retail.Tip, "", "", 1000)}, paid("visa", 6000))
	totals, err := Fold(sale)
	hold(t, "T14-payroll", make1(t, totals, err), sums{"Card clearing - V/MC/Disc credit": 6000, "Sales - dept A": -5000, "Tips payable": -1000})
	totals, err = Fold(sale, drawer("1", retail.PaidOut, 1000, 0, "tips"))
	hold(t, "T14-cash", make1(t, totals, err), sums{"Card clearing - V/MC/Disc credit": 6000, "Sales - dept A": -5000, "Tips payable": 0, "Cash in transit": -1000})
}

func TestT15DonationsAndFees(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{item("A", 1000), line(retail.Fee, "bag_fee", "", 10), line(retail.Fee, "donation", "", 100), line(retail.Fee, "service_charge", "", 180)}, paid("cash", 1290)))
	hold(t, "T15", make1(t, totals, err), sums{"Cash in transit": 1290, "Sales - dept A": -1000, "Bag fees payable": -10, "Donations payable": -100, "Service charges": -180})
}

// T16: what moves between drawer and safe moves no money of the books: it has no entry at all.
func TestT16DrawerAndSafe(t *testing.T) {
	for _, k := range []retail.DrawerKind{retail.DrawerOpen, retail.DrawerClose, retail.NoSale} {
		e, ok, err := ledger.Post(drawer("1", k, 20000, 0, ""), Day, now)
		if err != nil || len(e.Postings) != 0 {
			t.Errorf("%s: %v, entry %v: %v", k, ok, e.Postings, err)
		}
	}
}

// T17: an unmapped code stands in suspense, and moves by itself once it is mapped.
func TestT17Suspense(t *testing.T) {
	without := chart()
	without.Rules = slices.DeleteFunc(without.Rules, func(r mapping.Rule) bool { return r.Role == ledger.Tender && r.Code == "discover" })
	totals, err := Fold(ticket("1", []retail.Line{item("A", 2500)}, paid("discover", 2500)))
	if err != nil {
		t.Fatal(err)
	}
	posted, err := Document(totals, without)
	if err != nil {
		t.Fatal(err)
	}
	hold(t, "T17", posted, sums{"Suspense - POS": 2500, "Sales - dept A": -2500})
	hold(t, "T17-mapped", make1(t, totals, nil, posted), sums{"Suspense - POS": -2500, "Card clearing - V/MC/Disc credit": 2500})
}

func TestT18CashRoundingGain(t *testing.T) {
	totals, err := Fold(ticket("1", []retail.Line{item("A", 998), line(retail.Rounding, "", "", 2)}, paid("cash", 1000)))
	hold(t, "T18", make1(t, totals, err), sums{"Cash in transit": 1000, "Sales - dept A": -998, "Cash rounding": -2})
}

// The reference's T1 comes to 4,865.53 on both sides; here the 60.00 of layaway taken stand net of the 100.00 applied, on one line.
func TestT01BothSides(t *testing.T) {
	b, err := os.ReadFile("testdata/T01.golden")
	if err != nil {
		t.Fatal(err)
	}
	if want := "   4805.53    4805.53\n"; len(b) < len(want) || string(b[len(b)-len(want):]) != want {
		t.Errorf("the sums are not finance's:\n%s", b)
	}
}

package reconcile_test

import (
	"fmt"
	"testing"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/bank"
)

func usd(n int64) money.Amount { return money.Of(n, "USD") }

// shop is one merchant id with one account.
func shop() reconcile.Facts {
	return reconcile.Facts{Accounts: []reconcile.Account{{Number: "0001", Name: "main"}}, Banking: reconcile.Banking, Today: "2026-12-01", Taken: map[string]bool{},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", Net: true, MostFee: 350, Lag: 1}, Location: "S1", BackFee: usd(1500)}}}
}

func batch(id string, day retail.BusinessDate, parts ...reconcile.Part) reconcile.Batch {
	b := reconcile.Batch{Batch: settle.Batch{ID: id, Merchant: "650000011", Funds: settle.Cards, Closed: day, Amount: usd(0)}, Parts: parts}
	for _, p := range parts {
		b.Amount.Minor += p.Amount.Minor
	}
	return b
}

func part(loc retail.LocationCode, tender string, minor int64) reconcile.Part {
	return reconcile.Part{Location: loc, Share: ledger.Share{Tender: tender, Amount: usd(minor)}}
}

func line(key, text string, day retail.BusinessDate, minor int64) reconcile.Line {
	return reconcile.Line{Key: key, Account: "0001", Booked: day, Amount: usd(minor), Text: text}
}

func decide(t *testing.T, f reconcile.Facts) reconcile.Decision {
	t.Helper()
	d, err := reconcile.Decide(f)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sums folds a voucher, as the books will show it.
func sums(t *testing.T, v ledger.Voucher) rollup.Totals {
	t.Helper()
	got, err := rollup.TotalsOf(v)
	if err != nil {
		t.Fatal(err)
	}
	all := int64(0)
	for _, a := range got {
		all += a.Minor
	}
	if all != 0 {
		t.Errorf("voucher %s is %d out of balance", v.Series, all)
	}
	return got
}

func check(t *testing.T, v ledger.Voucher, want map[ledger.Account]int64) {
	t.Helper()
	got := sums(t, v)
	for a, n := range want {
		if got[a].Minor != n {
			t.Errorf("%s: %s is %s, want %s", v.Text, a, got[a], usd(n))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %v, want %v", v.Text, got, want)
	}
}

const takings = "HRTLAND PMT SYS TXNS/FEES 650000011"

// The figures are finance.md's T3 to T7.
func TestBankLinesBecomeVouchers(t *testing.T) {
	f := shop()
	f.Batches = []reconcile.Batch{batch("41", "2026-11-18", part("S1", "visa", 245000), part("S1", "debit", 32500)),
		batch("42", "2026-11-20", part("S1", "visa", 277500)), batch("43", "2026-11-21", part("S1", "visa", 312040))}
	amex := batch("41/amex", "2026-11-18", part("S1", "amex", 61000))
	amex.Funds = settle.Amex
	f.Batches = append(f.Batches, amex)
	f.Lines = []reconcile.Line{line("a", takings, "2026-11-19", 271672), line("b", "AMERICAN EXPRESS SETTLEMENT 650000011", "2026-11-19", 59475),
		line("c", takings, "2026-11-23", 577160), line("d", "HRTLAND CHARGEBACK 650000011", "2026-11-24", -10000), line("e", "HRTLAND CHARGEBACK REVERSAL 650000011", "2026-11-25", 8500),
		line("f", "BRANCH CASH DEPOSIT 0017", "2026-11-24", 53150), line("g", takings, "2026-11-25", -4990), line("h", "PAYROLL ADP", "2026-11-25", -300000)}
	f.Disputes = []reconcile.Dispute{{ID: "D1", Merchant: "650000011", Amount: usd(8500)}}
	f.Bags = []reconcile.Bag{{Location: "S1", Day: "2026-11-23", Amount: usd(53150)}, {Location: "S1", Day: "2026-11-22", Amount: usd(1000)}}
	d := decide(t, f)
	by := map[string]ledger.Voucher{}
	for i, u := range d.Used {
		by[u.Lines[0]] = d.Vouchers[i]
	}
	if len(d.Vouchers) != 7 {
		t.Fatalf("%d vouchers: %+v; open %v", len(d.Vouchers), d.Vouchers, d.Open)
	}
	check(t, by["a"], map[ledger.Account]int64{"bank:main": 271672, "charge:processing": 5828, "tender:visa": -245000, "tender:debit": -32500})
	check(t, by["b"], map[ledger.Account]int64{"bank:main": 59475, "charge:amex": 1525, "tender:amex": -61000})
	check(t, by["c"], map[ledger.Account]int64{"bank:main": 577160, "charge:processing": 12380, "tender:visa": -589540})
	check(t, by["d"], map[ledger.Account]int64{"bank:main": -10000, "dispute": 8500, "charge:chargeback": 1500})
	check(t, by["e"], map[ledger.Account]int64{"bank:main": 8500, "dispute": -8500})
	check(t, by["f"], map[ledger.Account]int64{"bank:main": 53150, "tender:cash": -53150})
	check(t, by["g"], map[ledger.Account]int64{"bank:main": -4990, "charge:monthly": 4990})
	for _, c := range d.Cases {
		if c.Cause != cases.Disputed {
			t.Errorf("a case of cause %s: %s", c.Cause, c.Detail)
		}
	}
}

func TestABillIsDividedAsTheProcessorDoes(t *testing.T) {
	f := shop()
	f.Lines = []reconcile.Line{line("a", takings, "2026-11-20", -10000)}
	f.Bills = []reconcile.Bill{{ID: "F1", Merchant: "650000011", Amount: usd(10000), Parts: map[string]money.Amount{"interchange": usd(7000), "assessment": usd(1000), "per_item": usd(0)}}}
	d := decide(t, f)
	check(t, d.Vouchers[0], map[ledger.Account]int64{"bank:main": -10000, "charge:interchange": 7000, "charge:assessment": 1000, "charge:monthly": 2000})
}

func TestOneDepositOfTwoStoresAndOneBatchInTwoDeposits(t *testing.T) {
	f := shop()
	f.Batches = []reconcile.Batch{batch("41", "2026-11-18", part("S1", "visa", 10000), part("S2", "visa", 5001))}
	f.Lines = []reconcile.Line{line("a", takings, "2026-11-19", 14701)}
	d := decide(t, f)
	if len(d.Vouchers) != 2 || d.Vouchers[0].Location != "S1" || d.Vouchers[1].Location != "S2" {
		t.Fatalf("%+v", d.Vouchers)
	}
	one, two := sums(t, d.Vouchers[0]), sums(t, d.Vouchers[1])
	if one["bank:main"].Minor+two["bank:main"].Minor != 14701 || one["tender:visa"].Minor != -10000 || two["tender:visa"].Minor != -5001 {
		t.Errorf("%v %v", one, two)
	}
}

func TestWhatIsNotSureStaysOpenAndIsTold(t *testing.T) {
	f := shop()
	f.Batches = []reconcile.Batch{batch("41", "2026-11-12", part("S1", "visa", 10000))}
	f.Bags = []reconcile.Bag{{Location: "S1", Day: "2026-11-18", Amount: usd(5000)}, {Location: "S2", Day: "2026-11-18", Amount: usd(5000)}}
	f.Lines = []reconcile.Line{line("a", takings, "2026-11-13", 777777), line("b", "CASH DEPOSIT", "2026-11-19", 5000), {Key: "c", Account: "9999", Booked: "2026-11-19", Amount: usd(100), Text: "x"}}
	d := decide(t, f)
	if len(d.Vouchers) != 0 || d.Open["b"] != settle.WhyAmbiguous {
		t.Errorf("%+v %v", d.Vouchers, d.Open)
	}
	causes := map[cases.Cause]int{}
	for _, c := range d.Cases {
		causes[c.Cause]++
	}
	if causes[cases.DepositOpen] != 2 || causes[cases.DepositMissing] != 1 || causes[cases.BankAccount] != 1 {
		t.Errorf("%v", causes)
	}
	f.Lines[1].Text = "CASH DEPOSIT S2" // the text decides
	if d = decide(t, f); len(d.Vouchers) != 1 || d.Vouchers[0].Location != "S2" {
		t.Errorf("%+v", d.Vouchers)
	}
}

func TestBankingDays(t *testing.T) {
	for day, want := range map[retail.BusinessDate]bool{"2026-11-25": true, "2026-11-26": false, "2026-11-28": false, "2026-12-25": false, "2027-07-05": false, "2026-07-03": true, "2027-01-01": false, "2021-12-31": true, "2026-06-19": false} {
		if got := reconcile.Banking(day); got != want {
			t.Errorf("%s is a banking day: %v", day, got)
		}
	}
}

// A month of a chain on a fake bank: every voucher balances, each line and batch is booked whole and once, and asking again adds nothing.
func TestAWorldIsBookedOnceAndWhole(t *testing.T) {
	for seed := range uint64(3) {
		w := bank.New(bank.Options{Seed: seed, Deposits: 200, Netting: seed%2 == 1})
		f := reconcile.Facts{Banking: func(d retail.BusinessDate) bool { return bank.Open(string(d)) }, Taken: map[string]bool{}, Today: "2020-01-01"}
		for i, m := range w.Merchants {
			f.Accounts = append(f.Accounts, reconcile.Account{Number: m.Account, Name: m.Account})
			f.Merchants = append(f.Merchants, reconcile.Merchant{Terms: settle.Terms{Merchant: m.ID, Account: m.Account, Net: m.Net, MostFee: 350, Lag: 1}, Location: retail.LocationCode(fmt.Sprintf("S%d", i))})
		}
		for _, b := range w.Batches {
			f.Batches = append(f.Batches, reconcile.Batch{Batch: settle.Batch{ID: b.ID, Merchant: b.Merchant, Funds: settle.Funds(b.Payer), Closed: retail.BusinessDate(b.Day), Amount: usd(b.Cents)},
				Parts: []reconcile.Part{part("S1", "visa", b.Cents/3), part("S1", "mastercard", b.Cents-b.Cents/3)}})
		}
		for account, lines := range w.Lines {
			for _, l := range lines {
				f.Lines = append(f.Lines, reconcile.Line{Key: l.Key, Account: account, Booked: retail.BusinessDate(l.Day), Amount: usd(l.Cents), Text: l.Text})
				f.Today = max(f.Today, retail.BusinessDate(l.Day))
			}
		}
		d := decide(t, f)
		booked, cleared := map[string]int64{}, int64(0)
		for i, v := range d.Vouchers {
			s := sums(t, v)
			for a, m := range s {
				if role, _ := a.Split(); role == ledger.Bank {
					booked[d.Vouchers[i].Series] += m.Minor
				}
				if role, _ := a.Split(); role == ledger.Tender {
					cleared -= m.Minor
				}
			}
		}
		paid, lines, gross := map[string]bool{}, map[string]bool{}, int64(0)
		amounts := map[string]int64{}
		for i := range f.Batches {
			amounts[f.Batches[i].ID] = f.Batches[i].Amount.Minor
		}
		for _, u := range d.Used {
			for _, b := range u.Batches {
				if paid[b] {
					t.Fatalf("batch %s is paid twice", b)
				}
				paid[b] = true
				gross += amounts[b]
			}
			for _, l := range u.Lines {
				if lines[l] {
					t.Fatalf("line %s is booked twice", l)
				}
				lines[l] = true
			}
		}
		if cleared != gross {
			t.Errorf("seed %d: clearing shows %d, batches come to %d", seed, cleared, gross)
		}
		t.Logf("seed %d: %d vouchers, %d of %d lines, %d of %d batches, %d cases", seed, len(d.Vouchers), len(lines), len(f.Lines), len(paid), len(f.Batches), len(d.Cases))
		if len(lines)*100 < len(f.Lines)*95 {
			t.Errorf("seed %d: %d of %d lines are booked", seed, len(lines), len(f.Lines))
		}
		for _, u := range d.Used {
			for i := range f.Lines {
				for _, k := range u.Lines {
					if f.Lines[i].Key == k {
						f.Lines[i].Voucher = u.Series
					}
				}
			}
			for i := range f.Batches {
				for _, b := range u.Batches {
					if f.Batches[i].ID == b {
						f.Batches[i].Voucher = u.Series
					}
				}
			}
		}
		if again := decide(t, f); len(again.Vouchers) != 0 {
			t.Errorf("seed %d: %d more vouchers of the same facts: %+v", seed, len(again.Vouchers), again.Vouchers[0])
		}
	}
}

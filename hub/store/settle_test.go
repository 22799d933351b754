package store_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// putClosed stores a closed batch with its payments by brand.
func putClosed(t *testing.T, s *store.Store, id string, closed time.Time, brands map[string]int64) {
	t.Helper()
	b := retail.Batch{Key: retail.Key{System: "gateway", Record: "batch", ID: id}, Merchant: "92", Location: "S1", State: retail.BatchClosed, Opened: closed.Add(-8 * time.Hour), Closed: closed, Total: money.Of(0, "USD")}
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		for brand, n := range brands {
			b.Total.Minor += n
			b.Count++
			p := retail.Payment{Key: retail.Key{System: "gateway", Record: "payment", ID: id + brand}, Location: "S1", State: retail.PaymentClosed, Brand: brand, Amount: money.Of(n, "USD"), Batch: id}
			body, _ := json.Marshal(p)
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO payment (key, location, day, at, state, currency, amount, batch, revision, body) VALUES (?, 'S1', '', 0, 'closed', 'USD', ?, ?, 1, ?)`, p.Key.String(), n, id, string(body)); err != nil {
				return err
			}
		}
		body, _ := json.Marshal(b)
		_, err := tx.ExecContext(t.Context(), `INSERT INTO batch (key, number, location, opened, state, revision, body) VALUES (?, ?, 'S1', ?, 'closed', 1, ?)`, b.Key.String(), id, b.Opened.UnixMicro(), string(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func putLines(t *testing.T, s *store.Store, name string, ls ...bank.Line) {
	t.Helper()
	if _, _, err := s.PutBankFile(t.Context(), name, bank.File{Format: "csv", Statements: []bank.Statement{{Account: "0001", Currency: "USD", Lines: ls}}}, "anna"); err != nil {
		t.Fatal(err)
	}
}

// A batch whose cards the processor paid and whose Amex comes days later is booked in two vouchers, each once; asking again adds none.
func TestABatchIsSettledPayerByPayerAndOnce(t *testing.T) {
	s := openIn(t, t.TempDir())
	f := reconcile.Facts{Banking: reconcile.Banking, Today: "2026-11-20", Accounts: []reconcile.Account{{Number: "0001", Name: "main"}},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", MostFee: 350, Lag: 1}, Sites: []string{"92"}, Location: "S1", OwnAmex: true}}}
	putClosed(t, s, "41", time.Date(2026, 11, 17, 23, 0, 0, 0, time.UTC), map[string]int64{"Visa": 20000, "Amex": 10000})
	text := "HRTLAND PMT SYS TXNS/FEES 650000011"
	putLines(t, s, "a.csv", bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-18", Amount: money.Of(20000, "USD"), Text: text})
	run := func(want int) {
		t.Helper()
		if made, err := s.Reconcile(t.Context(), f, reconcile.Decide); err != nil || made != want {
			t.Fatalf("%d vouchers, want %d: %v", made, want, err)
		}
	}
	run(1)
	run(0)
	putLines(t, s, "b.csv", bank.Line{Key: "l2", Account: "0001", Booked: "2026-11-19", Amount: money.Of(9711, "USD"), Text: "AMERICAN EXPRESS SETTLEMENT 650000011"},
		bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-18", Amount: money.Of(20000, "USD"), Text: text})
	run(1)
	run(0)
	vs, err := s.Vouchers(t.Context(), view.VoucherFilter{})
	if err != nil || len(vs) != 2 {
		t.Fatalf("%+v %v", vs, err)
	}
	for a, n := range map[ledger.Account]int64{"bank:main": 9711, "charge:amex": 289, "tender:amex": -10000} {
		if got := vs[0].Totals[a].Minor; got != n {
			t.Errorf("%s is %d, want %d", a, got, n)
		}
	}
	if ls, err := s.BankLines(t.Context(), view.BankFilter{Open: true}); err != nil || len(ls) != 0 {
		t.Errorf("%+v %v", ls, err)
	}
}

// A deposit that pays a day of the old way is not posted by itself, and one that pays days of both is a person's word.
func TestADepositOfTheOldWaysDaysWaits(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.ok(g.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Shadow: "2026-11-20"}, "anna"))
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.Tender, Code: "*", Target: mapping.Target{Account: "102"}}, {Role: ledger.Bank, Code: "*", Target: mapping.Target{Account: "103"}}}, "test", ""))
	f := reconcile.Facts{Banking: reconcile.Banking, Today: "2026-11-21", Accounts: []reconcile.Account{{Number: "0001", Name: "main"}},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", MostFee: 350, Lag: 1}, Sites: []string{"92"}, Location: "S1"}}}
	putClosed(t, g.Store, "41", time.Date(2026, 11, 19, 20, 0, 0, 0, time.UTC), map[string]int64{"Visa": 20000})
	paid := func(at string) {
		t.Helper()
		when, err := time.Parse(time.RFC3339, at)
		g.ok(err)
		g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE payment SET at = ? WHERE batch = '41'`, when.UnixMicro())
			return err
		}))
	}
	paid("2026-11-19T12:00:00Z")
	putLines(t, g.Store, "a.csv", bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-20", Amount: money.Of(20000, "USD"), Text: "HRTLAND PMT SYS TXNS/FEES 650000011"})
	if made, err := g.Reconcile(t.Context(), f, reconcile.Decide); err != nil || made != 1 {
		t.Fatalf("%d vouchers: %v", made, err)
	}
	v := func() view.VoucherView {
		t.Helper()
		g.later(time.Minute)
		vs, err := g.Vouchers(t.Context(), view.VoucherFilter{})
		if g.ok(err); len(vs) != 1 {
			t.Fatalf("%+v", vs)
		}
		return vs[0]
	}
	if got := v(); got.State != roll.Shadow || !strings.Contains(got.Why, "2026-11-19") {
		t.Fatalf("a deposit of a day of the old way is %q: %s", got.State, got.Why)
	}

	// The batch turns out to hold takings of both.
	g.ok(g.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO payment (key, location, day, at, state, currency, amount, batch, revision, body) VALUES ('late', 'S1', '', ?, 'closed', 'USD', 1, '41', 1, '{}')`,
			time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMicro())
		return err
	}))
	g.ok(g.Rejudge(t.Context()))
	if got := v(); got.State != roll.Waiting || !strings.Contains(got.Why, "a person decides") {
		t.Fatalf("a deposit of both is %q: %s", got.State, got.Why)
	}
	cs, err := g.Cases(t.Context(), false)
	g.ok(err)
	at := slices.IndexFunc(cs, func(c cases.Case) bool { return c.Cause == cases.ShadowDeposit })
	if at < 0 || cs[at].Amount != money.Of(20000, "USD") {
		t.Fatalf("the cases are %+v", cs)
	}
	if err := g.Act(t.Context(), cs[at].ID, view.Act{What: "approve", Who: "anna"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("approved without a reason: %v", err)
	}
	g.ok(g.Act(t.Context(), cs[at].ID, view.Act{What: "approve", Who: "anna", Reason: "the old way leaves card money to us"}))
	if got := v(); got.State != roll.Posting {
		t.Errorf("after a person's word it is %q: %s", got.State, got.Why)
	}
}

// A deposit of a day that was in shadow goes by itself when the location is posted from that day on.
func TestADepositGoesWhenItsDaysDo(t *testing.T) {
	g := newRig(t, t.TempDir())
	form := view.LocationForm{Code: "S1", Name: "One", Zone: "UTC", Cutoff: "00:00", Currency: "USD", Shadow: "2026-11-20"}
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	f := reconcile.Facts{Banking: reconcile.Banking, Today: "2026-11-21", Accounts: []reconcile.Account{{Number: "0001", Name: "main"}},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", MostFee: 350, Lag: 1}, Sites: []string{"92"}, Location: "S1"}}}
	putClosed(t, g.Store, "41", time.Date(2026, 11, 19, 20, 0, 0, 0, time.UTC), map[string]int64{"Visa": 20000}) // its payments' times are not known: the day it was closed counts
	putLines(t, g.Store, "a.csv", bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-20", Amount: money.Of(20000, "USD"), Text: "HRTLAND PMT SYS TXNS/FEES 650000011"})
	_, err := g.Reconcile(t.Context(), f, reconcile.Decide)
	g.ok(err)
	state := func() string {
		t.Helper()
		g.later(time.Minute)
		vs, err := g.Vouchers(t.Context(), view.VoucherFilter{})
		if g.ok(err); len(vs) != 1 {
			t.Fatalf("%+v", vs)
		}
		return vs[0].State
	}
	if got := state(); got != roll.Shadow {
		t.Fatalf("it is %q", got)
	}
	form.Shadow = "2026-11-19"
	g.ok(g.PutLocation(t.Context(), form, "anna"))
	if got := state(); got != roll.Posting {
		t.Errorf("its day is posted from here now, and the deposit is %q", got)
	}
}

// What no deposit pays is one question per day, and closes by itself when the bank's file comes.
func TestAMissingDepositIsOneCase(t *testing.T) {
	s := openIn(t, t.TempDir())
	f := reconcile.Facts{Banking: reconcile.Banking, Today: "2026-11-25", Accounts: []reconcile.Account{{Number: "0001", Name: "main"}},
		Merchants: []reconcile.Merchant{{Terms: settle.Terms{Merchant: "650000011", Account: "0001", MostFee: 350, Lag: 1}, Sites: []string{"92"}, Location: "S1"}}}
	at := time.Date(2026, 11, 16, 23, 0, 0, 0, time.UTC)
	putClosed(t, s, "41", at, map[string]int64{"Visa": 20000})
	putClosed(t, s, "42", at, map[string]int64{"Visa": 3000})
	open := func() (n int) {
		t.Helper()
		if _, err := s.Reconcile(t.Context(), f, reconcile.Decide); err != nil {
			t.Fatal(err)
		}
		all, err := s.Cases(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Cause == cases.DepositMissing && c.Amount == money.Of(23000, "USD") {
				n++
			}
		}
		return n
	}
	if n := open(); n != 1 {
		t.Fatalf("%d cases", n)
	}
	putLines(t, s, "a.csv", bank.Line{Key: "l1", Account: "0001", Booked: "2026-11-17", Amount: money.Of(23000, "USD"), Text: "HRTLAND PMT SYS TXNS/FEES 650000011"})
	if n := open(); n != 0 {
		t.Errorf("%d cases stay open", n)
	}
}

// What a gift card paid stands where the cards sold stand: nobody pays it out, and it is not open.
func TestAGiftCardIsNotPaidOut(t *testing.T) {
	g := newRig(t, t.TempDir())
	g.place()
	g.ok(g.ConfirmTill(t.Context(), "S1", "T1", "anna"))
	g.ok(g.SetRules(t.Context(), []mapping.Rule{{Role: ledger.GiftCard, Target: mapping.Target{Account: "251"}}, {Role: ledger.Tender, Code: "gift_card", Target: mapping.Target{Account: "251"}}}, "test", ""))
	g.clock = time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC)
	g.sell("1", "2026-11-20T18:00:00Z")
	g.sell("2", "2026-11-20T19:00:00Z", `"cash"`, `"gift_card"`)
	g.later(48 * time.Hour)
	g.book()
	open, err := g.Clearings(t.Context(), "2026-11-22", func(retail.BusinessDate) bool { return true })
	if g.ok(err); len(open) != 1 || open[0].Measure != "tender:cash" {
		t.Errorf("open are %+v", open)
	}
}

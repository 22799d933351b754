package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/bank"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/reconcile"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// A store sees the bank lines of its own takings and nothing of others': not a line, and not the amount of one that it shares.
func TestAStoreSeesItsOwnBankLines(t *testing.T) {
	w := newSite(t)
	line := func(key string, minor int64, text string) bank.Line {
		return bank.Line{Key: key, Account: "0001", Booked: retail.DateOf(time.Now()), Amount: money.Of(minor, "USD"), Text: text}
	}
	lines := []bank.Line{line("l1", 111_11, "TAKINGS OF S1"), line("l2", 222_22, "TAKINGS OF S2"), line("l3", 333_33, "TAKINGS OF BOTH"), line("l4", 444_44, "RENT"), line("l5", 555_55, "OPEN FOR S2")}
	if _, _, err := w.PutBankFile(t.Context(), "a.csv", bank.File{Format: "csv", Statements: []bank.Statement{{Account: "0001", Currency: "USD", Lines: lines}}}, "anna"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Reconcile(t.Context(), reconcile.Facts{Today: retail.DateOf(time.Now())}, func(f reconcile.Facts) (dec reconcile.Decision, err error) {
		put := func(series, key string, minor int64, where ...retail.LocationCode) {
			for _, l := range where {
				ps, perr := ledger.BankCash("main", money.Of(minor, "USD"), money.Of(minor, "USD"))
				if perr != nil {
					t.Fatal(perr)
				}
				dec.Vouchers = append(dec.Vouchers, ledger.Voucher{Series: series, Kind: ledger.BagVoucher, Location: l, Day: f.Today, Currency: "USD", Postings: ps, Text: "cash"})
			}
			dec.Used = append(dec.Used, reconcile.Used{Series: series, Lines: []string{key}})
		}
		put("bag-1", "l1", 111_11, "S1")
		put("bag-2", "l2", 222_22, "S2")
		put("bag-3", "l3", 166_66, "S1", "S2")
		return dec, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for who, shows := range map[string]map[string]bool{
		"store": {"TAKINGS OF S2": true, "222.22": true, "TAKINGS OF BOTH": true, "your part stands below": true, "166.66": true, "OPEN FOR S2": true,
			"TAKINGS OF S1": false, "111.11": false, "333.33": false, "RENT": false, "444.44": false},
		"ann": {"RENT": true, "444.44": true, "OPEN FOR S2": true, "TAKINGS OF BOTH": false},
	} {
		w.signIn(t, who, "correct horse 9")
		_, page := w.get(t, "/settlement")
		for words, want := range shows {
			if strings.Contains(page, words) != want {
				t.Errorf("%s: the page shows %q %v, want %v", who, words, !want, want)
			}
		}
		if _, page := w.get(t, "/settlement?location=S1"); who == "store" && strings.Contains(page, "TAKINGS") {
			t.Error("a store sees another's lines when it asks for that location")
		}
	}
}

// BankLines gives an open line to the store that its text names, as the hub does by merchant ids.
func (c clearings) BankLines(ctx context.Context, f view.BankFilter) ([]view.BankLine, error) {
	f.Place = func(l view.BankLine) (retail.LocationCode, bool) { return "S2", strings.HasSuffix(l.Text, "FOR S2") }
	return c.Store.BankLines(ctx, f)
}

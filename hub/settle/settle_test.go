package settle_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/settle"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/bank"
)

func usd(n int64) money.Amount { return money.Of(n, "USD") }

// ask gives a world's statement and batches to the matcher, as the hub would know them.
func ask(t *testing.T, w *bank.World) (settle.Result, map[string]settle.Reading) {
	t.Helper()
	var terms []settle.Terms
	for _, m := range w.Merchants {
		terms = append(terms, settle.Terms{Merchant: m.ID, Account: m.Account, Net: m.Net, MostFee: 350, Lag: 1})
	}
	var bs []settle.Batch
	for _, b := range w.Batches {
		bs = append(bs, settle.Batch{ID: b.ID, Merchant: b.Merchant, Funds: settle.Funds(b.Payer), Closed: retail.BusinessDate(b.Day), Amount: usd(b.Cents)})
	}
	var ds []settle.Deposit
	read := map[string]settle.Reading{}
	for account, lines := range w.Lines {
		for _, l := range lines {
			r := settle.Classify(l.Text, l.Cents > 0, terms)
			read[l.Key] = r
			if r.Kind == settle.Takings || r.Kind == settle.Fees { // a batch with more refunds than sales is debited
				ds = append(ds, settle.Deposit{Key: l.Key, Account: account, Merchant: r.Merchant, Funds: r.Funds, Booked: retail.BusinessDate(l.Day), Amount: usd(l.Cents)})
			}
		}
	}
	r, err := settle.Pair(bs, ds, terms, func(d retail.BusinessDate) bool { return bank.Open(string(d)) })
	if err != nil {
		t.Fatal(err)
	}
	return r, read
}

// score holds the answer against the truth, payment by payment. A payment is right when its batch is matched to exactly the lines that
// paid it, or is open and was never paid.
func score(t *testing.T, w *bank.World, r settle.Result) (right, wrong, open int) {
	t.Helper()
	paidBy := map[string][]string{}
	for line, batches := range w.Paid {
		for _, b := range batches {
			paidBy[b] = append(paidBy[b], line)
		}
	}
	got := map[string][]string{}
	for _, m := range r.Matches {
		for _, b := range m.Batches {
			if got[b] != nil {
				t.Fatalf("batch %s stands in two matches", b)
			}
			got[b] = m.Deposits
		}
	}
	for _, p := range w.Payments {
		want, have := paidBy[p.Batch], got[p.Batch]
		slices.Sort(want)
		have = slices.Sorted(slices.Values(have))
		switch {
		case slices.Equal(want, have):
			right++
		case len(have) == 0:
			open++
		default:
			t.Logf("   wrong: payment %s of batch %s: truth %v, said %v", p.ID, p.Batch, want, have)
			wrong++
		}
	}
	return right, wrong, open
}

func TestDepositsFindTheirBatches(t *testing.T) {
	for _, netting := range []bool{false, true} {
		t.Run(fmt.Sprintf("netting=%v", netting), func(t *testing.T) {
			sum, all := 0, 0
			for seed := range uint64(5) {
				w := bank.New(bank.Options{Seed: seed, Deposits: 500, Netting: netting})
				r, read := ask(t, w)
				right, wrong, open := score(t, w, r)
				t.Logf("seed %d: %d payments, %d batches, %v; %d matches; right %d, wrong %d, open %d", seed, len(w.Payments), len(w.Batches), w.Noise, len(r.Matches), right, wrong, open)
				if os.Getenv("SETTLE_WHY") != "" {
					why(t, w, r)
				}
				if wrong > 0 {
					t.Errorf("seed %d: %d payments stand at a wrong deposit", seed, wrong)
				}
				sum, all = sum+right, all+len(w.Payments)
				for line := range w.Backs {
					if read[line].Kind != settle.Chargeback {
						t.Errorf("chargeback %s was read as %+v", line, read[line])
					}
				}
			}
			t.Logf("matched rightly: %d of %d payments, %d.%02d %%", sum, all, sum*100/all, sum*10_000/all%100)
			if sum*1000 < all*995 {
				t.Errorf("%d of %d payments are matched, wanted 99.5 %%", sum, all)
			}
		})
	}
}

// why tells of each open batch what is true of it.
func why(t *testing.T, w *bank.World, r settle.Result) {
	lines := map[string]bank.Line{}
	for _, ls := range w.Lines {
		for _, l := range ls {
			lines[l.Key] = l
		}
	}
	for _, o := range r.Open {
		if o.Batch == "" || w.Lost[o.Batch] {
			continue
		}
		text := ""
		for line, bs := range w.Paid {
			if slices.Contains(bs, o.Batch) {
				text += fmt.Sprintf(" [%s %d pays %v]", lines[line].Day, lines[line].Cents, bs)
			}
		}
		t.Logf("   open %s %s %s: %s; truth%s", o.Batch, o.Day, o.Amount, o.Why, text)
	}
}

// Payments of which the gateway did not tell the batch find it by what the batch lacks.
func TestPaymentsFindTheirBatch(t *testing.T) {
	for seed := range uint64(5) {
		w := bank.New(bank.Options{Seed: seed, Deposits: 500})
		var closes []settle.Close
		for _, b := range w.Batches {
			day, _ := time.Parse(time.DateOnly, b.Day)
			closes = append(closes, settle.Close{Batch: settle.Batch{ID: b.ID, Merchant: b.Merchant, Funds: settle.Funds(b.Payer), Amount: usd(b.Cents)}, Since: day, At: day.AddDate(0, 0, 1), Count: b.Count})
		}
		own := map[string]bool{}
		for _, m := range w.Merchants {
			own[m.ID] = m.OwnAmex
		}
		truth, unknown := map[string]string{}, 0
		var ps []settle.Payment
		for _, p := range w.Payments {
			truth[p.ID] = p.Batch
			q := settle.Payment{ID: p.ID, Batch: p.Batch, Merchant: p.Merchant, Funds: settle.Cards, At: p.At, Amount: usd(p.Cents)}
			if p.Brand == "amex" && own[p.Merchant] {
				q.Funds = settle.Amex
			}
			if !p.Known {
				q.Batch = ""
				unknown++
			}
			ps = append(ps, q)
		}
		found := settle.Compose(closes, ps)
		for p, b := range found {
			if truth[p] != b {
				t.Errorf("seed %d: payment %s is of %s, not of %s", seed, p, truth[p], b)
			}
		}
		if len(found)*1000 < unknown*995 {
			t.Errorf("seed %d: %d of %d payments found their batch", seed, len(found), unknown)
		}
	}
}

// What real statements print, each read for what it is.
func TestDescriptors(t *testing.T) {
	terms := []settle.Terms{{Merchant: "650000010000019"}, {Merchant: "650000020000038"}}
	for text, want := range map[string]settle.Reading{
		"HRTLAND PMT SYS TXNS/FEES 650000010000019 CAFE": {Kind: settle.Takings, Funds: settle.Cards, Merchant: "650000010000019"},
		"HRTI-AND PMT SYS/TXNS":                          {Kind: settle.Takings, Funds: settle.Cards},
		"BANKCARD MTOT DEP 0020000038":                   {Kind: settle.Takings, Funds: settle.Cards, Merchant: "650000020000038"},
		"AMERICAN EXPRESS SETTLEMENT":                    {Kind: settle.Takings, Funds: settle.Amex},
		"HEARTLAND TIRE AND AUTO":                        {},
		"RENT MAIN ST LLC 1234567890":                    {},
	} {
		if got := settle.Classify(text, true, terms); got != want {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
	}
	if got := settle.Classify("HRTLAND PMT SYS TXNS/FEES", false, terms); got.Kind != settle.Fees {
		t.Errorf("a debit is no takings: %+v", got)
	}
	dir := os.Getenv("TILLPOST_DATA")
	if dir == "" {
		t.Skip("TILLPOST_DATA is not set: no collected descriptors")
	}
	f, err := os.Open(filepath.Join(dir, "bank_files", "merchant_deposit_descriptors.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 20 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		if got := settle.Classify(row[0], true, terms); got.Kind != settle.Takings && !strings.HasPrefix(row[0], "PREAUTHORIZED") { // which says nothing of cards
			t.Errorf("%q is a card processor's, read as %+v", row[0], got)
		}
	}
}

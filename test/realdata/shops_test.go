package realdata

import (
	"math/big"
	"testing"

	"github.com/tillpost/tillpost/hub/ledger"
)

func TestSupermarket(t *testing.T) {
	path := data(t, "supermarket_3branches", "supermarket_sales.csv")
	b, rep := take(t, path, "supermarket")
	own := reckon(t, path, func(cell func(string) string) (string, *big.Rat, bool) {
		return cell("Branch") + cell("Invoice ID"), rat(t, cell("Total")), true
	})
	compare(t, b, rep, own)
	same(t, "the known total", rep.Source, rat(t, "322966.749"))
	for tender, n := range map[string]int{"ewallet": 345, "cash": 344, "credit_card": 311} {
		got := 0
		for _, e := range b.entries {
			for _, p := range e.Postings {
				if p.Debit == ledger.Of(ledger.Tender, tender) {
					got++
				}
			}
		}
		if got != n {
			t.Errorf("%d tickets paid by %s, want %d", got, tender, n)
		}
	}
}

func TestOnlineRetail(t *testing.T) {
	path := data(t, "online_retail", "online_retail.csv.gz")
	b, rep := take(t, path, "online-retail")
	own := reckon(t, path, func(cell func(string) string) (string, *big.Rat, bool) {
		worth := new(big.Rat).Mul(rat(t, cell("Quantity")), rat(t, cell("UnitPrice")))
		return cell("InvoiceNo"), worth, cell("StockCode") != "B" // bad debts are no sales: a person books them
	})
	compare(t, b, rep, own)
	if own.rows != 541_909 || rep.Cases != 3 {
		t.Errorf("%d rows, %d left for a person; want 541,909 and the three bad debts", own.rows, rep.Cases)
	}
}

func TestCompleteJourney(t *testing.T) {
	path := data(t, "completejourney", "transactions_sample.csv.gz")
	b, rep := take(t, path, "completejourney")
	own := reckon(t, path, func(cell func(string) string) (string, *big.Rat, bool) {
		return cell("store_id") + "/" + cell("basket_id"), rat(t, cell("sales_value")), true
	})
	compare(t, b, rep, own)
	same(t, "the known total", rep.Source, rat(t, "233935.24"))
	locations := map[string]bool{}
	for _, e := range b.entries {
		locations[string(e.Location)] = true
	}
	if len(locations) != 293 {
		t.Errorf("%d stores, want 293", len(locations))
	}
	for _, code := range []string{"retail", "coupon", "coupon match"} {
		if b.totals[ledger.Of(ledger.Discount, code)] <= 0 {
			t.Errorf("no discount %q was booked", code)
		}
	}
}

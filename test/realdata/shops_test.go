package realdata

import (
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	t.Run("binaries", func(t *testing.T) {
		through(t, shop{profile: "supermarket", path: path, zone: "Asia/Yangon", locations: places(b), cents: own.cents()})
	})
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
	t.Run("binaries", func(t *testing.T) {
		through(t, shop{profile: "online-retail", path: path, zone: "Europe/London", locations: places(b), cents: own.cents(), cases: 3})
	})
}

func TestCompleteJourney(t *testing.T) {
	path := data(t, "completejourney", "transactions_sample.csv.gz")
	b, rep := take(t, path, "completejourney")
	worth := func(cell func(string) string) (string, *big.Rat, bool) {
		return cell("store_id") + "/" + cell("basket_id"), rat(t, cell("sales_value")), true
	}
	own := reckon(t, path, worth)
	compare(t, b, rep, own)
	same(t, "the known total", rep.Source, rat(t, "233935.24"))
	if n := len(places(b)); n != 293 {
		t.Errorf("%d stores, want 293", n)
	}
	t.Run("binaries", func(t *testing.T) {
		part, locations := path, places(b)
		if os.Getenv("TILLPOST_WHOLE") == "" { // some 35,000 store-days: the first few thousand rows unless it is asked for
			part = first(t, path, 4000)
			own = reckon(t, part, worth)
		}
		through(t, shop{profile: "completejourney", path: part, zone: "UTC", locations: locations, cents: own.cents()})
	})
	for _, code := range []string{"retail", "coupon", "coupon match"} {
		if b.totals[ledger.Of(ledger.Discount, code)] <= 0 {
			t.Errorf("no discount %q was booked", code)
		}
	}
}

// places lists the locations of the entries.
func places(b *books) []string {
	seen := map[string]bool{}
	for _, e := range b.entries {
		seen[string(e.Location)] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// first writes the first rows of a file.
func first(t *testing.T, path string, rows int) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(out, []byte(strings.Join(strings.SplitAfterN(string(body), "\n", rows+2)[:rows+1], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

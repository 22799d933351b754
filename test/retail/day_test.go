package retail_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/retail"
)

// The figure of `make bench`: a whole day of a tenant of 200 stores with 800 tickets each, night and look back included, on virtual time.
// What a look back over 35 days costs is counted from what one day's ids cost: 5.6 million tickets do not fit into a fake.
func TestABigTenantsDay(t *testing.T) {
	if os.Getenv("TILLPOST_BENCH") == "" {
		t.Skip("a minute of computing; make bench runs it")
	}
	for _, cap := range []int{5000, 1000} {
		synctest.Test(t, func(t *testing.T) {
			l := retail.Load{Locations: 200, PerDay: 800, Seed: 5}
			r := newRig(t, l.Places())
			at("2026-11-20T10:00:00Z")
			r.Retail.Set(func(x *heartland.Trouble) { x.PerSecond, x.PageCap = 4, cap })
			r.Start(t.Context(), r.Options(t.TempDir()))
			time.Sleep(30 * time.Minute)
			before := r.Retail.Count()
			n := l.Sell(t.Context(), r.Retail, 24*time.Hour)
			after := r.Retail.Count()
			time.Sleep(time.Hour)
			r.Stop()
			asked := after.Requests - before.Requests
			// A night compares today and three days before, and a fifth of the other 32: 10.4 days; one of them is in the count already.
			night := 94 * (n/cap + 1) / 10
			t.Logf("pages of %d ids: %d tickets, %d requests in the day = %.1f for 1,000 tickets; with a look back over 35 full days %.1f (wanted: at most 60)", cap, n, asked, per(asked, n), per(asked+night, n))
			t.Logf("delay from completion to the ledger: p50 %s, p95 %s (wanted: at most 15 s), most %s", retail.Percentile(r.Books.Late, 50), retail.Percentile(r.Books.Late, 95), retail.Percentile(r.Books.Late, 100))
			t.Logf("busiest second: never more than 4 requests (%d turned away), %d beside another; %v", after.Throttled, after.Parallel, after.ByPath)
			lost, doubled := 0, 0
			if good, wrong := l.Check(r.Retail, r.Books, "2026-11-20", "2026-11-21"); len(wrong) > 0 {
				lost = 400 - good
				t.Errorf("%d of 400 store-days differ, the first: %s", lost, wrong[0])
			}
			if len(r.Books.Refused) > 0 {
				t.Errorf("refused: %s", r.Books.Refused[0])
			}
			t.Logf("lost %d, doubled %d; %d entries", lost, doubled, r.Books.Entries)
		})
	}
}

func per(requests, tickets int) float64 { return float64(requests) * 1000 / float64(tickets) }

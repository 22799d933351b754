package retail_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/retail"
)

// A tenant of 200 stores at its busiest hour: what is sold is in the books within 15 s (p95), with one request at a time and fewer than four
// a second, and its cost in requests stays within its budget. Time is virtual: what is measured is the source's own rhythm.
func TestABigTenantsBusiestHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := retail.Load{Locations: 200, PerDay: 800, Seed: 5}
		r := newRig(t, l.Places())
		at("2026-11-20T17:00:00Z")
		r.Retail.Set(func(x *heartland.Trouble) { x.PerSecond = 4 })
		r.Start(t.Context(), r.Options(t.TempDir()))
		time.Sleep(2 * time.Minute)
		before := r.Retail.Count().Requests
		n := l.Sell(t.Context(), r.Retail, time.Hour)
		asked := r.Retail.Count().Requests - before
		time.Sleep(30 * time.Minute)
		r.Stop()
		p95 := retail.Percentile(r.Books.Late, 95)
		per := asked * 1000 / n
		t.Logf("%d tickets, %d requests, %d for 1,000 tickets; p50 %s, p95 %s, most %s", n, asked, per, retail.Percentile(r.Books.Late, 50), p95, retail.Percentile(r.Books.Late, 100))
		if p95 > 15*time.Second || per > 60 {
			t.Errorf("p95 is %s, and 1,000 tickets cost %d requests", p95, per)
		}
		if c := r.Retail.Count(); c.Throttled > 0 || c.Parallel > 0 {
			t.Errorf("throttled %d times, %d requests beside another", c.Throttled, c.Parallel)
		}
		if good, wrong := l.Check(r.Retail, r.Books, "2026-11-20"); len(wrong) > 0 {
			t.Errorf("%d stores agree; %v", good, wrong)
		}
		if len(r.Books.Refused) > 0 {
			t.Errorf("refused: %s", r.Books.Refused[0])
		}
	})
}

// A week without the agent is caught up by itself; then nothing is new: not when the agent forgets all that it knew and reads everything
// again in its nightly look back.
func TestAWeeksOutageAndALostMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := retail.Load{Locations: 12, PerDay: 60, Seed: 9}
		r := newRig(t, l.Places())
		at("2026-11-02T14:00:00Z")
		r.Retail.Set(func(x *heartland.Trouble) { x.WideRows = 2500 })
		o := r.Options(t.TempDir())
		r.Start(t.Context(), o)
		days := []string{"2026-11-02"}
		l.Sell(t.Context(), r.Retail, 4*time.Hour)
		time.Sleep(10 * time.Minute)
		r.Stop()
		for d := 3; d <= 10; d++ {
			days = append(days, time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		}
		l.Sell(t.Context(), r.Retail, 7*24*time.Hour)
		r.Start(t.Context(), o)
		l.Sell(t.Context(), r.Retail, 3*time.Hour)
		time.Sleep(30 * time.Minute)
		if good, wrong := l.Check(r.Retail, r.Books, days...); len(wrong) > 0 {
			c, _ := r.Books.Cursor(t.Context(), r.Source.Name())
			r.Stop()
			t.Fatalf("after the outage %d store-days agree; %v; cursor %s; trouble %v", good, wrong[0], c, r.Fails)
		}
		time.Sleep(26 * time.Hour)
		r.Stop()
		entries, drafts := r.Books.Entries, r.Books.Drafts
		if err := os.Remove(filepath.Join(o.Dir, "retail-acme.db")); err != nil {
			t.Fatal(err)
		}
		r.Start(t.Context(), o)
		time.Sleep(6 * 24 * time.Hour) // every day's turn in the look back comes within five nights
		r.Stop()
		if r.Books.Entries != entries {
			t.Errorf("%d entries before, %d after everything was read again", entries, r.Books.Entries)
		}
		if n := r.Books.Drafts - drafts; n < entries/2 {
			t.Errorf("only %d records were read again of %d: the test proves nothing", n, entries)
		}
		if good, wrong := l.Check(r.Retail, r.Books, days...); len(wrong) > 0 {
			t.Errorf("%d store-days agree; %v", good, wrong)
		}
		t.Logf("%d entries, %d records read again, %d requests", entries, r.Books.Drafts-drafts, r.Retail.Count().Requests)
	})
}

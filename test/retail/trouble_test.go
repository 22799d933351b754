package retail_test

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/shared/breaker"
	shared "github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/retail"
)

// A revoked token stops the connection for good: not one request more. Another token in its file lets it go on, and nothing was lost.
func TestARevokedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		var token atomic.Value
		token.Store(retail.Token)
		o := r.Options(t.TempDir())
		o.Token = func() (string, error) { return token.Load().(string), nil }
		dice := rand.New(rand.NewPCG(3, 3))
		r.Start(t.Context(), o)
		sell := func() {
			for range 20 {
				r.Retail.Sell(r.Retail.Quick("S-NY", dice))
				time.Sleep(time.Minute)
			}
		}
		sell()
		token.Store("revoked")
		sell()
		st := r.Source.Status()
		if st.Connection.State != breaker.Refused || st.Connection.Reason == "" {
			t.Errorf("the connection says %+v", st.Connection)
		}
		asked := r.Retail.Count().Requests
		sell()
		if n := r.Retail.Count().Requests - asked; n > 0 {
			t.Errorf("it was asked %d times more after it refused the token", n)
		}
		token.Store(retail.Token)
		r.Source.Breaker().Retry() // as the agent does when the token's file has changed
		sell()
		if st := r.Source.Status(); st.Connection.State != breaker.Closed {
			t.Errorf("with the new token the connection says %+v", st.Connection)
		}
		r.Stop()
		agree(t, r, "2026-11-20")
	})
}

// Rights that are narrowed hide a store without a word. It is noticed, the store is not vouched for meanwhile, and what it sold is read once
// it can be seen again, before it is vouched for.
func TestRightsThatAreNarrowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		o := r.Options(t.TempDir())
		r.Start(t.Context(), o)
		dice := rand.New(rand.NewPCG(4, 4))
		sell := func(n int) {
			for i := range n {
				r.Retail.Sell(r.Retail.Quick(three()[i%3].Code, dice))
				time.Sleep(10 * time.Minute)
			}
		}
		sell(12)
		r.Retail.Set(func(x *heartland.Trouble) { x.Hidden = map[string]bool{"S-CHI": true} })
		sell(30)
		st := r.Source.Status()
		if len(st.Hidden) != 1 || st.Hidden[0] != "S-CHI" {
			t.Errorf("hidden: %v", st.Hidden)
		}
		if age := time.Since(r.Books.Marks["S-CHI"]); age < 4*time.Hour {
			t.Errorf("the hidden store was vouched for %s ago", age)
		}
		if age := time.Since(r.Books.Marks["S-NY"]); age > time.Hour {
			t.Errorf("the others are vouched for %s ago only", age)
		}
		r.Stop() // the agent restarts meanwhile
		r.Retail.Set(func(x *heartland.Trouble) { x.Hidden = nil })
		r.Start(t.Context(), o)
		time.Sleep(3 * time.Hour)
		r.Stop()
		agree(t, r, "2026-11-20", "2026-11-21")
		if age := time.Since(r.Books.Marks["S-CHI"]); age > time.Hour {
			t.Errorf("the store is not vouched for since %s", age)
		}
	})
}

// A token without the right to reporting is told of, by the source and by a doctor; once it has the right, the totals of the days that wait
// come without a restart.
func TestReportingRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		r.Retail.Set(func(x *heartland.Trouble) { x.NoReports = true })
		o := r.Options(t.TempDir())
		r.Start(t.Context(), o)
		time.Sleep(time.Minute)
		r.Retail.Sell(r.Retail.Article("S-NY", "A-1", "Books", 1, 700))
		time.Sleep(23 * time.Hour)
		asked := r.Retail.Count().ByPath["/api/reporting/analyzer"]
		if st := r.Source.Status(); len(st.Lacking) != 1 || !strings.Contains(st.Lacking[0], "reporting rights") || asked > 100 {
			t.Errorf("it says that it lacks %q, and asked %d times", st.Lacking, asked)
		}
		doctor := func(l ...shared.LocationCode) error {
			o := o
			o.Locations = l
			return retailapi.New("acme", o).Check(t.Context())
		}
		if err := doctor(); !breaker.IsRefusal(err) || !strings.Contains(err.Error(), "reporting rights") {
			t.Errorf("a doctor finds %v", err)
		}
		r.Retail.Set(func(x *heartland.Trouble) { x.NoReports = false })
		if err := doctor("S-NY"); err != nil {
			t.Errorf("a doctor finds %v", err)
		}
		if err := doctor("S-NY", "S-17"); !breaker.IsRefusal(err) || !strings.Contains(err.Error(), "may not see S-17") {
			t.Errorf("a doctor finds %v", err)
		}
		time.Sleep(2 * time.Hour)
		if st := r.Source.Status(); len(st.Lacking) > 0 {
			t.Errorf("it lacks %q", st.Lacking)
		}
		r.Stop()
		if c := r.Books.Totals["S-NY 2026-11-20"]; c.Paid.Minor != 700 {
			t.Errorf("the total of the day that waited is %+v", c)
		}
	})
}

// Orders, deposits, invoices and tickets whose ids are the same: each stands for itself, on its own day.
func TestIDsThatCollide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		r.Start(t.Context(), r.Options(t.TempDir()))
		time.Sleep(time.Minute)
		ticket := r.Retail.Sell(r.Retail.Article("S-NY", "KAYAK", "Boats", 1, 50000))
		order := r.Retail.Order(r.Retail.Article("S-NY", "KAYAK", "Boats", 1, 50000))
		r.Retail.Deposit(order, 10000)
		time.Sleep(24 * time.Hour)
		r.Retail.Deposit(order, 5000)
		time.Sleep(24 * time.Hour)
		invoice := r.Retail.Invoice(r.Retail.Article("S-NY", "KAYAK", "Boats", 1, 50000), 15000)
		if ticket != order || order != invoice {
			t.Fatalf("the fake's ids %d %d %d do not collide", ticket, order, invoice)
		}
		time.Sleep(4 * time.Hour)
		r.Stop()
		agree(t, r, "2026-11-20", "2026-11-21", "2026-11-22")
		if n := r.Books.Known(); n != 4 {
			t.Errorf("%d keys, want ticket, invoice and two deposits", n)
		}
		for day, want := range map[string]int64{"2026-11-20": 10000, "2026-11-21": 5000, "2026-11-22": -15000} {
			if got := r.Books.Sums("S-NY", day)["deposit"]; got != want {
				t.Errorf("deposits on %s come to %d, want %d", day, got, want)
			}
		}
	})
}

// Voids and returns days later end in the right correction on the right day.
func TestVoidsAndReturnsDaysLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-18T15:00:00Z")
		r.Start(t.Context(), r.Options(t.TempDir()))
		time.Sleep(time.Minute)
		one := r.Retail.Sell(r.Retail.Article("S-CHI", "LAMP", "Camping", 1, 2999))
		two := r.Retail.Sell(r.Retail.Article("S-CHI", "SOCKS", "Apparel", 2, 1800))
		time.Sleep(6 * 24 * time.Hour)
		r.Retail.Void(one)
		r.Retail.Return(two, false)
		r.Retail.Touch(two) // saved in the back office: a new version of the same content
		time.Sleep(12 * time.Hour)
		r.Stop()
		agree(t, r, "2026-11-18", "2026-11-24")
		if got := r.Books.Sums("S-CHI", "2026-11-18")["item"]; got != 1800 {
			t.Errorf("the day of sale has %d, want 1800 after the void", got)
		}
		if got := r.Books.Sums("S-CHI", "2026-11-24")["item"]; got != -1800 {
			t.Errorf("the day of the return has %d, want −1800", got)
		}
	})
}

// On the days on which clocks change, each ticket stands on the day of its own wall clock.
func TestDaysOnWhichClocksChange(t *testing.T) {
	for _, day := range []string{"2026-03-08", "2026-11-01"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, three())
			at(day + "T00:00:00Z")
			r.Start(t.Context(), r.Options(t.TempDir()))
			dice := rand.New(rand.NewPCG(8, 8))
			for i := range 64 { // every half hour over the change in all zones
				r.Retail.Sell(r.Retail.Quick(three()[i%3].Code, dice))
				time.Sleep(31 * time.Minute)
			}
			time.Sleep(30 * time.Hour)
			r.Stop()
			d, _ := time.Parse(time.DateOnly, day)
			agree(t, r, d.AddDate(0, 0, -1).Format(time.DateOnly), day, d.AddDate(0, 0, 1).Format(time.DateOnly))
			if r.Books.Known() < 64 {
				t.Errorf("%d tickets", r.Books.Known())
			}
			if len(r.Books.Totals) < 6 {
				t.Errorf("%d totals", len(r.Books.Totals))
			}
		})
	}
}

// A full disk loses nothing: what was not stored is read, or handed over, again.
func TestADiskThatIsFullForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		r.Books.Fail = 30 // places and first tickets
		r.Start(t.Context(), r.Options(t.TempDir()))
		dice := rand.New(rand.NewPCG(6, 6))
		for i := range 40 {
			r.Retail.Sell(r.Retail.Quick(three()[i%3].Code, dice))
			time.Sleep(time.Minute)
			if i == 20 {
				r.Books.Fail = 10
			}
		}
		time.Sleep(time.Hour)
		r.Stop()
		agree(t, r, "2026-11-20")
		if r.Books.States < 3+7 {
			t.Errorf("%d records of places, want three locations and seven stations", r.Books.States)
		}
	})
}

// Only the agent that holds the lease asks; two that ask by mistake book nothing twice.
func TestTwoAgentsOfOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T15:00:00Z")
		r.Start(t.Context(), r.Options(t.TempDir()))
		other := &retail.Rig{Retail: r.Retail, Books: r.Books, Log: r.Log}
		o := other.Options(t.TempDir())
		other.Start(t.Context(), o)
		other.Source.Grant(false, "agent-1 reads this account")
		dice := rand.New(rand.NewPCG(7, 7))
		sell := func() {
			for range 30 {
				r.Retail.Sell(r.Retail.Quick("S-LA", dice))
				time.Sleep(time.Minute)
			}
		}
		sell()
		if n := other.Source.Status().Requests; n != 0 {
			t.Errorf("the agent without the lease asked %d times", n)
		}
		other.Source.Grant(true, "")
		sell()
		if n := other.Source.Status().Requests; n == 0 {
			t.Error("with the lease it does not ask")
		}
		r.Stop()
		other.Stop()
		agree(t, r, "2026-11-20")
		if r.Books.Entries != 60 {
			t.Errorf("%d entries of 60 tickets", r.Books.Entries)
		}
	})
}

package retail_test

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/fake/till"
	"github.com/tillpost/tillpost/test/retail"
)

// three are stores in three zones, without tips, which Retail does not have.
func three() (out []heartland.Place) {
	for _, s := range till.Three {
		out = append(out, heartland.Place{Code: s.Code, Name: s.Name, Zone: s.Zone, Stations: s.Tills})
	}
	return out
}

func newRig(t *testing.T, places []heartland.Place) *retail.Rig {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("RETAIL_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return &retail.Rig{Retail: heartland.New(heartland.Options{Token: retail.Token, Places: places}), Books: retail.NewBooks(time.UTC), Log: log}
}

// at moves the virtual clock, which begins in the year 2000, to a day.
func at(when string) {
	to, err := time.Parse(time.RFC3339, when)
	if err != nil {
		panic(err)
	}
	time.Sleep(time.Until(to))
}

func agree(t *testing.T, r *retail.Rig, days ...string) {
	t.Helper()
	for _, day := range days {
		for _, p := range []string{"S-NY", "S-CHI", "S-LA"} {
			if d := retail.Differs(r.Retail, r.Books, p, day); d != "" {
				t.Errorf("%s on %s: %s", p, day, d)
			}
		}
	}
	if len(r.Books.Refused) > 0 {
		t.Errorf("%d refused, the first: %s", len(r.Books.Refused), r.Books.Refused[0])
	}
	if r.Books.Clashes > 0 {
		t.Errorf("%d conflicts", r.Books.Clashes)
	}
}

// A till's day goes through the account into the books to the cent, with the day's totals and marks as proof.
func TestATillsDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-20T05:00:00Z")
		r.Start(t.Context(), r.Options(t.TempDir()))
		day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		var events []till.Event
		for i, s := range till.Three {
			s.Tips = false
			es, _ := till.New(s, uint64(i)).Day(day, 80)
			events = append(events, es...)
		}
		tell(r.Retail, events)
		at("2026-11-21T20:00:00Z")
		r.Stop()
		agree(t, r, "2026-11-20", "2026-11-21")
		for kind, want := range map[envelope.Kind]int{hretail.Location: 3, hretail.Station: 7, hretail.PaymentType: 4, hretail.User: 6, hretail.TaxRule: 1, hretail.Customer: 0} {
			if got := r.Books.Kinds[kind]; got != want {
				t.Errorf("%d records of kind %s, want %d: told once and again when they change", got, kind, want)
			}
		}
		if r.Books.Kinds[hretail.Item] < 10 {
			t.Errorf("%d items", r.Books.Kinds[hretail.Item])
		}
		for _, code := range []string{"S-NY", "S-CHI", "S-LA"} {
			c := r.Books.Totals[code+" 2026-11-20"]
			_, truth := r.Retail.Truth(code, "2026-11-20")
			var tax, paid int64
			for k, v := range truth {
				switch {
				case strings.HasPrefix(k, "tax:"):
					tax += v
				case strings.HasPrefix(k, "tender:"):
					paid += v
				}
			}
			if c.Tax.Minor != tax || c.Paid.Minor != paid || c.Tickets != -1 {
				t.Errorf("%s: the total says %+v, want tax %d and paid %d", code, c, tax, paid)
			}
			if m := r.Books.Marks["S-NY"]; time.Since(m) > time.Hour {
				t.Errorf("%s was read to %s only", code, m)
			}
		}
		if n := r.Retail.Count(); n.Throttled > 0 || n.Parallel > 0 {
			t.Errorf("throttled %d times, %d requests beside another", n.Throttled, n.Parallel)
		}
		t.Logf("%d entries, %d requests, p95 %s", r.Books.Entries, r.Retail.Count().Requests, retail.Percentile(r.Books.Late, 95))
	})
}

// An agent that is set up in the evening, when it is tomorrow in UTC, and told no first day, begins with its stores' own today.
func TestItBeginsWithTheStoresToday(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, three())
		at("2026-11-21T02:00:00Z")
		o := r.Options(t.TempDir())
		o.Zone = ""
		r.Start(t.Context(), o)
		time.Sleep(time.Minute)
		for _, l := range []string{"S-NY", "S-CHI", "S-LA"} {
			r.Retail.Sell(r.Retail.Article(l, "A-1", "Books", 1, 700))
		}
		time.Sleep(time.Hour)
		r.Stop()
		if r.Books.Entries != 3 {
			t.Errorf("%d tickets are booked, want the 3 of this evening", r.Books.Entries)
		}
		agree(t, r, "2026-11-20", "2026-11-21")
	})
}

// tell plays a day's events at their time.
func tell(h *heartland.Retail, events []till.Event) {
	for _, e := range ordered(events) {
		if d := time.Until(e.At); d > 0 {
			time.Sleep(d)
		}
		h.Tell(e)
	}
}

func ordered(events []till.Event) []till.Event {
	out := make([]till.Event, 0, len(events))
	var late []till.Event
	for _, e := range events {
		if e.Late {
			late = append(late, e)
		} else {
			out = append(out, e)
		}
	}
	byTime(out)
	return append(out, late...)
}

// Whatever goes wrong in a day, its end is the truth.
func TestTroubledDays(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*heartland.Trouble)
		midday func(*heartland.Trouble)
	}{
		{"lines do not come with tickets", func(x *heartland.Trouble) { x.NoInclude = true }, nil},
		{"updated_at is refused", func(x *heartland.Trouble) {
			x.Refused = map[string][]string{"/api/sales/tickets": {"updated_at", "source_location_id"}}
		}, nil},
		{"a filter by updated_at has no effect", func(x *heartland.Trouble) { x.Ignored = map[string][]string{"/api/sales/tickets": {"updated_at"}} }, nil},
		{"small pages", func(x *heartland.Trouble) { x.PageCap = 7 }, nil},
		{"groups with an s", func(x *heartland.Trouble) { x.Groups = true }, nil},
		{"rows come late", func(x *heartland.Trouble) { x.Lag = 6 * time.Minute }, nil},
		{"wide windows fail", func(x *heartland.Trouble) { x.WideRows = 90 }, nil},
		{"large answers", func(x *heartland.Trouble) { x.FatRows = 3 }, nil},
		{"the server is nine minutes ahead", func(x *heartland.Trouble) { x.Skew = 9 * time.Minute }, nil},
		{"and nine minutes behind", func(x *heartland.Trouble) { x.Skew = -9 * time.Minute }, nil},
		{"busy for a while", nil, func(x *heartland.Trouble) { x.Busy, x.BusyFor = 5, 40*time.Second }},
		{"down for a while", nil, func(x *heartland.Trouble) { x.Down = 40 }},
		{"no analyzer", func(x *heartland.Trouble) { x.NoReports = true }, nil},
		{"the newer POS", func(x *heartland.Trouble) { x.V2 = true }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, three())
				at("2026-11-20T10:00:00Z")
				if c.before != nil {
					r.Retail.Set(c.before)
				}
				dice := rand.New(rand.NewPCG(1, 2))
				r.Retail.Sell(r.Retail.Quick("S-NY", dice)) // so that the page's shape can be seen
				r.Start(t.Context(), r.Options(t.TempDir()))
				for n := range 240 {
					time.Sleep(time.Duration(100+dice.IntN(100)) * time.Second)
					id := r.Retail.Sell(r.Retail.Quick(three()[n%3].Code, dice))
					switch {
					case n%13 == 5:
						r.Retail.Return(id, n%2 == 0)
					case n%17 == 3:
						time.Sleep(5 * time.Minute)
						r.Retail.Void(id)
					case n%19 == 0:
						r.Retail.Hold(r.Retail.Quick("S-LA", dice))
					case n == 100 && c.midday != nil:
						r.Retail.Set(c.midday)
					}
				}
				time.Sleep(40 * time.Hour) // over the night's look back
				st := r.Source.Status()
				r.Stop()
				agree(t, r, "2026-11-20", "2026-11-21")
				n := r.Retail.Count()
				if n.Parallel > 0 {
					t.Errorf("%d requests beside another", n.Parallel)
				}
				t.Logf("%v", n.ByPath)
				t.Logf("%d requests, p95 %s, p50 %s; %s", n.Requests, retail.Percentile(r.Books.Late, 95), retail.Percentile(r.Books.Late, 50), strings.Join(st.Text(), " | "))
			})
		})
	}
}

func byTime(es []till.Event) {
	for i := 1; i < len(es); i++ {
		for j := i; j > 0 && es[j].At.Before(es[j-1].At); j-- {
			es[j], es[j-1] = es[j-1], es[j]
		}
	}
}

package retail

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tillpost/tillpost/test/fake/heartland"
)

// Load is a tenant that sells.
type Load struct {
	Locations int
	PerDay    int // tickets of each location
	Seed      uint64
}

var zones = []string{"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"}

// Places are the tenant's stores, over four time zones.
func (l Load) Places() (out []heartland.Place) {
	for n := range l.Locations {
		out = append(out, heartland.Place{Code: fmt.Sprintf("S-%03d", n+1), Name: fmt.Sprintf("Store %d", n+1), Zone: zones[n%len(zones)], Stations: 4})
	}
	return out
}

// open is how much is sold in each hour of the wall clock, in percent of the day: shops from eight to eleven at night, most at noon and five.
var open = [24]int{8: 3, 9: 5, 10: 7, 11: 8, 12: 10, 13: 8, 14: 7, 15: 7, 16: 8, 17: 9, 18: 9, 19: 7, 20: 5, 21: 4, 22: 3}

// Sell sells for so long, by the clock of each store, and returns how many tickets. One in 200 is voided within the hour, one in 60 is given
// back.
func (l Load) Sell(ctx context.Context, h *heartland.Retail, d time.Duration) (n int) {
	dice := rand.New(rand.NewPCG(l.Seed, 1))
	places := l.Places()
	at := make([]*time.Location, len(zones))
	for i, z := range zones {
		at[i], _ = time.LoadLocation(z)
	}
	begun := time.Now()
	var old []int64
	for step := time.Second; time.Since(begun) < d && ctx.Err() == nil; time.Sleep(step) {
		now := time.Now()
		for z := range zones {
			// Stores of a zone sell together so many tickets a second.
			stores := (len(places) - z + len(zones) - 1) / len(zones)
			rate := float64(stores*l.PerDay*open[now.In(at[z]).Hour()]) / 100 / 3600
			for rate > 0 && dice.Float64() < rate {
				rate--
				id := h.Sell(h.Quick(places[z+len(zones)*dice.IntN(stores)].Code, dice))
				n++
				if old = append(old, id); len(old) > 2000 {
					old = old[1000:]
				}
				switch k := old[dice.IntN(len(old))]; {
				case dice.IntN(200) == 0:
					h.Void(k)
				case dice.IntN(60) == 0:
					h.Return(k, dice.IntN(3) == 0)
					n++
				}
			}
		}
	}
	return n
}

// Check compares every store's day; it returns how many days agree and what differs, at most ten lines.
func (l Load) Check(h *heartland.Retail, b *Books, days ...string) (good int, wrong []string) {
	for _, p := range l.Places() {
		for _, day := range days {
			d := Differs(h, b, p.Code, day)
			if d == "" {
				good++
			} else if len(wrong) < 10 {
				wrong = append(wrong, p.Code+" "+day+": "+d)
			}
		}
	}
	return good, wrong
}

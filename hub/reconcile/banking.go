package reconcile

import (
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/us"

	"github.com/tillpost/tillpost/shared/retail"
)

// fed are the holidays of the Federal Reserve Banks (frbservices.org/about/holiday-schedules): no card money moves on them.
var fed = []*cal.Holiday{us.NewYear, us.MlkDay, us.PresidentsDay, us.MemorialDay, us.Juneteenth, us.IndependenceDay, us.LaborDay, us.ColumbusDay,
	us.VeteransDay, us.ThanksgivingDay, us.ChristmasDay}

// Banking reports whether American banks move money on a day. A holiday on a Sunday is kept on the Monday; one on a Saturday on no other
// day, unlike in federal offices.
func Banking(d retail.BusinessDate) bool {
	at, err := time.Parse(time.DateOnly, string(d))
	if err != nil || at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		return false
	}
	for _, h := range fed {
		day, observed := h.Calc(at.Year())
		if same(day, at) || same(observed, at) && at.Weekday() == time.Monday {
			return false
		}
	}
	return true
}

func same(a, b time.Time) bool { return a.YearDay() == b.YearDay() && a.Year() == b.Year() }

// bankingDays counts those from a day until today.
func (r *round) bankingDays(since retail.BusinessDate) int {
	return r.bankingDaysBetween(since, r.Today)
}

// bankingDaysBetween counts to 60, which is longer than any limit.
func (r *round) bankingDaysBetween(from, to retail.BusinessDate) (n int) {
	for d := from.AddDays(1); d <= to && n < 60; d = d.AddDays(1) {
		if r.Banking(d) {
			n++
		}
	}
	return n
}

package retail_test

import (
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zone database: %v", err)
	}
	return z
}

func rule(from retail.BusinessDate, z *time.Location, hour int) retail.Dated {
	return retail.Dated{From: from, Trading: retail.Trading{Zone: z, Cutoff: retail.Clock{Hour: hour}}}
}

func TestACutoffThatChangesCutsNoInstantOutAndNoneTwice(t *testing.T) {
	for _, name := range []string{"America/Los_Angeles", "Australia/Sydney", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		z := zone(t, name)
		for _, hours := range [][2]int{{0, 4}, {4, 0}, {6, 5}, {0, 23}} {
			c := retail.Calendar{rule("", z, hours[0]), rule("2026-12-01", z, hours[1])}
			last := retail.BusinessDate("")
			for at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC); at.Before(time.Date(2026, 12, 5, 0, 0, 0, 0, time.UTC)); at = at.Add(10 * time.Minute) {
				d, ok := c.Day(at)
				ends, _ := c.End(d)
				g, _ := c.On(d)
				if !ok || d < last || at.Before(g.Start(d)) || !at.Before(ends) {
					t.Fatalf("%s %v: %s is in day %s, which runs from %s to %s; the one before was %s", name, hours, at, d, g.Start(d), ends, last)
				}
				last = d
			}
		}
	}
}

func TestARuleHoldsFromItsDay(t *testing.T) {
	ny, la := zone(t, "America/New_York"), zone(t, "America/Los_Angeles")
	c := retail.Calendar{rule("", ny, 4), rule("2026-12-01", ny, 0), rule("2027-02-01", la, 4)}
	for at, want := range map[string]retail.BusinessDate{
		"2026-11-30T23:30:00-05:00": "2026-11-30", "2026-12-01T02:00:00-05:00": "2026-12-01", "2026-11-30T03:59:00-05:00": "2026-11-29",
		"2027-01-31T23:00:00-08:00": "2027-01-31", "2027-02-01T03:00:00-08:00": "2027-01-31", "2027-02-01T04:00:00-08:00": "2027-02-01",
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := c.Day(when); !ok || d != want {
			t.Errorf("%s: got %s, want %s", at, d, want)
		}
	}
	if _, ok := (retail.Calendar{}).Day(time.Now()); ok {
		t.Error("a day out of nothing")
	}
	if _, ok := (retail.Calendar{rule("2026-12-01", ny, 4)}).Day(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Error("a day before any rule")
	}
}

// Package retail is the shop's nouns as agent and hub both know them: tickets with lines and tenders, drawer events, terminals and
// locations, card payments, settlement batches, and the marks by which a source proves how far it has read. It is pure.
package retail

import (
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// LocationCode names a store as head office does. It is free text from the till, never part of a topic.
type LocationCode string

// TillCode names a register, station or card terminal within its location.
type TillCode string

// DeviceID names one installed agent: 1–64 of a-z, 0-9 and '-', because it is part of topics.
type DeviceID string

// Valid reports whether d may be used in a topic.
func (d DeviceID) Valid() bool {
	return len(d) >= 1 && len(d) <= 64 && strings.Trim(string(d), "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// BusinessDate is a location's trading day, "2006-01-02".
type BusinessDate string

const dateLayout = "2006-01-02"

// Valid reports whether d is a real date written as promised.
func (d BusinessDate) Valid() bool { _, err := time.Parse(dateLayout, string(d)); return err == nil }

// AddDays is d plus n days; an invalid d is returned as it is.
func (d BusinessDate) AddDays(n int) BusinessDate {
	t, err := time.Parse(dateLayout, string(d))
	if err != nil {
		return d
	}
	return DateOf(t.AddDate(0, 0, n))
}

// DaysSince is d − e in days, 0 when one of them is invalid.
func (d BusinessDate) DaysSince(e BusinessDate) int {
	x, err1 := time.Parse(dateLayout, string(d))
	y, err2 := time.Parse(dateLayout, string(e))
	if err1 != nil || err2 != nil {
		return 0
	}
	return int(x.Sub(y) / (24 * time.Hour))
}

// Weekday is the day of the week of d.
func (d BusinessDate) Weekday() time.Weekday {
	t, _ := time.Parse(dateLayout, string(d))
	return t.Weekday()
}

// DateOf is the calendar date of t in t's own zone.
func DateOf(t time.Time) BusinessDate { return BusinessDate(t.Format(dateLayout)) }

// Clock is a wall-clock time of day, the location's cutoff for instance: "04:00".
type Clock struct{ Hour, Minute int }

// ParseClock reads "15:04".
func ParseClock(s string) (Clock, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return Clock{}, fault.Msg(fault.Invalid, "retail.ParseClock", "a time of day is written like 04:00, not "+s)
	}
	return Clock{t.Hour(), t.Minute()}, nil
}

// Trading is how a location counts its days: its zone and its cutoff. A cutoff of 04:00 puts 03:59 into the day before.
type Trading struct {
	Zone   *time.Location
	Cutoff Clock
}

// Day returns the d with cutoff(d) ≤ t < cutoff(d+1), where cutoff(d) is the wall clock of that date in the zone. "Local time minus
// cutoff" would be an hour wrong on both days on which the clocks change.
func (g Trading) Day(t time.Time) BusinessDate {
	local := t.In(g.Zone)
	d := DateOf(local)
	switch {
	case t.Before(g.Start(d)):
		return d.AddDays(-1)
	case !t.Before(g.Start(d.AddDays(1))):
		return d.AddDays(1)
	}
	return d
}

// Start is the instant at which business day d begins. A wall clock that the zone skips begins at the first instant after the gap's shift.
func (g Trading) Start(d BusinessDate) time.Time {
	t, _ := time.Parse(dateLayout, string(d))
	return time.Date(t.Year(), t.Month(), t.Day(), g.Cutoff.Hour, g.Cutoff.Minute, 0, 0, g.Zone)
}

// End is the instant at which business day d is over: the start of the next.
func (g Trading) End(d BusinessDate) time.Time { return g.Start(d.AddDays(1)) }

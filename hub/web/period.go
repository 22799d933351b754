package web

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// period is a day, a week from Monday, or a month.
type period struct {
	Kind     string // day week month
	From, To retail.BusinessDate
}

// periodOf reads what a page asks for: of is any day in it, or a month as 2026-11; "" = the one that now is in. Code invalid.
func periodOf(kind, of string, now time.Time) (p period, err error) {
	if of == "" {
		of = now.Format(time.DateOnly)
	}
	if len(of) == len("2026-11") {
		of += "-01"
	}
	at, err := time.Parse(time.DateOnly, of)
	if err != nil {
		return p, fault.Msg(fault.Invalid, "read period", fmt.Sprintf("%q is no day like 2026-11-23 and no month like 2026-11", clip(of, 20)))
	}
	p.Kind = kind
	first, last := at, at
	switch kind {
	case "day":
	case "week":
		first = at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
		last = first.AddDate(0, 0, 6)
	case "", "month":
		p.Kind = "month"
		first = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		last = first.AddDate(0, 1, -1)
	default:
		return p, fault.Msg(fault.Invalid, "read period", fmt.Sprintf("%q is none of day, week and month", clip(kind, 20)))
	}
	p.From, p.To = retail.DateOf(first), retail.DateOf(last)
	return p, nil
}

// Title is the period for people.
func (p period) Title() string {
	from, err := time.Parse(time.DateOnly, string(p.From))
	if err != nil {
		return string(p.From)
	}
	switch p.Kind {
	case "day":
		return date(p.From)
	case "week":
		year, week := from.ISOWeek()
		return fmt.Sprintf("week %d of %d, %s to %s", week, year, date(p.From), date(p.To))
	}
	return from.Format("January 2006")
}

// Before and After are days in the neighbouring periods.
func (p period) Before() retail.BusinessDate { return p.From.AddDays(-1) }

// After is the first day behind it.
func (p period) After() retail.BusinessDate { return p.To.AddDays(1) }

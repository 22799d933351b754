package retail

import "time"

// Dated is a way of counting days that holds from a business day on; From "" is from the beginning.
type Dated struct {
	From BusinessDate
	Trading
}

// Calendar is how a location counted its days over time, the earliest first. The zero Calendar says that nobody knows.
type Calendar []Dated

// On is how business day d is counted; ok = false when nothing holds on it.
func (c Calendar) On(d BusinessDate) (g Trading, ok bool) {
	for _, r := range c {
		if r.From > d {
			break
		}
		g, ok = r.Trading, true
	}
	return g, ok
}

// Day returns the latest d that has begun at t, each day by the rule of its own date: a cutoff that changes on a day cuts the day before it
// short or lets it run on, and no instant is without a day or in two.
func (c Calendar) Day(t time.Time) (d BusinessDate, ok bool) {
	d = DateOf(t.UTC()).AddDays(1) // east of Greenwich it may be tomorrow already
	for range 4 {
		g, known := c.On(d)
		if known && !t.Before(g.Start(d)) {
			return d, true
		}
		d = d.AddDays(-1)
	}
	return "", false
}

// End is the instant at which business day d is over: the next day begins, by the rule of its own date. ok = false when nothing holds then.
func (c Calendar) End(d BusinessDate) (t time.Time, ok bool) {
	next := d.AddDays(1)
	g, ok := c.On(next)
	if !ok {
		return t, false
	}
	return g.Start(next), true
}

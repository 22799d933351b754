package retailapi

import (
	"context"
	"time"
)

// How often things are asked. They share the vendor's patience: a tenant of 200 locations with 800 tickets a day each must cost no more than
// 60 requests for 1,000 tickets in all (DESIGN.md has the sum).
const (
	ticketsEvery  = 12 * time.Second // while tickets come
	ticketsIdle   = time.Minute      // after some empty looks, at night
	othersEvery   = 3 * time.Minute  // invoices and orders
	othersIdle    = 12 * time.Minute
	windowsEvery  = time.Minute // where updated_at cannot be asked for
	deepEvery     = 5 * time.Minute
	placesEvery   = time.Hour
	totalsEvery   = time.Hour
	marksEvery    = 15 * time.Minute
	walkEvery     = 24 * time.Hour
	lookEvery     = 15 * time.Minute // whether it is night
	idleLooks     = 75               // empty ones in a row until it is idle: a small store at noon is not
	othersLooks   = 5
	nudgeEvery    = 12 * time.Second // a wake-up may cost a look so often on average
	nudgeBurst    = 5                // and so many at once
	overlap       = 20 * time.Second // each look begins so much before the last: rows of one second come in any order
	settled       = 2 * time.Minute  // what can be read at all can be read after that, late rows excepted
	deepOverlap   = 15 * time.Minute // and so late a row may become visible
	windowFirst   = 6 * time.Hour    // of updated_at in one question; wide ones are answered 500
	windowLeast   = time.Minute
	windowMost    = 4 * 24 * time.Hour
	fetchRows     = 100 // ids in one question
	missingMost   = 2000
	lookBackDays  = 35
	nightly       = 9*time.Hour + 30*time.Minute // UTC: after midnight in Hawaii's zone less one, before the East opens
	everyNight    = 3                            // so many days are compared id by id each night
	spreadNights  = 5                            // and each of the others once in so many
	totalsWidth   = 7                            // days in one question to the analyzer
	totalsSettle  = 30 * time.Minute             // after midnight until a day's total is asked for
	clockTolerant = 5 * time.Minute
)

// job is one thing that is done again and again.
type job struct {
	name     string
	kind     kind
	every    time.Duration
	due      time.Time
	optional bool // its trouble delays nothing else
	empty    int  // looks in a row without news
	ready    func(s *Source, c *cursor) bool
	run      func(s *Source, ctx context.Context, j *job, c *cursor, most int) (batch, error)
}

// plan is when what is due; in order of importance.
type plan struct {
	jobs   []*job
	pos    map[string]time.Time     // by kind: where the next page of the present look begins
	page   map[string]int           // by kind: more than one page holds the same instant
	window map[string]time.Duration // by kind
	most   map[string]time.Duration // by kind, and "ids": a wider one was answered 500
	rows   map[string]int           // by kind: fewer when an answer was too large
	edge   map[string]bool          // by kind: the last look reached the present
	credit time.Duration            // what wake-ups may still cost, at nudgeEvery each
	filled time.Time
	walk   []walk
}

func (p *plan) begin(now time.Time, can abilities) {
	*p = plan{pos: map[string]time.Time{}, page: map[string]int{}, window: map[string]time.Duration{}, most: map[string]time.Duration{}, rows: map[string]int{}, edge: map[string]bool{}, credit: nudgeBurst * nudgeEvery, filled: now}
	add := func(j job) { j.due = now; p.jobs = append(p.jobs, &j) }
	follow := func(k kind, every time.Duration, can bool, optional bool) {
		j := job{name: k.name, kind: k, every: every, optional: optional, run: (*Source).follow}
		if !can {
			j.every, j.run = windowsEvery, (*Source).lookThrough
		}
		p.window[k.name], p.rows[k.name] = windowFirst, 0
		add(j)
	}
	add(job{name: "first marks", ready: func(_ *Source, c *cursor) bool { return c.Marked.IsZero() }, run: (*Source).firstMarks})
	follow(tickets, ticketsEvery, can.Updated, false)
	add(job{name: "records that were found", ready: func(_ *Source, c *cursor) bool { return c.owes() > 0 }, run: (*Source).fetch})
	if can.Invoices {
		follow(invoices, othersEvery, true, true)
	} else {
		p.edge[invoices.name] = true
	}
	if can.Orders {
		follow(orders, othersEvery, true, true)
	} else {
		p.edge[orders.name] = true
	}
	live := func(s *Source, _ *cursor) bool {
		return p.edge[tickets.name] && p.edge[invoices.name] && p.edge[orders.name]
	}
	add(job{name: "late records", every: deepEvery, ready: live, run: (*Source).scanLate})
	add(job{name: "ids", ready: func(s *Source, c *cursor) bool {
		return len(c.Scans) > 0 && c.owes() < missingMost && (c.Scans[0].Purpose == tail || live(s, c))
	}, run: (*Source).scanStep})
	add(job{name: "places", every: placesEvery, optional: true, ready: live, run: (*Source).placesJob})
	add(job{name: "daily totals", every: totalsEvery, optional: true, ready: live, run: (*Source).totalsJob})
	add(job{name: "marks", every: marksEvery, ready: func(s *Source, c *cursor) bool {
		return live(s, c) && c.owes() == 0 && !c.scanning(deep) && !c.scanning(tail)
	}, run: (*Source).marksJob})
	add(job{name: "look back", every: lookEvery, optional: true, ready: live, run: (*Source).lookBack})
	add(job{name: "lists", every: walkEvery, optional: true, ready: live, run: (*Source).walkJob})
	p.jobs[len(p.jobs)-1].due = now.Add(10 * time.Minute) // the first tickets need none of it
}

// next is when the next job is due; what waits for something else is looked at with the tickets.
func (p *plan) next(now time.Time) time.Time {
	next := now.Add(ticketsIdle)
	for _, j := range p.jobs {
		if j.every > 0 && j.due.After(now) && j.due.Before(next) {
			next = j.due
		}
	}
	return next
}

// again makes a job due now, or after its time.
func (j *job) again(now time.Time, more bool) {
	if j.due = now; !more {
		j.due = now.Add(j.every)
	}
}

// takeNudge turns a wake-up into a look now, as far as there are looks left: with hundreds of tickets a minute a webhook says nothing new.
func (s *Source) takeNudge() {
	now, p := time.Now(), &s.plan
	p.credit = min(nudgeBurst*nudgeEvery, p.credit+now.Sub(p.filled))
	p.filled = now
	s.mu.Lock()
	nudged := s.nudged && p.credit >= nudgeEvery
	if nudged {
		s.nudged = false
	}
	s.mu.Unlock()
	if !nudged {
		return
	}
	p.credit -= nudgeEvery
	for _, j := range p.jobs {
		if j.name == tickets.name || j.name == invoices.name && p.credit >= 2*nudgeEvery {
			j.due, j.empty = now, 0
		}
	}
}

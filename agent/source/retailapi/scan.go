package retailapi

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// scanLate looks again at what changed lately, by ids alone: a record that became visible after younger ones was not in the page that it
// belongs to.
func (s *Source) scanLate(_ context.Context, j *job, c *cursor, _ int) (batch, error) {
	j.again(time.Now(), false)
	if c.scanning(deep) {
		return batch{}, nil
	}
	now := s.c.now()
	from := c.Scanned
	if from.After(now) {
		from = now
	}
	// After an absence the rows in between were read long after they could be late; only both ends are looked at.
	windows := []scan{{From: utc(from.Add(-deepOverlap))}}
	if now.Sub(from) > time.Hour {
		windows = []scan{{From: utc(from.Add(-deepOverlap)), To: utc(from.Add(deepOverlap))}, {From: utc(now.Add(-deepOverlap - deepEvery))}}
	}
	var list []scan
	for _, k := range kinds {
		if k == tickets && s.can.Updated || k == invoices && s.can.Invoices || k == orders && s.can.Orders {
			for _, w := range windows {
				list = append(list, scan{Kind: k.name, Purpose: deep, From: w.From, To: w.To, Begun: now})
			}
		}
	}
	c.Scans = append(list, c.Scans...)
	if len(list) == 0 {
		c.Scanned = now
	}
	return batch{}, nil
}

// lookThrough stands in for follow where updated_at cannot be asked for: the hours since the last look, by the time of sale.
func (s *Source) lookThrough(_ context.Context, j *job, c *cursor, _ int) (batch, error) {
	j.again(time.Now(), false)
	if c.scanning(tail) {
		return batch{}, nil
	}
	now := s.c.now()
	// A wall clock may be 12 hours behind UTC and 14 before it.
	from := c.Tails[j.kind.name].Add(-12*time.Hour - deepOverlap)
	c.Scans = append([]scan{{Kind: j.kind.name, Purpose: tail, From: wall(from), To: wall(now.Add(14 * time.Hour)), Begun: now}}, c.Scans...)
	return batch{}, nil
}

// times reads the scan's window; an open end is now.
func (sc scan) times(now time.Time) (from, to time.Time, layout string) {
	layout = "2006-01-02T15:04:05"
	if sc.Purpose == deep {
		layout = "2006-01-02T15:04:05.999999Z07:00"
	}
	from, _ = time.Parse(layout, sc.From)
	to, err := time.Parse(layout, sc.To)
	if err != nil {
		to = now.UTC()
	}
	return from, to, layout
}

func (sc scan) width(now time.Time) time.Duration {
	from, to, _ := sc.times(now)
	return to.Sub(from)
}

// halve makes two scans of the first one when it is wider than most. Ids that are done are done in both.
func (sc scan) halve(c *cursor, now time.Time, most time.Duration) bool {
	from, to, layout := sc.times(now)
	if to.Sub(from) <= max(most, windowLeast) {
		return false
	}
	mid := from.Add(to.Sub(from) / 2).Truncate(time.Second)
	one, two := sc, sc
	one.To, two.From = mid.Format(layout), mid.Format(layout)
	c.Scans = append([]scan{one, two}, c.Scans[1:]...)
	return true
}

// within asks for some locations only, where the API can tell them apart and they are known; else the rows are looked through here.
func (s *Source) within(q query, codes ...retail.LocationCode) query {
	var ids []int64
	for _, c := range codes {
		if id := s.reg.id(c); id > 0 {
			ids = append(ids, id)
		}
	}
	if !s.can.Location || len(ids) == 0 || len(ids) < len(codes) {
		return q
	}
	return q.where("source_location_id", "$in", ids)
}

// wall writes t as the API writes local times.
func wall(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// scanStep compares one page of ids.
func (s *Source) scanStep(ctx context.Context, _ *job, c *cursor, _ int) (batch, error) {
	sc := c.Scans[0]
	k := kindOf(sc.Kind)
	if most := s.plan.most["ids"]; most > 0 && sc.halve(c, s.c.now(), most) {
		return batch{}, nil
	}
	field := "local_completed_at"
	if sc.Purpose == deep {
		field = "updated_at"
	}
	rows := s.can.IDs
	if less := s.plan.rows["ids"]; less > 0 {
		rows = min(rows, less)
	}
	q := query{sort: []string{"id"}, only: []string{"id", "updated_at"}, rows: rows}.where(field, "$gte", sc.From)
	if sc.To != "" {
		q = q.where(field, "$lte", sc.To)
	}
	if sc.Last > 0 {
		q = q.where("id", "$gt", sc.Last)
	}
	if sc.Location != "" {
		q = s.within(q, sc.Location)
	} else {
		q = s.within(q, s.o.Locations...)
	}
	got, err := s.c.list(ctx, k.path, q)
	if err != nil {
		var a *answerError
		if errors.As(err, &a) && a.Status >= 500 { // too much behind one question, or a sick server: half of it
			w := sc.width(s.c.now()) / 2
			s.plan.most["ids"] = max(windowLeast, w)
			if sc.halve(c, s.c.now(), w) {
				return batch{}, nil
			}
		}
		if errors.Is(err, errTooLarge) && rows > 1 {
			s.plan.rows["ids"] = rows / 2
			return batch{}, nil
		}
		return batch{}, s.rights(err, k.name)
	}
	missing, last, err := s.compare(ctx, k, got.Results)
	if err != nil {
		return batch{}, err
	}
	for _, id := range missing {
		if !slices.Contains(c.Missing[k.name], id) {
			c.Missing[k.name] = append(c.Missing[k.name], id)
		}
	}
	if got.more(1, rows) && last > sc.Last {
		c.Scans[0].Last = last
		return batch{}, nil
	}
	c.Scans = c.Scans[1:]
	s.scanned(c, sc)
	return batch{}, nil
}

// scanned notes the end of a scan.
func (s *Source) scanned(c *cursor, sc scan) {
	switch {
	case sc.Purpose == deep && !c.scanning(deep):
		c.Scanned = sc.Begun
	case sc.Purpose == tail:
		c.Tails[sc.Kind], c.Scanned = sc.Begun, sc.Begun
		s.plan.edge[sc.Kind] = true
		s.mu.Lock()
		s.behind = sc.Begun
		s.mu.Unlock()
	}
}

// compare tells which of a page's records were not captured in their present version, and its last id.
func (s *Source) compare(ctx context.Context, k kind, rows []json.RawMessage) (missing []int64, last int64, err error) {
	ids := make([]int64, 0, len(rows))
	updated := make(map[int64]int64, len(rows))
	for _, raw := range rows {
		var h head
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, 0, fault.New(fault.Invalid, "read "+k.path, err)
		}
		id, at, err := h.version()
		if err != nil {
			return nil, 0, fault.New(fault.Invalid, "read "+k.path, err)
		}
		ids, updated[id], last = append(ids, id), at, max(last, id)
	}
	known, err := s.x.versions(ctx, k.env, ids)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range ids {
		if known[id] < updated[id] && s.passed[passedKey{k.name, id}] < updated[id] {
			missing = append(missing, id)
		}
	}
	return missing, last, nil
}

// fetch reads records that a scan has found.
func (s *Source) fetch(ctx context.Context, _ *job, c *cursor, most int) (batch, error) {
	for _, k := range kinds {
		ids := c.Missing[k.name]
		if len(ids) == 0 {
			continue
		}
		n := min(len(ids), fetchRows, s.rows(k, most))
		got, err := s.c.list(ctx, k.path, s.whole(query{rows: n, sort: []string{"id"}}.where("id", "$in", ids[:n])))
		if err != nil {
			return batch{}, s.narrow(k, err)
		}
		b, _, err := s.take(ctx, k, got.Results, c)
		if err != nil {
			return batch{}, err
		}
		s.pass(k, got.Results, b)
		if c.Missing[k.name] = ids[n:]; n == len(ids) {
			delete(c.Missing, k.name)
		}
		return b, nil
	}
	return batch{}, nil
}

// passedKey names a record that was looked at and not captured: on hold, before the beginning, of another agent's location.
type passedKey struct {
	kind string
	id   int64
}

// passedMost bounds what is remembered of such records; after that they are looked at again.
const passedMost = 50_000

// pass remembers which of the records were passed by, so that no scan asks for them again in the same version.
func (s *Source) pass(k kind, rows []json.RawMessage, b batch) {
	if s.passed == nil || len(s.passed) > passedMost {
		s.passed = map[passedKey]int64{}
	}
	taken := map[int64]bool{}
	for _, x := range b.then.seen {
		if x.kind == k.env {
			taken[x.id] = true
		}
	}
	for _, raw := range rows {
		var h head
		if json.Unmarshal(raw, &h) != nil {
			continue
		}
		if id, at, err := h.version(); err == nil && !taken[id] {
			s.passed[passedKey{k.name, id}] = at
		}
	}
}

// lookBack plans the night: days whose totals differ from what was captured, and some days to be compared id by id.
func (s *Source) lookBack(ctx context.Context, j *job, c *cursor, _ int) (batch, error) {
	j.again(time.Now(), false)
	now := s.c.now().UTC()
	today := retail.DateOf(now)
	if c.Looked >= today || now.Sub(now.Truncate(24*time.Hour)) < nightly || c.scanning(daily) {
		return batch{}, nil
	}
	first := max(c.Since, today.AddDays(-lookBackDays))
	var b batch
	whole := map[retail.BusinessDate]bool{}
	for d := first; d <= today; d = d.AddDays(1) {
		age := today.DaysSince(d)
		if age <= everyNight || d.DaysSince("2026-01-01")%spreadNights == today.DaysSince("2026-01-01")%spreadNights {
			whole[d] = true
			c.Scans = append(c.Scans, s.dayScans(d, "", now)...)
		}
	}
	if s.can.Groups != "" {
		differ, told, err := s.differing(ctx, first, today.AddDays(-1))
		if err != nil {
			return batch{}, err
		}
		b = told
		for _, p := range differ {
			s.o.Log.InfoContext(ctx, "a day's total differs from what was captured; it is read again", "source", s.name, "location", p.location, "day", p.day)
			if !whole[p.day] {
				c.Scans = append(c.Scans, s.dayScans(p.day, p.location, now)...)
				whole[p.day] = whole[p.day] || !s.can.Location
			}
		}
	}
	c.Looked = today
	if err := s.x.forget(ctx, today.AddDays(-lookBackDays-5)); err != nil {
		return batch{}, err
	}
	return b, nil
}

func (s *Source) dayScans(d retail.BusinessDate, l retail.LocationCode, now time.Time) (out []scan) {
	for _, k := range []kind{tickets, invoices} {
		if k == tickets || s.can.Invoices {
			out = append(out, scan{Kind: k.name, Purpose: daily, From: string(d) + "T00:00:00", To: string(d) + "T23:59:59", Location: l, Begun: now})
		}
	}
	return out
}

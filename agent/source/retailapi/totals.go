package retailapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// report is one row of the analyzer.
type report struct {
	Location string      `json:"location.public_id"`
	Day      string      `json:"date.date"`
	Tax      json.Number `json:"location_sales_tax.net_amount_collected"`
	Paid     json.Number `json:"payment.net_payments"`
}

// reports asks the analyzer for the totals of each location and day, a few days at a time.
func (s *Source) reports(ctx context.Context, from, to retail.BusinessDate) (map[place]sums, error) {
	out := map[place]sums{}
	for d := from; d <= to; d = d.AddDays(totalsWidth) {
		end := min(to, d.AddDays(totalsWidth-1))
		for n := 1; ; n++ {
			var p struct {
				Total   int      `json:"total"`
				Results []report `json:"results"`
			}
			if err := s.c.get(ctx, "/reporting/analyzer", reportQuery(s.can.Groups, string(d), string(end), n, 1000), &p); err != nil {
				return nil, err
			}
			for _, r := range p.Results {
				if r.Location == "" || len(r.Day) < 10 {
					continue // a row of totals
				}
				x, err := s.sums(r)
				if err != nil {
					return nil, err
				}
				out[place{retail.LocationCode(r.Location), retail.BusinessDate(r.Day[:10])}] = x
			}
			if len(p.Results) == 0 || n*1000 >= p.Total || n > 100 {
				break
			}
		}
	}
	return out, nil
}

func (s *Source) sums(r report) (x sums, err error) {
	for _, v := range []struct {
		n    json.Number
		into *int64
	}{{r.Tax, &x.tax}, {r.Paid, &x.paid}} {
		if v.n == "" {
			continue
		}
		d, err := money.ParseDecimal(v.n.String())
		if err != nil {
			return x, fault.New(fault.Invalid, "read the analyzer's totals", err)
		}
		a, err := money.Round(d, s.o.Currency)
		if err != nil {
			return x, fault.New(fault.Invalid, "read the analyzer's totals", err)
		}
		*v.into = a.Minor
	}
	return x, nil
}

// totalsJob tells the totals of the last days that are over. A right to them that was missing when connecting is tried again each time: their
// days wait for it.
func (s *Source) totalsJob(ctx context.Context, j *job, c *cursor, _ int) (batch, error) {
	j.again(time.Now(), false)
	if s.can.Groups == "" {
		can := *s.can
		if err := s.reporting(ctx, &can); err != nil {
			return batch{}, err
		}
		s.mu.Lock()
		s.can = &can
		s.mu.Unlock()
	}
	today := retail.DateOf(s.c.now().UTC())
	from := max(c.Since, min(c.Told, today.AddDays(-2)), today.AddDays(-lookBackDays))
	theirs, err := s.reports(ctx, from, today)
	if err != nil {
		return batch{}, err
	}
	c.Told = today
	return s.controls(theirs)
}

// differing compares the analyzer's totals with what was captured, and tells those that changed.
func (s *Source) differing(ctx context.Context, from, to retail.BusinessDate) (out []place, b batch, err error) {
	theirs, err := s.reports(ctx, from, to)
	if err != nil {
		return nil, b, err
	}
	ours, err := s.x.totals(ctx, from, to)
	if err != nil {
		return nil, b, err
	}
	for p, x := range theirs {
		if s.wants(p.location) && ours[p] != x {
			out = append(out, p)
		}
	}
	for p, x := range ours {
		if _, ok := theirs[p]; !ok && p.day >= from && p.location != "" && x != (sums{}) {
			out = append(out, p)
		}
	}
	b, err = s.controls(theirs)
	return out, b, err
}

// controls makes a record of each total that is final and was not told so before.
func (s *Source) controls(theirs map[place]sums) (b batch, err error) {
	now := s.c.now()
	zones := map[retail.LocationCode]*time.Location{}
	for _, p := range s.reg.places {
		zones[p.Code] = p.zone
	}
	for p, x := range theirs {
		zone := zones[p.location]
		if zone == nil || !s.wants(p.location) || retail.DateOf(now.Add(-totalsSettle).In(zone)) <= p.day {
			continue
		}
		name, value := "control/"+string(p.location)+"/"+string(p.day), fmt.Sprintf("%d %d", x.tax, x.paid)
		if s.reg.hashes[name] == value {
			continue
		}
		// How many tickets the analyzer counts, and whether gift cards and shipping are in its sales, is not known for certain; what was
		// collected in tax and what was paid is (DESIGN.md).
		body, err := json.Marshal(retail.Control{Source: s.name, Location: p.location, Day: p.day, Tickets: -1, Tax: money.Of(x.tax, s.o.Currency), Paid: money.Of(x.paid, s.o.Currency), At: now.UTC()})
		if err != nil {
			return b, fault.New(fault.Internal, "write control total", err)
		}
		s.reg.hashes[name] = value
		s.queue = append(s.queue, parcel{source.Draft{Stream: envelope.Sales, Location: p.location, Kind: decode.Control, Key: string(p.location) + " " + string(p.day), ContentType: "application/json", At: time.Now(), Body: body},
			effects{facts: map[string]string{"hash/" + name: value}}})
	}
	return b, nil
}

// firstMarks tells the hub, before the first ticket, that somebody reads these locations and how far: a day whose first tickets come is not
// taken for one that nobody vouches for.
func (s *Source) firstMarks(_ context.Context, _ *job, c *cursor, _ int) (batch, error) {
	return s.marks(c, c.Tails[tickets.name])
}

// marksJob tells how far each location that can be seen was read: everything that changed before the last deep look began, less the time
// that a row may take to become visible.
func (s *Source) marksJob(_ context.Context, j *job, c *cursor, _ int) (batch, error) {
	through := c.Scanned.Add(-deepOverlap)
	j.again(time.Now(), false)
	if !through.After(c.Marked) {
		j.due = time.Now().Add(deepEvery)
		return batch{}, nil
	}
	return s.marks(c, through)
}

// marks vouches for every location that can be seen and owes nothing.
func (s *Source) marks(c *cursor, through time.Time) (b batch, err error) {
	for _, p := range s.reg.places {
		if !s.wants(p.Code) || slices.ContainsFunc(c.Scans, func(sc scan) bool { return sc.Location == p.Code }) {
			continue
		}
		body, err := json.Marshal(retail.ReadTo{Source: s.name, Location: p.Code, Through: through.UTC(), Profile: hretail.Proof})
		if err != nil {
			return b, fault.New(fault.Internal, "write mark", err)
		}
		b.drafts = append(b.drafts, source.Draft{Stream: envelope.Sales, Location: p.Code, Kind: decode.ReadTo, ContentType: "application/json", At: time.Now(), Body: body})
	}
	c.Marked = through
	return b, nil
}

package retailapi

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
)

// kind is one of the collections that hold money.
type kind struct {
	name string
	env  envelope.Kind
	path string
}

var (
	tickets  = kind{"tickets", hretail.Ticket, "/sales/tickets"}
	invoices = kind{"invoices", hretail.Invoice, "/sales/invoices"}
	orders   = kind{"orders", hretail.Order, "/sales/orders"}
	kinds    = []kind{tickets, invoices, orders}
)

func kindOf(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return tickets
}

// follow reads the next page of what changed: by keyset over updated_at, in windows, from a bit before where the last look ended. What is
// known in that version is left out.
func (s *Source) follow(ctx context.Context, j *job, c *cursor, most int) (batch, error) {
	p, k := &s.plan, j.kind
	now := s.c.now()
	from, under := p.pos[k.name], !p.pos[k.name].IsZero()
	if !under {
		from = c.Tails[k.name].Add(-overlap)
	}
	to := from.Add(p.window[k.name])
	rows := s.rows(k, most)
	q := query{sort: []string{"updated_at", "id"}, rows: rows, page: p.page[k.name]}.where("updated_at", "$gte", utc(from))
	last := !to.Before(now) // the window reaches the present
	if !last {
		q = q.where("updated_at", "$lte", utc(to))
	}
	got, err := s.c.list(ctx, k.path, s.whole(s.within(q, s.o.Locations...)))
	if err != nil {
		return batch{}, s.narrow(k, err)
	}
	b, newest, err := s.take(ctx, k, got.Results, c)
	if err != nil {
		return batch{}, err
	}
	full := got.more(q.page, rows)
	switch {
	case full && newest.Equal(from): // more records than a page of one instant: a change in bulk
		p.page[k.name] = max(p.page[k.name], 1) + 1
		p.pos[k.name] = from
	case full:
		p.pos[k.name], p.page[k.name] = newest, 0
	case !last:
		p.pos[k.name], p.page[k.name] = to, 0
		newest = to
		p.window[k.name] = min(windowMost, 2*p.window[k.name])
		if most := p.most[k.name]; most > 0 {
			p.window[k.name] = min(p.window[k.name], most)
		}
	default:
		delete(p.pos, k.name)
		p.page[k.name] = 0
		if quiet := now.Add(-settled); quiet.After(newest) {
			newest = quiet // nothing happened: the next window need not begin at the last ticket
		}
	}
	if newest.After(c.Tails[k.name]) {
		c.Tails[k.name] = newest
	}
	more := full || !last
	p.edge[k.name] = !more
	s.pace(j, more, len(b.drafts) > 0)
	if k == tickets {
		s.mu.Lock()
		if s.behind = c.Tails[k.name]; !more {
			s.behind = now
		}
		s.mu.Unlock()
	}
	return b, nil
}

// pace looks less often where nothing happens.
func (s *Source) pace(j *job, more, news bool) {
	if news || more {
		j.empty = 0
	} else {
		j.empty++
	}
	j.again(time.Now(), more)
	idle, looks := ticketsIdle, idleLooks
	if j.kind != tickets {
		idle, looks = othersIdle, othersLooks
	}
	if !more && j.empty > looks {
		j.due = time.Now().Add(min(idle, j.every<<min(j.empty-looks, 4)))
	}
}

// rows is how many records a page may have now.
func (s *Source) rows(k kind, most int) int {
	n := min(s.can.Rows, most)
	if less := s.plan.rows[k.name]; less > 0 {
		n = min(n, less)
	}
	return max(1, n)
}

// whole asks for lines and payments too, where the API gives them.
func (s *Source) whole(q query) query {
	if s.can.Include {
		q.include = []string{"lines", "payments"}
	}
	return q
}

// narrow asks for less after an answer that was too large or a server that choked: wide questions are the usual cause.
func (s *Source) narrow(k kind, err error) error {
	p := &s.plan
	var a *answerError
	switch {
	case errors.Is(err, errTooLarge):
		if n := s.rows(k, rowsWanted); n > 1 {
			p.rows[k.name] = n / 2
			return fault.New(fault.Unavailable, "read "+k.path+" with fewer records on a page", err)
		}
		return err // one record of such a size: shown, and nothing is passed over
	case errors.As(err, &a) && a.Status >= 500:
		p.window[k.name] = max(windowLeast, p.window[k.name]/2)
		p.most[k.name] = p.window[k.name]
	}
	return s.rights(err, k.name)
}

// head is what is looked at in a record before it travels.
type head struct {
	ID       json.Number     `json:"id"`
	Updated  string          `json:"updated_at"`
	Location json.Number     `json:"source_location_id"`
	Status   string          `json:"status"`
	Local    string          `json:"local_completed_at"`
	Voided   bool            `json:"voided?"`
	Station  json.Number     `json:"station_id"`
	Lines    json.RawMessage `json:"lines"`
	Payments json.RawMessage `json:"payments"`
}

// version reads id and updated_at in microseconds.
func (h head) version() (id, updated int64, err error) {
	if id, err = h.ID.Int64(); err != nil {
		return 0, 0, err
	}
	at, err := time.Parse(time.RFC3339Nano, h.Updated)
	return id, at.UnixMicro(), err
}

package possql

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// compare reads everything from a time on and sends what is new or another than before. whole = it covers all that is remembered, so that a
// ticket that does not come is gone, and a mark may be given.
func (r *round) compare(ctx context.Context, from time.Time, whole bool) error {
	t, err := r.d.query(ctx, from, r.now.Add(retail.MaxFuture))
	if err != nil {
		return err
	}
	found, locations, still := map[string]bool{}, map[retail.LocationCode]bool{}, r.now
	fresh := map[string]seen{}
	for _, x := range r.d.group(t) {
		found[x.id] = true
		known := r.c.Seen[x.id]
		d, rec, err := r.d.draft(t.header, x, r.now, envelope.Sales)
		if err != nil {
			return err
		}
		at := r.now
		if rec != nil {
			at = rec.At
			locations[rec.Location] = true
		}
		switch {
		case known.Hash == x.hash:
		case r.d.fresh[x.id].Hash != x.hash: // it may still be written to: the next look tells
			fresh[x.id] = seen{at.Unix(), x.hash}
			if at.Before(still) {
				still = at
			}
		default:
			r.drafts, r.changed = append(r.drafts, d), true
			r.c.Seen[x.id] = seen{at.Unix(), x.hash}
		}
		if at.After(r.c.Newest) && !at.After(r.now) {
			r.c.Newest = at
		}
	}
	r.d.fresh = fresh
	if !whole {
		return nil
	}
	if err := r.gone(from, found); err != nil {
		return err
	}
	return r.mark(still, locations)
}

// gone tells tickets that were in the database and are not there any more. Nothing of them can be read, so each becomes a case.
func (r *round) gone(from time.Time, found map[string]bool) error {
	var lost []string
	for id, s := range r.c.Seen {
		if !found[id] && s.At >= from.Unix() {
			lost = append(lost, id)
			delete(r.c.Seen, id)
		}
	}
	slices.Sort(lost)
	for _, id := range lost {
		parts := strings.Split(id, "\x00")
		if err := r.note(id, fmt.Sprintf("ticket %s was sent before and is gone from the till's database. Its sale is in the books: find out at the till whether it was voided or deleted, then correct it there or accept this",
			parts[len(parts)-1])); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) note(key, words string) error {
	body, err := json.Marshal(profile.Rows{Profile: r.d.o.Profile.Name, Version: r.d.version, File: r.d.file(), Location: r.d.o.Location, Note: words})
	if err != nil {
		return fault.New(fault.Internal, "write rows", err)
	}
	r.changed = true
	r.drafts = append(r.drafts, source.Draft{Stream: envelope.Sales, Location: r.d.o.Location, Kind: decode.Rows, Key: strings.ReplaceAll(key, "\x00", "/"), ContentType: "application/json", At: r.now, Body: body})
	return nil
}

// age turns tickets that are no longer recent into their days' hashes, so that the night finds nothing new in them.
func (r *round) age(first retail.BusinessDate) {
	old := map[retail.BusinessDate][]ticket{}
	for id, s := range r.c.Seen {
		if date := retail.DateOf(time.Unix(s.At, 0).In(r.d.zone)); date < first {
			old[date] = append(old[date], ticket{id: id, hash: s.Hash})
			delete(r.c.Seen, id)
		}
	}
	for date, ts := range old {
		r.c.Days[date], r.changed = digest(ts), true
	}
}

// nightly compares one older day: the next of a running comparison, or the first after the night's hour has come. A day that was never told
// goes behind today's sales.
func (r *round) nightly(ctx context.Context, today, first retail.BusinessDate) error {
	oldest := today.AddDays(-r.d.o.Profile.SQL.Old)
	if r.c.Next == "" {
		if r.c.Night == today || r.c.Night != "" && r.now.In(r.d.zone).Hour() < nightHour {
			return nil
		}
		r.c.Next = oldest
	}
	r.changed = true
	date := max(r.c.Next, oldest)
	if date >= first {
		r.c.Next, r.c.Night = "", today
		for d := range r.c.Days {
			if d < oldest {
				delete(r.c.Days, d)
			}
		}
		return nil
	}
	r.c.Next = date.AddDays(1)
	t, err := r.d.query(ctx, r.start(date), r.start(r.c.Next))
	if err != nil {
		return err
	}
	ts := r.d.group(t)
	is, was := digest(ts), r.c.Days[date]
	if is == was || len(ts) == 0 && was.Count == 0 {
		return nil
	}
	stream := envelope.Sales
	if was.Hash == "" {
		stream = envelope.History
	}
	for _, x := range ts {
		d, _, err := r.d.draft(t.header, x, r.now, stream)
		if err != nil {
			return err
		}
		r.drafts = append(r.drafts, d)
	}
	if is.Count < was.Count {
		if err := r.note("day "+string(date), fmt.Sprintf("%d tickets of %s are gone from the till's database (%d were there, %d are). Their sales are in the books: compare the day with the till's own report, then correct it there or accept this",
			was.Count-is.Count, date, was.Count, is.Count)); err != nil {
			return err
		}
	}
	r.c.Days[date] = is
	return nil
}

// group puts a ticket's rows together, in the order in which tickets begin. Rows without a ticket number go each by itself.
func (d *Database) group(t table) (out []ticket) {
	index, at := d.o.Profile.Head(profile.Rows{Header: t.header}), map[string]int{}
	for n, cells := range t.rows {
		id := d.o.Profile.TicketID(index, cells)
		i, known := at[id]
		if !known || id == "" {
			i = len(out)
			at[id] = i
			out = append(out, ticket{id: id})
		}
		out[i].rows = append(out[i].rows, profile.Row{N: len(out[i].rows) + 1, Cells: cells})
		if id == "" {
			out[i].id = fmt.Sprintf("row %d: %.200s", n+1, strings.Join(cells, ","))
		}
	}
	for i := range out {
		h := sha256.New()
		for _, row := range out[i].rows {
			for _, c := range row.Cells {
				fmt.Fprintf(h, "%d:%s,", len(c), c)
			}
		}
		out[i].hash = hex.EncodeToString(h.Sum(nil)[:8])
	}
	return out
}

// digest is a day's hash: of its tickets, in whatever order they came.
func digest(ts []ticket) day {
	ts = slices.Clone(ts)
	slices.SortFunc(ts, func(a, b ticket) int { return cmp.Compare(a.id, b.id) })
	h := sha256.New()
	for _, t := range ts {
		fmt.Fprintf(h, "%d:%s=%s,", len(t.id), t.id, t.hash)
	}
	return day{hex.EncodeToString(h.Sum(nil)[:8]), len(ts)}
}

// draft makes a ticket's record; rec is nil when it cannot be booked: it goes all the same and becomes a case.
func (d *Database) draft(header []string, x ticket, now time.Time, s envelope.Stream) (out source.Draft, rec *retail.Ticket, err error) {
	rows := profile.Rows{Profile: d.o.Profile.Name, Version: d.version, File: d.file(), Location: d.o.Location, Zone: d.zone.String(), Header: header, Rows: x.rows}
	body, err := json.Marshal(rows)
	if err != nil {
		return out, nil, fault.New(fault.Internal, "write rows", err)
	}
	out = source.Draft{Stream: s, Location: d.o.Location, Kind: decode.Rows, Key: strings.ReplaceAll(x.id, "\x00", "/"), ContentType: "application/json", At: now, Body: body}
	if r, err := d.o.Profile.Decode(rows); err == nil {
		if t, ok := r.(retail.Ticket); ok {
			out.Location, out.Key = t.Location, t.Key.ID
			return out, &t, nil
		}
	}
	return out, nil, nil
}

// file is what stands for a file's name in the record's origin.
func (d *Database) file() string {
	if d.server.Database != "" {
		return d.server.Database
	}
	return d.name
}

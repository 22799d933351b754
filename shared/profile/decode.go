package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// Decode makes the ticket of rows. A ticket is rounded half away from zero at its total, its lines by largest remainder; Rounded tells by
// how much. Code invalid: what is wrong with which row.
func (p *Profile) Decode(r Rows) (retail.Record, error) { return p.Under(p.Head(r), r) }

// Under is Decode of rows whose head is known: those of a file share it.
func (p *Profile) Under(head *Head, r Rows) (retail.Record, error) {
	if err := p.readable(head, r); err != nil {
		return nil, err
	}
	if p.Spread != "" {
		return Gather([]Part{{p, r}})
	}
	if p.Record == "control" {
		return p.control(head, r)
	}
	first := row{p, head, r.Rows[0].Cells}
	t, err := p.head(first, r)
	if err != nil {
		return nil, err
	}
	b := head.room.start(len(r.Rows))
	for i, one := range r.Rows {
		this := row{p, head, one.Cells}
		if i > 0 && p.apart(first, this) {
			return nil, invalid("file %s, rows %d and %d: both have ticket number %s, and they are more than a day apart, so that it is not known which day's books they belong to. Where the till begins its numbers anew, name the day in the profile's scope", r.File, r.Rows[0].N, one.N, t.Key.ID)
		}
		if err := b.row(this, i == 0); err != nil {
			return nil, invalid("file %s, row %d: %v", r.File, one.N, err)
		}
		b.rows = append(b.rows, one.N)
	}
	t.Origin.Rows = b.rows
	return b.finish(t)
}

// readable says why nothing can be made of rows, whatever stands in them.
func (p *Profile) readable(head *Head, r Rows) error {
	switch {
	case r.Note != "" && len(r.Rows) == 0:
		return invalid("file %s: %s", r.File, r.Note)
	case r.Note != "":
		return invalid("file %s, row %d: %s", r.File, r.Rows[0].N, r.Note)
	case len(r.Rows) == 0:
		return invalid("file %s: there are no rows", r.File)
	case len(head.missing) > 0:
		return invalid("file %s lacks the columns %s: it is not a file of profile %s", r.File, strings.Join(head.missing, ", "), p.Name)
	case p.dated && head.date == "":
		return invalid("file %s: no single day can be read from it; a report must be of one day, and name it above its table or in its file's name, like 2026-11-20", r.File)
	}
	for _, one := range r.Rows {
		if err := head.unclear(one.Cells); err != nil {
			return invalid("file %s, row %d: %v", r.File, one.N, err)
		}
	}
	return nil
}

// head reads what the whole ticket has once.
func (p *Profile) head(first row, r Rows) (t retail.Ticket, err error) {
	rule := &p.rules.ticket
	t = retail.Ticket{Key: retail.Key{System: p.System, Record: "ticket", Scope: first.text(p.rules.scope), ID: first.text(rule.id)}, Number: first.text(rule.number),
		Location: retail.LocationCode(first.text(rule.location)), Till: retail.TillCode(first.text(rule.till)), Cashier: first.text(rule.cashier),
		Day: retail.BusinessDate(first.text(rule.day)), Kind: retail.TicketKind(first.text(rule.kind)), Currency: p.Currency, Parent: first.text(rule.parent),
		Customer: first.text(rule.customer), Rank: p.Rank, Origin: retail.Origin{File: r.File, SHA256: r.SHA256, Profile: p.Name}}
	where := "file " + r.File + ", row " + strconv.Itoa(r.Rows[0].N)
	if t.Key.ID == "" {
		return t, invalid("%s: it has no ticket number", where)
	}
	if t.Number == "" {
		t.Number = t.Key.ID
	}
	if t.Location == "" {
		t.Location = r.Location
	}
	zone := p.zone
	if r.Zone != "" {
		if zone, err = zones.get(r.Zone); err != nil {
			return t, invalid("%s: %q is not a time zone", where, r.Zone)
		}
	}
	if t.At, err = p.time(first.text(rule.at), zone); err != nil {
		return t, invalid("%s: %v", where, err)
	}
	if s := first.text(rule.sequence); s != "" {
		if t.Sequence, err = strconv.ParseInt(s, 10, 64); err != nil {
			return t, invalid("%s: %q is not a running number", where, s)
		}
	}
	return t, nil
}

// apart reports whether two rows can hardly be of one ticket: what they name as its day or its time are more than a day apart. A till that begins its
// numbers anew each day would else have several days' tickets booked as one, on the day of the first.
func (p *Profile) apart(a, b row) bool {
	rule := &p.rules.ticket
	if x, y := a.text(rule.day), b.text(rule.day); x != y && x != "" && y != "" {
		return true
	}
	x, y := a.text(rule.at), b.text(rule.at)
	if x == y || y == "" {
		return false
	}
	at, err := p.time(x, time.UTC)
	other, not := p.time(y, time.UTC)
	return err == nil && not == nil && other.Sub(at).Abs() > 24*time.Hour
}

// time reads a moment by the profile's layouts; one without an offset is in zone.
func (p *Profile) time(s string, zone *time.Location) (time.Time, error) {
	if p.Format == "xlsx" {
		if t, ok := serial(s, zone); ok {
			return t.UTC(), nil
		}
	}
	for _, l := range p.Times {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t.UTC(), nil
		}
	}
	if s == "" {
		return time.Time{}, errors.New("it has no time")
	}
	return time.Time{}, fmt.Errorf("%.80q is not a time of the form %s", s, strings.Join(p.Times, " or "))
}

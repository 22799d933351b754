package filedrop

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// drafter makes records of groups. It keeps what a file's rows share; each goroutine has its own.
type drafter struct {
	c     *content
	known bool // what follows
	noted bool // rows that nobody can make sense of have no key
	of    []string
	rows  profile.Rows          // without rows and note, clean
	cell  []func(string) string // how each of the header's cells is cleaned
	never []int                 // cells of the header that are dropped whatever is in them
	head  *profile.Head
}

// worth is what a record comes to.
type worth struct {
	control bool            // nothing: it is a control total
	booked  decimal.Decimal // of a ticket
	rounded decimal.Decimal // how much of it is rounding
}

// draft makes a group's record. An error with code invalid says why it cannot be booked: it goes as it is and becomes a case.
func (m *drafter) draft(g group) (d source.Draft, w worth, err error) {
	c := m.c
	rows := m.clean(g)
	d = source.Draft{Stream: c.stream, Location: c.loc, Kind: decode.Rows, ContentType: "application/json", At: c.read, Body: rows.Body()}
	rec, err := c.profile.Under(m.head, rows)
	if err != nil {
		whose, at := c.profile.Whose(rows)
		d.Key, d.Location = strings.Clone(whose.ID), retail.LocationCode(strings.Clone(string(at))) // pieces of the row's text would keep all of it
	}
	switch r := rec.(type) {
	case retail.Ticket:
		d.Location, d.Key = r.Location, strings.Clone(r.Key.ID) // a piece of the row's text would keep all of it
		if err == nil {
			err = r.Validate(c.read)
		}
		if c.profile.Spread != "" && errors.Is(err, retail.ErrUnbalanced) {
			err = nil // what is missing may stand in another file: the hub has all of them
		}
		if err == nil {
			w = worthOf(r)
		}
	case retail.Control:
		d.Location, d.Key, w.control = r.Location, string(r.Day), true
	}
	return d, w, err
}

func worthOf(t retail.Ticket) (w worth) {
	total, err := t.Total()
	if err != nil {
		return w
	}
	if t.Rounded != "" {
		w.rounded, _ = money.ParseDecimal(t.Rounded)
	}
	w.booked = total.DecimalOf()
	return w
}

// clean takes card data out of every cell before anything is made of it. A ticket's number that looks like a card's becomes a token: masked,
// two tickets could become one.
func (m *drafter) clean(g group) profile.Rows {
	if noted := g.note != ""; !m.known || m.noted != noted || !slices.Equal(m.of, g.header) {
		m.know(g.header, noted)
	}
	r := m.rows
	r.Rows, r.Note = g.rows, guard.Text(g.note)
	if g.pieces != "" && guard.Clean(g.pieces) { // one look at all instead of one at each
		for _, row := range r.Rows {
			for _, k := range m.never {
				if k < len(row.Cells) {
					row.Cells[k] = guard.Drop(row.Cells[k])
				}
			}
		}
		return r
	}
	for _, row := range r.Rows {
		for k, text := range row.Cells {
			if k < len(m.cell) {
				row.Cells[k] = m.cell[k](text)
			} else {
				row.Cells[k] = guard.Text(text)
			}
		}
	}
	return r
}

// know works out what rows under a header share.
func (m *drafter) know(header []string, noted bool) {
	c := m.c
	m.known, m.of, m.noted = true, slices.Clone(header), noted
	m.rows = profile.Rows{Profile: c.profile.Name, Version: c.profile.Version(), File: guard.Text(filepath.Base(c.path)), SHA256: c.sha, Location: c.loc, Top: cleaned(c.top()), Header: cleaned(header)}
	m.head = c.profile.Head(m.rows)
	m.head.Remember()
	m.cell, m.never = make([]func(string) string, len(header)), nil
	for k, name := range m.rows.Header {
		switch {
		case !noted && c.profile.IsKey(name):
			m.cell[k] = func(s string) string { return guard.Key(c.card.Secret, s) }
		case guard.Never(name):
			m.cell[k], m.never = guard.Drop, append(m.never, k)
		default:
			m.cell[k] = guard.Text
		}
	}
}

func cleaned(in []string) []string {
	out := slices.Clone(in)
	for i := range out {
		out[i] = guard.Text(out[i])
	}
	return out
}

package filedrop

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// group is one ticket's rows, or one row that belongs to none.
type group struct {
	note   string
	header []string
	rows   []profile.Row
}

// seek makes n the next group. Going on, and going back to where the last batch began, cost nothing.
func (c *content) seek(n int) error {
	switch n {
	case c.group:
	case c.before:
		c.group, c.at = c.before, c.began
	default:
		c.group, c.at = 0, 0
		for c.group < n {
			if _, _, ok, err := c.places(); err != nil || !ok {
				return err
			}
		}
	}
	c.before, c.began = c.group, c.at
	return nil
}

// places returns the next group's rows, at most maxTicketRows of them.
func (c *content) places() (out []place, over, ok bool, err error) {
	for size := 0; ; c.at++ {
		p, more, err := c.index.done.at(c.at)
		if err != nil {
			return nil, false, false, err
		}
		if size += int(p.size); !more || len(out) > 0 && (p.group != out[0].group || over && (len(out) == maxTicketRows || size > maxTicketBytes)) {
			break
		}
		out, over = append(out, p), p.over
	}
	if len(out) > 0 {
		c.group++
	}
	return out, over, len(out) > 0, nil
}

// next reads the next group's rows from the file again; ok is false behind the last. Code unavailable: the file is not the same any more.
func (c *content) next(f io.ReaderAt) (g group, ok bool, err error) {
	if c.refused != "" {
		if c.group > 0 {
			return g, false, nil
		}
		c.group++
		return group{note: c.refused, header: []string{}, rows: []profile.Row{}}, true, nil
	}
	at, over, ok, err := c.places()
	if err != nil || !ok {
		return g, false, err
	}
	own, rows := map[string]bool{}, make([]fields, len(at))
	for i, p := range at {
		raw, err := c.raw(f, p)
		if err != nil {
			return g, false, err
		}
		bad := c.told[int(p.row)]
		if p.bad && bad == "" {
			bad = "it cannot be read as a row"
		}
		var wrong error
		if rows[i], wrong = c.format.parse(raw); wrong != nil && bad == "" {
			bad = wrong.Error()
		}
		if bad != "" {
			g.note, rows[i] = bad, fields{cells: []string{string(raw)}}
		}
		for _, n := range rows[i].names {
			own[n] = true
		}
	}
	if over {
		g.note = fmt.Sprintf("its ticket has more than %d rows or %d MB, which no ticket has: look at what the profile takes for the ticket's number", maxTicketRows, maxTicketBytes>>20)
	}
	for _, n := range c.profile.Columns() {
		own[n] = true
	}
	g.header = c.header(own)
	for i, p := range at {
		cells := rows[i].cells
		if rows[i].names != nil {
			cells = make([]string, len(g.header))
			for k, n := range rows[i].names {
				at, _ := slices.BinarySearch(g.header, n)
				cells[at] = rows[i].cells[k]
			}
		}
		g.rows = append(g.rows, profile.Row{N: int(p.row), Cells: cells})
	}
	return g, true, nil
}

// raw is a row's bytes, proven to be those that were grouped.
func (c *content) raw(f io.ReaderAt, p place) (raw []byte, err error) {
	if s, is := c.format.(*sheet); is {
		raw = s.body[p.off : p.off+int64(p.size)]
	} else if raw, err = c.text.slice(f, p.off, int(p.size)); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(raw) != p.crc {
		return nil, errMoving
	}
	return raw, nil
}

// draft makes a group's record. An error with code invalid says why it cannot be booked: it goes as it is and becomes a case.
func (c *content) draft(g group) (d source.Draft, rec retail.Record, err error) {
	rows := profile.Rows{Profile: c.profile.Name, File: filepath.Base(c.path), SHA256: c.sha, Location: c.loc, Top: c.top(), Header: g.header, Rows: g.rows, Note: g.note}
	c.clean(&rows)
	body, merr := json.Marshal(rows)
	if merr != nil {
		return d, nil, fault.New(fault.Internal, "write rows", merr)
	}
	d = source.Draft{Stream: c.stream, Location: c.loc, Kind: decode.Rows, ContentType: "application/json", At: c.read, Body: body}
	rec, err = c.profile.Decode(rows)
	if err != nil && rows.Note == "" {
		d.Key = c.profile.Number(rows)
	}
	switch r := rec.(type) {
	case retail.Ticket:
		d.Location, d.Key = r.Location, r.Key.ID
		if err == nil {
			err = r.Validate(c.read)
		}
	case retail.Control:
		d.Location, d.Key = r.Location, string(r.Day)
	}
	return d, rec, err
}

// clean takes card data out of every cell before anything is made of it. A ticket's number that looks like a card's becomes a token: masked,
// two tickets could become one.
func (c *content) clean(r *profile.Rows) {
	r.File, r.Note = guard.Text(r.File), guard.Text(r.Note)
	r.Top = cleaned(r.Top)
	cell := c.cleaners(r)
	for _, row := range r.Rows {
		for k, text := range row.Cells {
			if k < len(cell) {
				row.Cells[k] = cell[k](text)
			} else {
				row.Cells[k] = guard.Text(text)
			}
		}
	}
}

// cleaners are how a header's cells are cleaned. A file's rows have one header, so they are made once.
type cleaners struct {
	of     []string // the header, as it came
	noted  bool     // rows that nobody can make sense of have no key
	header []string // clean
	cell   []func(string) string
}

// cleaners says how r's cells are cleaned, and cleans its header.
func (c *content) cleaners(r *profile.Rows) []func(string) string {
	noted := r.Note != ""
	if c.cells.cell == nil || c.cells.noted != noted || !slices.Equal(c.cells.of, r.Header) {
		n := cleaners{of: slices.Clone(r.Header), noted: noted, header: cleaned(r.Header), cell: make([]func(string) string, len(r.Header))}
		for k, name := range n.header {
			switch {
			case !noted && c.profile.IsKey(name):
				n.cell[k] = func(s string) string { return guard.Key(c.card.Secret, s) }
			case guard.Never(name):
				n.cell[k] = guard.Drop
			default:
				n.cell[k] = guard.Text
			}
		}
		c.cells = n
	}
	r.Header = c.cells.header
	return c.cells.cell
}

func cleaned(in []string) []string {
	out := slices.Clone(in)
	for i := range out {
		out[i] = guard.Text(out[i])
	}
	return out
}

// marks prove how far a file of whole days has brought each location.
func (c *content) marks(name string) (out []source.Draft, err error) {
	if !c.profile.Proof.WholeDays || c.refused != "" || len(c.newest) > maxLocations {
		return nil, nil
	}
	for _, l := range slices.Sorted(maps.Keys(c.newest)) {
		body, err := json.Marshal(retail.ReadTo{Source: guard.Text(name), Location: l, Through: c.newest[l].Add(24 * time.Hour), Profile: c.profile.Name})
		if err != nil {
			return nil, fault.New(fault.Internal, "write mark", err)
		}
		out = append(out, source.Draft{Stream: c.stream, Location: l, Kind: decode.ReadTo, ContentType: "application/json", At: c.read, Body: body})
	}
	return out, nil
}

// introduce sends an own profile ahead of the first rows that need it.
func (c *content) introduce() []source.Draft {
	if s, ok := profile.Shipped(c.profile.Name); ok && string(s.TOML()) == string(c.profile.TOML()) {
		return nil
	}
	return []source.Draft{{Stream: c.stream, Kind: decode.Profile, Key: c.profile.Name, ContentType: "application/toml", At: c.read, Body: c.profile.TOML()}}
}

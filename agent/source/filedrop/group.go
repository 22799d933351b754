package filedrop

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
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
	pieces string // "" = not known; else every cell of every row is a piece of it
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
			if _, _, _, ok, err := c.places(); err != nil || !ok {
				return err
			}
		}
	}
	c.before, c.began = c.group, c.at
	return nil
}

// places returns where the next group's rows are, and how many, at most maxTicketRows of them.
func (c *content) places() (out []place, rows int, over, ok bool, err error) {
	for size := 0; ; c.at++ {
		p, more, err := c.index.done.at(c.at)
		if err != nil {
			return nil, 0, false, false, err
		}
		if !more || len(out) > 0 && (p.group != out[0].group || over && (rows+p.rows > maxTicketRows || size+int(p.size) > maxTicketBytes)) {
			break
		}
		size, rows = size+int(p.size), rows+p.rows
		out, over = append(out, p), p.over
	}
	if len(out) > 0 {
		c.group++
	}
	return out, rows, over, len(out) > 0, nil
}

// space is room for groups' rows, which is used again when nobody needs them any more.
type space struct {
	rows  []profile.Row
	cells []string
}

// forRows makes room for n rows of width cells behind those that are there; what was given before stays what it is.
func (s *space) forRows(n, width int) {
	if cap(s.rows)-len(s.rows) < n {
		s.rows = make([]profile.Row, 0, max(n, 2*cap(s.rows)))
	}
	if cap(s.cells)-len(s.cells) < n*width {
		s.cells = make([]string, 0, max(n*width, 2*cap(s.cells)))
	}
}

// again gives all of it free.
func (s *space) again() { s.rows, s.cells = s.rows[:0], s.cells[:0] }

// next reads the rows of the next group that is not handed over yet from the file again, into room; ok is false behind the last. Code unavailable: the file is not the same
// any more.
func (c *content) next(f io.ReaderAt, room *space) (g group, ok bool, err error) {
	if c.refused != "" {
		if c.group > 0 {
			return g, false, nil
		}
		c.group++
		return group{note: c.refused, header: []string{}, rows: []profile.Row{}}, true, nil
	}
	at, n, over, ok, err := c.places()
	for err == nil && ok && c.old(at, over) {
		at, n, over, ok, err = c.places()
	}
	if err != nil || !ok {
		return g, false, err
	}
	header, fixed := c.fixed()
	room.forRows(n, len(header))
	read := reading{c: c, fixed: fixed, space: room, from: len(room.rows)}
	for _, p := range at {
		raw, err := c.raw(f, p)
		if err != nil {
			return g, false, err
		}
		read.place(p, raw)
	}
	g = read.group()
	if _, is := c.format.(*commas); is && len(at) == 1 && strings.IndexByte(read.text, '"') < 0 { // a quoted cell is not as it stands
		g.pieces = read.text
	}
	if over {
		g.note = fmt.Sprintf("its ticket has more than %d rows or %d MB, which no ticket has: look at what the profile takes for the ticket's number", maxTicketRows, maxTicketBytes>>20)
	}
	return g, true, nil
}

// raw is rows' bytes, proven to be those that were grouped.
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

// reading is a group that is being read.
type reading struct {
	c     *content
	note  string
	fixed bool // all rows have the file's header
	*space
	from  int        // its first row there
	text  string     // of the last place
	names [][]string // of each row that names its cells
}

// place reads the rows of one place.
func (r *reading) place(p place, raw []byte) {
	text := string(raw)
	r.text = text
	for i := range p.rows {
		line := text
		if i < p.rows-1 {
			end := strings.IndexByte(text, '\n') + 1
			line, text = text[:end], text[end:]
		}
		r.row(int(p.row)+i, line, p.bad)
	}
}

func (r *reading) row(n int, raw string, broken bool) {
	bad := r.c.told[n]
	if broken && bad == "" {
		bad = "it cannot be read as a row"
	}
	got, wrong := r.c.format.parse(raw, r.cells[len(r.cells):])
	if wrong != nil && bad == "" {
		bad = wrong.Error()
	}
	if bad != "" {
		r.note, got = bad, fields{cells: []string{raw}}
	} else if left := cap(r.cells) - len(r.cells); len(got.cells) <= left {
		r.cells = r.cells[:len(r.cells)+len(got.cells)]
	}
	r.rows = append(r.rows, profile.Row{N: n, Cells: slices.Clip(got.cells)})
	if !r.fixed {
		r.names = append(r.names, got.names)
	}
}

// group puts the rows under one header.
func (r *reading) group() group {
	rows := slices.Clip(r.rows[r.from:])
	if header, ok := r.c.fixed(); ok {
		return group{note: r.note, header: header, rows: rows}
	}
	own := map[string]bool{}
	for _, names := range append(r.names, r.c.profile.Columns()) {
		for _, n := range names {
			own[n] = true
		}
	}
	g := group{note: r.note, header: slices.Sorted(maps.Keys(own)), rows: rows}
	for i, names := range r.names {
		if names == nil {
			continue
		}
		cells := make([]string, len(g.header))
		for k, n := range names {
			at, _ := slices.BinarySearch(g.header, n)
			cells[at] = g.rows[i].Cells[k]
		}
		g.rows[i].Cells = cells
	}
	return g
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
	if c.profile.Version() == profile.FromShipped {
		return nil
	}
	return []source.Draft{{Stream: c.stream, Kind: decode.Profile, Key: c.profile.Name, ContentType: "application/toml", At: c.read, Body: c.profile.TOML()}}
}

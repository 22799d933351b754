package filedrop

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// maxTicketRows and maxTicketBytes bound a ticket: a file in which one number stands everywhere is broken, and its rows go in pieces
	// that are listed.
	maxTicketRows  = 5000
	maxTicketBytes = 4 << 20

	maxNames     = 2000   // different field names in a JSON file
	maxTold      = 5000   // reasons of unreadable rows that are kept in their own words
	maxLocations = 10_000 // in one file: beyond it, it proves no days
)

// Card is what filedrop asks of the card-data guard: a secret for the tokens that stand for ticket numbers which look like card numbers.
type Card struct{ Secret []byte }

// content is a settled file, grouped: the index knows each ticket's rows, wherever they stand. The rows themselves stay in the file.
type content struct {
	profile *profile.Profile
	path    string
	stamp   stamp
	loc     retail.LocationCode
	stream  envelope.Stream
	read    time.Time
	card    Card

	sha     string
	format  format
	text    *text
	index   *index
	names   map[string]bool // of a JSON file's fields
	told    map[int]string  // why rows cannot be read, in the words of the format
	refused string          // why the whole file cannot be read; then it has no groups but this one
	newest  map[retail.LocationCode]time.Time
	rows    int
	tail    int  // the row with which the file ends, when it was not written to its end; 0 = it was
	hold    bool // the tail is not handed over: its writer may be about to go on
	held    bool // it was not
	seed    [16]byte
	named   []byte // room for what keyOf hashes
	sum     hash.Hash
	columns *profile.Head // of header
	last    struct {      // row that was noted
		cells []string // nil = it belongs to no ticket
		key   [16]byte
	}
	alone struct { // columns that say which ticket a row belongs to
		known, ok bool
		columns   []int
	}
	spare []string // room for the next one's cells
	above []string // rows above the first that counts
	draw  drafter
	room  space // of the group that it drafts

	trail  trail
	handed int // rows up to here were handed over in an earlier state of the file

	first  int   // the group with which it began to be handed over: the profile goes ahead of it
	group  int   // the next one
	at     int64 // where it begins in the index
	before int   // the one that the last batch began with
	began  int64
}

// same reports whether the file still stands as it was loaded.
func (c *content) same() bool {
	now, err := os.Lstat(c.path)
	return err == nil && stampOf(now) == c.stamp
}

func (c *content) close() { c.index.close() }

// gather notes where each row stands and which ticket it belongs to.
func (c *content) gather(ctx context.Context, f io.Reader) (err error) {
	r := io.TeeReader(f, c.sum)
	if err = packed(f, c.profile); err == nil {
		c.text, err = newText(c.profile, c.sum)
	}
	if err == nil {
		switch c.profile.Format {
		case "xlsx":
			c.format = &sheet{commas: commas{p: c.profile}}
		case "csv":
			c.format = &commas{p: c.profile, cells: newCutter(c.profile.Delimiter)}
		case "ndjson":
			c.format = objects{}
		default:
			c.format = array{}
		}
		if c.profile.Format != "xlsx" {
			text := c.text.goAhead(f)
			defer text.close()
			r = text
		}
		err = c.format.each(ctx, r, c.note)
	}
	if err == nil {
		if missing := c.profile.Missing(c.header()); len(missing) > 0 && (len(c.names) > 0 || c.profile.Format == "csv" || c.profile.Format == "xlsx") {
			err = errTold("it lacks the columns %s: it is no file of profile %s, or its headings were changed", quoted(missing), c.profile.Name)
			if len(c.header()) == 1 && c.profile.Format == "csv" {
				err = errTold("it lacks the columns %s, and has no two cells in its heading: another sign may stand between its cells than profile %s says, or it is no file of that profile", quoted(missing), c.profile.Name)
			}
		}
	}
	if fault.Is(err, fault.Invalid) { // the whole file is one listed thing
		c.refused, err = reason(err), nil
		c.index.close()
		c.index = newIndex("")
	}
	return err
}

// note puts a row into the index.
func (c *content) note(s span) error {
	c.trail.step(s)
	c.tail = 0
	if c.goesOn(s) {
		c.rows++
		return c.index.add(c.last.key, s, s.line)
	}
	row, id := fields{}, ""
	var err error
	if s.bad == "" {
		row, err = c.format.parse(string(s.raw), c.spare[:0])
	}
	if s.bad != "" && len(c.told) < maxTold {
		c.told[s.row] = s.bad
	}
	usable := s.bad == "" && err == nil
	if !usable && c.unended(s) {
		c.tail = s.row
	}
	if usable {
		for _, n := range row.names {
			if len(c.names) < maxNames {
				c.names[n] = true
			}
		}
		head := c.head(row.names)
		if c.profile.Skips(head, row.cells) {
			c.decoration(row.cells)
			return nil
		}
		if c.cutOff(s, row.cells) {
			c.tail, c.told[s.row], c.last.cells = s.row, "the file ends in the middle of this row: it was not written to its end. Export it again", nil
			c.rows++
			return c.index.add(c.keyOf("row", fmt.Sprint(s.row)), s, false)
		}
		c.see(head, row.cells)
		if row.names == nil && c.last.cells != nil && c.profile.SameTicket(head, c.last.cells, row.cells) {
			c.rows++
			c.spare = row.cells
			return c.index.add(c.last.key, s, s.line)
		}
		id = c.profile.TicketID(head, row.cells)
	}
	c.rows++
	if id == "" { // it stands alone
		c.last.cells = nil
		return c.index.add(c.keyOf("row", fmt.Sprint(s.row)), s, false)
	}
	key := c.keyOf("ticket", id)
	if row.names != nil {
		row.cells = nil
	}
	c.last.cells, c.last.key, c.spare = row.cells, key, c.last.cells
	return c.index.add(key, s, s.line)
}

// goesOn reports whether a row is seen to belong to the ticket of the row before without being cut into cells: most rows of most files are.
func (c *content) goesOn(s span) bool {
	f, is := c.format.(*commas)
	if !is || c.last.cells == nil || s.bad != "" || !s.line || len(f.cells.comma) != 1 {
		return false
	}
	if !c.alone.known {
		c.alone.columns, c.alone.ok = c.profile.Alone(c.head(nil))
		c.alone.known = true
	}
	return c.alone.ok && alike(s.raw, f.cells.comma[0], len(f.header), c.alone.columns, c.last.cells)
}

// decoration keeps what stands above a report's first row: it may tell the report's day.
func (c *content) decoration(cells []string) {
	if c.rows == 0 && len(c.above) < maxTop {
		c.above, c.columns = append(c.above, oneLine(cells)), nil
	}
}

// keyOf is what a ticket's number is in the index: what goes to disk must not tell it.
func (c *content) keyOf(kind, id string) [16]byte {
	c.named = append(append(append(append(c.named[:0], c.seed[:]...), kind...), 0), id...)
	sum := sha256.Sum256(c.named)
	return [16]byte(sum[:16])
}

// head is what a row's cells are called; own are the names of a row that brings them.
func (c *content) head(own []string) *profile.Head {
	if own != nil {
		return c.profile.Head(profile.Rows{Header: own, File: filepath.Base(c.path), Location: c.loc})
	}
	if c.columns == nil {
		c.columns = c.profile.Head(profile.Rows{Header: c.header(), Top: c.top(), File: filepath.Base(c.path), Location: c.loc})
	}
	return c.columns
}

// see keeps each location's newest time, which proves its days. A clock that is far ahead proves nothing.
func (c *content) see(head *profile.Head, cells []string) {
	if !c.profile.Proof.WholeDays {
		return
	}
	l, at, ok := c.profile.When(head, cells)
	if l == "" {
		l = c.loc
	}
	if ok && l != "" && at.After(c.newest[l]) && !at.After(c.read.Add(retail.MaxFuture)) && len(c.newest) <= maxLocations {
		c.newest[l] = at
	}
}

// header is what the file's cells are called.
func (c *content) header() []string {
	if header, ok := c.fixed(); ok {
		return header
	}
	return slices.Sorted(maps.Keys(c.names))
}

// fixed is the one header of all rows; ok is false for a format whose rows name their cells.
func (c *content) fixed() (header []string, ok bool) {
	switch f := c.format.(type) {
	case *commas:
		return f.header, true
	case *sheet:
		return f.header, true
	}
	return nil, false
}

// top are the lines above the first row.
func (c *content) top() []string {
	switch f := c.format.(type) {
	case *commas:
		return slices.Concat(f.top, c.above)
	case *sheet:
		return slices.Concat(f.top, c.above)
	}
	return nil
}

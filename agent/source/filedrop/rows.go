// Package filedrop reads files that tills and vendors drop into a folder: when they are settled, whole, and through a profile. A file is
// never changed, moved or deleted.
package filedrop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

const (
	maxRow    = 1 << 20  // bytes of a row: a longer one is a broken quote or no text file at all
	maxQuoted = 64 << 10 // bytes of a row whose quoted cells go over several lines
	maxTop    = 50       // lines before the header that are kept: a report's title and dates
	shown     = 200      // bytes of an unusable row that its case shows
)

// span is a row as its format cuts it out of the text: raw are its bytes at off, and bad tells why they cannot be read as a row; line says
// that it is just one line. The bytes hold until the next span.
type span struct {
	row  int
	off  int64
	raw  []byte
	bad  string
	line bool
}

// format knows one kind of file. each cuts the text into rows from front to end; parse reads one row, and
// may put its cells into room. Both are given the same bytes at any time, so that a row that is read again later is the same row.
type format interface {
	each(ctx context.Context, r io.Reader, f func(span) error) error
	parse(raw string, room []string) (fields, error)
}

// fields are a row's cells; names are its own, for a format whose rows name them.
type fields struct{ names, cells []string }

// errTold is an error of a whole file: nothing in it can be read as its profile says.
func errTold(format string, args ...any) error {
	return fault.Msg(fault.Invalid, "read file", fmt.Sprintf(format, args...))
}

// commas is CSV.
type commas struct {
	p      *profile.Profile
	cells  *cutter
	header []string
	top    []string
	named  bool // the profile knows columns by their headings, not by their places alone
}

// each cuts rows at line ends outside quotes. A row with a broken quote is one line, and the next line is a row again.
func (c *commas) each(ctx context.Context, r io.Reader, f func(span) error) error {
	l := &lines{b: bufio.NewReaderSize(r, 64<<10)}
	var held []line // lines behind a broken quote that are read again
	next := func() (line, error) {
		if len(held) > 0 {
			n := held[0]
			held = held[1:]
			return n, nil
		}
		return l.next()
	}
	for ctx.Err() == nil {
		first, err := next()
		if errors.Is(err, io.EOF) {
			return c.atEnd()
		}
		if err != nil {
			return err
		}
		s, rest, err := c.join(first, next)
		if err != nil {
			return err
		}
		held = append(rest, held...)
		if c.header == nil {
			if err := c.head(s); err != nil {
				return err
			}
			continue
		}
		if s.bad == "" && blank(s.raw) {
			continue
		}
		if err := f(s); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// join gathers the lines of a row whose quotes go on. When they never end, or end wrongly, the first line stands alone and rest are rows
// of their own.
func (c *commas) join(first line, next func() (line, error)) (s span, rest []line, err error) {
	s = span{row: first.n, off: first.off, raw: first.raw, bad: first.bad, line: true}
	state := c.quotes(outside, first.raw)
	if first.bad != "" || state != inside {
		return s, nil, nil
	}
	s.line = false
	body := bytes.Clone(first.raw)
	first.raw = bytes.Clone(first.raw)
	for state == inside && len(body) < maxQuoted {
		n, err := next()
		if err != nil && !errors.Is(err, io.EOF) {
			return s, nil, err
		}
		if err != nil || n.bad != "" {
			if err == nil {
				rest = append(rest, n)
			}
			state = broken
			break
		}
		n.raw = bytes.Clone(n.raw)
		rest, body = append(rest, n), append(body, n.raw...)
		state = c.quotes(inside, n.raw)
	}
	if state != outside {
		s.raw, s.bad = first.raw, "a quote is opened and not closed"
		return s, rest, nil
	}
	s.raw = body
	return s, nil, nil
}

// quoting is where a line ends.
type quoting int

const (
	outside quoting = iota
	inside
	broken
)

// quotes follows RFC 4180's quotes through a line.
func (c *commas) quotes(at quoting, raw []byte) quoting {
	if at == outside && bytes.IndexByte(raw, '"') < 0 {
		return outside
	}
	comma := []byte(c.cells.comma)
	fresh := at == outside // at the beginning of a cell
	for i := 0; i < len(raw); i++ {
		switch {
		case at == inside && raw[i] == '"':
			if i+1 < len(raw) && raw[i+1] == '"' {
				i++
				continue
			}
			rest := raw[i+1:]
			if len(rest) > 0 && rest[0] != '\n' && rest[0] != '\r' && !bytes.HasPrefix(rest, comma) {
				return broken
			}
			at, fresh = outside, false
		case at == inside:
		case fresh && raw[i] == '"':
			at = inside
		case bytes.HasPrefix(raw[i:], comma):
			fresh, i = true, i+len(comma)-1
		default:
			fresh = false
		}
	}
	return at
}

// head looks for the header: the first row behind those that the profile skips, or the first that holds the cell by which the profile
// knows it. What stands above it is kept: a report tells its day there.
func (c *commas) head(s span) error {
	cells, err := c.cells.cut(string(s.raw), nil)
	if s.bad != "" || err != nil {
		if s.bad == "" && len(bytes.TrimSpace(s.raw)) == 0 {
			return nil
		}
		if s.bad == "" {
			s.bad = err.Error()
		}
		return errTold("its line %d cannot be read as a header: %s. It is no %s file, or it is damaged: export it again", s.row, s.bad, c.p.Format)
	}
	return c.take(s.row, cells)
}

func (c *commas) take(row int, cells []string) error {
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if c.p.IsHeader(row, cells) {
		if !c.p.HasTitle(append(c.top, cells...)) {
			return errTold("the title %q does not stand above its table: it is another report, and no file of profile %s", c.p.Title, c.p.Name)
		}
		c.header, c.named = cells, len(c.p.Columns()) > 0
		return nil
	}
	if len(c.top) >= maxTop {
		return c.atEnd()
	}
	c.top = append(c.top, oneLine(cells))
	return nil
}

// oneLine is a row's text, as much of it as a title needs.
func oneLine(cells []string) string {
	s := strings.Join(strings.Fields(strings.Join(cells, " ")), " ")
	return strings.ToValidUTF8(s[:min(len(s), shown)], "")
}

// atEnd tells what a file without header is.
func (c *commas) atEnd() error {
	switch {
	case c.header != nil:
		return nil
	case len(c.top) == 0:
		return errTold("the file is empty: export it again")
	case c.p.Header != "":
		return errTold("no row has the heading %q: it is no file of profile %s", c.p.Header, c.p.Name)
	}
	return errTold("the file ends before its header")
}

// parse reads a row's cells.
func (c *commas) parse(raw string, room []string) (fields, error) {
	cells, err := c.cells.cut(raw, room)
	if err != nil {
		return fields{cells: []string{raw}}, err
	}
	return c.fit(cells)
}

func (c *commas) fit(cells []string) (fields, error) {
	for len(cells) > len(c.header) && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1] // a separator at the end of the line
	}
	if len(cells) > len(c.header) && c.named {
		return fields{cells: cells}, fmt.Errorf("it has %d cells, the header %d", len(cells), len(c.header))
	}
	return fields{cells: cells}, nil
}

// lines cuts a text at line ends.
type lines struct {
	b     *bufio.Reader
	n     int
	off   int64
	whole []byte // of a line that is longer than b
}

// blank reports whether nothing stands in a line; programs of DOS's days end their files with a sign for that.
func blank(line []byte) bool { return len(bytes.TrimSpace(bytes.TrimSuffix(line, []byte{0x1a}))) == 0 }

// line is a line with its end. A line beyond maxRow comes cut off, with what is wrong with it.
type line struct {
	n   int
	off int64
	raw []byte
	bad string
}

// next reads a line; it holds until the next.
func (l *lines) next() (line, error) {
	l.whole = l.whole[:0]
	out := line{n: l.n + 1, off: l.off}
	for {
		part, err := l.b.ReadSlice('\n')
		l.off += int64(len(part))
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full && !errors.Is(err, io.EOF) {
			return out, err
		}
		if !full && len(l.whole) == 0 && out.bad == "" {
			out.raw = part
		} else if room := maxRow - len(l.whole); len(part) > room {
			l.whole, out.bad = append(l.whole, part[:room]...), fmt.Sprintf("it is longer than %d bytes", maxRow)
		} else {
			l.whole = append(l.whole, part...)
		}
		if full {
			continue
		}
		if len(out.raw) == 0 {
			out.raw = l.whole
		}
		if out.bad != "" {
			out.raw = out.raw[:shown]
		}
		if errors.Is(err, io.EOF) && len(out.raw) == 0 {
			return out, io.EOF
		}
		l.n++
		return out, nil
	}
}

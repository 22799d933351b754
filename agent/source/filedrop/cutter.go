package filedrop

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// cutter cuts one CSV row into cells: a row without quotes at its separators, any other with encoding/csv, whose reader goes on where it
// stopped when it is fed again.
type cutter struct {
	comma string
	r     *csv.Reader
	feed  feed
}

type feed struct{ rest string }

// Read implements io.Reader.
func (f *feed) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func newCutter(delimiter string) *cutter {
	c := &cutter{comma: ","}
	if delimiter != "" {
		c.comma = delimiter
	}
	c.reset()
	return c
}

func (c *cutter) reset() {
	c.r = csv.NewReader(&c.feed)
	c.r.FieldsPerRecord, c.r.ReuseRecord, c.r.Comma = -1, true, []rune(c.comma)[0]
}

// cut appends the row's cells to into. An error says what is wrong with it in its own words.
func (c *cutter) cut(raw string, into []string) ([]string, error) {
	if line := bare(raw); line != "" && len(c.comma) == 1 {
		if cells, ok := split(line, c.comma[0], into); ok {
			return cells, nil
		}
	}
	c.feed.rest = raw
	from := c.r.InputOffset()
	cells, err := c.r.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil && c.r.InputOffset() == from+int64(len(raw)):
		return append(into, cells...), nil
	case errors.Is(err, csv.ErrBareQuote):
		err = errors.New("a quotation mark stands within a cell that does not begin with one")
	case errors.Is(err, csv.ErrQuote):
		err = errors.New("a quotation mark stands alone within a quoted cell, or is missing at its end")
	case errors.As(err, &wrong):
		err = errors.New(strings.TrimPrefix(wrong.Err.Error(), "csv: "))
	case err == nil:
		err = errors.New("it is more than one row")
	}
	c.feed.rest = ""
	c.reset() // whatever it still holds of the broken row
	return nil, err
}

// bare is a line without its end.
func bare(raw string) string {
	return strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
}

// split cuts a line at its separators; ok is false when there is more to it: quotes, or a second line.
func split(line string, comma byte, into []string) (cells []string, ok bool) {
	cells, from := into, 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case comma:
			cells = append(cells, line[from:i])
			from = i + 1
		case '"', '\n':
			return nil, false
		}
	}
	return append(cells, line[from:]), true
}

// alike reports whether a line surely has n cells of which those in columns, which ascend, are the same as in cells. It costs a fraction of
// cutting the line. False says nothing.
func alike(line []byte, comma byte, n int, columns []int, cells []string) bool {
	if bytes.IndexByte(line, '"') >= 0 || bytes.Count(line, []byte{comma}) != n-1 {
		return false
	}
	at := 0 // the cell with which line begins
	for _, c := range columns {
		for ; at < c; at++ {
			line = line[bytes.IndexByte(line, comma)+1:]
		}
		end := bytes.IndexByte(line, comma)
		if end < 0 || c >= len(cells) || string(line[:end]) != cells[c] { // the last cell's end is the line's: not looked at
			return false
		}
	}
	return true
}

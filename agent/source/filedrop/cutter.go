package filedrop

import (
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
	if line := bare(raw); line != "" && strings.IndexByte(line, '"') < 0 && strings.IndexByte(line, '\n') < 0 {
		return c.split(line, into), nil
	}
	c.feed.rest = raw
	cells, err := c.r.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil && len(c.feed.rest) == 0:
		return append(into, cells...), nil
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

func (c *cutter) split(line string, into []string) []string {
	for {
		cell, rest, more := strings.Cut(line, c.comma)
		if into = append(into, cell); !more {
			return into
		}
		line = rest
	}
}

package filedrop

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

// cutter cuts one CSV row into cells with encoding/csv, whose reader goes on where it stopped when it is fed again.
type cutter struct {
	comma []byte
	r     *csv.Reader
	feed  feed
}

type feed struct{ rest []byte }

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
	c := &cutter{comma: []byte(",")}
	if delimiter != "" {
		c.comma = []byte(delimiter)
	}
	c.reset()
	return c
}

func (c *cutter) reset() {
	c.r = csv.NewReader(&c.feed)
	c.r.FieldsPerRecord, c.r.ReuseRecord, c.r.Comma = -1, true, []rune(string(c.comma))[0]
}

// cut returns the row's cells. An error says what is wrong with it in its own words.
func (c *cutter) cut(raw []byte) ([]string, error) {
	c.feed.rest = raw
	cells, err := c.r.Read()
	var wrong *csv.ParseError
	switch {
	case err == nil && len(c.feed.rest) == 0:
		return slices.Clone(cells), nil
	case errors.As(err, &wrong):
		err = errors.New(strings.TrimPrefix(wrong.Err.Error(), "csv: "))
	case err == nil:
		err = errors.New("it is more than one row")
	}
	c.feed.rest = nil
	c.reset() // whatever it still holds of the broken row
	return nil, err
}

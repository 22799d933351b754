package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The size of a sheet (ECMA-376 part 1, 18.3.1.73 and 18.3.1.13; what Excel takes).
const (
	mostRows    = 1 << 20
	mostColumns = 1 << 14
)

// Rows are a sheet's, from top to bottom.
type Rows struct {
	book *Book
	from io.Closer
	xml  *xml.Decoder
	row  int
}

// Close ends it.
func (r *Rows) Close() error { return r.from.Close() }

// Next returns the next row that stands in the file with its number, which counts from one, and its cells from the first column on; behind
// the last one that holds something there are none. io.EOF: there is no further row.
func (r *Rows) Next() (row int, cells []string, err error) {
	for {
		t, err := r.xml.Token()
		if err != nil {
			return 0, nil, err // io.EOF as well: of a sheet without any row
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local == "row" {
				return r.cells(e)
			}
		case xml.EndElement:
			if e.Name.Local == "sheetData" {
				return 0, nil, io.EOF
			}
		}
	}
}

// cells reads a row.
func (r *Rows) cells(row xml.StartElement) (int, []string, error) {
	r.row++
	if at := attr(row, "r"); at != "" {
		n, err := strconv.Atoi(at)
		if err != nil || n < 1 {
			return 0, nil, fmt.Errorf("a row has the number %q", at)
		}
		r.row = n
	}
	if r.row > mostRows {
		return 0, nil, fmt.Errorf("it has a row %d, and a sheet ends at %d", r.row, mostRows)
	}
	var cells []string
	column := 0
	for {
		t, err := r.xml.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return r.row, nil, err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local != "c" {
				if err := r.xml.Skip(); err != nil {
					return r.row, nil, err
				}
				continue
			}
			var c cell
			if err := r.xml.DecodeElement(&c, &e); err != nil {
				return r.row, nil, err
			}
			if column, err = columnOf(c.At, column+1); err != nil {
				return r.row, nil, err
			}
			text, err := r.book.text(c)
			if err != nil {
				return r.row, nil, fmt.Errorf("cell %s: %w", c.At, err)
			}
			if text != "" {
				cells = put(cells, column, text)
			}
		case xml.EndElement:
			if e.Name.Local == "row" {
				return r.row, cells, nil
			}
		}
	}
}

// put writes into a column, which counts from one. The last one that names a column counts.
func put(cells []string, column int, text string) []string {
	for len(cells) < column {
		cells = append(cells, "")
	}
	cells[column-1] = text
	return cells
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// columnOf is the column of a place such as AB12; one that names none stands at next.
func columnOf(at string, next int) (int, error) {
	n, i := 0, 0
	for ; i < len(at) && n <= mostColumns; i++ {
		c := at[i] &^ 0x20 // a capital
		if c < 'A' || c > 'Z' {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	if at == "" {
		n = next
	}
	if n == 0 || n > mostColumns || strings.Trim(at[i:], "0123456789") != "" {
		return 0, fmt.Errorf("a cell stands at %q, column %d", at, n)
	}
	return n, nil
}

// cell is one as it stands in the file (18.3.1.4).
type cell struct {
	At     string `xml:"r,attr"`
	Type   string `xml:"t,attr"`
	Value  string `xml:"v"`
	Inline *rich  `xml:"is"`
}

// text is what a cell holds.
func (b *Book) text(c cell) (string, error) {
	switch {
	case c.Type == "s" && c.Value != "":
		n, err := strconv.Atoi(strings.TrimSpace(c.Value))
		if err != nil || n < 0 || n >= len(b.strings) {
			return "", fmt.Errorf("it names string %q, and the workbook has %d", c.Value, len(b.strings))
		}
		return b.strings[n], nil
	case c.Type == "inlineStr" && c.Inline != nil:
		return c.Inline.text(), nil
	}
	return c.Value, nil
}

// rich is a text, or several with formats of their own (18.4.8). How a word is spoken (rPh) is no part of it.
type rich struct {
	Text *string `xml:"t"`
	Runs []struct {
		Text string `xml:"t"`
	} `xml:"r"`
}

func (r *rich) text() string {
	var s strings.Builder
	if r.Text != nil {
		s.WriteString(*r.Text)
	}
	for _, run := range r.Runs {
		s.WriteString(run.Text)
	}
	return unescape(s.String())
}

// unescape reads what XML cannot hold: _x000D_ is a carriage return, _x005F_ an underscore (22.9.2.19).
func unescape(s string) string {
	const form = "_x0000_"
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		if len(s)-i >= len(form) && s[i] == '_' && s[i+1] == 'x' && s[i+6] == '_' {
			if n, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil {
				out.WriteRune(rune(n))
				i += len(form)
				continue
			}
		}
		out.WriteByte(s[i])
		i++
	}
	return out.String()
}

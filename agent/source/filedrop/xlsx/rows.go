package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
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
	// guessed: a zero as a formula's result is what nobody has worked out.
	guessed bool
}

// Row is one that stands in the file.
type Row struct {
	Number int      // from one
	Cells  []string // from the first column to the last one that holds something
	// Bad tells why a cell of it cannot be relied on, "" = none: the rest of the row is there, and money may be missing from it.
	Bad string

	worked bool // a formula in it has a result that somebody worked out
}

// Close ends it.
func (r *Rows) Close() error { return r.from.Close() }

// Next returns the next row; io.EOF: there is none. Another error means that what follows cannot be read either.
func (r *Rows) Next() (Row, error) {
	for {
		t, err := r.xml.Token()
		if err != nil {
			return Row{}, err // io.EOF as well: of a sheet without any row
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local == "row" {
				if err := r.number(attr(e, "r")); err != nil {
					return Row{}, err
				}
				return r.cells()
			}
		case xml.EndElement:
			if e.Name.Local == "sheetData" {
				return Row{}, io.EOF
			}
		}
	}
}

// number takes a row's, "" = the next one. A number that comes twice would be two rows of which nobody could say which one counts.
func (r *Rows) number(at string) error {
	n := r.row + 1
	if at != "" {
		var err error
		if n, err = strconv.Atoi(at); err != nil || n < 1 {
			return fmt.Errorf("a row has the number %q", at)
		}
	}
	if n <= r.row {
		return fmt.Errorf("row %d stands behind row %d", n, r.row)
	}
	if n > mostRows {
		return fmt.Errorf("it has a row %d, and a sheet ends at %d", n, mostRows)
	}
	r.row = n
	return nil
}

// cells reads a row to its end.
func (r *Rows) cells() (Row, error) {
	row, column := Row{Number: r.row}, 0
	for {
		t, err := r.xml.Token()
		if err != nil {
			return row, whole(err)
		}
		switch e := t.(type) {
		case xml.StartElement:
			if e.Name.Local != "c" {
				if err := r.xml.Skip(); err != nil {
					return row, whole(err)
				}
				continue
			}
			c, err := readCell(r.xml, e)
			if err != nil {
				return row, whole(err)
			}
			at, err := columnOf(c.at, column+1)
			if err != nil {
				return row, err
			}
			if at <= column {
				row.bad("cell %s stands behind column %d, or twice", c.at, column)
			}
			column = max(column, at)
			text, bad := r.book.text(c)
			row.worked = row.worked || c.formula && bad == "" && text != "" && text != "0"
			if r.guessed && c.formula && text == "0" {
				bad = notWorked
			}
			if bad != "" {
				row.bad("cell %s: %s", c.at, bad)
			}
			if text != "" {
				row.put(at, text)
			}
		case xml.EndElement: // the row's: readCell and Skip take their own
			return row, nil
		}
	}
}

// bad keeps the first reason.
func (r *Row) bad(form string, values ...any) {
	if r.Bad == "" {
		r.Bad = fmt.Sprintf(form, values...)
	}
}

// put writes into a column, which counts from one.
func (r *Row) put(column int, text string) {
	for len(r.Cells) < column {
		r.Cells = append(r.Cells, "")
	}
	r.Cells[column-1] = text
}

// whole: within an element there is no end of the file.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
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
	for ; i < len(at); i++ {
		if at[i] < '0' || at[i] > '9' {
			n = 0
		}
	}
	if n == 0 || n > mostColumns {
		return 0, fmt.Errorf("a cell stands at %.20q", at)
	}
	return n, nil
}

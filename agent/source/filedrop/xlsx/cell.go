package xlsx

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cell is one as it stands in the file (18.3.1.4).
type cell struct {
	at, kind string
	value    string
	formula  bool
	worked   bool // out: its result stands there, if only as nothing
}

// readCell reads a cell to its end.
func readCell(d *xml.Decoder, e xml.StartElement) (c cell, err error) {
	c = cell{at: attr(e, "r"), kind: attr(e, "t")}
	err = each(d, func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "v":
			c.worked = true
			c.value, err = chars(d)
		case "is":
			c.value, err = readText(d)
		case "f":
			c.formula = true
			err = d.Skip()
		default:
			err = d.Skip()
		}
		return err
	})
	return c, err
}

const notWorked = "a formula without its result: open the workbook in a spreadsheet, save it there, and hand it in again"

// text is what a cell holds; bad says why that cannot be relied on.
func (b *Book) text(c cell) (text, bad string) {
	switch {
	case c.formula && (!c.worked || c.value == "" && c.kind != "str"): // only a text can be empty
		return "", notWorked
	case c.kind == "d":
		return serial(c.value), ""
	case c.kind == "s" && c.value != "":
		n, err := strconv.Atoi(strings.TrimSpace(c.value))
		if err != nil || n < 0 || n >= len(b.strings) {
			return "", fmt.Sprintf("it names text %.20q, and the workbook has %d: export it again", c.value, len(b.strings))
		}
		return b.strings[n], ""
	}
	return c.value, ""
}

// serial is a date as the days since a workbook's day 0, which is how all others stand there; one that is written in no such form, or for a place
// on the globe, stays as it is.
func serial(s string) string {
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} { // a fraction of a second is read, too
		if t, err := time.Parse(form, s); err == nil && t.Year() > 1900 {
			const day = 86_400_000 // milliseconds
			since := t.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Milliseconds()
			part := fmt.Sprintf("%d.%010d", since/day, (since%day*1e10+day/2)/day)
			return strings.TrimSuffix(strings.TrimRight(part, "0"), ".")
		}
	}
	return s
}

// readText reads a text, or several with formats of their own, to its end (18.4.8). How a word is spoken (rPh) is no part of it.
func readText(d *xml.Decoder) (string, error) {
	var s strings.Builder
	var part func(e xml.StartElement) error
	part = func(e xml.StartElement) error {
		switch e.Name.Local {
		case "t":
			t, err := chars(d)
			s.WriteString(t)
			return err
		case "r":
			return each(d, part)
		}
		return d.Skip()
	}
	err := each(d, part)
	return unescape(s.String()), err
}

// each calls f at each element within the one that was begun, and returns behind that one's end. f reads its element to the end.
func each(d *xml.Decoder, f func(xml.StartElement) error) error {
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if err := f(e); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// chars reads an element's own characters, to its end.
func chars(d *xml.Decoder) (string, error) {
	var s []byte
	for {
		t, err := d.Token()
		if err != nil {
			return "", err
		}
		switch e := t.(type) {
		case xml.CharData:
			s = append(s, e...)
		case xml.StartElement:
			if err := d.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return string(s), nil
		}
	}
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

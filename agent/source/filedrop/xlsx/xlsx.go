// Package xlsx reads the cells of a workbook (ECMA-376, .xlsx) as what they hold, never as they are shown: numbers as the text that stands in
// the file, dates as their numbers, formulas as the result that was saved. It holds a workbook's texts and streams its rows. See DESIGN.md.
package xlsx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// ErrTooLarge: unpacked, the workbook is larger than was allowed.
var ErrTooLarge = errors.New("the workbook is larger unpacked than is allowed")

// ErrNoSheet: the workbook has no such sheet of cells.
var ErrNoSheet = errors.New("the workbook has no such sheet")

// ErrDates: the workbook counts its days from 1904, as old Macs did (18.2.28). Which of its numbers are dates its cells do not say, so all of
// those would be read four years and a day too early.
var ErrDates = errors.New("the workbook counts its days from 1904")

// Book is an open workbook. It needs no closing.
type Book struct {
	parts   map[string]*zip.File // by their path in small letters
	sheets  []sheet
	strings []string // shared by all cells
}

type sheet struct{ name, part string }

// Open reads a workbook's list of sheets and its texts. limit bounds all parts together, in bytes as they are unpacked: ErrTooLarge. ErrDates.
func Open(body []byte, limit uint64) (*Book, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	b := &Book{parts: map[string]*zip.File{}}
	size := uint64(0)
	for _, f := range z.File { // a part that holds more than its header says cannot be read to its end
		if size += f.UncompressedSize64; f.UncompressedSize64 > limit || size > limit {
			return nil, ErrTooLarge
		}
		b.parts[strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))] = f
	}
	if err := b.readSheets(); err != nil {
		return nil, err
	}
	return b, nil
}

// relations are a part's links to others.
type relations struct {
	All []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// links reads where a part's links lead, by id, and by the last word of their type.
func (b *Book) links(part string) (byID, byType map[string]string, err error) {
	byID, byType = map[string]string{}, map[string]string{}
	var r relations
	if err := b.decode(path.Join(path.Dir(part), "_rels", path.Base(part)+".rels"), &r); err != nil {
		return byID, byType, err
	}
	for _, l := range r.All {
		to := l.Target
		if !strings.HasPrefix(to, "/") {
			to = path.Join(path.Dir(part), to)
		}
		to = strings.ToLower(strings.TrimPrefix(path.Clean(to), "/"))
		byID[l.ID], byType[path.Base(l.Type)] = to, to
	}
	return byID, byType, nil
}

// readSheets finds the workbook's own part, its sheets in their order, hidden ones too, and its strings.
func (b *Book) readSheets() error {
	main := "xl/workbook.xml"
	if _, byType, err := b.links(""); err == nil && byType["officeDocument"] != "" {
		main = byType["officeDocument"]
	}
	var book struct {
		About struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name string `xml:"name,attr"`
			ID   string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.decode(main, &book); err != nil {
		return err
	}
	if d := book.About.From1904; d != "" && d != "0" && d != "false" {
		return ErrDates
	}
	byID, byType, err := b.links(main)
	if err != nil {
		return err
	}
	for _, s := range book.Sheets {
		b.sheets = append(b.sheets, sheet{s.Name, byID[s.ID]})
	}
	if len(b.sheets) == 0 {
		return errors.New("it has no sheet")
	}
	if part := byType["sharedStrings"]; b.parts[part] != nil {
		return b.readStrings(part)
	}
	return nil
}

// readStrings reads the texts that cells name by their number.
func (b *Book) readStrings(part string) error {
	r, err := b.open(part)
	if err != nil {
		return err
	}
	defer r.Close()
	d := decoder(r, 0)
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "si" {
			var s string
			if s, err = readText(d); len(b.strings) == mostStrings {
				return ErrTooLarge
			}
			b.strings = append(b.strings, s)
		}
		if err != nil {
			return fmt.Errorf("its texts: %w", whole(err))
		}
	}
}

// First is the name of the first sheet.
func (b *Book) First() string { return b.sheets[0].name }

// Rows opens a sheet; capitals do not count. Close the rows. ErrNoSheet.
func (b *Book) Rows(name string) (*Rows, error) {
	for _, s := range b.sheets {
		if strings.EqualFold(s.name, name) && b.parts[s.part] != nil {
			r, err := b.open(s.part)
			if err != nil {
				return nil, err
			}
			return &Rows{book: b, from: r, xml: decoder(r, 0)}, nil
		}
	}
	return nil, ErrNoSheet
}

func (b *Book) open(part string) (io.ReadCloser, error) {
	f := b.parts[part]
	if f == nil {
		return nil, fmt.Errorf("its part %q is not there", part)
	}
	return f.Open()
}

func (b *Book) decode(part string, into any) error {
	r, err := b.open(strings.ToLower(part))
	if err != nil {
		return err
	}
	defer r.Close()
	if err := decoder(r, mostListed).Decode(into); err != nil {
		return fmt.Errorf("its part %q: %w", part, err)
	}
	return nil
}

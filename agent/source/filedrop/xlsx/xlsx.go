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
	guessed bool     // whoever wrote it leaves it to the next program to work its formulas out
}

type sheet struct {
	name, part string
	shown      bool // it is one of cells, and whoever opens the workbook sees it
}

// mostParts is how many parts a workbook may have: each costs some hundred bytes of memory before anything of it is read.
const mostParts = 10_000

// Open reads a workbook's list of sheets and its texts. limit bounds all parts together, in bytes as they are unpacked: ErrTooLarge. ErrDates.
func Open(body []byte, limit uint64) (*Book, error) {
	if bytes.Count(body, []byte("PK\x01\x02")) > mostParts { // lines of its directory
		return nil, ErrTooLarge
	}
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

// link is where a part's link leads; kind is the last word of its type, which is the same in every edition of the standard.
type link struct{ part, kind string }

// links reads a part's links by their id, "" = the package's own.
func (b *Book) links(part string) (map[string]link, error) {
	dir, name := path.Split(part)
	var r relations
	if err := b.decode(dir+"_rels/"+name+".rels", &r); err != nil {
		return nil, err
	}
	out := map[string]link{}
	for _, l := range r.All {
		to := strings.ReplaceAll(l.Target, `\`, "/")
		if !strings.HasPrefix(to, "/") {
			to = dir + to
		}
		out[l.ID] = link{strings.ToLower(strings.TrimPrefix(path.Clean("/"+to), "/")), path.Base(l.Type)}
	}
	return out, nil
}

// of is the part to which a link of a kind leads, "" = there is none.
func of(links map[string]link, kind string) string {
	for _, l := range links {
		if l.kind == kind {
			return l.part
		}
	}
	return ""
}

// readSheets finds the workbook's own part, its sheets in their order, hidden ones too, and its strings.
func (b *Book) readSheets() error {
	main := "xl/workbook.xml"
	if own, err := b.links(""); err == nil && of(own, "officeDocument") != "" {
		main = of(own, "officeDocument")
	}
	var book struct {
		About struct {
			From1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			Name  string `xml:"name,attr"`
			ID    string `xml:"id,attr"`
			State string `xml:"state,attr"`
		} `xml:"sheets>sheet"`
		Calc struct {
			OnLoad string `xml:"fullCalcOnLoad,attr"`
		} `xml:"calcPr"`
	}
	if err := b.decode(main, &book); err != nil {
		return err
	}
	if isTrue(book.About.From1904) {
		return ErrDates
	}
	b.guessed = isTrue(book.Calc.OnLoad)
	links, err := b.links(main)
	if err != nil {
		return err
	}
	for _, s := range book.Sheets {
		l := links[s.ID]
		b.sheets = append(b.sheets, sheet{s.Name, l.part, l.kind == "worksheet" && (s.State == "" || s.State == "visible")})
	}
	if len(b.sheets) == 0 {
		return errors.New("it has no sheet")
	}
	if part := of(links, "sharedStrings"); b.parts[part] != nil {
		return b.readStrings(part)
	}
	return nil
}

func isTrue(s string) bool { return s != "" && s != "0" && s != "false" }

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

// Shown are the names of the sheets of cells that whoever opens the workbook sees, in their order; of one in which all are hidden its first.
func (b *Book) Shown() (names []string) {
	for _, s := range b.sheets {
		if s.shown {
			names = append(names, s.name)
		}
	}
	if names == nil {
		names = []string{b.sheets[0].name}
	}
	return names
}

// Rows opens a sheet; capitals do not count. Close the rows. ErrNoSheet.
func (b *Book) Rows(name string) (*Rows, error) {
	for _, s := range b.sheets {
		if strings.EqualFold(s.name, name) && b.parts[s.part] != nil {
			guessed, err := b.isGuessed(s.part)
			if err != nil {
				return nil, err
			}
			r, err := b.open(s.part)
			if err != nil {
				return nil, err
			}
			return &Rows{book: b, from: r, xml: decoder(r, 0), guessed: guessed}, nil
		}
	}
	return nil, ErrNoSheet
}

// isGuessed reports whether the results of a sheet's formulas stand there as nothing but zeros, in a workbook that leaves it to the next program to
// work them out: programs that only write workbooks put a zero there for whatever it would come to.
func (b *Book) isGuessed(part string) (bool, error) {
	if !b.guessed {
		return false, nil
	}
	from, err := b.open(part)
	if err != nil {
		return false, err
	}
	defer from.Close()
	for r := (&Rows{book: b, from: from, xml: decoder(from, 0)}); ; {
		row, err := r.Next()
		if err != nil { // whoever reads the rows is told what is wrong with them
			return true, nil
		}
		if row.worked {
			return false, nil
		}
	}
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

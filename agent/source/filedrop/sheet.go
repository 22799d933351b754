package filedrop

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tillpost/tillpost/agent/source/filedrop/xlsx"
	"github.com/tillpost/tillpost/shared/profile"
)

// maxWorkbook bounds a workbook's parts as they are unpacked: a format that must be held in memory to be read, on a PC that has other work,
// and never unpacked to the disk, where card numbers in its cells would stand. It is some 100,000 cells; a report has hundreds.
const maxWorkbook = 16 << 20

// maxCells bounds what a workbook's rows come to: a few bytes can name a cell far to the right in each row, or one long text in every cell.
const maxCells = 2 * maxWorkbook

// sheet is one sheet of a workbook. What a cell holds counts, not how it is shown: a price shown without its cents keeps them. A formula is
// its result as it was saved.
type sheet struct {
	commas
	body []byte // each row as a JSON list of its cells, as text
	book *xlsx.Book
	name string // of the sheet
}

// newSheet reads a workbook whole.
func newSheet(p *profile.Profile, r io.Reader) (*sheet, *xlsx.Rows, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxWorkbook+1))
	if err != nil {
		return nil, nil, err
	}
	if len(body) == 0 {
		return nil, nil, errTold("the file is empty: export it again")
	}
	f, err := xlsx.Open(body, maxWorkbook)
	if len(body) > maxWorkbook || errors.Is(err, xlsx.ErrTooLarge) {
		return nil, nil, errTold("the workbook is larger than %d MB unpacked: export it as CSV, of which any size can be read, or for fewer days", maxWorkbook>>20)
	}
	if errors.Is(err, xlsx.ErrDates) {
		return nil, nil, errTold("the workbook counts its days from 1904, so its tickets would be booked four years early: nothing of it is read. Switch that off where it is made (Excel: Options, Advanced, \"Use 1904 date system\") and export it again, or as CSV")
	}
	if err != nil {
		return nil, nil, errTold("it is no workbook (.xlsx), or it is damaged or has a password: export it again (%v)", err)
	}
	if what := carries(body); what != "" {
		return nil, nil, errTold("the workbook carries %s, which no export of a till needs: nothing of it is read. Save it as a plain workbook (.xlsx) or as CSV, and ask who put it here", what)
	}
	name := p.Sheet
	if name == "" {
		name = f.Shown()[0]
	}
	rows, err := f.Rows(name)
	if errors.Is(err, xlsx.ErrNoSheet) {
		return nil, nil, errTold("the workbook has no sheet %q", name)
	}
	if err != nil {
		return nil, nil, errTold("its sheet %q cannot be read: %v. Export it again", name, err)
	}
	return &sheet{commas: commas{p: p}, book: f, name: name}, rows, nil
}

// carries names what a workbook has in it that is made to do something: macros of any kind, or a link that has a program answer (DDE). None of
// it would run here; but what opens the file elsewhere may run it, and a till's export has none.
func carries(body []byte) string {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return "" // it is no workbook, and is told so
	}
	for _, part := range z.File {
		switch name := strings.ToLower(strings.ReplaceAll(part.Name, "\\", "/")); {
		case strings.HasSuffix(name, "vbaproject.bin"), strings.Contains(name, "macrosheets/"):
			return "macros"
		case name == "[content_types].xml" && holds(part, "macroenabled"):
			return "macros"
		case strings.Contains(name, "externallinks/") && holds(part, "ddelink"):
			return "a link to another program (DDE)"
		}
	}
	return ""
}

// holds reports whether a part holds a word in small letters, in UTF-8 or UTF-16. It is read in pieces: one part may be as large as a workbook.
func holds(part *zip.File, word string) bool {
	r, err := part.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	piece := make([]byte, 0, 32<<10)
	for {
		n, err := r.Read(piece[len(piece):cap(piece)])
		piece = piece[:len(piece)+n]
		if bytes.Contains(bytes.ToLower(bytes.ReplaceAll(piece, []byte{0}, nil)), []byte(word)) {
			return true
		}
		if err != nil {
			return false
		}
		piece = append(piece[:0], piece[max(0, len(piece)-2*len(word)):]...) // a word may go over two pieces
	}
}

// each implements format; r is the workbook as it stands in the file.
func (s *sheet) each(ctx context.Context, r io.Reader, f func(span) error) error {
	opened, rows, err := newSheet(s.p, r)
	if err != nil {
		return err
	}
	defer rows.Close()
	*s = *opened
	defer func() { s.book = nil }()
	read := 0
	for ctx.Err() == nil {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errTold("it cannot be read from row %d on: %v. Export it again", read+1, err)
		}
		read = row.Number
		cells, bad := row.Cells, row.Bad
		for i, c := range cells {
			cells[i] = plainNumber(c)
		}
		if strings.Join(cells, "") == "" && bad == "" {
			continue
		}
		if s.p.Total(cells) {
			bad = "" // a sum that is passed by is missed by nobody
		}
		if s.header == nil {
			if err := s.take(row.Number, cells); err != nil {
				return err
			}
			continue
		}
		raw, err := json.Marshal(cells)
		if err != nil {
			return err
		}
		at := int64(len(s.body))
		if s.body = append(s.body, raw...); len(s.body) > maxCells {
			return errTold("the workbook's cells come to more than %d MB, many times what it holds: export it as CSV, of which any size can be read, or for fewer days", maxCells>>20)
		}
		if len(raw) > maxRow {
			bad = fmt.Sprintf("it is longer than %d bytes", maxRow)
		}
		if err := f(span{row: row.Number, off: at, raw: raw, bad: bad}); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.atEnd(); err != nil {
		return err
	}
	return s.beside(read, f)
}

// beside tells of each other sheet that is made as the one that was read: what is sold in it would be missing without a word.
func (s *sheet) beside(read int, f func(span) error) error {
	if s.p.Sheet != "" || s.p.Header == "" && len(s.p.Columns()) == 0 { // it was chosen, or nothing is known of what is looked for
		return nil
	}
	for _, name := range s.book.Shown()[1:] {
		if !s.alike(name) {
			continue
		}
		read++
		bad := fmt.Sprintf("its sheet %.60q has the same headings and is not read, only %.60q is: what it holds is not booked. Export one sheet a file, or name this one in a profile of its own (sheet)", name, s.name)
		if err := f(span{row: read, off: int64(len(s.body)), bad: bad}); err != nil {
			return err
		}
	}
	return nil
}

// alike reports whether a sheet has the profile's headings, and something beneath.
func (s *sheet) alike(name string) bool {
	rows, err := s.book.Rows(name)
	if err != nil {
		return false
	}
	defer rows.Close()
	other := commas{p: s.p}
	for range 2 * maxTop {
		row, err := rows.Next()
		if err != nil {
			return false
		}
		switch {
		case strings.Join(row.Cells, "") == "":
		case other.header != nil:
			return len(s.p.Missing(other.header)) == 0
		case other.take(row.Number, row.Cells) != nil:
			return false
		}
	}
	return false
}

func (s *sheet) parse(raw string, _ []string) (fields, error) {
	var cells []string
	if err := json.Unmarshal([]byte(raw), &cells); err != nil {
		return fields{cells: []string{raw}}, err
	}
	return s.fit(cells)
}

// plainNumber takes away what a double adds to a price: 0.1 + 0.2 stands in a workbook as 0.30000000000000004, and Excel itself believes
// fifteen digits.
func plainNumber(c string) string {
	if len(c) < 16 || !strings.ContainsAny(c, ".E") || strings.Trim(c, "+-.0123456789E") != "" {
		return c
	}
	d, err := decimal.NewFromString(c)
	if err != nil || d.Exponent() > 30 || d.Exponent() < -330 || d.IsZero() {
		return c
	}
	return d.Round(int32(15 - d.NumDigits() - int(d.Exponent()))).String()
}

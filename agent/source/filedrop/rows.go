// Package filedrop reads files that tills and vendors drop into a folder: when they are settled, whole, and through a profile. A file is
// never changed, moved or deleted.
package filedrop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

// maxRow bounds one row: a longer one is a broken quote or no text file at all.
const maxRow = 1 << 20

// table is what a file's reader gives: the header, then each row in order, with what is wrong with it.
type table struct {
	header []string
	// each calls f for every row; bad tells why a row cannot be read as one, its cells then hold the text as it stood.
	each func(ctx context.Context, f func(n int, cells []string, bad string) error) error
}

// open makes a table of a file's content. Code invalid: the file as a whole is not what the profile says.
func open(p *profile.Profile, path string, r io.Reader) (t table, err error) {
	if p.Format == "xlsx" {
		return sheet(p, path)
	}
	if p.Encoding != "" {
		e, err := htmlindex.Get(p.Encoding)
		if err != nil {
			return t, fault.Msg(fault.Invalid, "read file", "the profile's encoding "+p.Encoding+" is not known")
		}
		r = transform.NewReader(r, e.NewDecoder())
	}
	b := bufio.NewReaderSize(r, 1<<16)
	if mark, _ := b.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3)
	}
	for range p.Skip {
		if _, err := b.ReadString('\n'); err != nil {
			return t, fault.Msg(fault.Invalid, "read file", "the file ends before its header")
		}
	}
	switch p.Format {
	case "csv":
		return commas(p, b)
	case "ndjson":
		return objects(b)
	}
	return list(b)
}

// commas reads CSV. A row with a broken quote is bad, and so are its neighbours as far as the quote swallowed them; the rest goes on.
func commas(p *profile.Profile, b *bufio.Reader) (t table, err error) {
	r := csv.NewReader(b)
	r.FieldsPerRecord, r.ReuseRecord = -1, false
	if p.Delimiter != "" {
		r.Comma = []rune(p.Delimiter)[0]
	}
	if t.header, err = r.Read(); err != nil {
		if errors.Is(err, io.EOF) {
			return t, fault.Msg(fault.Invalid, "read file", "the file is empty")
		}
		return t, fault.New(fault.Invalid, "read header", err)
	}
	for i := range t.header {
		t.header[i] = strings.TrimSpace(t.header[i])
	}
	t.each = func(ctx context.Context, f func(int, []string, string) error) error {
		for {
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				return ctx.Err()
			}
			n, _ := r.FieldPos(0)
			var wrong *csv.ParseError
			bad := ""
			switch {
			case errors.As(err, &wrong):
				n, bad = wrong.StartLine, wrong.Err.Error()
			case err != nil:
				return fault.New(fault.Unavailable, "read file", err)
			case len(cells) == 1 && strings.TrimSpace(cells[0]) == "":
				continue // an empty line
			case len(cells) > len(t.header):
				bad = fmt.Sprintf("it has %d cells, the header %d", len(cells), len(t.header))
			}
			if err := f(n, cells, oversize(cells, bad)); err != nil {
				return err
			}
		}
	}
	return t, nil
}

func oversize(cells []string, bad string) string {
	total := 0
	for _, c := range cells {
		total += len(c)
	}
	if total > maxRow {
		return fmt.Sprintf("it is longer than %d bytes", maxRow)
	}
	return bad
}

// objects reads NDJSON: the columns are the names of the first object that can be read; a later object's other names are bad.
func objects(b *bufio.Reader) (t table, err error) {
	s := bufio.NewScanner(b)
	s.Buffer(nil, maxRow)
	var first map[string]string
	n, early := 0, []badRow{}
	for s.Scan() {
		n++
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		if first, err = flat(s.Bytes()); err == nil {
			break
		}
		early = append(early, badRow{n, s.Text(), err.Error()})
	}
	if first == nil && len(early) == 0 {
		return t, fault.Msg(fault.Invalid, "read file", "the file is empty")
	}
	t.header = slices.Sorted(maps.Keys(first))
	t.each = func(ctx context.Context, f func(int, []string, string) error) error {
		for _, e := range early {
			if err := f(e.n, []string{e.text}, e.why); err != nil {
				return err
			}
		}
		if first == nil {
			return ctx.Err()
		}
		for line, m := n, first; ; {
			if m != nil {
				if err := f(line, pick(t.header, m), unknown(t.header, m)); err != nil {
					return err
				}
			}
			if !s.Scan() {
				if err := s.Err(); err != nil {
					return f(line+1, []string{""}, err.Error())
				}
				return ctx.Err()
			}
			line, m = line+1, nil
			if len(bytes.TrimSpace(s.Bytes())) == 0 {
				continue
			}
			var err error
			if m, err = flat(s.Bytes()); err != nil {
				m = nil
				if err := f(line, []string{s.Text()}, err.Error()); err != nil {
					return err
				}
			}
		}
	}
	return t, nil
}

type badRow struct {
	n    int
	text string
	why  string
}

// list reads a JSON array of objects, or an object that holds one.
func list(b *bufio.Reader) (t table, err error) {
	d := json.NewDecoder(b)
	d.UseNumber()
	for {
		tok, err := d.Token()
		if err != nil {
			return t, fault.Msg(fault.Invalid, "read file", "it holds no JSON list of objects")
		}
		if tok == json.Delim('[') {
			break
		}
	}
	var rows []map[string]string
	var bads []badRow
	names := map[string]bool{}
	for n := 1; d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			bads = append(bads, badRow{n, "", "the JSON breaks off here: " + err.Error()})
			break
		}
		m, err := flat(raw)
		if err != nil {
			bads = append(bads, badRow{n, string(raw), err.Error()})
		}
		rows = append(rows, m)
		for k := range m {
			names[k] = true
		}
	}
	t.header = slices.Sorted(maps.Keys(names))
	t.each = func(ctx context.Context, f func(int, []string, string) error) error {
		for i, m := range rows {
			if m == nil {
				continue
			}
			if err := f(i+1, pick(t.header, m), ""); err != nil {
				return err
			}
		}
		for _, e := range bads {
			if err := f(e.n, []string{e.text}, e.why); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	return t, nil
}

// flat reads an object's own values as texts; a number keeps its spelling.
func flat(b []byte) (map[string]string, error) {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		switch x := v.(type) {
		case nil:
			out[k] = ""
		case string:
			out[k] = x
		case json.Number:
			out[k] = x.String()
		case bool:
			out[k] = fmt.Sprint(x)
		default:
			raw, err := json.Marshal(x)
			if err != nil {
				return nil, err
			}
			out[k] = string(raw)
		}
	}
	return out, nil
}

func pick(header []string, m map[string]string) []string {
	out := make([]string, len(header))
	for i, h := range header {
		out[i] = m[h]
	}
	return out
}

func unknown(header []string, m map[string]string) string {
	for k := range m {
		if !slices.Contains(header, k) {
			return fmt.Sprintf("it has the field %q, which the first row has not", k)
		}
	}
	return ""
}

// sheet reads one sheet of a workbook; what a cell shows counts, so a formula is its result as it was saved.
func sheet(p *profile.Profile, path string) (t table, err error) {
	f, err := excelize.OpenFile(path, excelize.Options{UnzipSizeLimit: 2 << 30, UnzipXMLSizeLimit: 64 << 20})
	if err != nil {
		return t, fault.New(fault.Invalid, "read workbook", err)
	}
	name := p.Sheet
	if name == "" {
		name = f.GetSheetName(0)
	}
	rows, err := f.Rows(name)
	if err != nil {
		return t, errors.Join(fault.New(fault.Invalid, "read workbook", err), f.Close())
	}
	n := 0
	for n <= p.Skip && rows.Next() {
		n++
		if t.header, err = rows.Columns(); err != nil {
			return t, errors.Join(fault.New(fault.Invalid, "read workbook", err), f.Close())
		}
	}
	if n <= p.Skip || len(t.header) == 0 {
		return t, errors.Join(fault.Msg(fault.Invalid, "read workbook", "the sheet "+name+" is empty"), f.Close())
	}
	t.each = func(ctx context.Context, each func(int, []string, string) error) error {
		defer f.Close()
		for rows.Next() {
			n++
			cells, err := rows.Columns()
			bad := ""
			if err != nil {
				bad = err.Error()
			}
			if len(cells) == 0 && bad == "" {
				continue
			}
			if err := each(n, cells, bad); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	return t, nil
}

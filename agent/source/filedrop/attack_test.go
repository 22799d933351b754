package filedrop_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/envelope"
)

// symlink makes a link, or skips where the account may not (Windows).
func symlink(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skipf("this account may not make links: %v", err)
	}
}

// TestLinksAreListedAndNotFollowed: who may write into the folder must not have the service read for them what only the service may.
func TestLinksAreListedAndNotFollowed(t *testing.T) {
	outside := t.TempDir()
	secret := "No,When,What,Price\n666,2026-11-20 10:00,Secret,6.66\n"
	f := folder(t, "csv")
	for path, body := range map[string]string{filepath.Join(outside, "shadow"): secret, filepath.Join(outside, "in", "sales.csv"): secret} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, f, "good.csv", two)
	symlink(t, filepath.Join(outside, "shadow"), filepath.Join(f.Dir, "bad.csv"))
	symlink(t, "good.csv", filepath.Join(f.Dir, "beside.csv"))
	symlink(t, filepath.Join(outside, "in"), filepath.Join(f.Dir, "folder.csv"))
	symlink(t, filepath.Join(outside, "nothing"), filepath.Join(f.Dir, "dangling.csv"))
	r := &reader{f: f, most: 200}
	ts, bad := r.all(t)
	if len(ts) != 2 {
		t.Errorf("%d tickets beside links, want 2: %v", len(ts), totals(ts))
	}
	all := strings.Join(bad, "\n")
	if len(bad) != 4 || strings.Count(all, "it is a link") != 4 || strings.Contains(all, "Secret") || strings.Contains(all, "666") {
		t.Errorf("listed: %q", bad)
	}
	for _, name := range []string{"bad.csv", "beside.csv", "folder.csv", "dangling.csv"} {
		if !strings.Contains(all, name) {
			t.Errorf("%s is not named in %q", name, all)
		}
	}
	if ts, bad := r.all(t); len(ts)+len(bad) != 0 {
		t.Errorf("they are listed again: %v", bad)
	}
	// The link is taken away and a file put there: that is read.
	if err := os.Remove(filepath.Join(f.Dir, "bad.csv")); err != nil {
		t.Fatal(err)
	}
	write(t, f, "bad.csv", "No,When,What,Price\n9,2026-11-20 10:00,Food,1\n")
	if ts, bad := r.all(t); len(ts) != 1 || len(bad) != 0 {
		t.Errorf("the file in the link's place gave %v, %v", totals(ts), bad)
	}
}

// TestANameThatBecomesALinkBetweenBatches: the file was looked at and begun; then its name leads elsewhere.
func TestANameThatBecomesALinkBetweenBatches(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "shadow")
	body := two + "3,2026-11-20 10:00,Food,3\n"
	if err := os.WriteFile(outside, []byte(strings.ReplaceAll(body, "Food", "XXXX")), 0o600); err != nil { // as long as the file
		t.Fatal(err)
	}
	f := folder(t, "csv")
	write(t, f, "a.csv", body)
	r := &reader{f: f, most: 2} // the profile and one ticket
	ds, next, err := f.Read(t.Context(), "", r.most)
	for ; err == nil && len(ds) == 0; ds, next, err = f.Read(t.Context(), next, r.most) {
		<-f.Wake() // it settles
	}
	if err != nil || len(ds) != 2 {
		t.Fatalf("the first batch: %d records, %v", len(ds), err)
	}
	path := filepath.Join(f.Dir, "a.csv")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(outside, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	symlink(t, outside, path)
	r.at = next
	ts, bad := r.all(t)
	for _, k := range ts {
		if k.Lines[0].Category != "Food" {
			t.Errorf("a ticket of the link's target was taken: %+v", k)
		}
	}
	if len(bad) != 1 || !strings.Contains(bad[0], "it is a link") {
		t.Errorf("%d tickets, listed: %v", len(ts), bad)
	}
}

// TestAnImportFollowsWhatAPersonNamed: the command runs in that person's name.
func TestAnImportFollowsWhatAPersonNamed(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", two)
	at := filepath.Join(t.TempDir(), "today.csv")
	symlink(t, filepath.Join(f.Dir, "a.csv"), at)
	var k kept
	rep, err := filedrop.Import{Path: at, Profile: f.Profile, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
	if err != nil || rep.Tickets != 2 {
		t.Errorf("%+v, %v", rep, err)
	}
	if _, err := (filedrop.Import{Path: f.Dir, Profile: f.Profile, Location: "S1"}).Run(t.Context(), &k); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

// part is one entry of a packed file.
type part struct {
	name string
	body io.Reader
}

func pack(t *testing.T, parts ...part) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, p := range parts {
		w, err := z.Create(p.name)
		if err == nil {
			_, err = io.Copy(w, p.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// wide16 is a text in UTF-16.
func wide16(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

// zeros is a stream of n bytes of blank XML.
func zeros(n int64) io.Reader { return io.LimitReader(blank{}, n) }

type blank struct{}

func (blank) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// weapon is a workbook with one good row, changed by change and then with parts put in.
func weapon(t *testing.T, change func(x *excelize.File), put ...part) string {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	for i, row := range [][]any{{"No", "When", "What", "Price"}, {"1", "2026-11-20 10:00", "Food", 5}} {
		if err := x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(x)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	parts := put
	over := map[string]bool{}
	for _, p := range put {
		over[p.name] = true
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if !over[f.Name] {
			parts = append(parts, part{f.Name, r})
		}
	}
	return pack(t, parts...)
}

// lying says in its directory that a part is small, and unpacks to n bytes.
func lying(t *testing.T, n int64) string {
	t.Helper()
	whole := []byte(pack(t, part{"xl/worksheets/sheet1.xml", zeros(n)}))
	for _, sig := range []string{"PK\x01\x02", "PK\x07\x08"} { // the directory and what stands behind the part
		at := bytes.LastIndex(whole, []byte(sig))
		size := at + 24
		if sig == "PK\x07\x08" {
			size = at + 12
		}
		binary.LittleEndian.PutUint32(whole[size:], 100)
	}
	return string(whole)
}

// TestWorkbooksThatAreWeapons drops bombs and programs beside a good workbook: each is one listed file, named with why; the good one is booked
// before and after; and no more memory is taken than a workbook may.
func TestWorkbooksThatAreWeapons(t *testing.T) {
	sheet := func(rows string) part {
		return part{"xl/worksheets/sheet1.xml", strings.NewReader(`<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` +
			`<row r="1"><c r="A1" t="inlineStr"><is><t>No</t></is></c><c r="B1" t="inlineStr"><is><t>When</t></is></c><c r="C1" t="inlineStr"><is><t>What</t></is></c><c r="D1" t="inlineStr"><is><t>Price</t></is></c></row>` +
			rows + `</sheetData></worksheet>`)}
	}
	var wide strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&wide, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i+2, i+2)
	}
	bomb := pack(t, part{"xl/worksheets/sheet1.xml", zeros(256 << 20)})
	types := `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/></Types>`
	entities := `<!DOCTYPE x [<!ENTITY a "` + strings.Repeat("lol", 1000) + `"><!ENTITY b "` + strings.Repeat("&a;", 1000) + `"><!ENTITY c "` + strings.Repeat("&b;", 1000) + `">]>`
	f := folder(t, "xlsx")
	weapons := map[string]struct{ body, says string }{
		"bomb.xlsx":     {bomb, "larger than 16 MB"},
		"many.xlsx":     {weapon(t, nil, part{"xl/media/a.bin", zeros(8 << 20)}, part{"xl/media/b.bin", zeros(8 << 20)}, part{"xl/media/c.bin", zeros(8 << 20)}), "larger than 16 MB"},
		"lying.xlsx":    {lying(t, 256<<20), "no workbook"},
		"wide.xlsx":     {weapon(t, nil, sheet(wide.String())), "cells come to more than"},
		"entities.xlsx": {weapon(t, nil, part{"xl/worksheets/sheet1.xml", strings.NewReader(entities + `<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>&c;</t></is></c></row></sheetData></worksheet>`)}), "entities.xlsx"},
		"macros.xlsm":   {weapon(t, nil, part{"xl/vbaProject.bin", strings.NewReader("\xd0\xcf\x11\xe0 Sub Auto_Open()")}), "carries macros"},
		"renamed.xlsx":  {weapon(t, nil, part{"xl/VBAPROJECT.BIN", strings.NewReader("x")}), "carries macros"},
		"old.xlsx":      {weapon(t, nil, part{"xl/macrosheets/sheet1.xml", strings.NewReader("<x/>")}), "carries macros"},
		"typed.xlsx":    {weapon(t, nil, part{"[Content_Types].xml", strings.NewReader(types)}), "carries macros"},
		"wide.xlsm":     {weapon(t, nil, part{"[Content_Types].xml", strings.NewReader(wide16(strings.Repeat(" ", 20_000) + types))}), "carries macros"},
		"dde.xlsx":      {weapon(t, nil, part{"xl/externalLinks/externalLink1.xml", strings.NewReader(`<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>`)}), "another program (DDE)"},
		"mac.xlsx": {weapon(t, func(x *excelize.File) {
			from := true
			_ = x.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &from})
		}), "four years early"},
		"nested.xlsx": {pack(t, part{"bomb.xlsx", strings.NewReader(bomb)}, part{"more.zip", strings.NewReader(bomb)}), "nested.xlsx"},
	}
	for name, w := range weapons {
		write(t, f, name, w.body)
	}
	write(t, f, "a good.xlsx", weapon(t, nil))
	write(t, f, "z good.xlsx", weapon(t, func(x *excelize.File) { _ = x.SetCellValue("Sheet1", "A2", "2") }))
	// A formula that would start a program is its saved result, or nothing: it is never worked out.
	dde := func(no string, price any) string {
		return weapon(t, func(x *excelize.File) {
			_ = x.SetCellValue("Sheet1", "A2", no)
			_ = x.SetCellValue("Sheet1", "D2", price)
			_ = x.SetCellFormula("Sheet1", "D2", `cmd|'/c calc'!A0`)
		})
	}
	write(t, f, "saved.xlsx", dde("3", 7))
	write(t, f, "formula.xlsx", dde("4", nil))
	peak := heapPeak(func() {
		ts, bad := (&reader{f: f, most: 200}).all(t)
		if got := totals(ts); len(got) != 3 || got["1"] != 500 || got["2"] != 500 || got["3"] != 700 {
			t.Errorf("good: %v", got)
		}
		all := strings.Join(bad, "\n")
		for name, w := range weapons {
			found := false
			for _, b := range bad {
				found = found || strings.Contains(b, name) && strings.Contains(b, w.says)
			}
			if !found {
				t.Errorf("%s: no case that names it and says %q in\n%s", name, w.says, all)
			}
		}
		if !strings.Contains(all, "formula.xlsx") || !strings.Contains(all, "cell D2: a formula without its result") || strings.Contains(all, "calc'!") {
			t.Errorf("the formula without a result: %s", all)
		}
		if len(bad) != len(weapons)+1 {
			t.Errorf("%d are listed, want %d:\n%s", len(bad), len(weapons)+1, all)
		}
	})
	if peak > 256<<20 { // as much is packed in each of three of them
		t.Errorf("the heap grew to %d MB", peak>>20)
	}
}

// heapPeak is the most that the heap took from the system by the end of work.
func heapPeak(work func()) uint64 {
	work()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys
}

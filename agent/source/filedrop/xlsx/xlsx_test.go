package xlsx_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/agent/source/filedrop/xlsx"
)

const limit = 16 << 20

// packed makes a workbook of raw parts.
func packed(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, body := range parts {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain is a workbook of one sheet, with strings of its own.
func plain(data, strs string) map[string]string {
	return map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="x"><sheets><sheet name="Sales" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData>` + data + `</sheetData></worksheet>`,
		"xl/sharedStrings.xml":       `<sst>` + strs + `</sst>`,
	}
}

// read lists a sheet's rows as "number: cells", and what is bad of them.
func read(body []byte, name string) (rows []string, err error) {
	b, err := xlsx.Open(body, limit)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = b.Shown()[0]
	}
	r, err := b.Rows(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		line := fmt.Sprintf("%d: %s", row.Number, strings.Join(row.Cells, "|"))
		if row.Bad != "" {
			line += " BAD " + row.Bad
		}
		rows = append(rows, line)
	}
}

// TestCells has every way in which a cell can stand in a file.
func TestCells(t *testing.T) {
	for _, c := range []struct{ name, data, strs, want string }{
		{"a number keeps its text", `<row r="1"><c r="A1"><v>12.30</v></c><c r="B1"><v>0.30000000000000004</v></c></row>`, "", "1: 12.30|0.30000000000000004"},
		{"a date is its number", `<row r="1"><c r="A1" s="7"><v>46350.5</v></c></row>`, "", "1: 46350.5"},
		{"a formula is its saved result", `<row r="1"><c r="A1"><f>SUM(B1:B9)</f><v>7</v></c><c r="B1" t="str"><f>A1&amp;"x"</f><v>7x</v></c></row>`, "", "1: 7|7x"},
		{"truth and error", `<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c></row>`, "", "1: 1|#N/A"},
		{"shared strings", `<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="s"><v> 0 </v></c></row>`, `<si><t xml:space="preserve"> a </t></si><si><r><t>b</t></r><r><rPr/><t>c</t></r><rPh sb="0" eb="1"><t>spoken</t></rPh></si>`, "1: bc| a "},
		{"a string in its cell", `<row r="1"><c r="A1" t="inlineStr"><is><t>x_x000D_y_x005F_z_x00</t></is></c></row>`, "", "1: x\ry_z_x00"},
		{"no places are given", `<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>4</v></c></row>`, "", "1: 1||3\n2: 4"},
		{"gaps keep their place", `<row r="3"><c r="B3"><v>2</v></c><c r="AA3"><v>27</v></c></row><row r="5"/>`, "", "3: |2" + strings.Repeat("|", 25) + "27\n5: "},
		{"what else stands in a row is passed by", `<row r="1"><ext><c r="Z1"><v>9</v></c></ext><c r="A1"><v>1</v></c></row>`, "", "1: 1"},
		{"no row", ``, "", ""},
		{"a comment's apostrophe", `<!-- don't --><row r="1"><c r="A1"><v>1</v></c></row>` + strings.Repeat(" ", 70<<10) + `<row><c><v>2</v></c></row>`, "", "1: 1\n2: 2"},
		{"a > in a value", `<row r="1" spans="a>b"><c r="A1" t='str'><v><![CDATA[<c>]]></v></c></row>`, "", "1: <c>"},
		{"a date in words", `<row r="1"><c r="A1" t="d"><v>2026-11-26T12:00:00</v></c><c r="B1" t="d"><v>2026-11-26</v></c><c r="C1" t="d"><v>2026-11-26T06:00:00.000</v></c><c r="D1" t="d"><v>2026-11-26T12:00:00Z</v></c></row>`, "", "1: 46352.5|46352|46352.25|2026-11-26T12:00:00Z"},
		{"a formula that came to nothing", `<row r="1"><c r="A1" t="str"><f>""</f><v></v></c><c r="B1"><v>1</v></c></row>`, "", "1: |1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := read(packed(t, plain(c.data, c.strs)), "sales")
			if err != nil || strings.Join(rows, "\n") != c.want {
				t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(rows, "\n"), c.want)
			}
		})
	}
}

// TestWhatCannotBeReliedOn: a row of which a cell is doubtful is told with the reason, and the others are read.
func TestWhatCannotBeReliedOn(t *testing.T) {
	for _, c := range []struct{ name, cells, want string }{
		{"a formula that was never worked out", `<c r="A2"><v>5</v></c><c r="B2"><f>A2*2</f></c>`, "2: 5 BAD cell B2: a formula without its result"},
		{"a number that was never worked out", `<c r="A2"><v>5</v></c><c r="B2"><f>A2*2</f><v></v></c>`, "2: 5 BAD cell B2: a formula without its result"},
		{"a text that is not there", `<c r="A2" t="s"><v>3</v></c><c r="B2"><v>5</v></c>`, `2: |5 BAD cell A2: it names text "3", and the workbook has 1`},
		{"a text's number is none", `<c r="A2" t="s"><v>-1</v></c>`, `2:  BAD cell A2: it names text "-1"`},
		{"a cell twice", `<c r="A2"><v>10</v></c><c r="A2"><v>20</v></c>`, "2: 20 BAD cell A2 stands behind column 1, or twice"},
		{"cells out of order", `<c r="C2"><v>3</v></c><c r="B2"><v>2</v></c>`, "2: |2|3 BAD cell B2 stands behind column 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, err := read(packed(t, plain(`<row r="1"><c><v>1</v></c></row><row r="2">`+c.cells+`</row><row r="3"><c><v>9</v></c></row>`, `<si><t>a</t></si>`)), "Sales")
			if err != nil || len(rows) != 3 || rows[0] != "1: 1" || !strings.HasPrefix(rows[1], c.want) || rows[2] != "3: 9" {
				t.Errorf("%q %v, want %q", rows, err, c.want)
			}
		})
	}
}

// TestFormulasThatAreLeftToTheNext: programs that only write workbooks put a zero where a formula's result would stand, and ask whoever opens the
// workbook to work all of them out. A workbook in which somebody has done that holds its zeros rightly.
func TestFormulasThatAreLeftToTheNext(t *testing.T) {
	for _, c := range []struct{ name, book, data, want string }{
		{"left", `<calcPr calcId="124519" fullCalcOnLoad="1"/>`, `<row r="1"><c r="A1"><v>5</v></c><c r="B1"><f>A1*2</f><v>0</v></c></row>`, "1: 5|0 BAD cell B1: a formula without its result"},
		{"worked out", `<calcPr fullCalcOnLoad="1"/>`, `<row r="1"><c r="B1"><f>A1*2</f><v>0</v></c></row><row r="2"><c r="B2"><f>1+1</f><v>2</v></c></row>`, "1: |0\n2: |2"},
		{"not left", `<calcPr fullCalcOnLoad="0"/>`, `<row r="1"><c r="B1"><f>A1*2</f><v>0</v></c></row>`, "1: |0"},
		{"no formula", `<calcPr fullCalcOnLoad="1"/>`, `<row r="1"><c r="B1"><v>0</v></c></row>`, "1: |0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := plain(c.data, "")
			parts["xl/workbook.xml"] = strings.Replace(parts["xl/workbook.xml"], "</sheets>", "</sheets>"+c.book, 1)
			rows, err := read(packed(t, parts), "Sales")
			if got := strings.Join(rows, "\n"); err != nil || !strings.HasPrefix(got, c.want) || strings.Contains(got, "BAD") != strings.Contains(c.want, "BAD") {
				t.Errorf("%v\n%s\nwant\n%s", err, got, c.want)
			}
		})
	}
}

// TestWhereThePartsAre: a workbook may name its parts as it likes, in either edition of the standard and in UTF-16.
func TestWhereThePartsAre(t *testing.T) {
	const row = `<row r="1"><c r="A1" t="s"><v>0</v></c></row>`
	elsewhere := map[string]string{
		"_rels/.rels":                    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="/Book/Workbook22.xml"/></Relationships>`,
		"Book/Workbook22.xml":            `<x:workbook xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main" xmlns:r="http://purl.oclc.org/ooxml/officeDocument/relationships"><x:sheets><x:sheet name="Sales" sheetId="1" r:id="a"/></x:sheets></x:workbook>`,
		"book/_rels/workbook22.xml.rels": `<Relationships><Relationship Id="a" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/worksheet" Target="sheets\one.xml"/><Relationship Id="b" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/sharedStrings" Target="../texts.xml"/></Relationships>`,
		"book/sheets/one.xml":            `<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>` + strings.NewReplacer("</", "</x:", "<", "<x:").Replace(row) + `</x:sheetData></x:worksheet>`,
		"texts.xml":                      `<x:sst xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:si><x:t>Café</x:t></x:si></x:sst>`,
	}
	wide := plain(row, `<si><t>Café</t></si>`)
	for name, body := range wide {
		units := utf16.Encode([]rune("\ufeff" + `<?xml version="1.0" encoding="UTF-16"?>` + body))
		var b []byte
		for _, u := range units {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		wide[name] = string(b)
	}
	for name, parts := range map[string]map[string]string{"elsewhere": elsewhere, "UTF-16": wide} {
		t.Run(name, func(t *testing.T) {
			if rows, err := read(packed(t, parts), ""); err != nil || strings.Join(rows, "\n") != "1: Café" {
				t.Errorf("%q %v", rows, err)
			}
		})
	}
}

// TestShown: what a person sees who opens the workbook is what is read.
func TestShown(t *testing.T) {
	parts := plain("", "")
	parts["xl/workbook.xml"] = `<workbook xmlns:r="x"><sheets><sheet name="Old" state="hidden" r:id="rId1"/><sheet name="Older" state="veryHidden" r:id="rId1"/><sheet name="Chart" r:id="rId3"/><sheet name="Sales" r:id="rId1"/><sheet name="More" state="visible" r:id="rId1"/></sheets></workbook>`
	parts["xl/_rels/workbook.xml.rels"] = strings.Replace(parts["xl/_rels/workbook.xml.rels"], "</Rel", `<Relationship Id="rId3" Type="x/chartsheet" Target="chartsheets/sheet1.xml"/></Rel`, 1)
	b, err := xlsx.Open(packed(t, parts), limit)
	must(t, err)
	if got := b.Shown(); !reflect.DeepEqual(got, []string{"Sales", "More"}) {
		t.Errorf("shown are %q", got)
	}
	parts["xl/workbook.xml"] = `<workbook xmlns:r="x"><sheets><sheet name="Old" state="hidden" r:id="rId1"/></sheets></workbook>`
	b, err = xlsx.Open(packed(t, parts), limit)
	must(t, err)
	if got := b.Shown(); !reflect.DeepEqual(got, []string{"Old"}) {
		t.Errorf("of none that is shown: %q", got)
	}
}

// TestWhatIsNoWorkbook is told, never guessed and never half read without a word.
func TestWhatIsNoWorkbook(t *testing.T) {
	bomb := plain("", "")
	bomb["xl/media/a"] = strings.Repeat("0", limit+1)
	mac := plain("", "")
	mac["xl/workbook.xml"] = strings.Replace(mac["xl/workbook.xml"], "<sheets>", `<workbookPr date1904="1"/><sheets>`, 1)
	without := plain("", "")
	delete(without, "xl/worksheets/sheet1.xml")
	for _, c := range []struct {
		name string
		body []byte
		want string
	}{
		{"text", []byte("a,b\n1,2\n"), "zip"},
		{"another zip", packed(t, map[string]string{"a.txt": "a"}), "not there"},
		{"too large", packed(t, bomb), xlsx.ErrTooLarge.Error()},
		{"its sheet is missing", packed(t, without), xlsx.ErrNoSheet.Error()},
		{"dates from 1904", packed(t, mac), xlsx.ErrDates.Error()},
		{"a row twice", packed(t, plain(`<row r="2"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row>`, "")), "row 2 stands behind row 2"},
		{"rows out of order", packed(t, plain(`<row r="5"/><row r="2"><c><v>1</v></c></row>`, "")), "row 2 stands behind row 5"},
		{"broken off", packed(t, plain(`<row><c><v>1</v></c>`, "")), "syntax"},
		{"a row too far down", packed(t, plain(`<row r="1048577"><c><v>1</v></c></row>`, "")), "ends at"},
		{"a cell too far right", packed(t, plain(`<row r="1"><c r="XFE1"><v>1</v></c></row>`, "")), "stands at"},
		{"a cell nowhere", packed(t, plain(`<row r="1"><c r="7"><v>1</v></c></row>`, "")), "stands at"},
		{"a row nowhere", packed(t, plain(`<row r="x"><c><v>1</v></c></row>`, "")), "number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if rows, err := read(c.body, "Sales"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q %v, want an error with %q", rows, err, c.want)
			}
		})
	}
}

// TestAsAnotherReaderReadsIt compares with excelize, which also writes the workbook.
func TestAsAnotherReaderReadsIt(t *testing.T) {
	f := excelize.NewFile()
	_, err := f.NewSheet("Café & Co")
	must(t, err)
	for i, v := range []any{"text", " spaces ", 12.3, 0.1 + 0.2, int64(9007199254740993), -5, true, time.Date(2026, 11, 26, 13, 4, 5, 0, time.UTC), 90 * time.Minute, nil, "=SUM(1)", "a\nb", "日本語", "_x0041_", ""} {
		for row := 1; row < 30; row += 7 {
			at, err := excelize.CoordinatesToCellName(1+i*3, row)
			must(t, err)
			must(t, f.SetCellValue("Café & Co", at, v))
		}
	}
	must(t, f.SetCellValue("Café & Co", "C9", 2))
	must(t, f.SetCellFormula("Café & Co", "C9", "=1+1"))
	must(t, f.SetCellRichText("Café & Co", "B9", []excelize.RichTextRun{{Text: "bold", Font: &excelize.Font{Bold: true}}, {Text: " plain"}}))
	must(t, f.MergeCell("Café & Co", "A3", "B4"))
	must(t, f.SetSheetVisible("Sheet1", true))
	var body bytes.Buffer
	must(t, f.Write(&body))
	agree(t, body.Bytes(), "Café & Co")
}

// agree compares both readers, row by row.
func agree(t *testing.T, body []byte, name string) {
	t.Helper()
	other, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{RawCellValue: true})
	must(t, err)
	defer other.Close()
	theirs, err := other.Rows(name)
	must(t, err)
	want := map[string]bool{}
	for n := 1; theirs.Next(); n++ {
		cells, err := theirs.Columns()
		must(t, err)
		for len(cells) > 0 && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) > 0 {
			want[fmt.Sprintf("%d: %s", n, strings.Join(cells, "|"))] = true
		}
	}
	rows, err := read(body, name)
	must(t, err)
	got := map[string]bool{}
	for _, r := range rows {
		if !strings.HasSuffix(r, ": ") {
			got[r] = true
		}
	}
	if len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAFewBytesTakeNoMemory: what unpacks to millions of marks is refused, or held as no more than it is.
func TestAFewBytesTakeNoMemory(t *testing.T) {
	many := func(s string) string { return strings.Repeat(s, limit/4/len(s)) }
	listed := plain("", "")
	listed["xl/workbook.xml"] = "<workbook><sheets>" + many("<sheet/>") + "</sheets></workbook>"
	for name, parts := range map[string]map[string]string{
		"elements in one another": plain(many("<a>"), ""),
		"attributes":              plain("<row"+many(` a=">"`)+"/>", ""),
		"runs of a text":          plain("", "<si>"+many("<r/>")+"</si>"),
		"texts":                   plain("", many("<si/>")),
		"runs in a cell":          plain(`<row><c t="inlineStr"><is>`+many("<r/>")+`</is></c></row>`, ""),
		"values in a cell":        plain(`<row><c>`+many("<v>1</v>")+`</c></row>`, ""),
		"cells in one place":      plain(`<row>`+many(`<c r="XFD1"/>`)+`</row>`, ""),
		"sheets":                  listed,
	} {
		t.Run(name, func(t *testing.T) {
			body := packed(t, parts)
			clear(parts)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			defer debug.SetGCPercent(debug.SetGCPercent(10)) // so that what grows is what lives
			peak, stop := make(chan uint64), make(chan struct{})
			go func() {
				most := uint64(0)
				for tick := time.NewTicker(time.Millisecond); ; {
					runtime.ReadMemStats(&after)
					most = max(most, after.HeapAlloc)
					select {
					case <-stop:
						peak <- most
						return
					case <-tick.C:
					}
				}
			}()
			_, err := read(body, "")
			close(stop)
			if grown := int64(<-peak-before.HeapAlloc) >> 20; grown > 40 {
				t.Errorf("%d KB packed took %d MB (%v)", len(body)>>10, grown, err)
			}
		})
	}
}

// FuzzRows: whatever stands in a sheet and its strings, there is an end, and no row is behind the sheet's.
func FuzzRows(f *testing.F) {
	f.Add(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`, `<si><t>a</t></si>`)
	f.Add(`<row><c r="XFD1"><v>1e5</v></c><c t="inlineStr"><is><r><t>_x000A_</t></r></is></c></row>`, `<si/>`)
	f.Add(`<row r="5"/><row r="2"><c r="B"/></row>`, ``)
	f.Fuzz(func(t *testing.T, data, strs string) {
		b, err := xlsx.Open(packed(t, plain(data, strs)), limit)
		if err != nil {
			return
		}
		r, err := b.Rows("Sales")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		last := 0
		for range len(data) + 1 {
			row, err := r.Next()
			if err != nil {
				return
			}
			if row.Number <= last || row.Number > 1<<20 || len(row.Cells) > 1<<14 {
				t.Fatalf("row %d behind %d has %d cells", row.Number, last, len(row.Cells))
			}
			last = row.Number
		}
		t.Fatal("there is no end")
	})
}

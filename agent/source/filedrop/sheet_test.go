package filedrop_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// sheetWith adds a sheet with the headings of the good one and a ticket.
func sheetWith(name, no string) func(*excelize.File) {
	return func(x *excelize.File) {
		_, _ = x.NewSheet(name)
		_ = x.SetSheetRow(name, "A1", &[]any{"No", "When", "What", "Price"})
		if no != "" {
			_ = x.SetSheetRow(name, "A2", &[]any{no, "2026-11-20 10:00", "Food", 9})
		}
	}
}

// TestASheetBesideIsToldOf: one sheet is read; another that is made like it, and holds something, is not passed by without a word.
func TestASheetBesideIsToldOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*excelize.File)
		told   bool
	}{
		{"the same headings", sheetWith("Store 2", "7"), true},
		{"headings and nothing beneath", sheetWith("Template", ""), false},
		{"another table", func(x *excelize.File) {
			_, _ = x.NewSheet("Notes")
			_ = x.SetSheetRow("Notes", "A1", &[]any{"No", "Remark"})
			_ = x.SetSheetRow("Notes", "A2", &[]any{"7", "late"})
		}, false},
		{"hidden", func(x *excelize.File) {
			sheetWith("Old", "7")(x)
			_ = x.SetSheetVisible("Old", false)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := folder(t, "xlsx")
			write(t, f, "a.xlsx", weapon(t, c.change))
			ts, bad := (&reader{f: f, most: 200}).all(t)
			if len(ts) != 1 || ts[0].Key.ID != "1" {
				t.Errorf("tickets: %v", totals(ts))
			}
			if told := strings.Join(bad, "\n"); (len(bad) == 1 && strings.Contains(told, `its sheet "Store 2" has the same headings and is not read, only "Sheet1" is`)) != c.told || len(bad) > 1 {
				t.Errorf("listed: %q", bad)
			}
		})
	}
}

// TestTheFirstSheetThatIsShown is read, wherever it stands.
func TestTheFirstSheetThatIsShown(t *testing.T) {
	f := folder(t, "xlsx")
	write(t, f, "a.xlsx", weapon(t, func(x *excelize.File) {
		sheetWith("Sales", "7")(x)
		x.SetActiveSheet(1)
		_ = x.SetSheetVisible("Sheet1", false)
	}))
	if ts, bad := (&reader{f: f, most: 200}).all(t); len(ts) != 1 || ts[0].Key.ID != "7" || len(bad) != 0 {
		t.Errorf("%v, listed %q", totals(ts), bad)
	}
}

// TestASumThatIsPassedByNeedsNoResult: a report's own total row is no row of its table, whether or not its sum was worked out.
func TestASumThatIsPassedByNeedsNoResult(t *testing.T) {
	f := folder(t, "xlsx")
	f.Profile = parse(t, fmt.Appendf(nil, strings.Replace(shop, "[ticket]", "totals = [\"Total\"]\n[ticket]", 1), "xlsx"))
	write(t, f, "a.xlsx", weapon(t, func(x *excelize.File) {
		_ = x.SetCellValue("Sheet1", "A3", "Total")
		_ = x.SetCellFormula("Sheet1", "D3", "SUM(D2:D2)")
	}))
	if ts, bad := (&reader{f: f, most: 200}).all(t); len(ts) != 1 || len(bad) != 0 {
		t.Errorf("%v, listed %q", totals(ts), bad)
	}
}

// TestAWorkbookOfNothingButParts: its directory alone would take ten times the memory of the file.
func TestAWorkbookOfNothingButParts(t *testing.T) {
	var b []byte
	const n = 300_000
	for i := range n {
		head := make([]byte, 46, 51)
		copy(head, "PK\x01\x02")
		binary.LittleEndian.PutUint16(head[28:], 5)
		b = append(b, append(head, fmt.Sprintf("%05x", i)...)...)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], n&0xffff)
	binary.LittleEndian.PutUint16(end[10:], n&0xffff)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(b)))
	body := "PK\x03\x04" + string(b) + string(end)
	f := folder(t, "xlsx")
	write(t, f, "a.xlsx", body)
	body, b = "", nil
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, bad := (&reader{f: f, most: 200}).all(t)
	runtime.ReadMemStats(&after)
	if len(bad) != 1 || !strings.Contains(bad[0], "larger than 16 MB") {
		t.Errorf("listed: %q", bad)
	}
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 { // reading it alone, in growing pieces, allocates some 70 MB
		t.Errorf("%d MB were allocated for it", took)
	}
}

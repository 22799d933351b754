package web

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
)

// table is what can be downloaded: rows of texts, amounts and whole numbers.
type table struct {
	Name string // of the file, without its ending
	Head []string
	Rows [][]any
}

// tableOf makes one for what a request asks and its user may see.
type tableOf func(r *http.Request, v *visit) (table, error)

func (s *site) download(of tableOf, send func(http.ResponseWriter, table) error) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		t, err := of(r, v)
		if err != nil {
			return err
		}
		return send(w, t)
	}
}

// cell is a value as text; amounts are plain decimals.
func cell(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case money.Amount:
		return x.Decimal()
	}
	return fmt.Sprint(v)
}

// sendCSV writes a table for a spreadsheet. A cell that a spreadsheet would run as a formula is made a text.
func sendCSV(w http.ResponseWriter, t table) error {
	attach(w, "text/csv; charset=utf-8", t.Name+".csv")
	out := csv.NewWriter(w)
	line := make([]string, 0, len(t.Head))
	write := func(cells []any) error {
		line = line[:0]
		for _, v := range cells {
			c := cell(v)
			if c != "" && strings.ContainsAny(c[:1], "=+@\t\r") || strings.HasPrefix(c, "-") && !figure(c) {
				c = "'" + c
			}
			line = append(line, c)
		}
		return out.Write(line)
	}
	if err := write(anys(t.Head)); err != nil {
		return nil // the browser went away
	}
	for _, row := range t.Rows {
		if err := write(row); err != nil {
			return nil
		}
	}
	out.Flush()
	return nil
}

func figure(s string) bool { return strings.Trim(s, "-0123456789.") == "" }

func anys(s []string) []any {
	out := make([]any, len(s))
	for i, x := range s {
		out[i] = x
	}
	return out
}

// sendXLSX writes a table as a workbook of one sheet: amounts and counts are numbers, everything else is text and never a formula.
func sendXLSX(w http.ResponseWriter, t table) error {
	f := excelize.NewFile()
	defer f.Close() //nolint:errcheck // nothing of it is on disk that the next start would miss
	if err := fill(f, t); err != nil {
		return fault.New(fault.Internal, "write workbook", err)
	}
	attach(w, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", t.Name+".xlsx")
	_ = f.Write(w) // the browser went away: nothing to do about it
	return nil
}

func attach(w http.ResponseWriter, kind, name string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+unsafeName.ReplaceAllString(name, "_")+`"`)
}

// unsafeName is what a file's name may not hold in a header or on a disk: a location may be called "../x".
var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

const sheetWidth = 16 // characters of a column: "1,234,567.89" with room

func fill(f *excelize.File, t table) error {
	const sheet = "Sheet1"
	if err := f.SetSheetName(sheet, clip(strings.Map(sheetName, t.Name), 31)); err != nil {
		return err
	}
	out, err := f.NewStreamWriter(f.GetSheetName(0))
	if err != nil {
		return err
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	if err := out.SetColWidth(1, max(1, len(t.Head)), sheetWidth); err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	figures := map[int]int{} // style by decimals
	style := func(decimals int) (int, error) {
		if id, ok := figures[decimals]; ok {
			return id, nil
		}
		format := "#,##0"
		if decimals > 0 {
			format += "." + strings.Repeat("0", decimals)
		}
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		figures[decimals] = id
		return id, err
	}
	head := make([]any, len(t.Head))
	for i, h := range t.Head {
		head[i] = excelize.Cell{StyleID: bold, Value: h}
	}
	if err := out.SetRow("A1", head); err != nil {
		return err
	}
	for n, row := range t.Rows {
		cells := make([]any, len(row))
		for i, v := range row {
			cells[i] = v
			if a, ok := v.(money.Amount); ok {
				id, err := style(a.Currency.Digits())
				if err != nil {
					return err
				}
				cells[i] = excelize.Cell{StyleID: id, Value: number(a)}
			}
		}
		if err := out.SetRow("A"+strconv.Itoa(n+2), cells); err != nil {
			return err
		}
	}
	return out.Flush()
}

// exactly is how large a number a workbook keeps to the cent: 15 digits, its doubles hold no more.
const exactly = 999_999_999_999_999

// number is an amount as a workbook takes it: the double whose shortest decimal is the amount, or its text where a double would lie.
func number(a money.Amount) any {
	f, err := strconv.ParseFloat(a.Decimal(), 64)
	if err != nil || a.Minor > exactly || a.Minor < -exactly {
		return a.Decimal()
	}
	return f
}

func sheetName(r rune) rune {
	if strings.ContainsRune(`:\/?*[]'`, r) {
		return '_'
	}
	return r
}

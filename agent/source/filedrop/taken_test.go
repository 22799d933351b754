package filedrop_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/shared/retail"
)

func numbers(ts []retail.Ticket) string {
	var out []string
	for _, t := range ts {
		total, _ := t.Total()
		out = append(out, t.Number+"="+total.DecimalOf().String())
	}
	return strings.Join(out, " ")
}

// TestAFileThatGrowsIsNotSentAllOver: what was handed over and is still what it was is not handed over again; the last row always is.
func TestAFileThatGrowsIsNotSentAllOver(t *testing.T) {
	const head = "No,When,What,Price\n"
	row := func(no int, price string) string {
		return fmt.Sprintf("%d,2026-11-20 10:%02d,Food,%s\n", no, no, price)
	}
	for _, c := range []struct {
		name   string
		states []string
		want   []string
	}{
		{"a row at a time", []string{head + row(1, "1.00"), head + row(1, "1.00") + row(2, "2.00"), head + row(1, "1.00") + row(2, "2.00") + row(3, "3.00")},
			[]string{"1=1", "1=1 2=2", "2=2 3=3"}},
		{"a ticket goes on", []string{head + row(1, "1.00") + row(2, "2.00") + row(3, "3.00"), head + row(1, "1.00") + row(2, "2.00") + row(3, "3.00") + row(1, "4.00")},
			[]string{"1=1 2=2 3=3", "1=5 3=3"}},
		{"half a row", []string{head + row(1, "1.00") + "2,2026-11-20 10:02,Food,2.0", head + row(1, "1.00") + row(2, "2.05") + row(3, "3.00")}, []string{"1=1 2=2", "2=2.05 3=3"}},
		{"a row was changed", []string{head + row(1, "1.00") + row(2, "2.00") + row(3, "3.00"), head + row(1, "1.50") + row(2, "2.00") + row(3, "3.00")}, []string{"1=1 2=2 3=3", "1=1.5 2=2 3=3"}},
		{"a row went", []string{head + row(1, "1.00") + row(2, "2.00") + row(3, "3.00"), head + row(2, "2.00") + row(3, "3.00")}, []string{"1=1 2=2 3=3", "2=2 3=3"}},
		{"the next day's", []string{head + row(1, "1.00") + row(2, "2.00"), head + row(8, "8.00")}, []string{"1=1 2=2", "8=8"}},
		{"a heading more", []string{head + row(1, "1.00") + row(2, "2.00"), "No,When,What,Price,Clerk\n" + row(1, "1.00") + row(2, "2.00")}, []string{"1=1 2=2", "1=1 2=2"}},
		{"a quote that goes on", []string{head + row(1, "1.00") + "2,2026-11-20 10:02,\"Fo\n" + row(3, "3.00") + row(4, "4.00"), head + row(1, "1.00") + "2,2026-11-20 10:02,\"Fo\n" + row(3, "3.00") + row(4, "4.00") + "od\",2.00\n"},
			[]string{"1=1 3=3 4=4", "1=1 2=2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := folder(t, "csv")
			r := &reader{f: f, most: 2}
			for i, body := range c.states {
				write(t, f, "a.csv", body)
				if ts, _ := r.all(t); numbers(ts) != c.want[i] {
					t.Fatalf("state %d gave %s, want %s", i+1, numbers(ts), c.want[i])
				}
			}
		})
	}
}

// TestWhateverBecomesOfAFileItsTicketsAreTold keeps a till's file growing, being rewritten and renamed, in every format: after each state, what
// was told last of each of its tickets is what stands in it, as a reader says who sees it for the first time.
func TestWhateverBecomesOfAFileItsTicketsAreTold(t *testing.T) {
	for _, format := range []string{"csv", "ndjson", "json", "xlsx"} {
		t.Run(format, func(t *testing.T) {
			f := folder(t, format)
			r := &reader{f: f, most: 3}
			told := map[string]string{}
			sent, fresh := 0, 0
			g := rand.New(rand.NewPCG(7, uint64(len(format))))
			var rows [][3]string
			for range 25 {
				switch k := g.IntN(10); {
				case k < 7 || len(rows) == 0: // it grows, sometimes by a row of a ticket before
					for range 1 + g.IntN(3) {
						rows = append(rows, [3]string{fmt.Sprint(1 + g.IntN(len(rows)+3)), fmt.Sprintf("2026-11-20 10:%02d", g.IntN(60)), fmt.Sprintf("%d.%02d", g.IntN(90), g.IntN(100))})
					}
				case k == 7:
					rows[g.IntN(len(rows))][2] = "77.77"
				case k == 8:
					i := g.IntN(len(rows))
					rows = append(rows[:i:i], rows[i+1:]...)
				default:
					if err := os.Rename(filepath.Join(f.Dir, "a"), filepath.Join(f.Dir, "b")); err != nil {
						t.Fatal(err)
					}
					r.all(t)
				}
				file(t, format, filepath.Join(f.Dir, "a"), rows)
				ts, bad := r.all(t)
				for _, x := range ts {
					told[x.Number] = numbers([]retail.Ticket{x})
				}
				stranger := folder(t, format)
				file(t, format, filepath.Join(stranger.Dir, "a"), rows)
				want, wantBad := (&reader{f: stranger, most: 200}).all(t)
				if len(bad)+len(wantBad) > 0 {
					t.Fatal(bad, wantBad)
				}
				sent, fresh = sent+len(ts), fresh+len(want)
				for _, x := range want {
					if told[x.Number] != numbers([]retail.Ticket{x}) {
						t.Fatalf("ticket %s was told as %q, it is %q", x.Number, told[x.Number], numbers([]retail.Ticket{x}))
					}
				}
			}
			if sent > fresh*2/3 {
				t.Errorf("%d tickets were sent where %d stood in the file over time", sent, fresh)
			}
		})
	}
}

// file writes rows of number, time and price.
func file(t *testing.T, format, path string, rows [][3]string) {
	t.Helper()
	var b strings.Builder
	switch format {
	case "xlsx":
		x := excelize.NewFile()
		for i, row := range append([][3]string{{"No", "When", "Price"}}, rows...) {
			cells := []any{row[0], row[1], "Food", row[2]}
			if i == 0 {
				cells[2], cells[3] = "What", "Price"
			}
			if err := x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.SaveAs(path + ".xlsx"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".xlsx", path); err != nil {
			t.Fatal(err)
		}
		return
	case "csv":
		b.WriteString("No,When,What,Price\n")
		for _, row := range rows {
			fmt.Fprintf(&b, "%s,%s,Food,%s\n", row[0], row[1], row[2])
		}
	default:
		if format == "json" {
			b.WriteString("[")
		}
		for i, row := range rows {
			if format == "json" && i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, `{"No":%q,"When":%q,"What":"Food","Price":%q}`+"\n", row[0], row[1], row[2])
		}
		if format == "json" {
			b.WriteString("]")
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

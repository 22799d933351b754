package filedrop_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// taken imports a body and checks what must hold for any file: no panic, every row in a ticket or a case, and what the agent calls good the
// hub books.
func taken(t *testing.T, p *profile.Profile, body []byte) (out []sent, rep filedrop.Report) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	var k kept
	rep, err := filedrop.Import{Path: path, Profile: p, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
	if err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if rep.Rows != rep.Lines+rep.Cases {
		t.Fatalf("%q: %d rows, %d in tickets, %d in cases", body, rep.Rows, rep.Lines, rep.Cases)
	}
	good, rows, seen := 0, 0, map[int]bool{}
	for _, d := range k.drafts {
		if d.Kind != decode.Rows {
			continue
		}
		var r profile.Rows
		if err := json.Unmarshal(d.Body, &r); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		for _, x := range r.Rows {
			if rows++; seen[x.N] {
				t.Fatalf("%q: row %d comes twice", body, x.N)
			}
			seen[x.N] = true
		}
		rec, err := p.Decode(r)
		if err == nil {
			err = rec.(retail.Ticket).Validate(d.At)
		}
		if err == nil {
			good++
		}
		out = append(out, sent{d.Key, r})
	}
	if good != rep.Tickets || rep.Refused == "" && rows != rep.Rows {
		t.Fatalf("%q: %d tickets and %d rows told, %d and %d sent", body, rep.Tickets, rep.Rows, good, rows)
	}
	return out, rep
}

type sent struct {
	key  string
	rows profile.Rows
}

func FuzzCSV(f *testing.F) {
	p := shopProfile(f, "csv")
	for _, s := range []string{two, two + "3,2026-11-20 10:00,\"Fo\"\"od\",1\n", "No,When,What,Price\r\n1,2026-11-20 10:00,\"a\r\nb\",1\r\n", "\xef\xbb\xbf" + two, "\xff\xfeN\x00", "\xfe\xff\x00N", "", "\n", "\"", "a\"b\n", "No,When,What,Price\n\"1\"x,\n\"",
		two + "\"never closed\n\n\n", strings.ReplaceAll(two, ",", ";"), "No,When,What,Price\n\x00\n1\n\"\",\"\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) { taken(t, p, body) })
}

func FuzzJSONFiles(f *testing.F) {
	list, lines := shopProfile(f, "json"), shopProfile(f, "ndjson")
	for _, s := range []string{`[{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":1.5}]`, `{"No":1,"When":"2026-11-20 10:00","What":{"a":[1]},"Price":"1"}` + "\n{\n", "[", "[1,", "[[[[", `[{"No":1},{"Nu":2}]x`, "\xff\xfe[\x00", "null", "[]", `{"No":1,"No":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		taken(t, list, body)
		taken(t, lines, body)
	})
}

// FuzzWorkbook changes what stands in a sheet: in the packed file nearly every change is a broken archive and nothing else. Run it with
// -fuzzminimizetime 10x: what unpacking covers differs from run to run, and by default a minute is spent on making each input smaller.
func FuzzWorkbook(f *testing.F) {
	p := shopProfile(f, "xlsx")
	head := `<row r="1"><c r="A1" t="inlineStr"><is><t>No</t></is></c><c r="B1" t="inlineStr"><is><t>When</t></is></c><c r="C1" t="inlineStr"><is><t>What</t></is></c><c r="D1" t="inlineStr"><is><t>Price</t></is></c></row>`
	for _, s := range []string{head + `<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>46346.75</v></c><c r="C2" t="s"><v>0</v></c><c r="D2"><v>12.5</v></c></row>`,
		head + `<row><c><v>2</v></c><c t="str"><f>TEXT(1)</f><v>2026-11-20 10:00</v></c><c t="inlineStr"><is><r><t>Bag</t></r></is></c><c><f>1</f></c></row>`, "", `<row r="9"/>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		taken(t, p, []byte(pack(t, part{"xl/workbook.xml", strings.NewReader(`<workbook><sheets><sheet name="S" r:id="a"/></sheets></workbook>`)},
			part{"xl/_rels/workbook.xml.rels", strings.NewReader(`<r><Relationship Id="a" Type="worksheet" Target="s.xml"/><Relationship Id="b" Type="sharedStrings" Target="t.xml"/></r>`)},
			part{"xl/t.xml", strings.NewReader(`<sst><si><t>Food</t></si></sst>`)}, part{"xl/s.xml", strings.NewReader(`<worksheet><sheetData>` + data + `</sheetData></worksheet>`)})))
	})
}

// A file with more rows than are sorted in memory, its tickets' rows far apart: the same tickets as by grouping them in a map.
func TestALargeFileIsGroupedAsASmallOne(t *testing.T) {
	p := shopProfile(t, "csv")
	dice := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("No,When,What,Price\n")
	want := map[string]int64{}
	var order []string
	for range 120_000 {
		id, cents := fmt.Sprint(dice.IntN(50_000)), int64(dice.IntN(1000))
		if _, known := want[id]; !known {
			order = append(order, id)
		}
		want[id] += cents
		fmt.Fprintf(&b, "%s,2026-11-20 10:00,Food,%d.%02d\n", id, cents/100, cents%100)
	}
	out, rep := taken(t, p, []byte(b.String()))
	if rep.Tickets != len(want) || rep.Cases != 0 {
		t.Fatalf("%d tickets, want %d; %d cases", rep.Tickets, len(want), rep.Cases)
	}
	got := map[string]int64{}
	for i, s := range out {
		rec, err := p.Decode(s.rows)
		if err != nil {
			t.Fatal(err)
		}
		total, _ := rec.(retail.Ticket).Total()
		got[s.key] += total.Minor
		if s.key != order[i] {
			t.Fatalf("ticket %d is %s; in the file it is %s", i, s.key, order[i])
		}
		if !slices.IsSortedFunc(s.rows.Rows, func(a, b profile.Row) int { return a.N - b.N }) {
			t.Fatalf("the rows of ticket %s are in another order", s.key)
		}
	}
	if !maps.Equal(got, want) {
		t.Error("the tickets come to something else")
	}
}

// Package hostile drops everything that a folder or a till can hold on built binaries: broken files, wrong encodings, absurd amounts, card
// numbers in every place. The good rows must be in the books, the bad ones listed, and no card number anywhere on the disks or in the logs.
package hostile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/test/port"
	"github.com/tillpost/tillpost/test/rig"
)

const shop = `name = "shop-%[1]s"
format = "%[1]s"
system = "shop"
scope = "%[1]s"
currency = "USD"
zone = "UTC"
times = ["2006-01-02 15:04"]
[ticket]
id = "{No}"
location = "{Store}"
at = "{When}"
[[line]]
kind = "item"
category = "Food"
description = "{What}"
amount = "{Price}"
[[tender]]
type = "{Paid}"
`

// pans are public test numbers of the card brands, in the spellings in which people write them.
var pans = []string{"4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "4222222222222"}

// world is the rig with what was put into it.
type world struct {
	*rig.Rig
	door     string
	settings string
	good     map[string]string // ticket number → what its description must be, "" = anything
	secrets  []string          // what may stand nowhere afterwards
}

func (w *world) drop(format, name, body string) { w.Write("drop-"+format+"/"+name, "%s", body) }

func TestEverythingBad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	w := &world{Rig: rig.New(t, "[[location]]\ncode='S1'\nname='One'\nzone='UTC'\ncutoff='00:00'\ncurrency='USD'\n"), good: map[string]string{}, secrets: slices.Clone(pans)}
	var sources strings.Builder
	for _, f := range []string{"csv", "json", "ndjson", "xlsx"} {
		w.Write("profiles/shop-"+f+".toml", shop, f)
		w.Write("drop-"+f+"/.keep", "")
		fmt.Fprintf(&sources, "[[source.filedrop]]\nname=%q\ndir=%q\nprofile='shop-%s'\nsettle='50ms'\nlocation='S1'\n", f, w.At("drop-"+f), f)
	}
	w.Write("token", "till\n")
	w.door = port.Free(t)
	w.settings = w.Agent("pc", fmt.Sprintf("[profiles]\ndir=%q\n[source.localapi]\nlisten=%q\ntoken_file=%q\n%s", w.At("profiles"), w.door, w.At("token"), sources.String()))
	stop := w.Start("agent", w.At("agent"), "run", "--config", w.settings)
	w.Until(30*time.Second, "an open door", func() bool {
		c, err := net.Dial("tcp", w.door)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	w.rows()
	w.files()
	w.workbook(t)
	w.weapons(t)
	w.cards(t)
	w.public(t)
	w.pushed(t)
	w.waited(t)
	w.told(t)
	out := w.At("export.ndjson")
	if _, err := w.Run(w.At("agent"), "buffer", "export", out, "--config", w.settings); err != nil {
		t.Fatal(err)
	}
	w.words(t)
	stop()
	w.clean(t)
}

const head = "No,Store,When,What,Price,Paid\n"

// rows are bad rows between good ones.
func (w *world) rows() {
	var b strings.Builder
	b.WriteString(head)
	for i, bad := range []string{"b1,S1,2026-11-20 10:00,Soup,abc,cash", "b2,S1,2026-11-20 10:00,Soup,=1+1,cash", "b3,S1,2026-11-20 10:00,Soup,99999999999999999999999999,cash",
		"b4,S1,2026-11-20 10:00,Soup,1e400,cash", "b5,S1,1970-01-01 00:00,Soup,1,cash", "b6,S1,2099-01-01 00:00,Soup,1,cash", "b7,S1,20.11.2026,Soup,1,cash", ",S1,2026-11-20 10:00,Soup,1,cash",
		"b9,S1,2026-11-20 10:00,Soup,1,cash,and,more", "b10,S1,2026-11-20 10:00,\"Soup,1,cash", "b11,S1,2026-11-20 10:00,So\"up,1,cash", "b12,S1,2026-11-20 10:00,Soup,,cash", "b13,S1", "\x00\x01\x02"} {
		id := fmt.Sprintf("g%d", i)
		w.good[id] = "good"
		fmt.Fprintf(&b, "%s\n%s,S1,2026-11-20 10:00,good,1.00,cash\n", bad, id)
	}
	b.WriteString("neg,S1,2026-11-20 10:00,refund,-5.00,cash\nnul,S1,2026-11-20 10:00,a\x00b,1,cash\nodd,S1,2026-11-20 10:00,x,1,barter\nfar,S9,2026-11-20 10:00,x,1,cash\n")
	w.good["neg"], w.good["nul"], w.good["odd"] = "refund", "a\x00b", "x"
	w.drop("csv", "rows.csv", b.String())
}

// files are bad as a whole, or hold what their names do not say.
func (w *world) files() {
	for name, body := range map[string]string{"empty.csv": "", "blank.csv": "\n\n\n", "other.csv": "a,b,c\n1,2,3\n", "head.csv": head, "zip.csv": "PK\x03\x04" + strings.Repeat("\x00\xff\x80", 5000),
		"long.csv": strings.Repeat("x", 3<<20), "json.csv": `[{"No":1}]`, "quote.csv": head + "\"" + strings.Repeat("never closed\n", 20_000)} {
		w.drop("csv", name, body)
	}
	for name, body := range map[string]string{"empty.json": "", "text.json": "hello", "deep.json": strings.Repeat("[", 100_000), "object.json": `{"No":1}`, "half.json": `[{"No":"j1","Store":"S1","When":"2026-11-20 10:00","What":"w","Price":1.10,"Paid":"cash"},{"No":`,
		"mixed.json": `[1,null,"x",[],{"No":"j2","Store":"S1","When":"2026-11-20 10:00","What":"w","Price":"2.20","Paid":"cash"}]`} {
		w.drop("json", name, body)
	}
	w.good["j1"], w.good["j2"] = "w", "w"
	w.drop("ndjson", "mixed.ndjson", "{\n\n[]\n"+`{"No":"n1","Store":"S1","When":"2026-11-20 10:00","What":"w","Price":1.10,"Paid":"cash"}`+"\n{\"No\":\""+strings.Repeat("x", 2<<20)+"\"}\n"+
		`{"No":"n2","Store":"S1","When":"2026-11-20 10:00","What":"w","Price":0.30000000000000004,"Paid":"cash"}`+"\n\xff\xfe\x00")
	w.good["n1"], w.good["n2"] = "w", "w"
	w.drop("xlsx", "text.xlsx", "no workbook")
	w.drop("xlsx", "empty.xlsx", "")
	// A Windows program's file in its own code page, and one in UTF-16.
	w.drop("csv", "ansi.csv", head+"ansi,S1,2026-11-20 10:00,Caf\xe9 \x80,1,cash\n")
	w.good["ansi"] = "Café €"
	var wide bytes.Buffer
	for _, u := range utf16.Encode([]rune("\ufeff" + head + "wide,S1,2026-11-20 10:00,Ünï,1,cash\n")) {
		wide.Write([]byte{byte(u), byte(u >> 8)})
	}
	w.drop("csv", "wide.csv", wide.String())
	w.good["wide"] = "Ünï"
}

func (w *world) workbook(t *testing.T) {
	t.Helper()
	x := excelize.NewFile()
	for i, row := range [][]any{{"No", "Store", "When", "What", "Price", "Paid"}, {"x1", "S1", "2026-11-20 10:00", "sheet", 12.5, "cash"}, {"x2", "S1", "2026-11-20 10:00", pans[0], 1, "cash"},
		{"x3", "S1", "2026-11-20 10:00", 4111111111111111, 1, "cash"}, {"x4", "S1", 46346.75, "serial", 0.1 + 0.2, "cash"}, {"x5", "S1", "2026-11-20 10:00", "formula", nil, "cash"}} {
		if err := x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SetCellFormula("Sheet1", "E6", "=1+1"); err != nil {
		t.Fatal(err)
	}
	if err := x.SaveAs(w.At("drop-xlsx/book.tmp.xlsx")); err != nil {
		t.Fatal(err)
	}
	w.good["x1"], w.good["x2"], w.good["x3"], w.good["x4"] = "sheet", "", "", "serial"
}

// cards puts card numbers where they can stand.
func (w *world) cards(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString("No,Store,When,What,Price,Paid,CVV,Track2," + pans[0] + "\n")
	for i, pan := range pans {
		fmt.Fprintf(&b, "%s,S1,2026-11-20 10:00,card %s,1.00,cash,987,;%s=29121010000000000?,x\n", pan, pan, pan)
		fmt.Fprintf(&b, "c%d,S1,2026-11-20 10:00,%s,1.00,cash,,,\n", i, groups(pan))
		fmt.Fprintf(&b, "c%d,S1,%s,x,%s,%s,,,\n", i+100, pan, pan, pan)
		fmt.Fprintf(&b, "d%d,%s,2026-11-20 10:00,\"open %s\n", i, pan, pan)
		w.good[fmt.Sprintf("c%d", i)] = ""
		w.secrets = append(w.secrets, groups(pan))
		w.drop("csv", "export "+pan+".csv", head+fmt.Sprintf("f%d,S1,2026-11-20 10:00,x,1.00,cash\n", i))
		w.good[fmt.Sprintf("f%d", i)] = ""
		w.drop("json", "export "+groups(pan)+".json", `[{"No":`+pan+`,"Store":"S1","When":"2026-11-20 10:00","What":`+pan+`,"Price":1,"Paid":"cash","`+pan+`":"`+pan+`"},`+pan+`]`)
		w.drop("ndjson", pan+".ndjson", "{"+pan+"\n"+`{"No":"k`+fmt.Sprint(i)+`","Store":"S1","When":"2026-11-20 10:00","What":"\u003`+pan[:1]+pan[1:]+`","Price":1,"Paid":"cash"}`+"\n")
		w.good["k"+fmt.Sprint(i)] = ""
	}
	w.drop("csv", "cards.csv", b.String())
}

func groups(pan string) string {
	return pan[:4] + " " + pan[4:8] + " " + pan[8:12] + " " + pan[12:]
}

// public is what others have gathered: TILLPOST_DATA names the folder.
func (w *world) public(t *testing.T) {
	t.Helper()
	root := os.Getenv("TILLPOST_DATA")
	if root == "" {
		t.Log("TILLPOST_DATA is not set: the public collections of bad input are left out")
		return
	}
	for from, format := range map[string]string{"csv_spectrum/csvs": "csv", "json_test_suite/test_parsing": "json"} {
		files, err := os.ReadDir(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		for _, f := range files {
			body, err := os.ReadFile(filepath.Join(root, from, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			w.drop(format, f.Name(), string(body))
			all.Write(append(body, '\n'))
		}
		if format == "json" {
			w.drop("ndjson", "all.ndjson", all.String())
		}
	}
	var naughty []string
	body, err := os.ReadFile(filepath.Join(root, "naughty_strings", "blns.json"))
	if err == nil {
		err = json.Unmarshal(body, &naughty)
	}
	if err != nil {
		t.Fatal(err)
	}
	var sheet bytes.Buffer
	c := csv.NewWriter(&sheet)
	_ = c.Write(strings.Split(strings.TrimSpace(head), ","))
	for i, s := range naughty {
		_ = c.Write([]string{fmt.Sprintf("s%d", i), "S1", "2026-11-20 10:00", s, "1.00", "cash"})
		w.good[fmt.Sprintf("s%d", i)] = strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n")
	}
	c.Flush()
	w.drop("csv", "naughty.csv", sheet.String())
	w.identifiers(t, root)
}

// identifiers puts card numbers among numbers that only look like them, each in a cell.
func (w *world) identifiers(t *testing.T, root string) {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "pan_detection", "identifier_values.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(head)
	for i, r := range rows[1:] {
		if r[2] == "1" {
			w.secrets = append(w.secrets, r[0])
		} else if i%40 != 0 {
			continue
		}
		fmt.Fprintf(&b, "v%d,S1,2026-11-20 10:00,%s,1.00,cash\n", i, r[0])
		w.good[fmt.Sprintf("v%d", i)] = ""
	}
	w.drop("csv", "identifiers.csv", b.String())
	cases, err := os.Open(filepath.Join(root, "pan_detection", "pan_cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer cases.Close()
	var lines bytes.Buffer
	for i, s := 0, bufio.NewScanner(cases); s.Scan(); i++ {
		var c struct {
			Text string
			Pan  *bool `json:"is_pan"`
			Luhn *bool
		}
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Pan != nil && *c.Pan && c.Luhn != nil && *c.Luhn {
			w.secrets = append(w.secrets, c.Text)
		}
		row, _ := json.Marshal(map[string]string{"No": fmt.Sprintf("p%d", i), "Store": "S1", "When": "2026-11-20 10:00", "What": c.Text, "Price": "1.00", "Paid": "cash"})
		lines.Write(append(row, '\n'))
		w.good[fmt.Sprintf("p%d", i)] = ""
	}
	w.drop("ndjson", "pan cases.ndjson", lines.String())
}

// pushed hands bad records to the door.
func (w *world) pushed(t *testing.T) {
	t.Helper()
	ticket := func(id, what string) string {
		return fmt.Sprintf(`{"id":%s,"location":"S1","at":"2026-11-20T10:00:00Z","currency":"USD","lines":[{"kind":"item","category":"Food","description":%s,"amount":"1.00"}],"tenders":[{"type":"cash","amount":1.00,"ref":%s,"cvv":987,"track2":{"x":"%s"}}]}`,
			id, what, what, pans[0])
	}
	w.good["door"] = ""
	for _, c := range []struct {
		body   string
		status int
	}{
		{ticket(`"door"`, `"x"`), 201}, {ticket(pans[1], pans[1]), 202}, {ticket(`"`+pans[2]+`"`, `"`+pans[2]+`"`), 201}, {"{", 400}, {"", 400}, {"null", 202}, {"\x00", 400}, {strings.Repeat("[", 200_000), 400},
		{strings.Replace(ticket(`"abs"`, `"x"`), `"1.00"`, `"1e999999999"`, 1), 202}, {strings.Replace(ticket(`"old"`, `"x"`), "2026-11-20T", "1970-01-01T", 1), 202},
		{strings.Replace(ticket(`"new"`, `"x"`), "2026-11-20T", "2099-01-01T", 1), 202}, {`{"id":"` + pans[3], 400}, {strings.Repeat("x", 17<<20), 413},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+w.door+"/v1/tickets", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer till")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%.80q: %d %s, want %d", c.body, resp.StatusCode, said, c.status)
		}
		if bytes.Contains(said, []byte(pans[3])) {
			t.Errorf("a card number comes back: %s", said)
		}
	}
}

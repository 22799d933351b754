package filedrop_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"

	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// totals are what tickets come to, by number.
func totals(ts []retail.Ticket) map[string]int64 {
	out := map[string]int64{}
	for _, t := range ts {
		total, _ := t.Total()
		out[t.Key.ID] = total.Minor
	}
	return out
}

func TestAHalfWrittenFileWaits(t *testing.T) {
	f := folder(t, "csv")
	f.Settle = time.Hour
	write(t, f, "a.csv", two)
	for range 3 {
		if ds, _, err := f.Read(t.Context(), "", 200); len(ds) > 0 || err != nil {
			t.Fatalf("a file that has just been written gave %d records, %v", len(ds), err)
		}
	}
	f.Settle = time.Millisecond
	write(t, f, "b.csv.tmp", two)
	write(t, f, "~b.csv", two)
	write(t, f, ".b.csv", two)
	ts, _ := (&reader{f: f, most: 200}).all(t)
	if len(ts) != 2 {
		t.Errorf("%d tickets: names of unfinished files are read", len(ts))
	}
}

func TestAFileThatIsReplacedInTheMiddleIsReadAnew(t *testing.T) {
	f := folder(t, "csv")
	var b strings.Builder
	b.WriteString("No,When,What,Price\n")
	for i := range 50 {
		fmt.Fprintf(&b, "%d,2026-11-20 10:00,Food,1.00\n", i)
	}
	write(t, f, "a.csv", b.String())
	r := &reader{f: f, most: 10}
	for got := 0; got == 0; {
		ds, next, err := f.Read(t.Context(), r.at, r.most)
		if err != nil {
			t.Fatal(err)
		}
		r.at, got = next, len(ds)
	}
	write(t, f, "a.csv", strings.ReplaceAll(b.String(), "1.00", "2.50"))
	ts, bad := r.all(t)
	for i := range 50 {
		if got := totals(ts)[fmt.Sprint(i)]; got != 250 {
			t.Fatalf("ticket %d comes to %d, bad %v", i, got, bad)
		}
	}
}

func TestARenamedOrTouchedFileIsTheSameFile(t *testing.T) {
	f := folder(t, "csv")
	r := &reader{f: f, most: 200}
	write(t, f, "a.csv", two)
	r.all(t)
	if err := os.Rename(filepath.Join(f.Dir, "a.csv"), filepath.Join(f.Dir, "b.csv")); err != nil {
		t.Fatal(err)
	}
	if ts, _ := r.all(t); len(ts) != 0 {
		t.Errorf("a renamed file gave %d tickets again", len(ts))
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(f.Dir, "b.csv"), later, later); err != nil {
		t.Fatal(err)
	}
	if ts, _ := r.all(t); len(ts) != 0 {
		t.Errorf("a touched file gave %d tickets again", len(ts))
	}
}

// A report whose day stands in its file's name alone is another report under another name: the one that was named as its case asks for, and the next
// day's, though not a byte differs.
func TestAReportIsWhatItsNameSays(t *testing.T) {
	f := folder(t, "csv")
	text := strings.NewReplacer("{No}", "{@date}/{No}", "{When}", "{@date}", "2006-01-02 15:04", "2006-01-02").Replace(string(f.Profile.TOML()))
	dated := *f
	dated.Profile = parse(t, []byte(text))
	f = filedrop.New("t", dated)
	r := &reader{f: f, most: 200}
	body := "No,What,Price\n1,Food,2.00\n"
	write(t, f, "sales.csv", body)
	if ts, bad := r.all(t); len(ts) != 0 || len(bad) != 1 || !strings.Contains(bad[0], "in its file's name") {
		t.Fatalf("without a day: %v, %v", totals(ts), bad)
	}
	for _, to := range []string{"sales 2026-11-20.csv", "sales 2026-11-21.csv"} {
		names, err := filepath.Glob(filepath.Join(f.Dir, "*.csv"))
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		if err := os.Rename(names[0], filepath.Join(f.Dir, to)); err != nil {
			t.Fatal(err)
		}
		if ts, bad := r.all(t); len(ts) != 1 || len(bad) != 0 || !strings.Contains(to, strings.TrimSuffix(ts[0].Key.ID, "/1")) {
			t.Errorf("%s: %v, %v", to, totals(ts), bad)
		}
	}
}

func TestAFolderThatVanishesAndComesBack(t *testing.T) {
	f := folder(t, "csv")
	r := &reader{f: f, most: 200}
	write(t, f, "a.csv", two)
	r.all(t)
	away := f.Dir + "-away"
	if err := os.Rename(f.Dir, away); err != nil {
		t.Fatal(err)
	}
	if _, at, err := f.Read(t.Context(), r.at, 200); !fault.Retryable(err) || at != r.at {
		t.Fatalf("without its folder: %v, and the cursor moved: %t", err, at != r.at)
	}
	if err := os.Rename(away, f.Dir); err != nil {
		t.Fatal(err)
	}
	write(t, f, "b.csv", "No,When,What,Price\n9,2026-11-20 10:00,Food,1\n")
	if ts, _ := r.all(t); len(ts) != 1 || ts[0].Key.ID != "9" {
		t.Errorf("back again it gave %v", totals(ts))
	}
}

// A file that cannot be opened holds no other file up, and is read when it can be.
func TestALockedFileWaits(t *testing.T) {
	if os.Getuid() <= 0 {
		t.Skip("root opens every file; the locks of Windows have a test of their own")
	}
	f := folder(t, "csv")
	write(t, f, "a.csv", two)
	write(t, f, "b.csv", "No,When,What,Price\n9,2026-11-20 10:00,Food,1\n")
	locked := filepath.Join(f.Dir, "a.csv")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	r := &reader{f: f, most: 200}
	if ts, _ := r.all(t); len(ts) != 1 {
		t.Errorf("%d tickets beside a locked file", len(ts))
	}
	if err := os.Chmod(locked, 0o600); err != nil {
		t.Fatal(err)
	}
	if ts, _ := r.all(t); len(ts) != 2 {
		t.Errorf("%d tickets of the unlocked file", len(ts))
	}
}

func TestEncodings(t *testing.T) {
	text := "No,When,What,Price\n1,2026-11-20 10:00,Café €,2.00\n"
	utf16le, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	utf16be, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	bare, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text)
	bareBig, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(text)
	mac := strings.ReplaceAll(text, "\n", "\r")
	for name, body := range map[string]string{"UTF-16 without a mark": bare, "big-endian without a mark": bareBig, "line ends of an old Mac": mac, "plain": text, "marked": "\xef\xbb\xbf" + text, "UTF-16 by its mark": utf16le, "big-endian": utf16be,
		"Windows-1252 that nobody declared": strings.NewReplacer("é", "\xe9", "€", "\x80").Replace(text), "Windows line ends": strings.ReplaceAll(text, "\n", "\r\n")} {
		f := folder(t, "csv")
		write(t, f, "a.csv", body)
		ts, bad := (&reader{f: f, most: 200}).all(t)
		if len(ts) != 1 || ts[0].Lines[0].Category != "Café €" {
			t.Errorf("%s: %d tickets, %v, %+v", name, len(ts), bad, ts)
		}
	}
}

// TestALongFileOfAnOldMac: its rows are read again from other chunks than the first.
func TestALongFileOfAnOldMac(t *testing.T) {
	f := folder(t, "csv")
	var b strings.Builder
	b.WriteString("No,When,What,Price\r")
	for i := range 9000 {
		fmt.Fprintf(&b, "%d,2026-11-20 10:00,\"Food\",1.00\r", i%3000)
	}
	write(t, f, "a.csv", b.String())
	ts, bad := (&reader{f: f, most: 200}).all(t)
	if len(ts) != 3000 || len(bad) != 0 || totals(ts)["2999"] != 300 {
		t.Errorf("%d tickets, %d bad", len(ts), len(bad))
	}
}

// TestAFileThatWasNotWrittenToItsEnd: what its last cell holds may be a piece of a number, so the row is listed and not booked; when the file is whole
// it is booked. A last line that lacks its end alone is whole.
func TestAFileThatWasNotWrittenToItsEnd(t *testing.T) {
	f := folder(t, "csv")
	text := strings.Replace(string(f.Profile.TOML()), "[[tender]]", "[[line]]\nkind='tax'\namount='{Tax?}'\n[[tender]]", 1)
	taxed := *f
	taxed.Profile = parse(t, []byte(text))
	f = filedrop.New("t", taxed)
	r := &reader{f: f, most: 200}
	whole := "No,When,What,Price,Tax,\n1,2026-11-20 10:00,Food,12.50,1.00"
	write(t, f, "whole.csv", whole)
	write(t, f, "cut.csv", strings.ReplaceAll(whole, "\n1,", "\n2,")[:len(whole)-6])
	ts, bad := r.all(t)
	if len(ts) != 1 || totals(ts)["1"] != 1350 || len(bad) != 1 || !strings.Contains(bad[0], "cut.csv, row 2: the file ends in the middle") {
		t.Errorf("%v, %v", totals(ts), bad)
	}
	write(t, f, "cut.csv", strings.ReplaceAll(whole, "\n1,", "\n2,"))
	if ts, bad := r.all(t); len(ts) != 1 || totals(ts)["2"] != 1350 || len(bad) != 0 {
		t.Errorf("whole: %v, %v", totals(ts), bad)
	}
}

// TestARowThatIsOnlyBegunIsGivenTime: a till that writes what fits into its own memory leaves pieces of rows at the end all day. What stands before them
// is booked at once, and nobody is asked about a row that is written a moment later, or of a file that is named anew.
func TestARowThatIsOnlyBegunIsGivenTime(t *testing.T) {
	for format, body := range map[string][2]string{
		"csv":    {"No,When,What,Price\n1,2026-11-20 10:00,Food,2.00\n2,2026-11-20 10:0", "5,Food,3.00\n"},
		"ndjson": {`{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":2}` + "\n" + `{"No":2,"When":"2026-11-`, `20 10:00","What":"Food","Price":3}` + "\n"},
		"json":   {`[{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":2},{"No":2,"Wh`, `en":"2026-11-20 10:00","What":"Food","Price":3}]`},
	} {
		f := folder(t, format)
		f.Settle = 20 * time.Millisecond
		r := &reader{f: f, most: 200}
		write(t, f, "a", body[0])
		begun := time.Now()
		var ts []retail.Ticket
		var bad []string
		for len(ts) == 0 {
			ts, bad = r.all(t)
		}
		if early := time.Since(begun) < 20*f.Settle; early && len(bad) != 0 || totals(ts)["1"] != 200 {
			t.Errorf("%s: %v, listed: %v", format, totals(ts), bad)
		}
		if format == "json" {
			if err := os.Rename(filepath.Join(f.Dir, "a"), filepath.Join(f.Dir, "b")); err != nil {
				t.Fatal(err)
			}
			for bad = nil; len(bad) == 0; {
				_, bad = r.all(t)
			}
			if len(bad) != 1 || !strings.Contains(bad[0], "breaks off") {
				t.Errorf("%s, named anew: %v", format, bad)
			}
		}
		write(t, f, "a", body[0]+body[1])
		for ts = nil; len(ts) == 0; {
			ts, bad = r.all(t)
		}
		if len(bad) != 0 || totals(ts)["2"] != 300 {
			t.Errorf("%s, whole: %v, listed: %v", format, totals(ts), bad)
		}
	}
}

// TestAnEmptyFileIsGivenTime: many programs make a file first and write when they have all of it.
func TestAnEmptyFileIsGivenTime(t *testing.T) {
	f := folder(t, "csv")
	f.Settle = 5 * time.Millisecond
	r := &reader{f: f, most: 200}
	write(t, f, "a.csv", "")
	begun := time.Now()
	for time.Since(begun) < 10*f.Settle {
		ds, next, err := f.Read(t.Context(), r.at, 200)
		if err != nil || len(ds) > 0 && time.Since(begun) < 20*f.Settle {
			t.Fatalf("it was listed after %s, %v", time.Since(begun), err)
		}
		r.at = next
		time.Sleep(f.Settle)
	}
	write(t, f, "a.csv", two)
	if ts, bad := r.all(t); len(ts) != 2 || len(bad) != 0 {
		t.Errorf("written: %d tickets, %v", len(ts), bad)
	}
	write(t, f, "b.csv", "")
	_, _, _ = f.Read(t.Context(), r.at, 200)
	time.Sleep(20*f.Settle + 10*time.Millisecond)
	if _, bad := r.all(t); len(bad) != 1 || !strings.Contains(bad[0], "empty") {
		t.Errorf("one that stays empty: %v", bad)
	}
}

// A profile that failed on a file is corrected: the file is read again.
func TestARefusedFileIsReadByACorrectedProfile(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", strings.Replace(two, "Price", "Amount", 1))
	r := &reader{f: f, most: 200}
	if ts, bad := r.all(t); len(ts) != 0 || len(bad) != 1 || !strings.Contains(bad[0], `"Price"`) {
		t.Fatalf("%d tickets, %v", len(ts), bad)
	}
	if ts, bad := r.all(t); len(ts)+len(bad) != 0 {
		t.Fatalf("it was listed again: %v", bad)
	}
	fixed := shopProfile(t, "csv")
	text := bytes.Replace(fixed.TOML(), []byte("{Price}"), []byte("{Amount}"), 1)
	again := *f
	again.Profile = parse(t, text)
	r.f = filedrop.New("t", again)
	if ts, bad := r.all(t); len(ts) != 2 || len(bad) != 0 {
		t.Errorf("%d tickets, %v", len(ts), bad)
	}
}

// One number in every row is no ticket: its rows go in pieces that are listed, and none is lost or booked.
func TestARunawayTicketIsListedInPieces(t *testing.T) {
	f := folder(t, "csv")
	var b strings.Builder
	b.WriteString("No,When,What,Price\n")
	for i := range 12_001 {
		fmt.Fprintf(&b, "%d,2026-11-20 10:00,Food,1.00\n", 7+i/12_000)
	}
	write(t, f, "a.csv", b.String())
	var k kept
	rep, err := filedrop.Import{Path: filepath.Join(f.Dir, "a.csv"), Profile: f.Profile, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
	if err != nil || rep.Rows != 12_001 || rep.Cases != 12_000 || rep.Tickets != 1 {
		t.Errorf("%d rows, %d in cases, %d tickets, %v", rep.Rows, rep.Cases, rep.Tickets, err)
	}
}

// A broken quote costs its own line; a line without end costs itself; what follows goes on.
func TestBrokenRowsCostThemselves(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", two+"3,2026-11-20 10:00,\"Food,1\n4,2026-11-20 10:00,Food,1\n5,2026-11-20 10:00,"+strings.Repeat("x", 2<<20)+",1\n6,2026-11-20 10:00,\"two\nlines\",1\n7,2026-11-20 10:00,\"open,1\n")
	ts, bad := (&reader{f: f, most: 200}).all(t)
	if got := totals(ts); len(got) != 4 || got["4"] != 100 || got["6"] != 100 {
		t.Errorf("good: %v", got)
	}
	all := strings.Join(bad, "\n")
	for _, want := range []string{"row 5: a quote is opened and not closed", "row 7: it is longer than", "row 10: a quote"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not told in %q", want, all)
		}
	}
	if len(bad) != 3 {
		t.Errorf("%d rows are listed", len(bad))
	}
	n := folder(t, "ndjson")
	write(t, n, "a.ndjson", `{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":1}`+"\n{\"No\":2,\"What\":\""+strings.Repeat("x", 2<<20)+"\"}\n"+`{"No":3,"When":"2026-11-20 10:00","What":"Food","Price":1,"More":1}`+"\n")
	if ts, bad := (&reader{f: n, most: 200}).all(t); len(ts) != 2 || len(bad) != 1 {
		t.Errorf("NDJSON: %d tickets, %v", len(ts), bad)
	}
}

// Card numbers are taken out of every cell, heading and file name; a ticket's number that looks like one becomes a token, so that two tickets
// stay two.
func TestCardNumbersLeaveNoTrace(t *testing.T) {
	const pan = "4111111111111111" // a test number
	for _, format := range []string{"csv", "ndjson", "json"} {
		f := folder(t, format)
		name := "sales " + pan + "." + format
		switch format {
		case "csv":
			write(t, f, name, "No,When,What,Price,cvv,"+pan+"\n"+pan+",2026-11-20 10:00,"+pan+",1.00,123,x\n4111110000001115,2026-11-20 10:00,y,1.00,,\n"+pan+",2026-11-20 10:00,more,1.00,,\n"+pan+",2026-11-20 10:00,\""+pan+",\n")
		case "ndjson":
			write(t, f, name, fmt.Sprintf("{\"No\":%s,\"When\":\"2026-11-20 10:00\",\"What\":\"%s\",\"Price\":1,\"%s\":1}\n{\"No\":%s,\"When\":\"2026-11-20 10:00\",\"What\":\"a\",\"Price\":2}\n{%s\n", pan, pan, pan, pan, pan))
		case "json":
			write(t, f, name, fmt.Sprintf("[{\"No\":%s,\"When\":\"2026-11-20 10:00\",\"What\":\"%s\",\"Price\":1},%s]", pan, pan, pan))
		}
		var k kept
		rep, err := filedrop.Import{Path: filepath.Join(f.Dir, name), Profile: f.Profile, Location: "S1", Stream: envelope.History, Card: filedrop.Card{Secret: []byte("s")}}.Run(t.Context(), &k)
		if err != nil || rep.Tickets == 0 {
			t.Fatalf("%s: %+v, %v", format, rep, err)
		}
		at := ""
		for _, d := range k.drafts {
			at += string(d.Body) + d.Key + string(d.Location)
		}
		_, cursor, err := f.Read(t.Context(), "", 200)
		if err != nil {
			t.Fatal(err)
		}
		if at += fmt.Sprintf("%+v", rep) + string(cursor); strings.Contains(at, pan) || strings.Contains(at, `"123"`) {
			t.Errorf("%s: a card number is left in %s", format, at)
		}
	}
}

// A packed file says that it is packed, and not that its columns are wrong.
func TestAPackedFileSaysSo(t *testing.T) {
	for head, kind := range map[string]string{"\x1f\x8b\x08": "gzip", "PK\x03\x04\x14": "zip", "BZh91": "bzip2"} {
		f := folder(t, "csv")
		write(t, f, "a.csv", head+"rest of it\n1,2,3\n")
		var k kept
		rep, err := filedrop.Import{Path: filepath.Join(f.Dir, "a.csv"), Profile: f.Profile, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
		if err != nil || !strings.Contains(rep.Refused, "it is packed ("+kind+")") {
			t.Errorf("%s: %v, %q", kind, err, rep.Refused)
		}
	}
}

package filedrop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

const shop = `
name = "shop"
format = "%s"
system = "shop"
currency = "USD"
zone = "America/Chicago"
times = ["2006-01-02 15:04"]
[ticket]
id = "{No}"
at = "{When}"
[[line]]
kind = "item"
category = "{What}"
amount = "{Price}"
[[tender]]
type = "cash"
`

func shopProfile(t testing.TB, format string) *profile.Profile {
	t.Helper()
	return parse(t, fmt.Appendf(nil, shop, format))
}

func parse(t testing.TB, text []byte) *profile.Profile {
	t.Helper()
	p, err := profile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func folder(t *testing.T, format string) *filedrop.Folder {
	return filedrop.New("t", filedrop.Folder{Profile: shopProfile(t, format), Dir: t.TempDir(), Location: "S1", Stream: envelope.Sales, Settle: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
}

func write(t *testing.T, f *filedrop.Folder, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reader reads until nothing comes for a while, as the pump does.
type reader struct {
	f    *filedrop.Folder
	at   source.Cursor
	most int
}

func (r *reader) all(t *testing.T) (tickets []retail.Ticket, bad []string) {
	t.Helper()
	for quiet := 0; quiet < 3; {
		ds, next, err := r.f.Read(t.Context(), r.at, r.most)
		if err != nil {
			t.Fatal(err)
		}
		r.at = next
		if len(ds) == 0 {
			quiet++
			select {
			case <-r.f.Wake():
			case <-time.After(20 * time.Millisecond):
			}
			continue
		}
		quiet = 0
		for _, d := range ds {
			if d.Kind != decode.Rows {
				continue
			}
			var rows profile.Rows
			if err := json.Unmarshal(d.Body, &rows); err != nil {
				t.Fatal(err)
			}
			rec, err := r.f.Profile.Decode(rows)
			if err != nil {
				bad = append(bad, err.Error())
				continue
			}
			tickets = append(tickets, rec.(retail.Ticket))
		}
	}
	return tickets, bad
}

const two = "No,When,What,Price\n1,2026-11-20 10:00,Food,2.00\n2,2026-11-20 10:05,Book,9.99\n1,2026-11-20 10:00,Food,3.00\n"

func TestRowsOfATicketNeedNotBeAdjacent(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", two)
	ts, bad := (&reader{f: f, most: 200}).all(t)
	if len(ts) != 2 || len(bad) != 0 {
		t.Fatalf("got %d tickets, bad %v", len(ts), bad)
	}
	if total, _ := ts[0].Total(); total.Minor != 500 || len(ts[0].Origin.Rows) != 2 || ts[0].Origin.Rows[1] != 4 || ts[0].Location != "S1" || ts[0].Origin.SHA256 == "" {
		t.Errorf("ticket 1 is %+v", ts[0])
	}
	if want := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC); !ts[0].At.Equal(want) {
		t.Errorf("its time is %s, want %s", ts[0].At, want)
	}
}

func TestAGrownFileGivesTheWholeTicketAgain(t *testing.T) {
	f := folder(t, "csv")
	r := &reader{f: f, most: 200}
	write(t, f, "a.csv", two)
	r.all(t)
	write(t, f, "a.csv", two+"2,2026-11-20 10:05,Bag,0.10\n")
	ts, _ := r.all(t)
	if len(ts) != 2 {
		t.Fatalf("got %d tickets", len(ts))
	}
	if total, _ := ts[1].Total(); total.Minor != 1009 {
		t.Errorf("ticket 2 comes to %s", total)
	}
	if again, _ := r.all(t); len(again) != 0 {
		t.Errorf("an unchanged file was read again: %d tickets", len(again))
	}
}

func TestAKillInTheMiddleGoesOnWhereItStood(t *testing.T) {
	f := folder(t, "csv")
	var b strings.Builder
	b.WriteString("No,When,What,Price\n")
	for i := range 25 {
		fmt.Fprintf(&b, "%d,2026-11-20 10:00,Food,1.00\n", i)
	}
	write(t, f, "a.csv", b.String())
	seen := map[string]int{}
	at := source.Cursor("")
	for range 60 {
		fresh := filedrop.New("t", *f) // a new process has only the cursor
		ds, next, err := fresh.Read(t.Context(), at, 4)
		if err == nil && len(ds) == 0 {
			select {
			case <-fresh.Wake():
			case <-time.After(50 * time.Millisecond):
			}
			ds, next, err = fresh.Read(t.Context(), at, 4)
		}
		if err != nil {
			t.Fatal(err)
		}
		at = next
		for _, d := range ds {
			if d.Kind == decode.Rows {
				seen[d.Key]++
			}
		}
		if len(ds) == 0 {
			break
		}
	}
	if len(seen) != 25 {
		t.Fatalf("got %d tickets, want 25", len(seen))
	}
	for k, n := range seen {
		if n != 1 {
			t.Errorf("ticket %s came %d times", k, n)
		}
	}
}

func TestBadInputIsListedAndTheGoodGoesOn(t *testing.T) {
	for _, c := range []struct {
		name, format, body string
		good               int
		says               []string
	}{
		{"a word for a price", "csv", two + "3,2026-11-20 10:00,Food,abc\n", 2, []string{"row 5", `"abc" is not a number`}},
		{"a formula", "csv", two + "3,2026-11-20 10:00,Food,=1+1\n", 2, []string{"is not a number"}},
		{"no number", "csv", two + ",2026-11-20 10:00,Food,1\n", 2, []string{"no ticket number"}},
		{"too many cells", "csv", two + "3,2026-11-20 10:00,Food,1,9,9\n", 2, []string{"6 cells"}},
		{"a broken quote", "csv", two + "3,2026-11-20 10:00,Fo\"od,1\n4,2026-11-20 10:00,Food,1\n", 3, []string{"row 5"}},
		{"a NUL", "csv", two + "3,2026-11-20 10:00,Fo\x00od,1\n", 3, nil},
		{"an absurd amount", "csv", two + "3,2026-11-20 10:00,Food,99999999999999999999999\n", 2, []string{"beyond"}},
		{"a wrong date", "csv", two + "3,20.11.2026,Food,1\n", 2, []string{"20.11.2026"}},
		{"wrong columns", "csv", "a,b\n1,2\n", 0, []string{`"No"`, `"Price"`}},
		{"an empty file", "csv", "", 0, []string{"empty"}},
		{"another separator", "csv", strings.ReplaceAll(two, ",", ";"), 0, []string{"another sign may stand between its cells"}},
		{"the end sign of DOS", "csv", two + "\x1a", 2, nil},
		{"no time", "csv", two + "3,,Food,1\n", 2, []string{"row 5: it has no time"}},
		{"no price", "csv", two + "3,2026-11-20 10:00,Food,\n", 2, []string{"row 5: the amount is missing"}},
		{"only a header", "csv", "No,When,What,Price\n", 0, nil},
		{"NDJSON", "ndjson", `{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":1.5}` + "\n{\n" + `{"No":2,"When":"2026-11-20 10:00","What":"Food","Price":"2"}`, 2, []string{"no JSON object"}},
		{"JSON", "json", `[{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":1.5},7,{"No":2,"When":"2026-11-20 10:00","What":"Food","Price":2}]`, 2, []string{"no JSON object"}},
		{"a price twice", "ndjson", `{"No":1,"When":"2026-11-20 10:00","What":"Food","Price":1.5,"Price":2.5}` + "\n" + `{"No":2,"When":"2026-11-20 10:00","What":"Food","Price":"2"}`, 1, []string{`the name "Price" stands twice`}},
		{"no JSON", "json", "hello", 0, []string{"no JSON list"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := folder(t, c.format)
			write(t, f, "a."+c.format, c.body)
			ts, bad := (&reader{f: f, most: 200}).all(t)
			if len(ts) != c.good {
				t.Errorf("got %d good tickets, want %d", len(ts), c.good)
			}
			all := strings.Join(bad, "\n")
			if (len(c.says) == 0) != (all == "") {
				t.Errorf("listed: %q", all)
			}
			for _, s := range c.says {
				if !strings.Contains(all, s) {
					t.Errorf("%q is not told in %q", s, all)
				}
			}
		})
	}
}

// TestARowThatCannotBeBookedSaysWhose: its case stands at its location, and closes when that ticket is told well.
func TestARowThatCannotBeBookedSaysWhose(t *testing.T) {
	f := folder(t, "csv")
	p := parse(t, []byte(strings.Replace(string(f.Profile.TOML()), "[ticket]\n", "[ticket]\nlocation='{Store}'\n", 1)))
	write(t, f, "a.csv", "No,When,What,Price,Store\n1,2026-11-20 10:00,Food,2.00,S7\n2,2026-11-20 10:00,Food,two,S7\n3,2026-11-20 10:00,Food,two,\n\"4,2026-11-20 10:00,Food,two,S7\n")
	var k kept
	rep, err := filedrop.Import{Path: filepath.Join(f.Dir, "a.csv"), Profile: p, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
	if err != nil || rep.Tickets != 1 || rep.Cases != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	got := ""
	for _, d := range k.drafts[1:] {
		got += fmt.Sprintf("%s at %s; ", d.Key, d.Location)
	}
	if got != "1 at S7; 2 at S7; 3 at S1;  at S1; " {
		t.Errorf("got %q", got)
	}
}

func TestAWorkbookIsRead(t *testing.T) {
	f := folder(t, "xlsx")
	x := excelize.NewFile()
	for i, row := range [][]any{{"No", "When", "What", "Price"}, {"1", "2026-11-20 10:00", "Food", 12.5}, {"1", "2026-11-20 10:00", "Bag", "0.10"}} {
		if err := x.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SaveAs(filepath.Join(f.Dir, "a.xlsx")); err != nil {
		t.Fatal(err)
	}
	ts, bad := (&reader{f: f, most: 200}).all(t)
	if len(ts) != 1 || len(bad) != 0 {
		t.Fatalf("got %d tickets, bad %v", len(ts), bad)
	}
	if total, _ := ts[0].Total(); total.Minor != 1260 {
		t.Errorf("got %s", total)
	}
}

type kept struct{ drafts []source.Draft }

func (k *kept) Append(_ context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	k.drafts = append(k.drafts, ds...)
	return nil
}

func TestImportAccountsForEveryRow(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", two+"3,2026-11-20 10:00,Food,1.005\n4,2026-11-20 10:00,Food,x\n")
	var k kept
	rep, err := filedrop.Import{Path: filepath.Join(f.Dir, "a.csv"), Profile: f.Profile, Location: "S1", Stream: envelope.History}.Run(t.Context(), &k)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != 5 || rep.Lines != 4 || rep.Cases != 1 || rep.Tickets != 3 || rep.Bad[0].Row != 6 {
		t.Errorf("got %+v", rep)
	}
	if rep.Booked != "16" || rep.Source != "15.995" || rep.Rounded != "0.005" {
		t.Errorf("booked %s, source %s, rounding %s", rep.Booked, rep.Source, rep.Rounded)
	}
	if k.drafts[0].Kind != decode.Profile {
		t.Errorf("an own profile is not introduced: %s first", k.drafts[0].Kind)
	}
}

// A profile that changes while a file is handed over goes ahead of the rows that it makes, and the file is read from its beginning: its groups may
// be others.
func TestAProfileGoesAheadOfTheRowsThatItMakes(t *testing.T) {
	f := folder(t, "csv")
	write(t, f, "a.csv", "No,When,What,Price\n1,2026-11-20 10:00,Food,1.00\n2,2026-11-20 10:00,Food,2.00\n3,2026-11-20 10:00,Food,3.00\n4,2026-11-20 10:00,Food,4.00\n")
	was := f.Profile
	now := parse(t, append([]byte("group=','\n"), was.TOML()...))
	var at source.Cursor
	var sent []string
	known := map[string]bool{}
	read := func(f *filedrop.Folder) (n int) {
		t.Helper()
		for range 200 {
			ds, next, err := f.Read(t.Context(), at, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				if d.Kind == decode.Profile {
					known[profile.VersionOf(d.Body)] = true
					continue
				}
				var r profile.Rows
				if err := json.Unmarshal(d.Body, &r); err != nil {
					t.Fatal(err)
				}
				if !known[r.Version] || r.Version != f.Profile.Version() {
					t.Errorf("ticket %s is of version %q, which did not go ahead", d.Key, r.Version)
				}
				sent = append(sent, d.Key)
			}
			if at, n = next, n+len(ds); n > 0 {
				return n
			}
			time.Sleep(5 * time.Millisecond)
		}
		return 0
	}
	read(f)
	if len(sent) == 0 || len(sent) > 2 {
		t.Fatalf("first came %v", sent)
	}
	again := filedrop.New("t", filedrop.Folder{Profile: now, Dir: f.Dir, Location: "S1", Stream: envelope.Sales, Settle: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	sent = nil
	for range 5 {
		read(again)
	}
	if got := strings.Join(sent, " "); got != "1 2 3 4" {
		t.Errorf("by the changed profile came %s", got)
	}
	write(t, f, "b.csv", "No,When,What,Price\n5,2026-11-20 10:00,Food,1.00\n6,2026-11-20 10:00,Food,2.00\n7,2026-11-20 10:00,Food,3.00\n")
	sent = nil
	read(again)
	clear(known) // another hub has none of what went before
	restarted := filedrop.New("t", filedrop.Folder{Profile: now, Dir: f.Dir, Location: "S1", Stream: envelope.Sales, Settle: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	read(restarted)
	read(restarted)
	if got := strings.Join(sent, " "); got != "5 6 7" {
		t.Errorf("after a restart came %s", got)
	}
}

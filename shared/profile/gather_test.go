package profile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// spreadTOML reads lines and payments, in one file or in several.
const spreadTOML = `name='parts'
format='csv'
currency='USD'
zone='America/Chicago'
times=['2006-01-02 15:04']
spread='{Kind}{Line}'
[ticket]
id='{No}'
at='{Time}'
location='S'
customer='{Customer?}'
[[line]]
kind='{Kind|lines}'
code='{Item?}'
amount='{Amount}'
[[line]]
kind='discount'
amount='-1 * {Off?}'
once=true
[[tender]]
type='{Kind|tenders}'
amount='{Paid?}'
[table.lines]
L='item'
P='-'
[table.tenders]
P='cash'
`

var partsHeader = []string{"No", "Time", "Kind", "Line", "Amount", "Paid", "Off", "Customer"}

func part(file string, rows ...string) profile.Rows {
	r := profile.Rows{Profile: "parts", File: file, Header: partsHeader}
	for i, text := range rows {
		r.Rows = append(r.Rows, profile.Row{N: i + 2, Cells: strings.Split(text, ",")})
	}
	return r
}

func gather(p *profile.Profile, rows ...profile.Rows) (retail.Record, error) {
	parts := make([]profile.Part, len(rows))
	for i, r := range rows {
		parts[i] = profile.Part{By: p, Rows: r}
	}
	return profile.Gather(parts)
}

func parsed(t *testing.T, text string) *profile.Profile {
	t.Helper()
	p, err := profile.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// says is a ticket in one line: its lines, tenders, customer and rows.
func says(rec retail.Record) string {
	t := rec.(retail.Ticket)
	var b strings.Builder
	for _, l := range t.Lines {
		fmt.Fprintf(&b, "%s %s, ", l.Kind, l.Amount)
	}
	for _, p := range t.Tenders {
		fmt.Fprintf(&b, "%s %s, ", p.Type, p.Amount)
	}
	return fmt.Sprintf("%s%s %s rows of %s", b.String(), t.Customer, t.At.Format("15:04"), t.Origin.File)
}

func TestATicketThatStandsInSeveralFiles(t *testing.T) {
	p := parsed(t, spreadTOML)
	a, b := "7,2026-11-20 09:00,L,1,10.00,,1.00,", "7,2026-11-20 09:05,L,2,10.00,,,"
	pay := "7,2026-11-20 09:06,P,1,,19.00,,c9"
	for _, c := range []struct {
		name  string
		parts []profile.Rows
		want  string
	}{
		{"one file", []profile.Rows{part("a", a, b, pay)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of a"},
		{"three", []profile.Rows{part("a", a), part("b", b), part("c", pay)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of a, b, c"},
		{"the payments first", []profile.Rows{part("c", pay), part("b", b), part("a", a)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of a, b, c"},
		{"a file that grew", []profile.Rows{part("a", a), part("a", a, b, pay)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of a"},
		{"the same file twice", []profile.Rows{part("a", a, b, pay), part("copy of a", a, b, pay)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of copy of a"},
		{"what they overlap in", []profile.Rows{part("a", a, b), part("b", b, pay)}, "item 10.00 USD, discount -1.00 USD, item 10.00 USD, cash 19.00 USD, c9 15:00 rows of a, b"},
		{"a correction", []profile.Rows{part("a", a, b, pay), part("b", "7,2026-11-20 09:05,L,2,12.50,,,"), part("c", "7,2026-11-20 09:06,P,1,,21.50,,c9")},
			"item 10.00 USD, discount -1.00 USD, item 12.50 USD, cash 21.50 USD, c9 15:00 rows of a, b, c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, err := gather(p, c.parts...)
			if err != nil || says(rec) != c.want {
				t.Errorf("%v\n%s\nwant\n%s", err, says(rec), c.want)
			}
			if n := rec.(retail.Ticket).SourceLines(); n != 3 {
				t.Errorf("it counts %d rows, want 3", n)
			}
		})
	}
}

// TestInWhateverFilesAndOrder a ticket's rows come, with repetitions, it is the same ticket.
func TestInWhateverFilesAndOrder(t *testing.T) {
	p := parsed(t, spreadTOML)
	var rows []string
	total := 0
	for i := range 30 {
		cents := 100 + 7*i
		total += cents
		rows = append(rows, fmt.Sprintf("7,2026-11-20 09:%02d,L,%d,%d.%02d,,,", i/4, i+1, cents/100, cents%100))
	}
	rows = append(rows, fmt.Sprintf("7,2026-11-20 09:30,P,1,,%d.%02d,,c1", total/100, total%100))
	want := ""
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		order := r.Perm(len(rows))
		var parts []profile.Rows
		for len(order) > 0 {
			n := 1 + r.IntN(len(order))
			var some []string
			for _, k := range order[:n] {
				some = append(some, rows[k])
			}
			order = order[n:]
			parts = append(parts, part("f", some...))
			if r.IntN(3) == 0 {
				parts = append(parts, parts[r.IntN(len(parts))]) // it comes again
			}
		}
		rec, err := gather(p, parts...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := rec.(retail.Ticket).Validate(rec.(retail.Ticket).At); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := says(rec); want == "" {
			want = got
		} else if got != want {
			t.Fatalf("seed %d: %s\nwant %s", seed, got, want)
		}
	}
}

func TestRowsThatNothingTellsApart(t *testing.T) {
	p := parsed(t, spreadTOML)
	line := "7,2026-11-20 09:00,L,1,10.00,,,"
	for want, rows := range map[string][]string{
		`rows 2 and 3: both are "L1" of their ticket`: {line, line},
		"row 2: nothing tells it apart":               {"7,2026-11-20 09:00,,,10.00,,,"},
		"is not a time":                               {"7,soon,L,1,10.00,,,"},
		"row 3":                                       {line, "7,2026-11-20 09:00,L,2,ten,,,"},
	} {
		if _, err := p.Decode(part("f.csv", rows...)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.csv") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestProfilesThatCannotSpread(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"spread='{Kind}{Line}'", "spread='all'", "must name the columns"},
		{"spread='{Kind}{Line}'", "spread='{@location}'", "must name the columns"},
		{"spread='{Kind}{Line}'", "spread='{Kind'", "brace"},
		{"spread='{Kind}{Line}'", "spread=true", "Spread"},
		{"at='{Time}'", "at='{@date}'", "whole as they are read"},
	} {
		if _, err := profile.Parse([]byte(strings.Replace(spreadTOML, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.new, err, c.want)
		}
	}
	if cols := parsed(t, spreadTOML).Columns(); slices.Contains(cols, "Customer?") || !slices.Contains(cols, "Line") {
		t.Errorf("columns that must be there: %v", cols)
	}
}

// FuzzGather cuts rows into two files anywhere: what one file says, two say.
// A store's profile changed while rows by the old one were on their way: each file's amounts are what its own version says, whichever came last.
func TestEachShareIsReadByTheVersionItWasMadeWith(t *testing.T) {
	point := parsed(t, spreadTOML)
	comma := parsed(t, strings.Replace(spreadTOML, "spread=", "decimal=','\ngroup='.'\nspread=", 1))
	plain := parsed(t, strings.Replace(spreadTOML, "spread='{Kind}{Line}'\n", "", 1))
	lines, pay := part("a", "1,2026-11-20 10:00,L,1,1.234,,1,", "1,2026-11-20 10:00,L,2,2,,1,"), part("b", "1,2026-11-20 10:00,P,1,,1.235,1,")
	for name, c := range map[string]struct {
		lines, pay *profile.Profile
		want       string
	}{
		"as made":       {point, comma, "item 1.23 USD, discount -1.00 USD, item 2.00 USD, cash 1235.00 USD,  16:00 rows of a, b"},
		"the other way": {comma, point, "item 1234.00 USD, discount -1.00 USD, item 2.00 USD, cash 1.24 USD,  16:00 rows of a, b"},
		"before spread": {plain, comma, "item 1.23 USD, discount -1.00 USD, item 2.00 USD, cash 1235.00 USD,  16:00 rows of a, b"},
	} {
		rec, err := profile.Gather([]profile.Part{{By: c.lines, Rows: lines}, {By: c.pay, Rows: pay}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := says(rec); got != c.want {
			t.Errorf("%s: got %s", name, got)
		}
	}
	other := parsed(t, strings.Replace(spreadTOML, "'USD'", "'CAD'", 1))
	if _, err := profile.Gather([]profile.Part{{By: point, Rows: lines}, {By: other, Rows: pay}}); err == nil || !strings.Contains(err.Error(), "USD") {
		t.Errorf("one ticket in two currencies: %v", err)
	}
}

func FuzzGather(f *testing.F) {
	f.Add("7,2026-11-20 09:00,L,1,10.00,,1.00,\n7,2026-11-20 09:06,P,1,,9.00,,c9", 1)
	f.Add("7,2026-11-20 09:00,L,1,1e9,,,\n7,2026-11-20 09:00,L,1,-0.005,,,", 0)
	f.Add("7,,,,\n,,,", 1)
	p, err := profile.Parse([]byte(spreadTOML))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		rows := strings.Split(text, "\n")
		whole, err := gather(p, part("f", rows...))
		if err != nil || cut < 1 || cut >= len(rows) {
			return
		}
		for _, parts := range [][]profile.Rows{{part("f", rows[:cut]...), part("f", rows[cut:]...)}, {part("f", rows[cut:]...), part("f", rows...)}} {
			cutUp, err := gather(p, parts...)
			if err != nil || says(cutUp) != says(whole) {
				t.Fatalf("%v\n%s\nwhole\n%s", err, says(cutUp), says(whole))
			}
		}
	})
}

// A payment whose lines have not come is no void ticket of nothing: it is listed until they come.
func TestAPaymentAloneIsNoVoid(t *testing.T) {
	rec, err := gather(parsed(t, spreadTOML), part("f", "1,2026-11-20 10:00,P,1,,5.00,,"))
	if err != nil {
		t.Fatal(err)
	}
	if x := rec.(retail.Ticket); x.Kind == retail.Void || len(x.Tenders) != 1 {
		t.Errorf("it is a %s of %v", x.Kind, x.Tenders)
	}
}

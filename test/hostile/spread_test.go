package hostile

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is looked at from outside

	"github.com/tillpost/tillpost/test/rig"
)

// halves reads lines and payments of a till that writes each where it happens to.
const halves = `name = "halves"
format = "csv"
system = "till"
currency = "USD"
zone = "UTC"
times = ["2006-01-02 15:04"]
spread = "{Kind}{N}"
[ticket]
id = "{No}"
at = "{When}"
[[line]]
kind = "{Kind|lines}"
category = "Food"
amount = "{Amount}"
[[tender]]
type = "{Kind|tenders}"
amount = "{Paid}"
[table.lines]
line = "item"
pay = "-"
[table.tenders]
line = "cash"
pay = "cash"
`

// TestTicketsSpreadOverFiles has a till write each ticket's rows into whatever file is open: files grow, are renamed while the next one begins
// under their name, are copied and told again, the payments before the lines. The agent's program is stopped in between. Each ticket is in the books
// once, whole, and no case is left.
func TestTicketsSpreadOverFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	w := rig.New(t, "[[location]]\ncode='S1'\nname='One'\nzone='UTC'\ncutoff='00:00'\ncurrency='USD'\n")
	w.Write("profiles/halves.toml", "%s", halves)
	w.Write("drop/.keep", "")
	settings := w.Agent("pc", fmt.Sprintf("[profiles]\ndir=%q\n[[source.filedrop]]\nname='halves'\ndir=%q\nprofile='halves'\nsettle='50ms'\nlocation='S1'\n", w.At("profiles"), w.At("drop")))
	run := func() (stop func()) { return w.Start("agent", w.At("agent"), "run", "--config", settings) }
	stop := run()
	tickets, cents, rows := sales(rand.New(rand.NewPCG(26, 11)))
	const header = "No,When,Kind,N,Amount,Paid\n"
	var open strings.Builder
	for i, file := 0, 0; i < len(rows); file++ {
		next := min(i+40, len(rows))
		open.Reset()
		for open.WriteString(header); i < next; i++ {
			open.WriteString(rows[i])
			if i%17 == 0 { // it is settled as it is, and grows
				w.Write("drop/now.csv", "%s", open.String())
				time.Sleep(150 * time.Millisecond)
			}
		}
		w.Write("drop/now.csv", "%s", open.String())
		if file == 2 {
			w.Write("drop/copy of now.csv", "%s", open.String())
		}
		if file == 3 {
			stop()
			stop = run()
		}
		time.Sleep(300 * time.Millisecond)
		if err := os.Rename(w.At("drop/now.csv"), w.At(fmt.Sprintf("drop/%d.csv", file))); err != nil {
			t.Fatal(err)
		}
	}
	booked(t, w, tickets, cents)
	w.Write("drop/correction.csv", "%s%s", header, "7,2026-11-20 10:07,line,1,100.00,\n7,2026-11-20 10:07,pay,1,,100.00\n8,2026-11-20 10:08,line,9,0.01,\n8,2026-11-20 10:08,pay,9,,0.01\n")
	was := amountOf(rows, "7,", "line,1,")
	booked(t, w, tickets, cents-was+100_00+1)
}

// sales makes tickets, 0 to 59; ticket 7 has one line. Their rows come in any order.
func sales(r *rand.Rand) (tickets, cents int, rows []string) {
	for n := range 60 {
		due := 0
		head := fmt.Sprintf("%d,2026-11-20 10:%02d", n, n)
		lines := 1 + r.IntN(6)
		if n == 7 {
			lines = 1
		}
		for k := range lines {
			amount := 1 + r.IntN(5000)
			due += amount
			rows = append(rows, fmt.Sprintf("%s,line,%d,%d.%02d,\n", head, k+1, amount/100, amount%100))
		}
		rows = append(rows, fmt.Sprintf("%s,pay,1,,%d.%02d\n", head, due/100, due%100))
		cents += due
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return 60, cents, rows
}

func amountOf(rows []string, ticket, mark string) (cents int) {
	for _, row := range rows {
		if strings.HasPrefix(row, ticket) && strings.Contains(row, mark) {
			var a, b int
			if _, err := fmt.Sscanf(row[strings.Index(row, mark)+len(mark):], "%d.%d,", &a, &b); err == nil {
				return a*100 + b
			}
		}
	}
	return 0
}

// booked waits until the ledger has so many tickets of so many cents in all, the books as well, and no record waits for a person.
func booked(t *testing.T, w *rig.Rig, tickets, cents int) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.At("hubdata/hub.db")+"?mode=ro&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("last seen: %s, wanted %d tickets of %d cents and no case; days:\n%s", last, tickets, cents, w.Hub("days"))
		}
	}()
	w.Until(2*time.Minute, "every ticket in the books, once", func() bool {
		var n, sum, open int
		if err := db.QueryRow(`SELECT count(*), COALESCE(sum(e.gross), 0), (SELECT count(*) FROM kase WHERE state = 'open' AND cause IN ('refused', 'unbalanced'))
			FROM ticket t JOIN entry e ON e.id = t.entry`).Scan(&n, &sum, &open); err != nil {
			t.Fatal(err)
		}
		last = fmt.Sprintf("%d tickets of %d cents, %d cases", n, sum, open)
		return n == tickets && sum == cents && open == 0 && strings.Contains(w.Hub("days"), "verified")
	})
}

package realdata

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is read past the product's code

	"github.com/tillpost/tillpost/agent/source/filedrop"
	checker "github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/rig"
)

// shop is a public shop on its way through the built binaries.
type shop struct {
	profile, path, zone string
	locations           []string
	cases               int   // rows that are left for a person
	cents               int64 // what the file's tickets come to, by a sum of our own
}

// through takes a shop's file through agent, hub and Odoo, and compares the file with the ledger, the documents and Odoo's journal items.
func through(t *testing.T, s shop) {
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	var tables strings.Builder
	for _, l := range s.locations {
		fmt.Fprintf(&tables, "[[location]]\ncode=%q\nname=%q\nzone=%q\ncutoff='00:00'\ncurrency='USD'\n", l, l, s.zone)
	}
	r := rig.New(t, tables.String(), "--profile", s.profile)
	settings := r.Agent("pc", "")
	began := time.Now()
	rep := take1(t, r, settings, s)
	r.Start("agent", r.At("agent"), "run", "--config", settings)
	db, err := sql.Open("sqlite3", "file:"+r.At("hubdata/hub.db")+"?mode=ro&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	number := func(query string) (n int64) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	r.Until(60*time.Minute, "every document in Odoo", func() bool {
		return number(`SELECT count(*) FROM ticket`) >= int64(rep.Tickets) && number(`SELECT count(*) FROM day`) >= number(`SELECT count(*) FROM (SELECT DISTINCT location, day FROM ticket) days`) &&
			number(`SELECT count(*) FROM day WHERE state <> 'verified' OR dirty = 1 OR due > 0`) == 0 &&
			number(`SELECT count(*) FROM document WHERE state <> 'verified'`) == 0
	})
	ledger := number(`SELECT sum(e.gross + e.tax) FROM ticket t JOIN entry e ON e.id = t.entry`)
	odoo, suspense, entries := posted(t, r)
	days, open := number(`SELECT count(*) FROM day`), number(`SELECT count(*) FROM kase WHERE state = 'open'`)
	t.Logf("%s: %d tickets on %d store-days; file %d, ledger %d, Odoo %d cents in %d entries; suspense %d; %d cases; %.0f s", s.profile, rep.Tickets, days, s.cents, ledger, odoo, entries,
		suspense, open, time.Since(began).Seconds())
	if ledger != s.cents || odoo != s.cents || suspense != 0 || open != int64(s.cases) {
		t.Errorf("file %d, ledger %d, Odoo %d cents; %d in suspense; %d cases, want %d:\n%.3000s", s.cents, ledger, odoo, suspense, open, s.cases, r.Hub("cases"))
	}
	if lines := number(`SELECT sum(e.lines) FROM ticket t JOIN entry e ON e.id = t.entry`); lines != int64(rep.Lines) {
		t.Errorf("the ledger's tickets have %d rows of the file, the import told %d", lines, rep.Lines)
	}
	versions := number(`SELECT count(*) FROM entry`)
	again := take1(t, r, settings, s)
	var st struct{ Waiting int }
	r.Until(5*time.Minute, "the same file at the hub again", func() bool {
		out, _ := r.Run(r.At("agent"), "status", "--json", "--config", settings)
		return json.Unmarshal([]byte(out), &st) == nil && st.Waiting == 0
	})
	odoo2, _, entries2 := posted(t, r)
	if number(`SELECT count(*) FROM entry`) != versions || odoo2 != odoo || entries2 != entries || again.Booked != rep.Booked {
		t.Errorf("the same file again changed the books")
	}
}

// take1 imports the file with the agent's command, inside the running agent if it runs.
func take1(t *testing.T, r *rig.Rig, settings string, s shop) (rep filedrop.Report) {
	t.Helper()
	out, err := r.Run(r.At("agent"), "import", s.path, "--profile", s.profile, "--json", "--config", settings)
	if err == nil {
		err = json.Unmarshal([]byte(out), &rep)
	}
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != rep.Lines+rep.Cases || rep.Cases != s.cases {
		t.Errorf("%d rows = %d + %d, want %d cases", rep.Rows, rep.Lines, rep.Cases, s.cases)
	}
	return rep
}

// suspenseAccount is what hub odoo setup makes for codes that nobody has mapped.
const suspenseAccount = "101980"

// posted sums what Odoo's journal items say was paid, read by the checker that shares no code with the product.
func posted(t *testing.T, r *rig.Rig) (cents, suspense int64, entries int) {
	t.Helper()
	items, err := checker.Read(t.Context(), checker.Odoo{URL: "http://" + r.Odoo, DB: "odoo", User: "tillpost", Key: "key"}, "TPOS")
	if err != nil {
		t.Fatal(err)
	}
	moves, labels := map[int]bool{}, map[string]bool{}
	for _, i := range items {
		if i.State != "posted" {
			t.Errorf("entry %s is %s", i.Entry, i.State)
		}
		moves[i.Move] = true
		labels[i.Label] = true
		if strings.HasPrefix(i.Label, "tender:") {
			cents += i.Cents
		}
		if i.Account == suspenseAccount {
			suspense += max(i.Cents, -i.Cents)
		}
	}
	t.Logf("labels in Odoo: %s", strings.Join(slices.Sorted(maps.Keys(labels)), ", "))
	return cents, suspense, len(moves)
}

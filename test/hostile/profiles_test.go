package hostile

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/rig"
)

// ours is a profile that two stores call by the same name and each writes for its own till.
const ours = `name = "ours"
format = "csv"
system = "till"
scope = "%[1]s"
currency = "USD"
zone = "UTC"
times = ["2006-01-02 15:04"]
%[2]s
[ticket]
id = "{No}"
at = "{When}"
[[line]]
kind = "item"
category = "Food"
amount = "%[3]s{Amount}"
[[tender]]
type = "cash"
`

const (
	point = ""
	comma = "decimal = ','\ngroup = '.'\n"
)

// TestProfilesOfOneName has two stores read their files by profiles of one name that differ in the decimal sign and in what a minus is; then one
// changes its profile while rows by the old one wait on its PC. Each row is read by the profile that it was made with, in whatever order all comes;
// what that one refuses is booked by the one that mends it.
func TestProfilesOfOneName(t *testing.T) {
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	const place = "[[location]]\ncode='%s'\nname='%s'\nzone='UTC'\ncutoff='00:00'\ncurrency='USD'\n"
	w := rig.New(t, fmt.Sprintf(place, "S1", "One")+fmt.Sprintf(place, "S2", "Two"))
	settings, start := map[string]string{}, map[string]func() func(){}
	for _, s := range []string{"S1", "S2"} {
		w.Write(s+"/drop/.keep", "")
		settings[s] = w.Agent("pc-"+strings.ToLower(s), fmt.Sprintf("[profiles]\ndir=%q\n[[source.filedrop]]\nname='ours'\ndir=%q\nprofile='ours'\nsettle='50ms'\nlocation='%s'\n", w.At(s+"/profiles"), w.At(s+"/drop"), s))
		start[s] = func() func() { return w.Start("agent "+s, w.At("agent"), "run", "--config", settings[s]) }
	}
	reads := func(store, numbers, sign string) { w.Write(store+"/profiles/ours.toml", ours, store, numbers, sign) }
	reads("S1", point, "")
	reads("S2", comma, "-1 * ")
	const head = "No,When,Amount\n"
	w.Write("S1/drop/a.csv", head+"1,2026-11-20 10:00,1.500\n2,2026-11-20 10:01,-0.500\n")
	w.Write("S2/drop/a.csv", head+"1,2026-11-20 10:00,-1.500\n2,2026-11-20 10:01,0,50\n3,2026-11-20 10:02,\"0,50\"\n")
	stop := start["S1"]()
	start["S2"]()
	holds(t, w, map[string]string{"S1": "2 100", "S2": "2 149950"}, 1) // a row of one cell too many is listed
	w.Write("S1/drop/b.csv", head+"3,2026-11-20 11:00,2.500\n")
	w.Write("S2/drop/b.csv", head+"4,2026-11-20 11:00,-2.500\n")
	holds(t, w, map[string]string{"S1": "3 350", "S2": "3 399950"}, 1)

	stop()
	take := func(name, body string) {
		t.Helper()
		if _, err := w.Run(w.At("agent"), "import", w.Write("S1/"+name, "%s", head+body), "--profile", "ours", "--location", "S1", "--today", "--config", settings["S1"]); err != nil {
			t.Fatal(err)
		}
	}
	take("c.csv", "4,2026-11-20 12:00,3.500\n5,2026-11-20 12:01,\"1,25\"\n")
	reads("S1", comma, "")
	take("d.csv", "6,2026-11-20 12:02,3.500\n")
	w.Write("S1/drop/e.csv", head+"7,2026-11-20 12:03,\"0,75\"\n")
	start["S1"]()
	want := map[string]string{"S1": "7 " + fmt.Sprint(350+350+125+350000+75), "S2": "3 399950"}
	holds(t, w, want, 1)
	w.Hub("reprocess")
	holds(t, w, want, 1)
	if said := w.Hub("ticket", "till|ticket|S1|4"); !strings.Contains(said, "3.50 USD") || strings.Contains(said, "3500.00") {
		t.Errorf("the ticket's page says %s", said)
	}
}

// holds waits until the ledger has so many tickets of so many cents at each store, and so many records wait for a person.
func holds(t *testing.T, w *rig.Rig, want map[string]string, open int) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.At("hubdata/hub.db")+"?mode=ro&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("last seen: %s, wanted %v and %d cases: %s", last, want, open, w.Hub("cases"))
		}
	}()
	w.Until(time.Minute, "every ticket in the books by its own profile", func() bool {
		var cases int
		if err := db.QueryRow(`SELECT count(*) FROM kase WHERE state = 'open' AND cause IN ('refused', 'unbalanced')`).Scan(&cases); err != nil {
			t.Fatal(err)
		}
		has := map[string]string{}
		for l := range want {
			var n, sum int
			if err := db.QueryRow(`SELECT count(*), COALESCE(sum(e.gross), 0) FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.location = ?`, l).Scan(&n, &sum); err != nil {
				t.Fatal(err)
			}
			has[l] = fmt.Sprint(n, sum)
		}
		last = fmt.Sprint(has, cases)
		return last == fmt.Sprint(want, open)
	})
}

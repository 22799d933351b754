package sim

import (
	"testing"

	"github.com/tillpost/tillpost/hub/rollup"
)

// must lists what has to happen somewhere in a run of sixty worlds: an actor that never acts or an invariant that never meets its case
// proves nothing. Names are those of the table that -tell prints.
var must = []string{
	// actors and faults
	"pc crashed", "pc cloned", "pc replaced", "pc put back", "disk spoiled", "buffer salvaged", "hub crashed", "hub crashed between parts", "hub restored", "hub slow", "router broken",
	"two hubs", "broker gone", "line gone", "message lost", "message twice", "message late", "message damaged", "commit failed", "commit failed for good", "commit done, nobody told",
	"customer erased", "rows trimmed",
	// what the hub says, and what the agent does with it
	"verdict ok", "verdict resend", "verdict fork", "words of the other hub", "word not obeyed",
	// what reaches the hub
	"envelopes", "envelopes erased", "envelopes in parts", "epochs", "tickets", "tickets told again", "captured first", "captured replaces", "captured older", "captured clash",
	"case refused", "case unbalanced", "case conflict", "case fork", "case hub_restored", "case lost", "case unknown_code", "case gap",
	// what reaches the books
	"store-days", "documents", "deltas", "late tickets in a delta", "suspense lines", "documents adopted",
	"lines sales", "lines returns", "lines tax", "lines taxrefund", "lines discount", "lines shipping", "lines fee", "lines giftcard", "lines tip", "lines tender", "lines paidin",
	"lines paidout", "lines overshort", "delta lines sales", "delta lines returns", "delta lines tax", "delta lines tender",
}

// rare is what takes some two hundred worlds: make sim fails when it misses one of these or of the others.
var rare = []string{"verdict stopped", "verdict refused", "case stopped", "voids in a delta", "delta lines tip"}

const enoughForMust = 60

// covered fails when something of the list never happened.
func covered(t *testing.T, worlds uint64, counts map[string]int) {
	if worlds < enoughForMust || t.Failed() {
		return
	}
	for _, name := range must {
		if counts[name] == 0 {
			t.Errorf("%q never happened in %d worlds: what it is there for is not proven", name, worlds)
		}
	}
}

// cover counts what lies in the hub's database when all has come to rest.
func (w *world) cover() {
	db := open(w.hub.dir)
	defer db.Close()
	for what, query := range map[string]string{
		"captured ":          `SELECT outcome, count(*) FROM entry GROUP BY outcome`,
		"case ":              `SELECT cause, count(*) FROM kase GROUP BY cause`,
		"tickets told again": `SELECT '', count(*) FROM envelope v WHERE kind = 'ticket.v1' AND refusal = '' AND parts <= 1 AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.envelope = v.id)`,
		"envelopes in parts": `SELECT '', count(*) FROM envelope WHERE parts > 1`,
	} {
		rows, err := db.Query(query)
		if err != nil {
			w.breaks("count: %v", err)
			return
		}
		for rows.Next() {
			var name string
			var n int
			if err := rows.Scan(&name, &n); err != nil {
				w.breaks("count: %v", err)
			}
			w.marks[what+name] += n
		}
		rows.Close()
	}
}

// standing is what a store-day consists of when a document of it is made.
type standing struct{ tickets, voids int }

func (w *world) standing(k rollup.DayKey) (s standing) {
	db := open(w.hub.dir)
	defer db.Close()
	err := db.QueryRow(`SELECT count(*), COALESCE(sum(e.void), 0) FROM ticket t JOIN entry e ON e.id = t.entry WHERE t.kind = 'ticket' AND t.location = ? AND t.day = ?`,
		string(k.Location), string(k.Day)).Scan(&s.tickets, &s.voids)
	if err != nil {
		w.breaks("count: %v", err)
	}
	return s
}

// note counts what a document carries.
func (b *books) note(w *world, d rollup.Document) {
	now, was := w.standing(d.Key), b.stood[d.Key]
	b.stood[d.Key] = now
	w.marks["documents"]++
	kind := "lines "
	if d.Number > 1 {
		kind = "delta lines "
		w.marks["deltas"]++
		w.marks["late tickets in a delta"] += max(0, now.tickets-was.tickets)
		w.marks["voids in a delta"] += max(0, now.voids-was.voids)
	}
	for _, l := range d.Lines {
		role, _ := l.Measure.Split()
		w.marks[kind+string(role)]++
		if l.Suspense {
			w.marks["suspense lines"]++
		}
	}
}

package sim

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/money"
)

// books lets the real roller work over the hub's database and plays an Odoo that takes each document once by its id. A hub that is put back
// forgets what it sent; Odoo does not, and the hub takes its own documents over again before it makes new ones.
type books struct {
	sent  map[string]rollup.Document
	days  map[rollup.DayKey][]string // ids in Odoo
	stood map[rollup.DayKey]standing
}

func newBooks() *books {
	return &books{sent: map[string]rollup.Document{}, days: map[rollup.DayKey][]string{}, stood: map[rollup.DayKey]standing{}}
}

var chart = rollup.Books{Journal: "TPOS", Suspense: "199999"}

// rules give every code its account but, in the worlds that do not know it, the discounts'.
func rules() (out []mapping.Rule) {
	for i, r := range []ledger.Role{ledger.Sales, ledger.Returns, ledger.Tax, ledger.TaxRefund, ledger.Shipping, ledger.Fee, ledger.GiftCard, ledger.Tip,
		ledger.Tender, ledger.PaidIn, ledger.PaidOut, ledger.OverShort} {
		out = append(out, mapping.Rule{Role: r, Code: mapping.Any, Target: mapping.Target{Account: "4000" + string(rune('a'+i))}})
	}
	return out
}

var discounts = mapping.Rule{Role: ledger.Discount, Code: mapping.Any, Target: mapping.Target{Account: "4100"}}

// step rolls what is new and sends the documents that are due.
func (b *books) step(w *world) {
	h := w.hub
	if h.store == nil {
		return
	}
	r := roll.Roller{Store: h.store, Log: w.log, Options: roll.Options{Books: chart, AutoApprove: true,
		Rules: audit.Rules{Gaps: audit.Advisory, Control: audit.Absent, Grace: time.Minute}}}
	for n := 0; ; n++ {
		worked, _, err := r.Step(w.ctx)
		if err != nil || n > 500 {
			w.breaks("roll: %v after %d steps", err, n)
			return
		}
		if !worked {
			break
		}
	}
	box := store.Outbox{Store: h.store}
	tasks, err := box.Claim(w.ctx, 1000)
	if err != nil {
		w.breaks("claim: %v", err)
		return
	}
	var done []odoo.Outcome
	for _, t := range tasks {
		d := t.Document
		if was, known := b.sent[d.ID()]; known && was.Hash != d.Hash {
			w.breaks("document %s was sent twice with different content", d.ID())
		} else if !known {
			b.sent[d.ID()] = d
			b.days[d.Key] = append(b.days[d.Key], d.ID())
			b.note(w, d)
			w.trace("document %s %s, %d lines", d.ID(), d.Kind, len(d.Lines))
		}
		done = append(done, odoo.Outcome{Document: d.ID(), Verdict: odoo.Done, Entry: d.ID()})
	}
	if err := box.Settle(w.ctx, done); err != nil {
		w.breaks("settle: %v", err)
	}
}

// learn answers the question about discounts: what stood in suspense moves by itself.
func (b *books) learn(w *world) {
	if err := w.hub.store.SetRules(w.ctx, []mapping.Rule{discounts}, "test", "asked"); err != nil {
		w.breaks("set rules: %v", err)
	}
}

// adopt gives a hub that was put back what it had sent since: the writer reads it back from Odoo before anything new is made.
func (b *books) adopt(w *world) {
	w.marks["documents adopted"] += len(b.sent)
	err := w.hub.store.InTx(w.ctx, func(tx *store.Tx) error {
		for _, d := range b.sent {
			body, err := json.Marshal(d)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(w.ctx, `INSERT INTO document (id, location, day, number, state, body, hash, made, changed) VALUES (?, ?, ?, ?, 'verified', ?, ?, 1, 1) ON CONFLICT (id) DO NOTHING`,
				d.ID(), string(d.Key.Location), string(d.Key.Day), d.Number, string(body), d.Hash); err != nil {
				return err
			}
			if _, err := tx.ExecContext(w.ctx, `INSERT INTO day (location, day, approved) VALUES (?, ?, 'auto') ON CONFLICT (location, day) DO UPDATE SET dirty = 1, approved = 'auto'`,
				string(d.Key.Location), string(d.Key.Day)); err != nil {
				return err
			}
		}
		return tx.RestoreSettled(w.ctx, "adopted")
	})
	if err != nil {
		w.breaks("adopt: %v", err)
	}
}

// open reads the hub's database beside the hub.
func open(dir string) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, "hub.db"))+"?_query_only=1&_busy_timeout=5000")
	if err != nil {
		panic(err)
	}
	return db
}

// totals reads what the hub's ledger comes to, per store-day.
func (h *hub) totals() map[rollup.DayKey]rollup.Totals {
	db := open(h.dir)
	defer db.Close()
	out := map[rollup.DayKey]rollup.Totals{}
	rows, err := db.Query(`SELECT location, day, measure, minor, currency FROM total`)
	if err != nil {
		h.w.breaks("read totals: %v", err)
		return out
	}
	defer rows.Close()
	for rows.Next() {
		var k rollup.DayKey
		var a ledger.Account
		var m money.Amount
		if err := rows.Scan(&k.Location, &k.Day, &a, &m.Minor, &m.Currency); err != nil {
			h.w.breaks("read totals: %v", err)
		}
		if out[k] == nil {
			out[k] = rollup.Totals{}
		}
		out[k][a] = m
	}
	return out
}

// posted sums what Odoo has of a day, per measure.
func (b *books) posted(k rollup.DayKey) rollup.Totals {
	t := rollup.Totals{}
	for _, id := range b.days[k] {
		for _, l := range b.sent[id].Lines {
			sum, _ := t[l.Measure].Add(l.Amount)
			t[l.Measure] = sum
		}
	}
	return t
}

// measures turns totals into the words of the tills' truth.
func measures(t rollup.Totals) map[string]int64 {
	out := map[string]int64{}
	for a, m := range t {
		role, code := a.Split()
		switch role {
		case ledger.Sales, ledger.Returns:
			out["item"] -= m.Minor
		case ledger.Tax, ledger.TaxRefund:
			out["tax:"+code] -= m.Minor
		case ledger.GiftCard:
			out["gift_card"] -= m.Minor
		case ledger.Tender:
			out["tender:"+code] += m.Minor
		case ledger.PaidIn:
			out["paid_in"] -= m.Minor
		case ledger.PaidOut:
			out["paid_out"] += m.Minor
		case ledger.OverShort:
			if code == "over" {
				out["over"] -= m.Minor
			} else {
				out["short"] += m.Minor
			}
		default:
			out[string(role)] -= m.Minor
		}
	}
	return out
}

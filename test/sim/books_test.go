package sim

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/money"
)

// books folds the ledger into store-day totals and makes documents of them, as the roller does, and keeps what was sent to Odoo: a hub that
// is put back forgets it, Odoo does not.
type books struct {
	cursor int64
	totals map[rollup.DayKey]rollup.Totals
	docs   map[rollup.DayKey][]rollup.Document
	rules  mapping.Set
}

func newBooks() *books {
	b := &books{docs: map[rollup.DayKey][]rollup.Document{}}
	b.forget()
	return b
}

// forget: the hub was put back, so its ledger is read again from the beginning.
func (b *books) forget() { b.cursor, b.totals = 0, map[rollup.DayKey]rollup.Totals{} }

type entry struct {
	key      rollup.DayKey
	undo     int64
	postings []ledger.Posting
}

// step folds what is new and makes the documents that are due.
func (b *books) step(w *world) {
	b.learn(w)
	if !b.fold(w) {
		return
	}
	for k, t := range b.totals {
		sheet, err := rollup.Map(k, t, b.rules, rollup.Books{Journal: "TPOS", Suspense: "199999"})
		if err != nil {
			w.breaks("map %s: %v", k, err)
			return
		}
		d, ok, err := rollup.Next(k, k.Day, sheet, b.docs[k], rollup.Books{Journal: "TPOS", Suspense: "199999"}, 0, b.rules, "")
		if err != nil {
			w.breaks("document %s: %v", k, err)
			return
		}
		if ok {
			b.docs[k] = append(b.docs[k], d)
			w.trace("document %s %s, %d lines", d.ID(), d.Kind, len(d.Lines))
		}
	}
}

// learn knows every code but, in some worlds, the discounts until the end: they stand in suspense and move by themselves.
func (b *books) learn(w *world) {
	b.rules = mapping.Set{Version: 1}
	for i, r := range []ledger.Role{ledger.Sales, ledger.Returns, ledger.Tax, ledger.TaxRefund, ledger.Shipping, ledger.Fee, ledger.GiftCard, ledger.Tip,
		ledger.Tender, ledger.PaidIn, ledger.PaidOut, ledger.OverShort, ledger.Discount} {
		if r == ledger.Discount && w.plan.unknown && !w.quiet {
			continue
		}
		b.rules.Rules = append(b.rules.Rules, mapping.Rule{Role: r, Code: mapping.Any, Target: mapping.Target{Account: "4000" + string(rune('a'+i))}})
	}
}

func (b *books) fold(w *world) bool {
	db := open(w.hub.dir)
	defer db.Close()
	rows, err := db.Query(`SELECT id, undo, location, day, currency, postings FROM entry WHERE id > ? AND outcome IN ('first', 'replaces') ORDER BY id`, b.cursor)
	if err != nil {
		w.breaks("read entries: %v", err)
		return false
	}
	defer rows.Close()
	var list []entry
	for rows.Next() {
		e := scanEntry(w, rows, &b.cursor)
		list = append(list, e)
	}
	for _, e := range list {
		b.add(w, e, 1)
		if e.undo == 0 {
			continue
		}
		var id int64
		old, err := db.Query(`SELECT id, 0, location, day, currency, postings FROM entry WHERE id = ?`, e.undo)
		if err != nil || !old.Next() {
			w.breaks("entry %d that is taken back is not there: %v", e.undo, err)
			return false
		}
		b.add(w, scanEntry(w, old, &id), -1)
		old.Close()
	}
	return len(w.bad) == 0
}

func (b *books) add(w *world, e entry, sign int) {
	t, err := rollup.Fold(b.totals[e.key], ledger.Entry{Postings: e.postings}, sign)
	if err != nil {
		w.breaks("fold %s: %v", e.key, err)
		return
	}
	b.totals[e.key] = t
}

func scanEntry(w *world, rows *sql.Rows, id *int64) (e entry) {
	var currency, postings string
	var list [][3]any
	if err := rows.Scan(id, &e.undo, &e.key.Location, &e.key.Day, &currency, &postings); err != nil {
		w.breaks("read entry: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(postings))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		w.breaks("read postings: %v", err)
	}
	for _, p := range list {
		minor, _ := p[2].(json.Number).Int64()
		e.postings = append(e.postings, ledger.Posting{Debit: ledger.Account(p[0].(string)), Credit: ledger.Account(p[1].(string)), Amount: money.Of(minor, money.Currency(currency))})
	}
	return e
}

// open reads the hub's database beside the hub.
func open(dir string) *sql.DB {
	db, err := sql.Open("sqlite3", "file:"+filepath.ToSlash(filepath.Join(dir, "hub.db"))+"?_query_only=1&_busy_timeout=5000")
	if err != nil {
		panic(err)
	}
	return db
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

// posted sums what went to Odoo of a day, per measure.
func (b *books) posted(k rollup.DayKey) rollup.Totals {
	t := rollup.Totals{}
	for _, d := range b.docs[k] {
		for _, l := range d.Lines {
			sum, _ := t[l.Measure].Add(l.Amount)
			t[l.Measure] = sum
		}
	}
	return t
}

package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the hub's database is read past the product's code

	"github.com/tillpost/tillpost/test/demo/books"
)

// found is what a count comes to, and in which words.
type found struct {
	lost, doubled int
	off           int64 // cents, over tickets and over each measure of ledger and Odoo
	words         []string
}

func (f *found) say(format string, args ...any) {
	if len(f.words) < 20 {
		f.words = append(f.words, fmt.Sprintf(format, args...))
	}
}

// settled waits until the agent has nothing left and every document is verified, and returns the last count. It is late when nothing has moved for
// as long as the world has patience: how long all takes is the machine's affair.
func (w *world) settled(t *testing.T) found {
	t.Helper()
	before, end, last := "", time.Now().Add(w.patience), time.Now().Add(3*w.patience)
	for ; ; <-time.After(200 * time.Millisecond) {
		open := w.open(t)
		if open != before {
			before, end = open, time.Now().Add(w.patience)
		}
		late := time.Now().After(end) || time.Now().After(last)
		if open != "" && !late {
			continue // counting reads all of Odoo's items, which would hold up what is still to come
		}
		f, err := w.compare(t.Context())
		switch {
		case err == nil && open == "" && f.lost == 0:
			return f
		case late:
			f.words = append([]string{fmt.Sprintf("not settled, so that what follows is not the end: %s %v", open, err)}, f.words...)
			f.lost = max(f.lost, 1)
			return f
		}
	}
}

// db reads the hub's database file.
func (w *world) db() (*sql.DB, error) {
	return sql.Open("sqlite3", "file:"+w.at("hubdata/hub.db")+"?mode=ro&_busy_timeout=5000")
}

// open tells what is not verified yet.
func (w *world) open(t *testing.T) string {
	t.Helper()
	db, err := w.db()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var docs, dirty int
	var why string
	if err := db.QueryRow(`SELECT count(*), COALESCE(max(state || ': ' || why), '') FROM document WHERE state <> 'verified'`).Scan(&docs, &why); err != nil {
		return err.Error()
	}
	if err := db.QueryRow(`SELECT count(*) FROM day WHERE state <> 'verified' OR dirty = 1 OR due > 0`).Scan(&dirty); err != nil {
		return err.Error()
	}
	if docs+dirty == 0 {
		return ""
	}
	return fmt.Sprintf("%d documents open (%s), %d days open", docs, why, dirty)
}

// compare puts the tills' truth beside the ledger, ticket by ticket and measure by measure, and beside Odoo's journal items.
func (w *world) compare(ctx context.Context) (f found, err error) {
	db, err := w.db()
	if err != nil {
		return f, err
	}
	defer db.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	day := w.day.Format(time.DateOnly)
	have, err := books.Tickets(ctx, db, w.store.Code)
	if err != nil {
		return f, err
	}
	for _, d := range books.Differences(w.store.Code, day, w.told, have) {
		f.say("%s", d)
		switch d.What {
		case books.Lost:
			f.lost++
		case books.Foreign:
			f.doubled++
		default:
			f.off += max(d.Till-d.Ledger, d.Ledger-d.Till, 1)
		}
	}
	ledger, err := books.Ledger(ctx, db, w.store.Code, day)
	if err != nil {
		return f, err
	}
	items, err := books.Read(ctx, w.books, "TPOS")
	if err != nil {
		return f, err
	}
	if w.mode != "" {
		for _, journal := range []string{"TPOSR", "TPOSP"} {
			more, err := books.Read(ctx, w.books, journal)
			if err != nil {
				return f, err
			}
			items = append(items, more...)
		}
		open := map[string]int64{}
		for _, i := range items {
			if i.Open != 0 && i.Location == w.store.Code {
				open[i.Ref] += i.Open
				f.off += max(i.Open, -i.Open)
			}
		}
		for ref, n := range open {
			f.say("%s is not paid: %s", ref, books.Text(n))
		}
	}
	odoo, _, err := books.Day(items, "", w.store.Code, day)
	if err != nil {
		return f, err
	}
	f.measure("ledger", ledger, w.measures)
	f.measure("Odoo", odoo, w.measures)
	return f, nil
}

// measure compares sums measure by measure.
func (f *found) measure(where string, got, want books.Sums) {
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if d := got[k] - want[k]; d != 0 {
			f.off += max(d, -d)
			f.say("%s: %s is %s, the tills say %s", where, k, books.Text(got[k]), books.Text(want[k]))
		}
	}
}

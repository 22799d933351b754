package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
)

// Adopt takes back documents that stand in Odoo and are not here, after this database was put back from a backup; then the restore is
// settled and store-days go on.
func (s *Store) Adopt(ctx context.Context, own []odoo.Adopted) (adopted int, err error) {
	last := map[rollup.DayKey]int{} // document of each day
	for _, a := range own {
		if a.Document.Series == "" {
			last[a.Document.Key] = max(last[a.Document.Key], a.Document.Number)
		}
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		set, err := rules(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range own {
			fresh, err := tx.adopt(ctx, a, set, a.Document.Number == last[a.Document.Key])
			if err != nil {
				return err
			}
			if fresh {
				adopted++
			}
		}
		return tx.RestoreSettled(ctx, fmt.Sprintf("%d documents adopted from Odoo", adopted))
	})
	return adopted, err
}

// adopt takes one document over, newest = it is the last of its day; false: it is known already.
func (tx *Tx) adopt(ctx context.Context, a odoo.Adopted, set mapping.Set, newest bool) (fresh bool, err error) {
	d := a.Document
	for i, l := range d.Lines {
		role, code := l.Measure.Split()
		if to, ok := set.Find(role, code, d.Key.Location, d.Key.Day); ok && l.Tax != "" && to.Tax == l.Tax && to.Account == "" {
			d.Lines[i].Account = "" // the tax's own, as the rule leaves it to it
		}
		d.Lines[i].At, d.Lines[i].Analytic = set.Calls(d.Lines[i].At, a.Called), set.Calls(d.Lines[i].Analytic, a.Called)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return false, err
	}
	state := roll.Posting // a draft: the writer brings it on, under the same id
	if a.Posted {
		state = roll.Verified
	}
	read, checked := "", int64(0)
	if a.Read != nil {
		b, err := json.Marshal(a.Read)
		if err != nil {
			return false, err
		}
		read, checked = string(b), micros(tx.Now)
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO document (id, location, day, series, number, state, body, hash, odoo, move, home, book, sent, date, made, changed, readback, checked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		d.ID(), string(d.Key.Location), string(d.Key.Day), d.Series, d.Number, state, string(body), d.Hash, a.Entry, a.Move, a.Home, a.Book, string(d.Date), micros(tx.Now), micros(tx.Now), read, checked)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	if err := tx.putParts(ctx, d.ID(), a.Parts); err != nil {
		return false, err
	}
	if d.Series == "" || strings.HasPrefix(d.Series, rollup.TicketSeries) {
		if err := tx.adoptDay(ctx, d, newest); err != nil {
			return false, err
		}
	}
	return true, tx.PutStep(ctx, Step{Subject: "document " + d.ID(), Who: "hub", What: "adopted from Odoo", After: a.Entry})
}

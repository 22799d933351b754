package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Outbox implements odoo.Tasks on the document table, for one of the settings' databases.
type Outbox struct {
	*Store
	Name  string // of the database, "" = the first
	Books []Book // all beyond the first
}

// Book is an Odoo database beyond the first, with the locations and the companies whose store-days go there. A location counts before its company.
type Book struct {
	Name      string
	Locations []retail.LocationCode
	Companies []string
}

// Claim implements odoo.Tasks.
func (o Outbox) Claim(ctx context.Context, most int) ([]odoo.Task, error) {
	mine, args := o.mine()
	// What a task must know of its day's other documents is asked of those only that are taken: a day may have one per ticket.
	out, err := o.tasks(ctx, `WHERE d.id IN (SELECT d.id FROM document d WHERE d.state IN ('posting', 'posted', 'waiting') AND d.due <= ? AND `+mine+
		` ORDER BY d.day, d.location, d.number LIMIT ?) ORDER BY d.day, d.location, d.number`,
		slices.Concat([]any{micros(o.Now())}, args, []any{most})...)
	return out, classify("claim tasks", err)
}

// Next tells when the next waiting task is due, zero = none waits.
func (o Outbox) Next(ctx context.Context) (time.Time, error) {
	var due int64
	mine, args := o.mine()
	err := o.read.QueryRowContext(ctx, `SELECT COALESCE(min(d.due), 0) FROM document d WHERE d.state IN ('posting', 'posted', 'waiting') AND `+mine, args...).Scan(&due)
	return fromMicros(due), classify("look for tasks", err)
}

// Verified implements odoo.Tasks.
func (o Outbox) Verified(ctx context.Context, since time.Time, after string, most int) ([]odoo.Task, error) {
	mine, args := o.mine()
	out, err := o.tasks(ctx, `WHERE d.state = 'verified' AND d.move > 0 AND d.changed >= ? AND d.id > ? AND `+mine+` ORDER BY d.id LIMIT ?`,
		slices.Concat([]any{micros(since), after}, args, []any{most})...)
	return out, classify("list verified documents", err)
}

func (o Outbox) tasks(ctx context.Context, where string, args ...any) (out []odoo.Task, err error) {
	set, err := rules(ctx, o.read)
	if err != nil {
		return nil, err
	}
	err = each(ctx, o.read, func(r *sql.Rows) error {
		var t odoo.Task
		var body, date, parts string
		var stands bool
		if err := r.Scan(&body, &date, &t.Move, &t.Attempt, &t.Home, &t.Company, &stands, &t.Beside, &t.Begun, &t.LeftOut, &t.Period, &t.Loaded, &t.Moved, &t.Held, &parts); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &t.Document)
		if parts != "" {
			err = errors.Join(err, json.Unmarshal([]byte(parts), &t.Parts))
		}
		if t.Date = retail.BusinessDate(date); date == "" {
			t.Date = t.Document.Date
		}
		if own := set.At(t.Document.Key.Location, t.Document.Key.Day).Company; own != "" && !stands { // a rule says it from a day on
			t.Company = own
		}
		out = append(out, t)
		return err
	}, `SELECT d.body, `+dated+`, d.move, d.attempt, `+home+`, `+company+`, `+stands+`, `+beside+`, d.period, CASE WHEN d.move = 0 AND NOT EXISTS (SELECT 1 FROM part p WHERE p.document = d.id) THEN '' WHEN d.loaded = '' THEN d.date ELSE d.loaded END, d.moved, `+held+`, `+partsOf+` FROM document d `+where, args...)
	for i, t := range out {
		if err == nil && strings.HasPrefix(t.Document.Series, rollup.TicketSeries) {
			out[i].Before, err = o.earlier(ctx, t.Document)
		}
		if s := t.Document.Slip; err == nil && s != nil && s.House && s.Customer != "" {
			out[i].House, err = o.house(ctx, t.Document)
		}
	}
	return out, err
}

// houseMost is how many documents of one house account are looked through for what is open: the latest.
const houseMost = 300

// house are the other documents of a ticket's house account, as far as Odoo has them.
func (o Outbox) house(ctx context.Context, d rollup.Document) ([]odoo.Earlier, error) {
	mine, args := o.mine()
	return o.standing(ctx, `customer = ? AND move > 0 AND NOT (location = ? AND day = ? AND series = ?) AND `+mine+` ORDER BY day DESC, id DESC LIMIT ?`,
		slices.Concat([]any{d.Slip.Customer, string(d.Key.Location), string(d.Key.Day), d.Series}, args, []any{houseMost})...)
}

// earlier are a ticket's documents before one of them, as far as Odoo has them, and those after it that are in the books: after a person's word or a restore
// an earlier one may go again.
func (o Outbox) earlier(ctx context.Context, d rollup.Document) ([]odoo.Earlier, error) {
	return o.standing(ctx, `location = ? AND day = ? AND series = ? AND move > 0 AND (number < ? OR number > ? AND state = ?) ORDER BY number`,
		string(d.Key.Location), string(d.Key.Day), d.Series, d.Number, d.Number, roll.Verified)
}

// standing are documents with where they stand in Odoo.
func (o Outbox) standing(ctx context.Context, where string, args ...any) (out []odoo.Earlier, err error) {
	err = each(ctx, o.read, func(r *sql.Rows) error {
		var e odoo.Earlier
		var body, parts string
		if err := r.Scan(&body, &e.Move, &parts); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(body), &e.Document)
		if parts != "" {
			err = errors.Join(err, json.Unmarshal([]byte(parts), &e.Parts))
		}
		out = append(out, e)
		return err
	}, `SELECT d.body, d.move, `+partsOf+` FROM document d WHERE `+where, args...)
	return out, err
}

// Where a document goes: what Odoo has stays where it is; what is new goes to its store-day's other documents, so that one day never stands
// in two companies; else the location says.
const (
	home = `CASE WHEN d.move > 0 THEN d.home ELSE COALESCE((SELECT e.home FROM document e WHERE e.location = d.location AND e.day = d.day AND e.move > 0
		ORDER BY e.number LIMIT 1), 0) END`
	stands  = `EXISTS (SELECT 1 FROM document e WHERE e.location = d.location AND e.day = d.day AND e.move > 0)`
	company = `CASE WHEN ` + stands + ` THEN ''
		ELSE COALESCE((SELECT l.company FROM location l WHERE l.code = d.location), '') END`
	beside = `EXISTS (SELECT 1 FROM document e WHERE e.location = d.location AND e.day = d.day AND (e.series = d.series OR e.own = 1 AND d.own = 1) AND e.beside = 1),
		EXISTS (SELECT 1 FROM document e WHERE e.location = d.location AND e.day = d.day AND e.move > 0 AND (e.series = d.series AND e.number < d.number OR e.own = 1 AND d.own = 1 AND e.series <> d.series)),
		EXISTS (SELECT 1 FROM document e WHERE e.location = d.location AND e.day = d.day AND e.series = d.series AND e.number = 1 AND d.number > 1 AND e.state = 'accepted')`
)

// What comes late of a store-day or voucher follows its first document: to the date that one went to, and after it while it waits for a
// closed period. A day is not in two periods by halves.
const (
	dated = `CASE WHEN d.date <> '' OR d.number = 1 THEN d.date ELSE COALESCE((SELECT e.date FROM document e WHERE ` + firstOf + `), '') END`
	held  = `CASE WHEN d.number = 1 THEN 0 ELSE COALESCE((SELECT e.held FROM document e WHERE ` + firstOf + `), 0) END`

	firstOf = `e.location = d.location AND e.day = d.day AND e.series = d.series AND e.number = 1`
)

// partsOf are the ids of what stands beside a document's first record, JSON, empty = nothing does.
const partsOf = `COALESCE((SELECT json_group_object(p.name, p.move) FROM part p WHERE p.document = d.id HAVING count(*) > 0), '')`

// mine is the condition that a document is this database's: it was sent there, or its store-day's other documents were, or its location belongs there.
func (o Outbox) mine() (cond string, args []any) {
	var b strings.Builder
	b.WriteString(`CASE WHEN d.sent = 1 THEN d.book ELSE COALESCE((SELECT e.book FROM document e WHERE e.location = d.location AND e.day = d.day AND e.sent = 1 ORDER BY e.number LIMIT 1), CASE`)
	when := func(what string, n int, name string) {
		if n > 0 {
			b.WriteString(` WHEN ` + what + ` IN (?` + strings.Repeat(`, ?`, n-1) + `) THEN ?`)
			args = append(args, name)
		}
	}
	for _, k := range o.Books {
		for _, l := range k.Locations {
			args = append(args, string(l))
		}
		when(`d.location`, len(k.Locations), k.Name)
	}
	for _, k := range o.Books {
		for _, c := range k.Companies {
			args = append(args, c)
		}
		when(`(SELECT l.company FROM location l WHERE l.code = d.location)`, len(k.Companies), k.Name)
	}
	b.WriteString(` WHEN 1 = 1 THEN '' END) END = ?`)
	return b.String(), append(args, o.Name)
}

// Sending binds tasks to this database before it gets them: a lost answer and other settings together must not bring one into two.
func (o Outbox) Sending(ctx context.Context, ts []odoo.Task) error {
	return o.InTx(ctx, func(tx *Tx) error {
		for _, t := range ts {
			r, err := tx.ExecContext(ctx, `UPDATE document SET sent = 1, book = ? WHERE id = ? AND (sent = 0 OR book = ?)`, o.Name, t.Document.ID(), o.Name)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n != 1 {
				return errors.Join(err, fault.Msg(fault.Conflict, "send document", "document "+t.Document.ID()+" belongs to another database; nothing was sent"))
			}
		}
		return nil
	})
}

// Loaded implements odoo.Tasks.
func (o Outbox) Loaded(ctx context.Context, ts []odoo.Task) error {
	return o.InTx(ctx, func(tx *Tx) error {
		for _, t := range ts {
			if err := tx.loaded(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// loaded keeps the ids of a document's records; those that the task does not name stay as they are.
func (tx *Tx) loaded(ctx context.Context, t odoo.Task) error {
	after := fmt.Sprintf("id %d, on %s", t.Move, t.Date)
	switch {
	case t.Move == 0:
		after = fmt.Sprintf("%d payments, on %s", len(t.Parts), t.Date)
	case len(t.Parts) > 0:
		after += fmt.Sprintf(", with %d that belong to it", len(t.Parts))
	}
	if _, err := tx.ExecContext(ctx, `UPDATE document SET move = CASE WHEN ? > 0 THEN ? ELSE move END, date = ?, loaded = ?, moved = ?, home = ?, changed = ? WHERE id = ?`,
		t.Move, t.Move, string(t.Date), string(t.Date), t.Moved, t.Home, micros(tx.Now), t.Document.ID()); err != nil {
		return err
	}
	if err := tx.putParts(ctx, t.Document.ID(), t.Parts); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "document " + t.Document.ID(), Who: "hub", What: "loaded into Odoo", Reason: t.Moved, After: after})
}

// putParts keeps the ids of what stands beside a document's first record.
func (tx *Tx) putParts(ctx context.Context, document string, parts map[string]int64) error {
	for name, move := range parts {
		if _, err := tx.ExecContext(ctx, `INSERT INTO part (document, name, move) VALUES (?, ?, ?) ON CONFLICT (document, name) DO UPDATE SET move = excluded.move`, document, name, move); err != nil {
			return err
		}
	}
	return nil
}

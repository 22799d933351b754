package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/notify"
	"github.com/tillpost/tillpost/shared/retail"
)

// Notices implements notify.Store.
type Notices struct{ *Store }

// Facts implements notify.Store; the lanes to Odoo are not in the database.
func (n Notices) Facts(ctx context.Context) (f notify.Facts, err error) {
	all, err := n.Cases(ctx, false)
	if err != nil {
		return f, err
	}
	waits := map[string]bool{}
	err = each(ctx, n.read, func(r *sql.Rows) error {
		var location, day string
		err := r.Scan(&location, &day)
		waits[location+"|"+day] = true
		return err
	}, `SELECT location, day FROM day WHERE state = 'complete'`)
	if err != nil {
		return f, classify("look for troubles", err)
	}
	for _, c := range all {
		if c.Cause.Holds() || c.Cause == cases.Gap && waits[string(c.Location)+"|"+string(c.Day)] {
			f.Holding = append(f.Holding, c)
		}
	}
	f.Silent, err = n.silences(ctx)
	return f, err
}

// silences are the silent locations with how much of their silence was open time.
func (n Notices) silences(ctx context.Context) (out []notify.Silence, err error) {
	now := n.Now()
	codes, err := n.Silent(ctx, now.Add(-notify.Quiet))
	for _, code := range codes {
		var name, days string
		var seen int64
		if err := n.read.QueryRowContext(ctx, `SELECT name, open_days, seen FROM location WHERE code = ?`, string(code)).Scan(&name, &days, &seen); err != nil {
			return nil, classify("look for silent stores", err)
		}
		calendar, err := n.Calendar(ctx, code)
		if err != nil {
			return nil, err
		}
		if seen == 0 {
			continue // it was never there: the registry shows it as not connected yet
		}
		if name == "" {
			name = string(code)
		}
		out = append(out, notify.Silence{Location: code, Name: name, Since: fromMicros(seen), Open: openTime(calendar, days, fromMicros(seen), now)})
	}
	return out, err
}

// openTime is how much of the time from since to now falls on business days that a location is open. Without a calendar, or without open
// days, every hour counts.
func openTime(c retail.Calendar, days string, since, now time.Time) (sum time.Duration) {
	day, ok := c.Day(since)
	if !ok || days == "" {
		return now.Sub(since)
	}
	for from := since; from.Before(now); day = day.AddDays(1) {
		end, ok := c.End(day)
		if !ok || !end.After(from) {
			return now.Sub(since)
		}
		if end.After(now) {
			end = now
		}
		if opens(days, day) {
			sum += end.Sub(from)
		}
		from = end
	}
	return sum
}

// Decide implements notify.Store.
func (n Notices) Decide(ctx context.Context, channels []string, next func(told []notify.Trouble) []notify.Notice) error {
	return n.InTx(ctx, func(tx *Tx) error {
		var told []notify.Trouble
		err := each(ctx, tx, func(r *sql.Rows) error {
			var body string
			if err := r.Scan(&body); err != nil {
				return err
			}
			var t notify.Trouble
			err := json.Unmarshal([]byte(body), &t)
			told = append(told, t)
			return err
		}, `SELECT body FROM trouble ORDER BY key`)
		if err != nil {
			return err
		}
		for _, x := range next(told) {
			if err := tx.putNotice(ctx, x, channels); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) putNotice(ctx context.Context, n notify.Notice, channels []string) error {
	trouble, err := json.Marshal(n.Trouble)
	if err != nil {
		return err
	}
	if n.Kind == notify.Begin {
		_, err = tx.ExecContext(ctx, `INSERT INTO trouble (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body`, n.Key, string(trouble))
	} else {
		_, err = tx.ExecContext(ctx, `DELETE FROM trouble WHERE key = ?`, n.Key)
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	for _, c := range channels {
		if _, err := tx.ExecContext(ctx, `INSERT INTO notice (id, channel, body, made) VALUES (?, ?, ?, ?) ON CONFLICT (id, channel) DO NOTHING`, n.ID, c, string(body), micros(tx.Now)); err != nil {
			return err
		}
	}
	return nil
}

// Due implements notify.Store.
func (n Notices) Due(ctx context.Context, channel string, most int) (out []notify.Notice, err error) {
	err = each(ctx, n.read, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		var x notify.Notice
		err := json.Unmarshal([]byte(body), &x)
		out = append(out, x)
		return err
	}, `SELECT body FROM notice WHERE channel = ? AND sent = 0 AND due <= ? ORDER BY made, id LIMIT ?`, channel, micros(n.Now()), most)
	return out, classify("list notices", err)
}

// A channel that refuses is asked again after noticeFirst, then twice as long, up to noticeLongest: within minutes of its coming back.
const (
	noticeFirst   = 10 * time.Second
	noticeLongest = 5 * time.Minute
)

// Sent implements notify.Store.
func (n Notices) Sent(ctx context.Context, channel, id string, sent error) error {
	return n.InTx(ctx, func(tx *Tx) error {
		if sent == nil {
			_, err := tx.ExecContext(ctx, `UPDATE notice SET sent = ?, why = '' WHERE id = ? AND channel = ?`, micros(tx.Now), id, channel)
			return err
		}
		var attempt int
		if err := tx.QueryRowContext(ctx, `SELECT attempt FROM notice WHERE id = ? AND channel = ?`, id, channel).Scan(&attempt); err != nil {
			return err
		}
		wait := min(noticeFirst<<min(attempt, 10), noticeLongest)
		_, err := tx.ExecContext(ctx, `UPDATE notice SET attempt = attempt + 1, due = ?, why = ? WHERE id = ? AND channel = ?`, micros(tx.Now.Add(wait)), sent.Error(), id, channel)
		return err
	})
}

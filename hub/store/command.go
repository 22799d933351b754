package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/view"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Command asks a PC for something, once and within a time. Codes: not_found, conflict when too many wait or the PC has no certificate.
func (tx *Tx) Command(ctx context.Context, d retail.DeviceID, c wire.Command, within time.Duration, who, reason string) (wire.Command, error) {
	if within < time.Minute || within > 30*24*time.Hour {
		return c, fault.Msg(fault.Invalid, "command", "its time limit is between 1m and 720h; nothing was asked")
	}
	c.ID, c.Expires = rand.Text(), tx.Now.Add(within).UTC().Truncate(time.Second)
	if err := c.Check(); err != nil {
		return c, err
	}
	if has, err := tx.HasDevice(ctx, d); err != nil || !has {
		return c, errors.Join(err, fault.Msg(fault.NotFound, "command", "there is no device "+string(d)+"; nothing was asked"))
	}
	if n, err := tx.Holding(ctx, d); err != nil || n == 0 {
		return c, errors.Join(err, fault.Msg(fault.Conflict, "command", string(d)+" has no certificate, and only a PC with one can tell its hub's word from another's: enrol it (hub device code). Nothing was asked"))
	}
	open, err := tx.open(ctx, d)
	if err != nil {
		return c, err
	}
	if len(open) >= wire.MaxCommands {
		return c, fault.Msg(fault.Conflict, "command", fmt.Sprintf("%d commands wait for %s already; nothing was asked", len(open), d))
	}
	body, err := json.Marshal(c)
	if err != nil {
		return c, fault.New(fault.Internal, "command", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO device_command (id, number, device, body, who, reason, made, expires) VALUES (?, (SELECT COALESCE(max(number), 0) + 1 FROM device_command), ?, ?, ?, ?, ?, ?)`,
		c.ID, string(d), string(body), who, reason, micros(tx.Now), micros(c.Expires)); err != nil {
		return c, err
	}
	return c, tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "asked for " + words(c), Reason: reason, After: c.ID + ", until " + c.Expires.Format(time.DateTime)})
}

// words is a command in words.
func words(c wire.Command) string {
	if c.Kind == wire.LogLevel {
		return fmt.Sprintf("%s %s for %v", c.Kind, c.Level, c.For)
	}
	return string(c.Kind)
}

// open lists the commands that a PC has not told the end of, the oldest first. Those that ran out are among them: that they were not begun
// only the PC can tell.
func (tx *Tx) open(ctx context.Context, d retail.DeviceID) (out []wire.Command, err error) {
	err = each(ctx, tx, func(r *sql.Rows) error {
		var body string
		var c wire.Command
		err := r.Scan(&body)
		if err == nil {
			err = json.Unmarshal([]byte(body), &c)
		}
		out = append(out, c)
		return err
	}, `SELECT body FROM device_command WHERE device = ? AND outcome = '' ORDER BY number`, string(d))
	return out, err
}

// tellCommand keeps how a command ended. The first end counts; a PC tells one.
func (tx *Tx) tellCommand(ctx context.Context, e *envelope.Envelope) error {
	var r wire.Result
	if json.Unmarshal(e.Body, &r) != nil || r.Outcome == "" {
		return nil
	}
	if !slices.Contains(wire.Outcomes, r.Outcome) { // a later agent's: it has ended all the same, and is told once
		r.Outcome, r.Detail = wire.Failed, fmt.Sprintf("it says %.40q, which this version of the hub does not know. %s", r.Outcome, r.Detail)
	}
	if len(r.Detail) > wire.MaxDetail+8 {
		r.Detail = r.Detail[:wire.MaxDetail]
	}
	res, err := tx.ExecContext(ctx, `UPDATE device_command SET outcome = ?, detail = ?, ended = ? WHERE id = ? AND device = ? AND outcome = ''`,
		string(r.Outcome), r.Detail, micros(tx.Now), r.ID, string(e.Device))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(e.Device), Who: "device " + string(e.Device), What: string(r.Kind) + " " + string(r.Outcome), After: r.ID})
}

// Commands lists what a PC was asked for, the newest first.
func (s *Store) Commands(ctx context.Context, d retail.DeviceID) (out []view.CommandView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.CommandView
		var body string
		var made, ended int64
		if err := r.Scan(&body, &v.Who, &v.Reason, &made, &v.Outcome, &v.Detail, &ended, &v.Bundle); err != nil {
			return err
		}
		v.Made, v.Ended = fromMicros(made), fromMicros(ended)
		err := json.Unmarshal([]byte(body), &v.Command)
		out = append(out, v)
		return err
	}, `SELECT c.body, c.who, c.reason, c.made, c.outcome, c.detail, c.ended, COALESCE(b.size, 0) FROM device_command c LEFT JOIN device_bundle b ON b.command = c.id WHERE c.device = ? ORDER BY c.number DESC LIMIT 100`, string(d))
	return out, classify("list commands", err)
}

// PutBundle implements enrol.Bundles: it keeps the support bundle that a command asked for. Codes: conflict when the PC's certificate does not
// hold, not_found when nobody asked for it.
func (s *Store) PutBundle(ctx context.Context, cert authority.Certificate, command string, body []byte) error {
	var refused error
	err := s.InTx(ctx, func(tx *Tx) error {
		if refused = tx.holds(ctx, cert); refused != nil {
			if fault.CodeOf(refused) != fault.Conflict {
				return refused
			}
			return nil // what holds noted stays
		}
		open, err := tx.open(ctx, cert.Device)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(open, func(c wire.Command) bool { return c.ID == command && c.Kind == wire.Bundle }) {
			refused = fault.Msg(fault.NotFound, "support bundle", "nobody asked this PC for it, or it was told of already")
			return nil
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO device_bundle (command, device, at, size, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (command) DO UPDATE SET at = excluded.at, size = excluded.size, body = excluded.body`,
			command, string(cert.Device), micros(tx.Now), len(body), body); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM device_bundle WHERE at < ? OR device = ? AND command NOT IN (SELECT command FROM device_bundle WHERE device = ? ORDER BY at DESC LIMIT ?)`,
			micros(tx.Now.Add(-bundlesKeptIn)), string(cert.Device), string(cert.Device), bundlesKept)
		return err
	})
	if err == nil {
		err = refused
	}
	return err
}

// BundleOf reads a support bundle. Code not_found.
func (s *Store) BundleOf(ctx context.Context, d retail.DeviceID, command string) (body []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT body FROM device_bundle WHERE device = ? AND command = ?`, string(d), command).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.Msg(fault.NotFound, "support bundle", "there is none: it did not come yet, or it was older than 30 days or five newer ones and was removed")
	}
	return body, classify("read the support bundle", err)
}

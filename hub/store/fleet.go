package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/fleet"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/retail"
)

// releaseCauses are cases that a release can bring about. What a store sells, and what Odoo says, is none of a release's.
var releaseCauses = []cases.Cause{cases.Refused, cases.Gap, cases.Fork, cases.Stopped, cases.Lost, cases.ConnectionRefused}

// Wish is what a device shall run, and from when on.
type Wish struct {
	Device    retail.DeviceID
	Version   string
	Order     string // which wish this is: asked for again, a version that failed is tried again
	NotBefore time.Time
	Back      bool // it lies on its disk: it ran it before
}

// Wishes lists what each device is told to run; a device that is told nothing is not in it.
func (s *Store) Wishes(ctx context.Context) (map[retail.DeviceID]Wish, error) {
	out := map[retail.DeviceID]Wish{}
	err := each(ctx, s.read, func(r *sql.Rows) error {
		var w Wish
		var at, told int64
		err := r.Scan(&w.Device, &w.Version, &at, &told, &w.Back)
		w.NotBefore, w.Order = fromMicros(at), strconv.FormatInt(told, 36)
		out[w.Device] = w
		return err
	}, `SELECT device, told, not_before, told_at, back FROM device_release WHERE told <> ''`)
	return out, classify("read the fleet's wishes", err)
}

// releaseFor is what a PC's word says of its release, nil = nothing. What is called back waits for no night.
func releaseFor(ctx context.Context, q querier, d retail.DeviceID) (r *wire.Release, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		var at, told int64
		r = &wire.Release{}
		err := rows.Scan(&r.Version, &at, &told, &r.Back, &r.Channel, &r.Zone, &r.From, &r.Until)
		r.NotBefore, r.Order = fromMicros(at), strconv.FormatInt(told, 36)
		if r.Back {
			r.From, r.Until, r.Zone = 0, 0, ""
		}
		return err
	}, `SELECT told, not_before, told_at, back, channel, COALESCE((SELECT t.zone FROM assignment a JOIN trading t ON t.location = a.location
			WHERE a.device = r.device AND a.until = 0 ORDER BY a.location, t.since DESC LIMIT 1), ''), COALESCE(n.begins, ?), COALESCE(n.ends, ?)
		FROM device_release r LEFT JOIN store_night n ON n.location = COALESCE((SELECT m.location FROM assignment a JOIN store_night m ON m.location = a.location
			WHERE a.device = r.device AND a.until = 0 ORDER BY a.location LIMIT 1), ?)
		WHERE r.device = ? AND told <> ''`, UsualNight.From, UsualNight.Until, AllLocations, string(d))
	return r, err
}

// tellReleaseReport keeps what a PC says of the release that it was told. What it says of another wish than the newest is history.
func (tx *Tx) tellReleaseReport(ctx context.Context, e *envelope.Envelope) error {
	var r wire.ReleaseReport
	if json.Unmarshal(e.Body, &r) != nil || !slices.Contains([]wire.ReleaseStep{wire.Rests, wire.Begun, wire.Kept, wire.WentBack, wire.NotTakenUp}, r.Step) {
		return nil // of a later version: the raw record is kept
	}
	is, err := releaseFor(ctx, tx, e.Device)
	if err != nil || is == nil || is.Order != r.Order {
		return err
	}
	return tx.TellRelease(ctx, e.Device, is.Version, fleet.Step(r.Step), r.Why, e.At)
}

// LookAtFleet lets the fleet's rollouts go on, and tells whether anybody was told anything.
func (s *Store) LookAtFleet(ctx context.Context) (told bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		ds, err := fleetDevices(ctx, tx)
		if err != nil {
			return err
		}
		tells := fleet.Pinned(ds)
		active, is, err := rollout(ctx, tx, `state <> 'done' AND ended = 0`)
		if err != nil {
			return err
		}
		base, was, err := rollout(ctx, tx, `state = 'done' AND ended = 0`)
		if err != nil {
			return err
		}
		if is {
			next, more := fleet.Decide(active, ds, tx.Now)
			if err := tx.putRollout(ctx, active, next); err != nil {
				return err
			}
			tells = append(tells, more...)
		}
		if was {
			next, more := base, []fleet.Tell(nil)
			if is {
				next, more = fleet.Beside(base, active, ds, tx.Now)
			} else {
				next, more = fleet.Decide(base, ds, tx.Now)
			}
			if err := tx.putRollout(ctx, base, next); err != nil {
				return err
			}
			tells = append(tells, more...)
		}
		for _, t := range tells {
			if err := tx.tellRelease(ctx, t); err != nil {
				return err
			}
		}
		told = len(tells) > 0
		return nil
	})
	return told, classify("look at the fleet", err)
}

// bare is a version as releases are named: a program that was built from the tag v1.5.0 says v1.5.0, and its release is 1.5.0.
func bare(version string) string { return strings.TrimPrefix(version, "v") }

func (tx *Tx) tellRelease(ctx context.Context, t fleet.Tell) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO device_release (device, told, before, told_at, not_before, back, since)
		SELECT id, ?, CASE WHEN version GLOB 'v[0-9]*' THEN substr(version, 2) ELSE version END, ?, ?, ?, ? FROM device WHERE id = ?
		ON CONFLICT (device) DO UPDATE SET told = excluded.told, before = excluded.before, told_at = excluded.told_at, not_before = excluded.not_before, back = excluded.back, step = '', why = '', since = excluded.since`,
		t.Version, micros(tx.Now), micros(t.NotBefore), t.Back, micros(tx.Now), t.Device); err != nil {
		return err
	}
	return tx.putReleaseStep(ctx, t.Device, tx.Now, t.Version, "told", "")
}

func (tx *Tx) putReleaseStep(ctx context.Context, device string, at time.Time, version, what, why string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO device_release_step (device, at, version, what, why) VALUES (?, ?, ?, ?, ?)`, device, micros(at), version, what, why)
	return err
}

// TellRelease keeps how far a device is with a release. A word on another release than the one that it is told is kept for people and changes nothing.
func (tx *Tx) TellRelease(ctx context.Context, d retail.DeviceID, version string, step fleet.Step, why string, at time.Time) error {
	if r := []rune(why); len(r) > maxReason {
		why = string(r[:maxReason]) + "…"
	}
	if err := tx.putReleaseStep(ctx, string(d), at, version, string(step), why); err != nil {
		return err
	}
	if step == fleet.Step(wire.Rests) { // for a rollout it has not begun
		step = fleet.Waiting
	}
	_, err := tx.ExecContext(ctx, `UPDATE device_release SET step = ?, why = ?, since = ? WHERE device = ? AND told = ?`, string(step), why, micros(at), string(d), version)
	return err
}

// fleetDevices reads every device that may send.
func fleetDevices(ctx context.Context, q querier) (out []fleet.Device, err error) {
	opened, err := openedCases(ctx, q)
	if err != nil {
		return nil, err
	}
	err = each(ctx, q, func(r *sql.Rows) error {
		var d fleet.Device
		var toldAt, since, seen, traded int64
		var list string
		var step string
		if err := r.Scan(&d.ID, &d.Running, &d.Platform, &d.Sources, &seen, &list, &d.Group, &d.Pin, &d.Excluded, &d.Told, &d.Before, &toldAt, &step, &d.Why, &since, &d.Location, &traded, &d.Deaf, &d.Channel); err != nil {
			return err
		}
		d.Running = bare(d.Running)
		d.ToldAt, d.Step, d.Since, d.Seen, d.Traded = fromMicros(toldAt), fleet.Step(step), fromMicros(since), fromMicros(seen), fromMicros(traded)
		var conditions []health.Status
		if list != "" && json.Unmarshal([]byte(list), &conditions) == nil {
			for _, h := range conditions {
				if h.Severity == health.High.String() && h.Since.After(d.ToldAt) {
					d.Cases++
				}
			}
		}
		for _, at := range opened[d.Location] {
			if at.After(d.ToldAt) {
				d.Cases++
			}
		}
		out = append(out, d)
		return nil
	}, `SELECT d.id, d.version, d.platform, d.sources, CASE WHEN d.online = 1 THEN ? ELSE d.seen END, d.health, COALESCE(f.family, ''), COALESCE(f.pin, ''), COALESCE(f.excluded, 0),
			COALESCE(f.told, ''), COALESCE(f.before, ''), COALESCE(f.told_at, 0), COALESCE(f.step, ''), COALESCE(f.why, ''), COALESCE(f.since, 0),
			COALESCE((SELECT min(a.location) FROM assignment a WHERE a.device = d.id AND a.until = 0), ''),
			COALESCE((SELECT max(t.seen) FROM assignment a JOIN till t ON t.location = a.location WHERE a.device = d.id AND a.until = 0),
				CASE WHEN EXISTS (SELECT 1 FROM assignment a WHERE a.device = d.id AND a.location = '*' AND a.until = 0) THEN (SELECT max(seen) FROM till) END, 0),
			NOT EXISTS (SELECT 1 FROM certificate c WHERE c.device = d.id AND c.ended = 0), COALESCE(f.channel, '')
		FROM device d LEFT JOIN device_release f ON f.device = d.id WHERE d.disabled = 0 ORDER BY d.id`, micros(nowOf(q)))
	return out, err
}

// nowOf is when a transaction began; outside of one it is now.
func nowOf(q querier) time.Time {
	if tx, ok := q.(*Tx); ok {
		return tx.Now
	}
	return time.Now()
}

func openedCases(ctx context.Context, q querier) (map[retail.LocationCode][]time.Time, error) {
	out := map[retail.LocationCode][]time.Time{}
	err := each(ctx, q, func(r *sql.Rows) error {
		var l retail.LocationCode
		var cause cases.Cause
		var at int64
		err := r.Scan(&l, &cause, &at)
		if slices.Contains(releaseCauses, cause) && l != "" {
			out[l] = append(out[l], fromMicros(at))
		}
		return err
	}, `SELECT location, cause, opened FROM kase WHERE state = 'open'`)
	return out, err
}

// SetFamily puts a device into a group of those that go first together, "" = none. Code not_found.
func (tx *Tx) SetFamily(ctx context.Context, d retail.DeviceID, group, who string) error {
	return tx.setRelease(ctx, d, "family", group, who, "")
}

// PinRelease holds a device at a version, "" = lets it go with the others. Code not_found.
func (tx *Tx) PinRelease(ctx context.Context, d retail.DeviceID, version, who, reason string) error {
	return tx.setRelease(ctx, d, "pin", bare(version), who, reason)
}

// ExcludeRelease keeps a device out of every rollout, or lets it in again. Code not_found.
func (tx *Tx) ExcludeRelease(ctx context.Context, d retail.DeviceID, excluded bool, who, reason string) error {
	v := "0"
	if excluded {
		v = "1"
	}
	return tx.setRelease(ctx, d, "excluded", v, who, reason)
}

func (tx *Tx) setRelease(ctx context.Context, d retail.DeviceID, column, value, who, reason string) error {
	if has, err := tx.HasDevice(ctx, d); err != nil || !has {
		if err == nil {
			err = fault.Msg(fault.NotFound, "device", "there is no device "+string(d)+"; nothing was changed")
		}
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO device_release (device) VALUES (?) ON CONFLICT (device) DO NOTHING`, string(d)); err != nil {
		return err
	}
	var before string
	if err := tx.QueryRowContext(ctx, `SELECT CAST(`+column+` AS TEXT) FROM device_release WHERE device = ?`, string(d)).Scan(&before); err != nil {
		return err
	}
	if before == value {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE device_release SET `+column+` = ? WHERE device = ?`, value, string(d)); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: fmt.Sprintf("release: %s", column), Reason: reason, Before: before, After: value})
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/retail"
)

// AllLocations assigns a device to every location.
const AllLocations = "*"

// AddDevice registers a device; password is its argon2id hash.
func (tx *Tx) AddDevice(ctx context.Context, d retail.DeviceID, password, who string) error {
	if !d.Valid() {
		return fault.Msg(fault.Invalid, "add device", fmt.Sprintf("%q cannot name a device: use a to z, 0 to 9 and '-', at most 64", d))
	}
	before, err := tx.deviceState(ctx, d)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO device (id, password, created) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET password = excluded.password, disabled = 0`, string(d), password, micros(tx.Now)); err != nil {
		return err
	}
	tx.sendersChanged = true
	if before != "" { // a new one has no line to be ended
		if err := tx.changed(ctx, d); err != nil {
			return err
		}
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "password set", Before: before, After: deviceEnabled})
}

// DisableDevice stops a device from sending, or lets it send again; what it sent stays. Code not_found.
func (tx *Tx) DisableDevice(ctx context.Context, d retail.DeviceID, disabled bool, who, reason string) error {
	before, err := tx.deviceState(ctx, d)
	if err != nil {
		return err
	}
	if before == "" {
		return fault.Msg(fault.NotFound, "device", "there is no device "+string(d)+"; nothing was changed")
	}
	what, off := deviceEnabled, 0
	if disabled {
		what, off = deviceDisabled, 1
	}
	if _, err := tx.ExecContext(ctx, `UPDATE device SET disabled = ? WHERE id = ?`, off, string(d)); err != nil {
		return err
	}
	tx.sendersChanged = true
	if err := tx.changed(ctx, d); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: what, Reason: reason, Before: before, After: what})
}

const (
	deviceEnabled  = "enabled"
	deviceDisabled = "disabled"
)

// deviceState is "" for a device that nobody registered.
func (tx *Tx) deviceState(ctx context.Context, d retail.DeviceID) (string, error) {
	var disabled bool
	switch err := tx.QueryRowContext(ctx, `SELECT disabled FROM device WHERE id = ?`, string(d)).Scan(&disabled); {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", err
	case disabled:
		return deviceDisabled, nil
	}
	return deviceEnabled, nil
}

// HasDevice reports whether a device is registered.
func (tx *Tx) HasDevice(ctx context.Context, d retail.DeviceID) (bool, error) {
	state, err := tx.deviceState(ctx, d)
	return state != "", err
}

// Assign lets a device speak for a location ("*" = all) from since on.
func (tx *Tx) Assign(ctx context.Context, d retail.DeviceID, l retail.LocationCode, since time.Time, who string) error {
	before, err := tx.speaksFor(ctx, d)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO assignment (device, location, since) VALUES (?, ?, ?) ON CONFLICT (device, location, since) DO UPDATE SET until = 0`,
		string(d), string(l), micros(since)); err != nil {
		return err
	}
	tx.sendersChanged = true
	after, err := tx.speaksFor(ctx, d)
	if err != nil || before == after {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "assigned", Before: before, After: after})
}

// Unassign ends every assignment of d to a location that still runs, from until on: what was captured before stays the device's to tell.
// Code not_found when there is none.
func (tx *Tx) Unassign(ctx context.Context, d retail.DeviceID, l retail.LocationCode, until time.Time, who string) error {
	before, err := tx.speaksFor(ctx, d)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `UPDATE assignment SET until = ? WHERE device = ? AND location = ? AND until = 0`, micros(until), string(d), string(l))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fault.Msg(fault.NotFound, "unassign", fmt.Sprintf("location %q is not assigned to device %s", l, d)))
	}
	tx.sendersChanged = true
	after, err := tx.speaksFor(ctx, d)
	if err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "unassigned", Before: before, After: after})
}

// Password returns a device's password hash; code not_found when it is unknown or disabled.
func (s *Store) Password(ctx context.Context, d retail.DeviceID) (hash string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT password FROM device WHERE id = ? AND disabled = 0`, string(d)).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.Msg(fault.NotFound, "read device", "device "+string(d)+" is unknown or disabled")
	}
	return hash, classify("read device", err)
}

// Stop implements ingest.Registry.
func (s *Store) Stop(ctx context.Context, h ingest.Head, d retail.DeviceID, st envelope.Stream, e envelope.Epoch, c cases.Case) error {
	return s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE lane SET stopped = ? WHERE device = ? AND stream = ? AND epoch = ?`, c.Title, string(d), string(st), e[:]); err != nil {
			return err
		}
		return tx.OpenCase(ctx, c)
	})
}

// Release lets the stopped streams of a device go on; its next hello continues them.
func (tx *Tx) Release(ctx context.Context, d retail.DeviceID, who, reason string) error {
	var before string
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(stopped), '') FROM lane WHERE device = ?`, string(d)).Scan(&before); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE lane SET stopped = '' WHERE device = ?`, string(d)); err != nil {
		return err
	}
	for _, s := range envelope.Streams {
		if err := tx.CloseCase(ctx, cases.ID(cases.Stopped, string(d)+"/"+string(s)), who, reason); err != nil {
			return err
		}
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "released", Reason: reason, Before: before, After: "goes on"})
}

// Open implements ingest.Registry.
func (s *Store) Open(ctx context.Context, c cases.Case) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.OpenCase(ctx, c) })
}

// Settle implements ingest.CaseBook. It looks before it writes: a fleet that reconnects asks for every stream.
func (s *Store) Settle(ctx context.Context, id, why string) error {
	if stream, ok := strings.CutPrefix(id, cases.ID(cases.HubRestored, "")); ok {
		if err := s.cameBack(ctx, stream); err != nil {
			return err
		}
	}
	var n int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM kase WHERE id = ? AND state = 'open'`, id).Scan(&n); err != nil || n == 0 {
		return classify("read case", err)
	}
	return s.InTx(ctx, func(tx *Tx) error {
		if err := tx.CloseCase(ctx, id, "hub", why); err != nil {
			return err
		}
		return tx.touchAdopted(ctx)
	})
}

// Body returns the raw record of an envelope. ErrErased when its customer was erased.
func (s *Store) Body(ctx context.Context, envelope int64) ([]byte, error) {
	return s.body(ctx, s.read, envelope)
}

// tellHealth keeps what an agent says is wrong at its store: its last word.
func (tx *Tx) tellHealth(ctx context.Context, e *envelope.Envelope) error {
	var list []health.Status
	if json.Unmarshal(e.Body, &list) != nil {
		return nil // a list of a later version: the raw record is kept
	}
	_, err := tx.ExecContext(ctx, `UPDATE device SET health = ?, told = ? WHERE id = ? AND told <= ?`, string(e.Body), micros(e.At), string(e.Device), micros(e.At))
	return err
}

// AllAway notes that no device is known to be connected: a hub that starts hears from each anew, and one that went away meanwhile tells nobody.
func (s *Store) AllAway(ctx context.Context) error {
	return s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE device SET online = 0 WHERE online = 1`)
		return err
	})
}

// Births notes which devices came or went; it implements what the hub's link tells. A device that nobody registered leaves no trace.
func (s *Store) Births(ctx context.Context, came map[retail.DeviceID]envelope.Birth) error {
	return s.InTx(ctx, func(tx *Tx) error {
		for d, b := range came {
			if _, err := tx.ExecContext(ctx, `UPDATE device SET online = ?, seen = ?, version = CASE WHEN ? = '' THEN version ELSE ? END,
				platform = CASE WHEN ? = '' THEN platform ELSE ? END, sources = CASE WHEN ? = '' THEN sources ELSE ? END WHERE id = ?`,
				b.Online, micros(tx.Now), b.Version, b.Version, b.Platform, b.Platform, b.Sources, b.Sources, string(d)); err != nil {
				return err
			}
			if err := tx.putPolls(ctx, d, b); err != nil {
				return err
			}
		}
		return nil
	})
}

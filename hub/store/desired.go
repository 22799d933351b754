package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/view"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Layer is the version of a layer that counts, version 0 = it was never set.
func (tx *Tx) Layer(ctx context.Context, k desired.Key) (desired.Layer, error) {
	all, err := layers(ctx, tx, `WHERE scope = ? AND name = ? ORDER BY version DESC LIMIT 1`, string(k.Scope), k.Name)
	if err != nil || len(all) == 0 {
		return desired.Layer{Key: k}, err
	}
	return all[0], nil
}

// SetLayer gives a layer its next version, audited with what stood before. Codes: invalid, not_found for a device or location that nobody
// knows, conflict when it says the same already.
func (tx *Tx) SetLayer(ctx context.Context, k desired.Key, text, who, reason string) (desired.Layer, error) {
	if _, err := wire.Parse(text); err != nil {
		return desired.Layer{}, err
	}
	if err := tx.hasLayer(ctx, k); err != nil {
		return desired.Layer{}, err
	}
	was, err := tx.Layer(ctx, k)
	if err != nil {
		return was, err
	}
	if was.Text == text {
		return was, fault.Msg(fault.Conflict, "set settings", "the settings of "+k.String()+" say that already; nothing was changed")
	}
	l := desired.Layer{Key: k, Version: was.Version + 1, Text: text, Who: who, Reason: reason, At: tx.Now}
	if _, err := tx.ExecContext(ctx, `INSERT INTO desired_layer (scope, name, version, body, who, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(k.Scope), k.Name, l.Version, text, who, reason, micros(tx.Now)); err != nil {
		return l, err
	}
	subject := k.String()
	if k.Scope == desired.Fleet {
		subject = "fleet settings"
	}
	return l, tx.PutStep(ctx, Step{Subject: subject, Who: who, What: fmt.Sprintf("settings set, version %d", l.Version), Reason: reason, Before: was.Text, After: text})
}

func (tx *Tx) hasLayer(ctx context.Context, k desired.Key) error {
	var n int
	var err error
	switch k.Scope {
	case desired.Fleet:
		return nil
	case desired.Location:
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM location WHERE code = ?`, k.Name).Scan(&n)
	case desired.Device:
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE id = ?`, k.Name).Scan(&n)
	}
	if err == nil && n == 0 {
		err = fault.Msg(fault.NotFound, "settings", "there is no "+k.String()+"; nothing was changed")
	}
	return err
}

// Layers lists every version of a layer, the newest first.
func (s *Store) Layers(ctx context.Context, k desired.Key) ([]desired.Layer, error) {
	all, err := layers(ctx, s.read, `WHERE scope = ? AND name = ? ORDER BY version DESC LIMIT 200`, string(k.Scope), k.Name)
	return all, classify("list settings", err)
}

// LayersOf lists the layers that count for a device, the widest first.
func (s *Store) LayersOf(ctx context.Context, d retail.DeviceID) ([]desired.Layer, error) {
	all, err := layersOf(ctx, s.read, d)
	return all, classify("list settings", err)
}

func layersOf(ctx context.Context, q querier, d retail.DeviceID) ([]desired.Layer, error) {
	return layers(ctx, q, `l WHERE version = (SELECT max(version) FROM desired_layer m WHERE m.scope = l.scope AND m.name = l.name)
		AND (scope = 'fleet' OR scope = 'device' AND name = ? OR scope = 'location' AND name IN (SELECT location FROM assignment WHERE device = ? AND until = 0))
		ORDER BY CASE scope WHEN 'fleet' THEN 0 WHEN 'location' THEN 1 ELSE 2 END, name`, string(d), string(d))
}

func layers(ctx context.Context, q querier, where string, args ...any) (out []desired.Layer, err error) {
	err = each(ctx, q, func(r *sql.Rows) error {
		var l desired.Layer
		var at int64
		err := r.Scan(&l.Scope, &l.Name, &l.Version, &l.Text, &l.Who, &l.Reason, &at)
		l.At = fromMicros(at)
		out = append(out, l)
		return err
	}, `SELECT scope, name, version, body, who, reason, at FROM desired_layer `+where, args...)
	return out, err
}

// DesiredPC is a PC that can be told what it shall be, and what its word is made of.
type DesiredPC struct {
	Device retail.DeviceID
	Basis  string // another one whenever the word may have become another
}

// DesiredPCs lists the PCs that can be told what they shall be: those with a certificate that holds, because only they can tell their hub's
// word from another's. One word takes a transaction; the bases of 5,000 are one question.
func (s *Store) DesiredPCs(ctx context.Context) (out []DesiredPC, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var d DesiredPC
		err := r.Scan(&d.Device, &d.Basis)
		out = append(out, d)
		return err
	}, `SELECT d.id, (SELECT COALESCE(max(number), 0) FROM desired_layer WHERE scope = 'fleet')
		|| ' ' || (SELECT COALESCE(max(number), 0) FROM desired_layer WHERE scope = 'device' AND name = d.id)
		|| ' ' || (SELECT COALESCE(max(l.number), 0) || ' ' || COALESCE(group_concat(a.location), '') FROM assignment a LEFT JOIN desired_layer l ON l.scope = 'location' AND l.name = a.location WHERE a.device = d.id AND a.until = 0)
		|| ' ' || (SELECT count(*) || ' ' || COALESCE(max(number), 0) FROM device_command WHERE device = d.id AND outcome = '')
		|| ' ' || COALESCE((SELECT CASE WHEN seen > version THEN seen ELSE 0 END FROM desired_word WHERE device = d.id), 0)
		|| ' ' || COALESCE((SELECT told || ' ' || told_at || ' ' || not_before || ' ' || back || ' ' || channel FROM device_release WHERE device = d.id), '')
		|| ' ' || (SELECT count(*) || ' ' || COALESCE(max(number), 0) FROM store_night WHERE location = '*' OR location IN (SELECT location FROM assignment WHERE device = d.id AND until = 0))
		FROM device d WHERE disabled = 0 AND EXISTS (SELECT 1 FROM certificate c WHERE c.device = d.id AND c.ended = 0) ORDER BY d.id`)
	return out, classify("list devices", err)
}

// DesiredChange is a number that is another one whenever a word may have become another: by this process or a command.
func (s *Store) DesiredChange(ctx context.Context) (n string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT COALESCE(max(number), 0) FROM desired_layer) || '.' || (SELECT count(*) || '.' || COALESCE(sum(ended), 0) FROM device_command)
		|| '.' || (SELECT count(*) FROM desired_word WHERE seen > version) || '.' || (SELECT COALESCE(max(number), 0) || '.' || count(ended = 0 OR NULL) FROM certificate)
		|| '.' || (SELECT count(*) || '.' || count(until = 0 OR NULL) FROM assignment)
		|| '.' || (SELECT COALESCE(max(number), 0) || '.' || count(*) FROM store_night)
		|| '.' || (SELECT count(told <> '' OR NULL) || '.' || COALESCE(max(told_at), 0) FROM device_release)`).Scan(&n)
	return n, classify("look for new settings", err)
}

// Word makes a PC's word anew when it is another; sealed is what the topic says, nil = nothing was ever set for it.
func (s *Store) Word(ctx context.Context, d retail.DeviceID, hub envelope.HubID, sign func([]byte) ([]byte, error)) (sealed []byte, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		told, body, problem, err := tx.lastWord(ctx, d)
		if err != nil {
			return err
		}
		ls, err := layersOf(ctx, tx, d)
		if err != nil {
			return err
		}
		cs, err := tx.open(ctx, d)
		if err != nil {
			return err
		}
		release, err := releaseFor(ctx, tx, d)
		if err != nil {
			return err
		}
		if sealed = body; len(ls) == 0 && len(cs) == 0 && release == nil && body == nil {
			return nil
		}
		composed, err := desired.Compose(ls)
		var m wire.Message
		var word string
		changed := false
		if err == nil {
			m, word, changed, err = desired.Next(told, hub, d, composed, release, cs, tx.Now)
		}
		if err == nil && changed {
			sealed, err = wire.Encode(m, sign)
		}
		switch {
		case fault.Is(err, fault.Invalid): // the layers do not go together: the last word goes on, and people see why
			sealed = body
			if problem == err.Error() {
				return nil
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO desired_word (device, version, hash, word, body, made, fault) VALUES (?, 0, '', '', x'', 0, ?) ON CONFLICT (device) DO UPDATE SET fault = excluded.fault`, string(d), err.Error())
			return err
		case err != nil:
			return err
		case !changed && problem == "":
			return nil
		case !changed:
			_, err = tx.ExecContext(ctx, `UPDATE desired_word SET fault = '' WHERE device = ?`, string(d))
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO desired_word (device, version, hash, word, body, made) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (device) DO UPDATE SET version = excluded.version, hash = excluded.hash, word = excluded.word, body = excluded.body, made = excluded.made, fault = ''`,
			string(d), m.Version, m.Hash, word, sealed, micros(tx.Now)); err != nil {
			return err
		}
		return nil
	})
	return sealed, err
}

func (tx *Tx) lastWord(ctx context.Context, d retail.DeviceID) (t desired.Told, body []byte, problem string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT version, hash, word, body, seen, fault FROM desired_word WHERE device = ?`, string(d)).Scan(&t.Version, &t.Hash, &t.Word, &body, &t.Seen, &problem)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil, "", nil
	}
	if len(body) == 0 {
		body = nil
	}
	return t, body, problem, err
}

// tellDesired keeps what a PC says of its settings. Each report is final; the newest counts.
func (tx *Tx) tellDesired(ctx context.Context, e *envelope.Envelope) error {
	var r wire.Report
	if json.Unmarshal(e.Body, &r) != nil || !slices.Contains([]wire.State{wire.Applied, wire.Refused, wire.RolledBack}, r.State) {
		return nil // of a later version: the raw record is kept
	}
	var before string
	err := tx.QueryRowContext(ctx, `SELECT report FROM desired_word WHERE device = ?`, string(e.Device)).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var last wire.Report
	if before != "" && json.Unmarshal([]byte(before), &last) == nil && r.Version < last.Version {
		return nil // an older one that was sent again
	}
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO desired_word (device, version, hash, word, body, made, report, seen) SELECT id, 0, '', '', x'', 0, ?, ? FROM device WHERE id = ?
		ON CONFLICT (device) DO UPDATE SET report = excluded.report, seen = excluded.seen`, string(body), r.Seen, string(e.Device)); err != nil {
		return err
	}
	if last.Hash == r.Hash && last.State == r.State {
		return nil
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(e.Device), Who: "device " + string(e.Device), What: "settings " + string(r.State), Reason: r.Reason, Before: last.Hash, After: r.Hash})
}

// Desired is how a PC stands to what is wanted of it.
func (s *Store) Desired(ctx context.Context, d retail.DeviceID) (v view.DesiredView, err error) {
	var made int64
	var report string
	err = s.read.QueryRowContext(ctx, `SELECT version, hash, made, report, fault FROM desired_word WHERE device = ?`, string(d)).Scan(&v.Version, &v.Hash, &made, &report, &v.Fault)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return v, classify("read the desired state", err)
	}
	if v.Made = fromMicros(made); report != "" {
		if err := json.Unmarshal([]byte(report), &v.Report); err != nil {
			return v, fault.New(fault.Internal, "read the desired state", err)
		}
	}
	v.Standing = desired.Stands(v.Version, v.Hash, v.Report)
	if v.Layers, err = s.LayersOf(ctx, d); err != nil {
		return v, err
	}
	if all, cerr := desired.Compose(v.Layers); cerr == nil {
		v.Text, err = all.TOML()
	} else {
		v.Fault = cerr.Error()
	}
	if err == nil {
		v.Commands, err = s.Commands(ctx, d)
	}
	return v, err
}

// DeviceSteps is the audit trail of a device.
func (s *Store) DeviceSteps(ctx context.Context, d retail.DeviceID) ([]view.StepView, error) {
	return s.steps(ctx, "device "+string(d), "device "+string(d)+"/")
}

const (
	bundlesKept   = 5 // of one device
	bundlesKeptIn = 30 * 24 * time.Hour
)

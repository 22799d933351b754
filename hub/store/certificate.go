package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Why a certificate ended before its time.
const (
	whyRevoked  = "revoked"  // by a person
	whyReplaced = "replaced" // its device was enrolled anew, on another PC or on this one
	whyRenewed  = "renewed"  // the one after it came in
)

// Admit implements broker.Certificates: may the holder of this certificate come in now? When one comes in for the first time, those before
// it end: who shows one of them afterwards is a copy of this PC, or the PC put back to an older state. Code conflict: it does not hold; the
// text says why.
func (s *Store) Admit(ctx context.Context, c authority.Certificate) error {
	var used, ended int64
	var disabled bool
	err := s.read.QueryRowContext(ctx, `SELECT c.used, c.ended, d.disabled FROM certificate c JOIN device d ON d.id = c.device WHERE c.serial = ? AND c.device = ? AND c.key = ?`,
		c.Serial, string(c.Device), c.Key[:]).Scan(&used, &ended, &disabled)
	if err == nil && used > 0 && ended == 0 && !disabled {
		return nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return classify("read certificate", err)
	}
	var refused error
	err = s.InTx(ctx, func(tx *Tx) error {
		if refused = tx.holds(ctx, c); refused != nil {
			if fault.CodeOf(refused) != fault.Conflict {
				return refused
			}
			return nil // what holds noted stays
		}
		if _, err := tx.ExecContext(ctx, `UPDATE certificate SET used = ? WHERE serial = ? AND used = 0`, micros(tx.Now), c.Serial); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE certificate SET ended = ?, why = ? WHERE device = ? AND ended = 0 AND number < (SELECT number FROM certificate WHERE serial = ?)`,
			micros(tx.Now), whyRenewed, string(c.Device), c.Serial)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return tx.changed(ctx, c.Device)
	})
	if err == nil {
		err = refused
	}
	return err
}

// holds looks whether a certificate of our authority still gives rights. One that the database does not know is of a time after the backup
// that this database was put back from: it is taken over, unless a newer one of its device is known.
func (tx *Tx) holds(ctx context.Context, c authority.Certificate) error {
	state, err := tx.deviceState(ctx, c.Device)
	if err != nil {
		return err
	}
	if state != deviceEnabled {
		return fault.Msg(fault.Conflict, "certificate", "device "+string(c.Device)+" is unknown or disabled at the hub")
	}
	var ended int64
	var why string
	var key []byte
	err = tx.QueryRowContext(ctx, `SELECT ended, why, key FROM certificate WHERE serial = ? AND device = ?`, c.Serial, string(c.Device)).Scan(&ended, &why, &key)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return tx.adoptCertificate(ctx, c)
	case err != nil:
		return err
	case ended == 0 && string(key) != string(c.Key[:]):
		return fault.Msg(fault.Conflict, "certificate", "it is not the one that was issued")
	case ended == 0:
		return nil
	case why == whyRevoked:
		return fault.Msg(fault.Conflict, "certificate", fmt.Sprintf("the certificate of %s was revoked on %s", c.Device, fromMicros(ended).Format(time.DateTime)))
	}
	k := cases.New(cases.CertificateCopied, string(c.Device), tx.Now)
	k.Detail = fmt.Sprintf("a PC shows certificate %s of %s, which was %s on %s", short(c.Serial), c.Device, why, fromMicros(ended).Format(time.DateTime))
	if err := tx.ask(ctx, k); err != nil {
		return err
	}
	return fault.Msg(fault.Conflict, "certificate", fmt.Sprintf("the certificate of %s was %s on %s: this PC is a copy, or was put back to an older state", c.Device, why, fromMicros(ended).Format(time.DateTime)))
}

func (tx *Tx) adoptCertificate(ctx context.Context, c authority.Certificate) error {
	var newer int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM certificate WHERE device = ? AND begins >= ?`, string(c.Device), micros(c.Begins)).Scan(&newer); err != nil {
		return err
	}
	if newer > 0 {
		return fault.Msg(fault.Conflict, "certificate", "the hub knows a newer certificate of "+string(c.Device))
	}
	if err := tx.putCertificate(ctx, c); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(c.Device), Who: "hub", What: "certificate taken over", After: short(c.Serial) + ", issued after the backup that this hub was put back from"})
}

func (tx *Tx) putCertificate(ctx context.Context, c authority.Certificate) error {
	tx.sendersChanged = true
	_, err := tx.ExecContext(ctx, `INSERT INTO certificate (serial, device, key, der, begins, ends) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Serial, string(c.Device), c.Key[:], c.DER, micros(c.Begins), micros(c.Ends))
	return err
}

// certificate reads one that holds; a zero one when there is none.
func (tx *Tx) certificate(ctx context.Context, serial string) (c authority.Certificate, err error) {
	var begins, ends int64
	var key []byte
	err = tx.QueryRowContext(ctx, `SELECT serial, device, key, der, begins, ends FROM certificate WHERE serial = ? AND ended = 0`, serial).Scan(&c.Serial, &c.Device, &key, &c.DER, &begins, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return authority.Certificate{}, nil
	}
	c.Begins, c.Ends = fromMicros(begins), fromMicros(ends)
	copy(c.Key[:], key)
	return c, err
}

// Holding counts a device's certificates that hold.
func (tx *Tx) Holding(ctx context.Context, d retail.DeviceID) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM certificate WHERE device = ? AND ended = 0 AND ends > ?`, string(d), micros(tx.Now)).Scan(&n)
	return n, err
}

// endCertificates ends all of a device's. Their numbers are kept beside the database, too, so that no backup brings them back.
func (tx *Tx) endCertificates(ctx context.Context, d retail.DeviceID, why string) error {
	var serials []string
	if err := each(ctx, tx, func(r *sql.Rows) error {
		var serial string
		err := r.Scan(&serial)
		serials = append(serials, serial)
		return err
	}, `SELECT serial FROM certificate WHERE device = ? AND ended = 0`, string(d)); err != nil {
		return err
	}
	for _, serial := range serials {
		if err := tx.store.note(revokedFile, serial+" "+string(d)+" "+why); err != nil {
			return fault.New(fault.Internal, "note which certificates end", err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE certificate SET ended = ?, why = ? WHERE device = ? AND ended = 0`, micros(tx.Now), why, string(d)); err != nil {
		return err
	}
	tx.sendersChanged = true
	return tx.changed(ctx, d)
}

// Revoke ends every certificate of a device, its code that waits, and a password: nothing comes from it until it is enrolled again. Its
// locations stay its own. Code not_found.
func (tx *Tx) Revoke(ctx context.Context, d retail.DeviceID, who, reason string) error {
	before, err := tx.deviceState(ctx, d)
	if err != nil {
		return err
	}
	if before == "" {
		return fault.Msg(fault.NotFound, "revoke", "there is no device "+string(d)+"; nothing was changed")
	}
	if err := tx.endCertificates(ctx, d, whyRevoked); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM enrol_code WHERE device = ?`, string(d)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE device SET password = '' WHERE id = ?`, string(d)); err != nil {
		return err
	}
	for _, cause := range []cases.Cause{cases.CodeGuessed, cases.CodeStolen, cases.CertificateCopied} {
		if err := tx.CloseCase(ctx, cases.ID(cause, string(d)), who, "revoked"); err != nil {
			return err
		}
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: whyRevoked, Reason: reason, Before: before, After: "must be enrolled again"})
}

// endNoted ends what was ended since the backup that was put back. A certificate that the backup does not know is noted as one that ended.
func (tx *Tx) endNoted(ctx context.Context, lines []string) error {
	for _, line := range lines {
		p := strings.Fields(line)
		if len(p) != 3 {
			continue // a power cut in the middle of a line: its transaction never came
		}
		key := sha256.Sum256([]byte(p[0]))
		if _, err := tx.ExecContext(ctx, `INSERT INTO certificate (serial, device, key, der, begins, ends, ended, why) SELECT ?, id, ?, x'', 0, 0, ?, ? FROM device WHERE id = ?
			ON CONFLICT (serial) DO UPDATE SET ended = excluded.ended, why = excluded.why WHERE ended = 0`, p[0], key[:], micros(tx.Now), p[2], p[1]); err != nil {
			return err
		}
	}
	return nil
}

// changed tells the broker to look at a device's connections again.
func (tx *Tx) changed(ctx context.Context, d retail.DeviceID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM device_change WHERE at < ?`, micros(tx.Now.Add(-time.Hour))); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO device_change (device, at) VALUES (?, ?)`, string(d), micros(tx.Now))
	return err
}

// DeviceChanges lists whose rights changed since; last is what to ask with the next time. A first question, with a negative since, gets none.
func (s *Store) DeviceChanges(ctx context.Context, since int64) (devices []retail.DeviceID, last int64, err error) {
	if since < 0 {
		err := s.read.QueryRowContext(ctx, `SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'device_change'), 0)`).Scan(&last)
		return nil, last, classify("read what changed", err)
	}
	last = since
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var d string
		err := r.Scan(&last, &d)
		devices = append(devices, retail.DeviceID(d))
		return err
	}, `SELECT number, device FROM device_change WHERE number > ? ORDER BY number`, since)
	return devices, last, classify("read what changed", err)
}

// Keeps lists the SHA-256 of the certificates, in hex, with which a device may stay connected: none for one that is disabled.
func (s *Store) Keeps(ctx context.Context, d retail.DeviceID) (out []string, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var der []byte
		if err := r.Scan(&der); err != nil {
			return err
		}
		sum := sha256.Sum256(der)
		out = append(out, hex.EncodeToString(sum[:]))
		return nil
	}, `SELECT c.der FROM certificate c JOIN device d ON d.id = c.device WHERE c.device = ? AND c.ended = 0 AND d.disabled = 0`, string(d))
	return out, classify("list certificates", err)
}

// Ended lists the certificates that give no right and whose date has not come: ended ones, and those of disabled devices.
func (s *Store) Ended(ctx context.Context) (out []authority.Ended, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var e authority.Ended
		var at int64
		if err := r.Scan(&e.Serial, &at, &e.Held); err != nil {
			return err
		}
		if e.At = fromMicros(at); e.Held {
			e.At = s.Now()
		}
		out = append(out, e)
		return nil
	}, `SELECT c.serial, c.ended, c.ended = 0 FROM certificate c JOIN device d ON d.id = c.device WHERE (c.ended > 0 OR d.disabled > 0) AND (c.ends = 0 OR c.ends > ?) ORDER BY c.number`, micros(s.Now()))
	return out, classify("list revoked certificates", err)
}

// Certificates lists what was issued to a device, the newest first.
func (s *Store) Certificates(ctx context.Context, d retail.DeviceID) (out []view.CertificateView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		v, err := scanCertificate(r)
		out = append(out, v)
		return err
	}, `SELECT device, serial, begins, ends, used, ended, why FROM certificate WHERE device = ? ORDER BY number DESC`, string(d))
	return out, classify("list certificates", err)
}

func scanCertificate(r *sql.Rows) (v view.CertificateView, err error) {
	var begins, ends, used, ended int64
	err = r.Scan(&v.Device, &v.Serial, &begins, &ends, &used, &ended, &v.Why)
	v.Begins, v.Ends, v.Used, v.Ended = fromMicros(begins), fromMicros(ends), fromMicros(used), fromMicros(ended)
	return v, err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// wrongTries ends a code: somebody guesses at it. 55 bits and ten tries leave him no hope.
	wrongTries = 10
	// askAgain is how long a PC whose answer was lost may ask again with the key that used the code.
	askAgain = 30 * 24 * time.Hour
	// codeKept is how long an expired code that nobody used is remembered, so that its end can be told.
	codeKept = 30 * 24 * time.Hour
)

// MakeCode makes the one code that lets a PC become device d until expires; older ones that nobody used end. The device must be registered.
// Code conflict: the device has a certificate that holds, and replace is false.
func (tx *Tx) MakeCode(ctx context.Context, d retail.DeviceID, expires time.Time, replace bool, who, reason string) (enrol.Code, error) {
	before, err := tx.deviceState(ctx, d)
	if err != nil {
		return "", err
	}
	if before == "" {
		return "", fault.Msg(fault.NotFound, "make a code", "there is no device "+string(d)+"; nothing was changed")
	}
	have, err := tx.Holding(ctx, d)
	if err != nil {
		return "", err
	}
	if have > 0 && !replace {
		return "", fault.Msg(fault.Conflict, "make a code", fmt.Sprintf("a PC is enrolled as %s and its certificate holds; nothing was changed. If another PC takes its place, or it lost its key: hub device replace %s", d, d))
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM enrol_code WHERE (device = ? AND used = 0) OR (used = 0 AND expires < ?) OR (used > 0 AND used < ?)`,
		string(d), micros(tx.Now.Add(-codeKept)), micros(tx.Now.Add(-askAgain))); err != nil {
		return "", err
	}
	for range 100 { // 20 bits of id: two of a kind are rare, and then another is made
		code := enrol.NewCode()
		res, err := tx.ExecContext(ctx, `INSERT INTO enrol_code (id, device, key, made, expires, who) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			code.ID(), string(d), seal(tx.store.sealKey(), code.Key()), micros(tx.Now), micros(expires), who)
		if err != nil {
			return "", err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err != nil {
				return "", err
			}
			continue
		}
		what := "code made"
		if replace {
			what = "code for another PC made"
		}
		return code, tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: what, Reason: reason, Before: before, After: "code " + code.String() + " until " + expires.UTC().Format(time.DateTime)})
	}
	return "", fault.Msg(fault.Internal, "make a code", "no free number was found")
}

// DropCode ends a code that nobody used. Code not_found.
func (tx *Tx) DropCode(ctx context.Context, d retail.DeviceID, who, reason string) error {
	res, err := tx.ExecContext(ctx, `DELETE FROM enrol_code WHERE device = ? AND used = 0`, string(d))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fault.Msg(fault.NotFound, "end the code", "device "+string(d)+" has no code that waits"))
	}
	return tx.PutStep(ctx, Step{Subject: "device " + string(d), Who: who, What: "code ended", Reason: reason})
}

// CodeKey implements enrol.Book: the key of a code that is open, or was used not long ago. Code not_found for every other one.
func (s *Store) CodeKey(ctx context.Context, id string) ([]byte, error) {
	var sealed []byte
	now := s.Now()
	err := s.read.QueryRowContext(ctx, `SELECT key FROM enrol_code WHERE id = ? AND wrong < ? AND ((used = 0 AND expires > ?) OR used > ?)`,
		id, wrongTries, micros(now), micros(now.Add(-askAgain))).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.Msg(fault.NotFound, "read the code", "there is no such code")
	}
	if err != nil {
		return nil, classify("read the code", err)
	}
	return unseal(s.sealKey(), sealed)
}

// CodeWrong implements enrol.Book: somebody has a code's number and not the code.
func (s *Store) CodeWrong(ctx context.Context, id, from string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		var d string
		var wrong, used int64
		err := tx.QueryRowContext(ctx, `UPDATE enrol_code SET wrong = wrong + 1 WHERE id = ? RETURNING device, wrong, used`, id).Scan(&d, &wrong, &used)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil || wrong != wrongTries {
			return err
		}
		c := cases.New(cases.CodeGuessed, d, tx.Now)
		c.Detail = fmt.Sprintf("code %s-… for %s was tried %d times with a wrong secret, the last time from %s; it is ended", id, d, wrong, from)
		return tx.OpenCase(ctx, c)
	})
}

// Redeem implements enrol.Book: it gives device d of the code a certificate, once. The same key gets the same certificate again, as a PC does
// whose answer was lost; another key is refused with a case, code conflict.
func (s *Store) Redeem(ctx context.Context, id string, ask enrol.Ask, key authority.KeyID, from string, issue authority.Issuer) (cert authority.Certificate, err error) {
	failpoint.Hit("enrol.commit.before")
	var refused error
	err = s.InTx(ctx, func(tx *Tx) error {
		var device, serial string
		var used, expires int64
		var pc []byte
		err := tx.QueryRowContext(ctx, `SELECT device, used, expires, pc, serial FROM enrol_code WHERE id = ?`, id).Scan(&device, &used, &expires, &pc, &serial)
		d := retail.DeviceID(device)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && used == 0 && expires <= micros(tx.Now):
			return fault.Msg(fault.NotFound, "redeem the code", "it ran out a moment ago: ask head office for a new one")
		case err != nil:
			return err
		case used > 0 && string(pc) != string(key[:]):
			refused = fault.Msg(fault.Conflict, "redeem the code", "another PC has used this code already. Call head office's IT at once: if it was not a PC of this store, they must end it (hub device revoke "+device+") and make a new code")
			c := cases.New(cases.CodeStolen, device, tx.Now)
			c.Detail = fmt.Sprintf("code %s-… made %s a certificate on %s; now a PC with another key (%s, from %s) shows the same code", id, d, fromMicros(used).Format(time.DateTime), ask.Host, from)
			return tx.OpenCase(ctx, c)
		case used > 0:
			if cert, err = tx.certificate(ctx, serial); err == nil && cert.Serial == "" {
				err = fault.Msg(fault.Conflict, "redeem the code", "the certificate that this code gave does not hold any more; ask head office for a new code")
			}
			return err
		}
		if ask.Have != "" && ask.Have != d {
			refused = fault.Msg(fault.Conflict, "redeem the code", fmt.Sprintf("this PC holds the tickets of device %s, and the code is for %s; the code is still good. Ask head office for a code for %s, or enrol with another data_dir", ask.Have, d, ask.Have))
			return nil
		}
		if cert, err = issue(d); err != nil {
			return err
		}
		if err := tx.endCertificates(ctx, d, whyReplaced); err != nil {
			return err
		}
		if err := tx.putCertificate(ctx, cert); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE enrol_code SET used = ?, pc = ?, serial = ? WHERE id = ?`, micros(tx.Now), key[:], cert.Serial, id); err != nil {
			return err
		}
		// From now on this device comes with its certificate: a password that somebody wrote down opens nothing.
		if _, err := tx.ExecContext(ctx, `UPDATE device SET password = '', disabled = 0 WHERE id = ?`, device); err != nil {
			return err
		}
		for _, cause := range []cases.Cause{cases.CodeGuessed, cases.CertificateCopied} {
			if err := tx.CloseCase(ctx, cases.ID(cause, device), "hub", "enrolled anew"); err != nil {
				return err
			}
		}
		return tx.PutStep(ctx, Step{Subject: "device " + device, Who: "PC " + ask.Host, What: "enrolled", After: "certificate " + short(cert.Serial) + " until " + cert.Ends.Format(time.DateTime)})
	})
	failpoint.Hit("enrol.commit.after")
	if err == nil {
		err = refused
	}
	return cert, err
}

// Renew implements enrol.Book: the holder of certificate old gets a new one for another key, and the same one again when it asks again. Both
// hold until the new one comes in. Code conflict: the old one does not hold any more.
func (s *Store) Renew(ctx context.Context, old authority.Certificate, key authority.KeyID, issue authority.Issuer) (cert authority.Certificate, err error) {
	failpoint.Hit("renew.commit.before")
	err = s.InTx(ctx, func(tx *Tx) error {
		if err := tx.holds(ctx, old); err != nil {
			return err
		}
		var serial string
		err := tx.QueryRowContext(ctx, `SELECT serial FROM certificate WHERE device = ? AND key = ? AND ended = 0`, string(old.Device), key[:]).Scan(&serial)
		if err == nil {
			if serial == old.Serial {
				return fault.Msg(fault.Invalid, "renew", "a new certificate needs a new key")
			}
			cert, err = tx.certificate(ctx, serial)
			return err
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if cert, err = issue(old.Device); err != nil {
			return err
		}
		if err := tx.putCertificate(ctx, cert); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "device " + string(old.Device), Who: "hub", What: "certificate renewed", Before: short(old.Serial), After: short(cert.Serial) + " until " + cert.Ends.Format(time.DateTime)})
	})
	failpoint.Hit("renew.commit.after")
	return cert, err
}

func short(serial string) string { return serial[:min(len(serial), 8)] }

// WaitingCodes lists the codes of a device that nobody used; their secret is known to nobody here.
func (s *Store) WaitingCodes(ctx context.Context, d retail.DeviceID) (out []view.CodeView, err error) {
	err = each(ctx, s.read, func(r *sql.Rows) error {
		var v view.CodeView
		var made, expires int64
		if err := r.Scan(&v.ID, &made, &expires, &v.Who, &v.Wrong); err != nil {
			return err
		}
		v.Made, v.Expires = fromMicros(made), fromMicros(expires)
		out = append(out, v)
		return nil
	}, `SELECT id, made, expires, who, wrong FROM enrol_code WHERE device = ? AND used = 0 ORDER BY made`, string(d))
	return out, classify("list codes", err)
}

// DevicesOf lists the devices that speak for a location by name, not for all of them.
func (tx *Tx) DevicesOf(ctx context.Context, l retail.LocationCode) (out []retail.DeviceID, err error) {
	err = each(ctx, tx, func(r *sql.Rows) error {
		var d string
		err := r.Scan(&d)
		out = append(out, retail.DeviceID(d))
		return err
	}, `SELECT DISTINCT device FROM assignment WHERE location = ? AND until = 0 ORDER BY device`, string(l))
	return out, err
}

// FreeName finds a device's name for a location's first PC: pc-s-17, or with a number behind it when that is taken.
func (tx *Tx) FreeName(ctx context.Context, l retail.LocationCode) (retail.DeviceID, error) {
	base := "pc-" + strings.Trim(strings.Join(strings.FieldsFunc(strings.ToLower(string(l)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-"), "-")
	base = strings.TrimSuffix(base[:min(len(base), 56)], "-")
	for n := 1; n < 1000; n++ {
		d := retail.DeviceID(base)
		if n > 1 {
			d = retail.DeviceID(fmt.Sprintf("%s-%d", base, n))
		}
		if has, err := tx.HasDevice(ctx, d); err != nil || !has {
			return d, err
		}
	}
	return "", fault.Msg(fault.Conflict, "name a device", "every name for location "+string(l)+" is taken: name one with --device")
}

package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// ErrErased: the body named a customer whose data was erased on request; its checksum, entry and sums stay.
var ErrErased = errors.New("the customer's data was erased on request")

// putBody keeps a raw record apart. One that names a customer is sealed with that customer's own key, so that erasing means forgetting a
// key; the earlier parts of a record are sealed with its last one, which tells whom it names.
func (tx *Tx) putBody(ctx context.Context, id int64, e *envelope.Envelope, r retail.Record) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO body (envelope, person, bytes) VALUES (?, 0, ?)`, id, nonNil(e.Body)); err != nil {
		return err
	}
	if customer(r) == "" {
		return nil
	}
	return tx.SealBody(ctx, id, r)
}

// SealBody seals the kept record of an envelope, with all its parts, for the customer that it turned out to name. It does nothing for a
// record that names nobody or is sealed already. A refused record that a later retry understands goes through here.
func (tx *Tx) SealBody(ctx context.Context, id int64, r retail.Record) error {
	name := customer(r)
	if name == "" {
		return nil
	}
	person, key, err := tx.person(ctx, name)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT b.envelope, b.bytes FROM envelope e JOIN envelope p ON p.lane = e.lane AND p.seq BETWEEN e.seq - e.part + 1 AND e.seq
		JOIN body b ON b.envelope = p.id WHERE e.id = ? AND b.person = 0`, id)
	if err != nil {
		return err
	}
	type part struct {
		id    int64
		bytes []byte
	}
	parts, err := scanAll(rows, func(rows *sql.Rows) (p part, err error) { return p, rows.Scan(&p.id, &p.bytes) })
	if err != nil {
		return err
	}
	var mended []byte
	switch err := tx.QueryRowContext(ctx, `SELECT bytes FROM edit WHERE envelope = ? AND person = 0`, id).Scan(&mended); {
	case err == nil:
		if _, err := tx.ExecContext(ctx, `UPDATE edit SET person = ?, bytes = ? WHERE envelope = ?`, person, nonNil(seal(key, mended)), id); err != nil {
			return err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	for _, p := range parts { // of an erased customer nothing new is kept: the key is nil
		if _, err := tx.ExecContext(ctx, `UPDATE body SET person = ?, bytes = ? WHERE envelope = ?`, person, nonNil(seal(key, p.bytes)), p.id); err != nil {
			return err
		}
	}
	return nil
}

// customer is whom a record names, "" for nobody.
func customer(r retail.Record) string {
	if t, ok := r.(retail.Ticket); ok && t.Customer != "" {
		return t.Key.Tenant + "|" + t.Key.System + "|" + t.Customer
	}
	if n, ok := r.(retail.Note); ok && n.Customer != "" {
		return n.Key.Tenant + "|" + n.Key.System + "|" + n.Customer
	}
	return ""
}

// person finds or makes a customer's key; a nil key says erased.
func (tx *Tx) person(ctx context.Context, name string) (id int64, key []byte, err error) {
	hash := tx.store.personName(name)
	var wrapped []byte
	var erased int64
	err = tx.QueryRowContext(ctx, `SELECT id, key, erased FROM person WHERE name = ?`, hash).Scan(&id, &wrapped, &erased)
	if err == nil {
		if erased != 0 {
			return id, nil, nil
		}
		key, err = unseal(tx.store.secret, wrapped)
		return id, key, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return 0, nil, err
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key)
	err = tx.QueryRowContext(ctx, `INSERT INTO person (name, key) VALUES (?, ?) RETURNING id`, hash, seal(tx.store.secret, key)).Scan(&id)
	return id, key, err
}

func (s *Store) personName(name string) string {
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte(name))
	return fmt.Sprintf("%x", m.Sum(nil))
}

// Erase forgets a customer: every raw record that names them becomes unreadable, while chain, entries, sums and documents stay valid. It
// returns how many records that are. Code not_found when none names them, conflict when they are erased already.
func (s *Store) Erase(ctx context.Context, tenant, system, customer, who, reason string) (records int, err error) {
	name := s.personName(tenant + "|" + system + "|" + customer)
	err = s.InTx(ctx, func(tx *Tx) error {
		var erased int64
		err := tx.QueryRowContext(ctx, `SELECT p.erased, (SELECT count(*) FROM body b WHERE b.person = p.id) FROM person p WHERE p.name = ?`, name).Scan(&erased, &records)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return fault.Msg(fault.NotFound, "erase customer", "no record here names this customer of this vendor's system; nothing was changed")
		case err != nil:
			return err
		case erased != 0:
			return fault.Msg(fault.Conflict, "erase customer", "this customer was erased before, on "+fromMicros(erased).Format("2006-01-02"))
		}
		if _, err := tx.ExecContext(ctx, `UPDATE person SET key = ?, erased = ? WHERE name = ?`, []byte{}, micros(tx.Now), name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM slip WHERE person = ?`, []byte(name)); err != nil {
			return err
		}
		if err := s.noteErased(name); err != nil { // before the commit: a name too many there does no harm
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "customer " + name[:12], Who: who, What: "erased", Reason: reason, Before: fmt.Sprintf("%d records", records), After: "unreadable"})
	})
	if err != nil {
		return 0, err
	}
	s.last.forget()                                                      // a block that was unpacked
	_, err = s.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`) // the key must not stay behind in the log
	return records, classify("erase customer", err)
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// body reads a raw record. ErrErased when its customer was erased.
func (s *Store) body(ctx context.Context, q queryer, id int64) ([]byte, error) {
	var b, wrapped []byte
	var lane, seq, person, erased int64
	err := q.QueryRowContext(ctx, `SELECT e.lane, e.seq, b.bytes, COALESCE(b.person, 0), COALESCE(p.key, x''), COALESCE(p.erased, 0)
		FROM envelope e LEFT JOIN body b ON b.envelope = e.id LEFT JOIN person p ON p.id = b.person WHERE e.id = ?`, id).
		Scan(&lane, &seq, &b, &person, &wrapped, &erased)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fault.Msg(fault.NotFound, "read record", fmt.Sprintf("there is no record %d", id))
	case err != nil:
		return nil, classify("read record", err)
	case person == 0 && b != nil:
		return b, nil
	case person == 0:
		return s.packedBody(ctx, q, lane, uint64(seq))
	case erased != 0:
		return nil, fault.New(fault.NotFound, "read record", ErrErased)
	}
	key, err := unseal(s.secret, wrapped)
	if err != nil {
		return nil, err
	}
	return unseal(key, b)
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// seal is AES-256-GCM with a random nonce in front; a nil key gives nil.
func seal(key, plain []byte) []byte {
	if key == nil {
		return nil
	}
	g := gcm(key)
	nonce := make([]byte, g.NonceSize(), g.NonceSize()+len(plain)+g.Overhead())
	_, _ = rand.Read(nonce)
	return g.Seal(nonce, nonce, plain, nil)
}

func unseal(key, sealed []byte) ([]byte, error) {
	g := gcm(key)
	if len(sealed) < g.NonceSize() {
		return nil, fault.Msg(fault.Internal, "unseal", "too short to be a sealed record")
	}
	plain, err := g.Open(nil, sealed[:g.NonceSize()], sealed[g.NonceSize():], nil)
	return plain, fault.New(fault.Internal, "unseal: the hub's secret does not fit this database", err)
}

func gcm(key []byte) cipher.AEAD {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("BUG: key length: " + err.Error())
	}
	g, err := cipher.NewGCM(b)
	if err != nil {
		panic("BUG: gcm: " + err.Error())
	}
	return g
}

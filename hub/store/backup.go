package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

const (
	settingHub      = "hub_id"
	settingRestored = "restored"     // when this database was put back from a backup; '' = never, or settled
	settingSecret   = "secret_check" // proves that a hub.secret fits this database
	settingBackup   = "backed_up"    // when the last backup was finished, RFC 3339
	erasedFile      = "hub.erased"
	revokedFile     = "hub.revoked"
)

// HubID is the id of this database, made once. It stays the same after a restore: agents obey only the hub that they know.
func (s *Store) HubID(ctx context.Context) (id envelope.HubID, err error) {
	var b [8]byte
	_, _ = rand.Read(b[:])
	err = s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, settingHub, "hub-"+hex.EncodeToString(b[:])); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = ?`, settingHub).Scan(&id)
	})
	return id, err
}

// BackupInfo tells what a backup holds.
type BackupInfo struct {
	Path      string    `json:"path"`
	Bytes     int64     `json:"bytes"`
	Envelopes int       `json:"envelopes"`
	At        time.Time `json:"at"`
}

// Backup writes a whole, consistent copy of the database to path while the hub goes on working. path must not exist. The hub's secret is
// not in it: keep hub.secret in another place, else records that name a customer cannot be read from the copy.
func (s *Store) Backup(ctx context.Context, path string) (info BackupInfo, err error) {
	if _, err := os.Stat(path); err == nil {
		return info, fault.Msg(fault.Conflict, "back up", path+" is there already; nothing was written")
	}
	if err := s.markSecret(ctx); err != nil {
		return info, err
	}
	info = BackupInfo{Path: path, At: s.Now().UTC()}
	tmp := path + ".part"
	_ = os.Remove(tmp)
	defer os.Remove(tmp)
	if _, err := s.copier.ExecContext(ctx, `VACUUM INTO ?`, tmp); err != nil {
		return info, classify("back up", err)
	}
	if info.Envelopes, err = checkCopy(ctx, tmp, s.secret); err != nil {
		return info, err
	}
	st, err := os.Stat(tmp)
	if err == nil {
		info.Bytes = st.Size()
		err = errors.Join(os.Chmod(tmp, 0o600), syncFile(tmp))
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return info, fault.New(fault.Internal, "back up", err)
	}
	if err := syncFile(filepath.Dir(path)); err != nil {
		return info, fault.New(fault.Internal, "back up", err)
	}
	return info, s.InTx(ctx, func(tx *Tx) error { return tx.set(ctx, settingBackup, info.At.Format(time.RFC3339)) })
}

// LastBackup is when the last backup was finished, zero when there was none.
func (s *Store) LastBackup(ctx context.Context) (time.Time, error) {
	v, err := setting(ctx, s.read, settingBackup)
	if err != nil || v == "" {
		return time.Time{}, classify("read setting", err)
	}
	return time.Parse(time.RFC3339, v)
}

// Integrity is SQLite's own word on the file: "" when it is whole.
func (s *Store) Integrity(ctx context.Context) (string, error) {
	var word string
	err := s.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&word)
	if word == "ok" {
		word = ""
	}
	return word, classify("check database", err)
}

// markSecret keeps a proof by which a restore knows whether hub.secret belongs to the database.
func (s *Store) markSecret(ctx context.Context) error {
	return s.InTx(ctx, func(tx *Tx) error { return tx.set(ctx, settingSecret, secretMark(s.secret)) })
}

// set keeps one of the hub's own values.
func (tx *Tx) set(ctx context.Context, name, value string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

func secretMark(secret []byte) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("this secret belongs to this database"))
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// checkCopy proves that a file is a hub's database, whole, and that secret fits it. A nil secret is not compared.
func checkCopy(ctx context.Context, path string, secret []byte) (envelopes int, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, fault.New(fault.NotFound, "read backup", err)
	}
	db, err := sql.Open("sqlite3", fileURL(path)+"?mode=ro&_query_only=1")
	if err != nil {
		return 0, fault.New(fault.Invalid, "read backup "+path, err)
	}
	defer db.Close()
	var word string
	if err = db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&word); err == nil && word != "ok" {
		err = errors.New(word)
	}
	if err == nil {
		err = db.QueryRowContext(ctx, `SELECT count(*) FROM envelope`).Scan(&envelopes)
	}
	if err != nil {
		return 0, fault.New(fault.Invalid, "read backup: "+path+" is not a whole database of a hub", err)
	}
	mark, err := setting(ctx, db, settingSecret)
	if err != nil {
		return 0, fault.New(fault.Invalid, "read backup "+path, err)
	}
	if secret != nil && mark != "" && mark != secretMark(secret) {
		return 0, fault.Msg(fault.Conflict, "read backup", "hub.secret in this folder belongs to another database: put the one back that belongs to "+path+", else records that name a customer cannot be read")
	}
	return envelopes, nil
}

// noteErased keeps the name's hash of an erased customer outside the database, so that no backup brings the customer back.
func (s *Store) noteErased(name string) error { return s.note(erasedFile, name) }

// note keeps a line beside the database, on the disk, which no backup takes back.
func (s *Store) note(file, line string) error {
	f, err := os.OpenFile(filepath.Join(s.dir, file), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

func fileURL(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

// syncFile makes a file, or a folder's names, durable; Windows has no such call for folders and needs none.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if st, serr := f.Stat(); serr == nil && st.IsDir() && errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

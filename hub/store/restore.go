package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Restore puts a backup in the place of the database in dir, while no hub runs there. What stood there is kept beside it and named. The
// hub keeps its id; the agents find at their next hello that it holds less than it promised and send again what is missing, and customers
// who were erased since are erased again. The Odoo writer waits until RestoreSettled.
func Restore(ctx context.Context, backup, dir string) (aside string, err error) {
	secret, err := os.ReadFile(filepath.Join(dir, "hub.secret"))
	if err != nil {
		return "", fault.New(fault.Conflict, "restore: put hub.secret into "+dir+" first, else records that name a customer cannot be read", err)
	}
	if _, err := checkCopy(ctx, backup, secret); err != nil {
		return "", fault.New(fault.CodeOf(err), "nothing was changed", err)
	}
	db := filepath.Join(dir, "hub.db")
	fresh := db + ".new"
	if err := copyFile(backup, fresh); err != nil {
		return "", fault.New(fault.Internal, "restore", err)
	}
	if _, err := os.Stat(db); err == nil {
		if err := nobodyUses(ctx, db); err != nil {
			return "", errors.Join(err, os.Remove(fresh))
		}
		aside = fmt.Sprintf("%s.before-restore-%s", db, time.Now().UTC().Format("20060102T150405"))
		if err := moveDatabase(db, aside); err != nil {
			return "", fault.New(fault.Internal, "restore: set the present database aside", err)
		}
	}
	if err := errors.Join(os.Rename(fresh, db), syncFile(dir)); err != nil {
		return aside, fault.New(fault.Internal, "restore", err)
	}
	s, err := Open(ctx, dir)
	if err != nil {
		return aside, err
	}
	defer s.Close()
	return aside, s.afterRestore(ctx, backup)
}

// nobodyUses proves that no hub has the database open: only then does SQLite let its log be folded in for good.
func nobodyUses(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", fileURL(path)+"?_busy_timeout=2000")
	if err != nil {
		return fault.New(fault.Internal, "restore", err)
	}
	defer db.Close()
	var mode string
	err = db.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode)
	if err == nil && mode == "delete" || err != nil && !strings.Contains(err.Error(), "locked") {
		return nil // a file too damaged to answer is what one restores over
	}
	return fault.Msg(fault.Conflict, "restore", "a hub has this database open: stop it first. Nothing was changed.")
}

func (s *Store) afterRestore(ctx context.Context, backup string) error {
	names, err := readLines(filepath.Join(s.dir, erasedFile))
	if err != nil {
		return fault.New(fault.Internal, "restore: read which customers were erased", err)
	}
	revoked, err := readLines(filepath.Join(s.dir, revokedFile))
	if err != nil {
		return fault.New(fault.Internal, "restore: read which certificates were ended", err)
	}
	return s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM came_back`); err != nil {
			return err
		}
		if err := tx.endNoted(ctx, revoked); err != nil {
			return err
		}
		for _, n := range names {
			if _, err := tx.ExecContext(ctx, `UPDATE person SET key = x'', erased = ? WHERE name = ? AND erased = 0`, micros(tx.Now), n); err != nil {
				return err
			}
		}
		// A code that waits here may have been used since.
		if _, err := tx.ExecContext(ctx, `DELETE FROM enrol_code WHERE used = 0`); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			settingRestored, tx.Now.Format(time.RFC3339)); err != nil {
			return err
		}
		return tx.PutStep(ctx, Step{Subject: "hub", Who: "hub", What: "restored", Reason: filepath.Base(backup)})
	})
}

// Restored tells when the database was put back from a backup and what it posted since then is not yet known: before it sends anything the
// Odoo writer reads its own documents of open periods back. Zero = nothing to wait for.
func (s *Store) Restored(ctx context.Context) (time.Time, error) {
	v, err := setting(ctx, s.read, settingRestored)
	if err != nil || v == "" {
		return time.Time{}, classify("read settings", err)
	}
	t, err := time.Parse(time.RFC3339, v)
	return t, fault.New(fault.Internal, "read settings", err)
}

// RestoreSettled notes that the Odoo writer has read back and adopted what was posted after the backup.
func (tx *Tx) RestoreSettled(ctx context.Context, what string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE setting SET value = '' WHERE name = ?`, settingRestored); err != nil {
		return err
	}
	return tx.PutStep(ctx, Step{Subject: "hub", Who: "hub", What: "restore settled", Reason: what})
}

func readLines(path string) (out []string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		out = append(out, strings.TrimSpace(sc.Text()))
	}
	return out, nil
}

// moveDatabase renames a database that nobody has open, with what SQLite keeps beside it.
func moveDatabase(from, to string) error {
	for _, end := range []string{"-wal", "-shm", ""} {
		if err := os.Rename(from+end, to+end); err != nil && (end == "" || !errors.Is(err, os.ErrNotExist)) {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

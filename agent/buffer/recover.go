package buffer

import (
	"context"
	"crypto/ecdh"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// Recover writes every record of a dead PC's buffer that can still be read, as Export does, and returns how many. dir is its data folder on
// a disk that was taken out or copied, and nothing in it is changed; hub is the hub's private recovery key. Codes: not_found when the
// folder holds no buffer or was never given a recovery key, invalid when its key was wrapped for another hub.
func Recover(ctx context.Context, dir string, hub *ecdh.PrivateKey, w io.Writer) (rows int, err error) {
	wrapped, err := os.ReadFile(filepath.Join(dir, "recovery.key"))
	if err != nil {
		return 0, fault.New(fault.NotFound, "read the wrapped key: was hub.recovery_key set on that PC?", err)
	}
	key, err := Unwrap(wrapped, hub)
	if err != nil {
		return 0, err
	}
	b := &Buffer{opt: Options{Dir: dir}}
	if b.box, err = newBox(key); err != nil {
		return 0, fault.New(fault.Invalid, "read the wrapped key", err)
	}
	// A copy is read: SQLite would write its log into the file, and the disk may be failing.
	tmp, err := os.MkdirTemp("", "recover-")
	if err != nil {
		return 0, fault.New(fault.Internal, "recover", err)
	}
	defer os.RemoveAll(tmp)
	for _, name := range []string{"buffer.db", "buffer.db-wal"} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(tmp, name)); err != nil && !(errors.Is(err, os.ErrNotExist) && name != "buffer.db") {
			return 0, fault.New(fault.NotFound, "read the buffer", err)
		}
	}
	db, err := sql.Open("sqlite3", dsn(filepath.Join(tmp, "buffer.db"))+"?_busy_timeout=1000")
	if err != nil {
		return 0, fault.New(fault.Internal, "recover", err)
	}
	defer db.Close()
	x := b.exporter(w)
	for _, s := range envelope.Streams {
		was, _ := laneOf(ctx, db, s)
		// The bodies are sealed and bound to their rows, which proves them; the chain also has the device's name in it, which only its
		// settings tell.
		if err := b.readable(ctx, db, s, was, true, func(e envelope.Envelope) error { return x.see(e, e.Pos.Seq <= was.Acked) }); err != nil {
			return x.rows, fault.New(fault.Internal, "write the export", err)
		}
	}
	return x.rows, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

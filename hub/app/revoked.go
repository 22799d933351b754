package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/store"
)

const (
	crlEvery = 24 * time.Hour
	crlAgain = 10 * time.Second // after a try that failed
)

// revokedList is the authority's list of what it has ended.
func revokedList(ctx context.Context, s *store.Store) ([]byte, error) {
	ca, err := s.Authority(ctx)
	if err != nil {
		return nil, err
	}
	ended, err := s.Ended(ctx)
	if err != nil {
		return nil, err
	}
	return ca.Revoked(ended, s.Now())
}

// listRevoked writes the list where the settings want it; done is false when it must be tried again. A broker that has an old list lets a
// revoked device in; what it sends is refused here all the same.
func (a *App) listRevoked(ctx context.Context) (done bool) {
	file := a.Config.Enrol.CRLFile
	if file == "" {
		return true
	}
	list, err := revokedList(ctx, a.Store)
	if err == nil {
		err = replaceFile(file, list)
	}
	if err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "cannot write the list of revoked certificates; it is tried again", "file", file, "err", err)
		return false
	}
	a.log.InfoContext(ctx, "the list of revoked certificates is written", "file", file)
	return true
}

// replaceFile puts a public file in the place of the one before; a reader finds one of the two whole.
func replaceFile(path string, body []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

//go:build update_double

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
)

// folder is a source of releases for tests that run built programs: FOLDER/VERSION is a program, and nothing is signed. No program that is
// released is built with it.
type folder struct{ dir string }

func releasesOf(c Config, _ func() time.Time) carry.Releases {
	return folder{filepath.Join(c.DataDir, "releases")}
}

func openBundle(_ Config, file string, _ func() time.Time) (carry.Releases, error) {
	body, err := os.ReadFile(file) // a bundle here is a file that names a folder
	return folder{string(body)}, err
}

// Find implements carry.Releases.
func (f folder) Find(_ context.Context, _, want string) (t carry.Target, err error) {
	if want == "" {
		es, err := os.ReadDir(f.dir)
		if err != nil || len(es) == 0 {
			return t, errors.Join(err, errors.New("no release is there"))
		}
		want = es[len(es)-1].Name()
	}
	body, err := os.ReadFile(filepath.Join(f.dir, want))
	sum := sha256.Sum256(body)
	t.Release = update.Release{Version: want, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body))}
	return t, err
}

// Fetch implements carry.Releases.
func (f folder) Fetch(_ context.Context, t carry.Target, _, to string) error {
	in, err := os.Open(filepath.Join(f.dir, t.Release.Version))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

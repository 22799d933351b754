package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/tillpost/tillpost/shared/release"
)

// The files of trusted metadata in Config.Dir.
const (
	rootFile      = "root.json"
	timestampFile = "timestamp.json"
	snapshotFile  = "snapshot.json"
	targetsFile   = "targets.json"
)

// refresh walks through the client's workflow of the TUF specification (5.3 to 5.6). What was verified is on the disk, whole and synced, before
// the next file is asked for: a power cut leaves the trusted state of one of its steps, and none of them is older than the one before.
func (c *Client) refresh(ctx context.Context) (m *trustedmetadata.TrustedMetadata, err error) {
	defer func() { // go-tuf reads a missing entry of what an online key signed through a nil pointer
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("%w: the metadata is malformed: %v", release.ErrRefused, r)
		}
	}()
	if m, err = c.trusted(); err != nil {
		return nil, err
	}
	m.RefTime = c.c.Now().UTC()
	first := m.Root
	if err := c.roots(ctx, m); err != nil {
		return nil, err
	}
	if rotated(first, m.Root, metadata.TIMESTAMP) || rotated(first, m.Root, metadata.SNAPSHOT) {
		// 5.3.11: whoever held the old keys may have counted up to the highest number there is; from new keys on it counts anew.
		if err := c.forget(timestampFile, snapshotFile, targetsFile); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(context.Context, *trustedmetadata.TrustedMetadata) error{c.timestamp, c.snapshot, c.targets} {
		if err := step(ctx, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// trusted starts from the root on the disk; where there is none, or it was damaged, from the pinned one.
func (c *Client) trusted() (*trustedmetadata.TrustedMetadata, error) {
	b, err := readLimited(filepath.Join(c.c.Dir, rootFile), release.MaxRoot)
	if err == nil {
		if m, err := trustedmetadata.New(b); err == nil {
			return m, nil
		}
	}
	if len(c.c.Root) == 0 {
		return nil, fmt.Errorf("%w: this PC knows no root of releases yet: enrol it again, or give the root file to it", release.ErrUnknown)
	}
	m, err := trustedmetadata.New(c.c.Root)
	if err != nil {
		return nil, fmt.Errorf("%w: the pinned root: %w", release.ErrRefused, err)
	}
	return m, nil
}

// roots follows the chain of roots one by one: each is signed by enough keys of the one before and of its own.
func (c *Client) roots(ctx context.Context, m *trustedmetadata.TrustedMetadata) error {
	for range release.MaxRotations {
		b, err := c.metadata(ctx, strconv.FormatInt(m.Root.Signed.Version+1, 10)+"."+rootFile, release.MaxRoot)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := m.UpdateRoot(b); err != nil {
			return refused("root", err)
		}
		if err := writeWhole(filepath.Join(c.c.Dir, rootFile), b); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: more than %d new roots in one go", release.ErrRefused, release.MaxRotations)
}

func (c *Client) timestamp(ctx context.Context, m *trustedmetadata.TrustedMetadata) error {
	if b, err := readLimited(filepath.Join(c.c.Dir, timestampFile), release.MaxTimestamp); err == nil {
		_, _ = m.UpdateTimestamp(b) // one that ran out still says which numbers were seen; one of older keys is no longer believed
	}
	if m.Root.Signed.IsExpired(m.RefTime) {
		return fmt.Errorf("%w: the root on %s", release.ErrExpired, m.Root.Signed.Expires.Format("2006-01-02"))
	}
	b, err := c.metadata(ctx, timestampFile, release.MaxTimestamp)
	if err != nil {
		return there(err)
	}
	_, err = m.UpdateTimestamp(b)
	var same *metadata.ErrEqualVersionNumber
	if errors.As(err, &same) {
		if m.Timestamp.Signed.IsExpired(m.RefTime) {
			return fmt.Errorf("%w: the timestamp on %s; it is signed anew by the hub", release.ErrExpired, m.Timestamp.Signed.Expires.Format("2006-01-02"))
		}
		return nil
	}
	if err != nil {
		return refused("timestamp", err)
	}
	return writeWhole(filepath.Join(c.c.Dir, timestampFile), b)
}

func (c *Client) snapshot(ctx context.Context, m *trustedmetadata.TrustedMetadata) error {
	if b, err := readLimited(filepath.Join(c.c.Dir, snapshotFile), release.MaxSnapshot); err == nil {
		if _, err := m.UpdateSnapshot(b, true); err == nil {
			return nil
		}
	}
	meta := m.Timestamp.Signed.Meta["snapshot.json"]
	b, err := c.metadata(ctx, strconv.FormatInt(meta.Version, 10)+"."+snapshotFile, limit(meta.Length, release.MaxSnapshot))
	if err != nil {
		return there(err)
	}
	if _, err := m.UpdateSnapshot(b, false); err != nil {
		return refused("snapshot", err)
	}
	return writeWhole(filepath.Join(c.c.Dir, snapshotFile), b)
}

func (c *Client) targets(ctx context.Context, m *trustedmetadata.TrustedMetadata) error {
	if b, err := readLimited(filepath.Join(c.c.Dir, targetsFile), release.MaxTargets); err == nil {
		if _, err := m.UpdateTargets(b); err == nil {
			return nil
		}
	}
	meta, ok := m.Snapshot.Signed.Meta["targets.json"]
	if !ok {
		return fmt.Errorf("%w: the snapshot names no targets", release.ErrRefused)
	}
	b, err := c.metadata(ctx, strconv.FormatInt(meta.Version, 10)+"."+targetsFile, limit(meta.Length, release.MaxTargets))
	if err != nil {
		return there(err)
	}
	if _, err := m.UpdateTargets(b); err != nil {
		return refused("targets", err)
	}
	return writeWhole(filepath.Join(c.c.Dir, targetsFile), b)
}

// limit is the signed length where there is one, and never more than the role's own limit.
func limit(signed, most int64) int64 {
	if signed > 0 && signed < most {
		return signed
	}
	return most
}

// rotated reports whether a role's keys are others than before.
func rotated(from, to *metadata.Metadata[metadata.RootType], role string) bool {
	keys := func(m *metadata.Metadata[metadata.RootType]) []string {
		if r := m.Signed.Roles[role]; r != nil {
			return slices.Compact(slices.Sorted(slices.Values(r.KeyIDs)))
		}
		return nil
	}
	return from != to && !slices.Equal(keys(from), keys(to))
}

func (c *Client) forget(names ...string) error {
	for _, n := range names {
		if err := os.Remove(filepath.Join(c.c.Dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncDir(c.c.Dir)
}

// there makes a missing file of metadata, which a whole repository would have, an absence of the source.
func there(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", release.ErrSource, err)
	}
	return err
}

// refused says in our words what go-tuf says in its own.
func refused(role string, err error) error {
	var expired *metadata.ErrExpiredMetadata
	if errors.As(err, &expired) {
		return fmt.Errorf("%w: %s: %w", release.ErrExpired, role, err)
	}
	return fmt.Errorf("%w: %s: %w", release.ErrRefused, role, err)
}

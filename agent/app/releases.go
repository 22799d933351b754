//go:build !update_double

package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// releases are those that the offline keys signed, from the hub or from a file. The client is made for each question: a PC that is enrolled
// anew, or is given its root later, needs no restart.
type releases struct {
	open func(context.Context) (*client.Client, error)
}

// releasesOf is head office's releases. What runs out does so by now: head office's time where it is known, for a store's PC may believe in any year.
func releasesOf(c Config, now func() time.Time) carry.Releases {
	return releases{func(ctx context.Context) (*client.Client, error) {
		s := identityOf(c)
		id, err := s.Read()
		if err != nil {
			return nil, update.Failure{Cause: update.NoRelease, Detail: "this PC was never enrolled, so it knows no place where releases are", Final: true}
		}
		if id.ReleaseRoot == "" { // head office had no releases when this PC got its certificate: the next one brings the root
			if id, err = s.Renew(ctx); err != nil {
				return nil, update.Failure{Cause: update.NoRelease, Detail: "this PC has no root of releases yet, and a certificate that brings it cannot be had now: " + err.Error()}
			}
			if id.ReleaseRoot == "" {
				return nil, update.Failure{Cause: update.NoRelease, Detail: "head office has no releases"}
			}
		}
		return openReleases(c, []byte(id.ReleaseRoot), client.Web{Base: strings.TrimRight(id.HubURL, "/") + release.Path, Client: s.Web()}, now)
	}}
}

// openBundle reads a file of signed releases. It stays open while the process lives: an update that is under way reads from it.
func openBundle(c Config, file string, now func() time.Time) (carry.Releases, error) {
	id, err := identityOf(c).Read()
	if err != nil {
		return nil, err
	}
	if id.ReleaseRoot == "" {
		return nil, fault.Msg(fault.Invalid, "read "+file, "this PC was given no root of releases when it was enrolled, so it can trust no file: install the new package, or enrol it again")
	}
	b, err := client.OpenBundle(file)
	if err != nil {
		return nil, err
	}
	return releases{func(context.Context) (*client.Client, error) { return openReleases(c, []byte(id.ReleaseRoot), b, now) }}, nil
}

func openReleases(c Config, root []byte, from client.Source, now func() time.Time) (*client.Client, error) {
	sum := sha256.Sum256(root) // what was seen below one root is nothing to another, as when releases were founded anew
	dir := filepath.Join(c.DataDir, "release", hex.EncodeToString(sum[:6]))
	return client.Open(client.Config{Dir: dir, Root: root, Source: from, OS: runtime.GOOS, Arch: runtime.GOARCH, Channel: channel(c), Now: now})
}

// channel is that of the candidates which head office's last wish lets this PC see, "" = none. It opens nothing by itself: what is run is named by a
// wish, and signed.
func channel(c Config) string {
	if r := desired.In(c.DataDir).Release(); r != nil && release.Word(r.Channel) {
		return r.Channel
	}
	return ""
}

// Find implements carry.Releases.
func (r releases) Find(ctx context.Context, running, want string) (carry.Target, error) {
	cl, err := r.open(ctx)
	if err != nil {
		return carry.Target{}, err
	}
	t, err := cl.Find(ctx, strings.TrimPrefix(running, "v"), strings.TrimPrefix(want, "v"))
	if err != nil {
		return carry.Target{}, refused(err, update.NoRelease)
	}
	if s := t.Schema; s != (release.Schema{}) && (s.Min > buffer.Schema || s.Max < buffer.Schema) {
		return carry.Target{}, update.Failure{Cause: update.Schema, Detail: fmt.Sprintf("version %s opens buffers of schema %d to %d, this PC has %d: a version between comes first", t.Version, s.Min, s.Max, buffer.Schema), Final: true}
	}
	return carry.Target{Release: update.Release{Version: string(t.Version), SHA256: t.Sum.String(), Size: t.Size}, Signed: t}, nil
}

// Fetch implements carry.Releases.
func (r releases) Fetch(ctx context.Context, t carry.Target, old, to string) error {
	signed, ok := t.Signed.(release.Target)
	if !ok {
		return fault.Msg(fault.Internal, "fetch version "+t.Release.Version, "it was not found by this client")
	}
	cl, err := r.open(ctx)
	if err != nil {
		return err
	}
	got, err := cl.Fetch(ctx, signed, old, to)
	if err != nil {
		return refused(err, update.NoDownload)
	}
	slog.InfoContext(ctx, "a release was fetched", "version", t.Release.Version, "bytes", got.Bytes, "resumed", got.Resumed, "size", t.Release.Size, "patched", got.Patched)
	return nil
}

// refused: metadata that has run out, or a place that is away, mends itself; what is refused or unknown does so with newer metadata, so it is
// asked again as well, for some days.
func refused(err error, usual update.Cause) error {
	if errors.Is(err, release.ErrRefused) || errors.Is(err, release.ErrUnknown) || errors.Is(err, release.ErrExpired) {
		usual = update.NoRelease
	}
	return fmt.Errorf("%w: %w", update.Failure{Cause: usual, Detail: err.Error()}, err)
}

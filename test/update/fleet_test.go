//go:build linux

package update_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/agent/update/launch"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/test/fault"
)

// program is a release of the simulation: what it does is its body.
type program struct {
	version string
	body    []byte
	good    bool // it works; else it ends as soon as it runs
}

func (p program) release() update.Release {
	sum := sha256.Sum256(p.body)
	return update.Release{Version: p.version, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(p.body))}
}

// sim is a store's PC on virtual time: the real updater and the real launcher, on a disk whose power can be cut, with programs that are words.
type sim struct {
	disk     *fault.Disk
	store    slots.Store
	releases []program
	want     update.Want
	ran      []string // versions that were started
	launcher string
	log      *slog.Logger
}

const simDir = "/data/versions"

func newSim(d *fault.Disk, want update.Want, releases ...program) *sim {
	s := &sim{disk: d, releases: releases, want: want, launcher: "v1.0.0", log: slog.New(slog.DiscardHandler)}
	s.store = slots.Store{Files: d, Folders: d, Syncs: d, Dir: simDir, Prepare: s.prepare}
	return s
}

// prepare writes as selfupdate does: beside the target, in one write, not synced.
func (s *sim) prepare(src io.Reader, target string, sum []byte) error {
	body, err := io.ReadAll(src)
	if err != nil {
		return err
	}
	if have := sha256.Sum256(body); !bytes.Equal(have[:], sum) {
		return errors.New("wrong checksum")
	}
	f, err := s.disk.Create(filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".new"), 0o755)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Close())
}

// Find implements carry.Releases.
func (s *sim) Find(_ context.Context, _, want string) (carry.Target, error) {
	for _, p := range s.releases {
		if update.Same(p.version, want) {
			return carry.Target{Release: p.release()}, nil
		}
	}
	return carry.Target{}, errors.New("no such release")
}

// Fetch implements carry.Releases, as the client of releases does: into a part, synced, renamed.
func (s *sim) Fetch(_ context.Context, t carry.Target, _, to string) error {
	for _, p := range s.releases {
		if p.release() != t.Release {
			continue
		}
		f, err := s.disk.Create(to+".part", 0o600)
		if err != nil {
			return err
		}
		half := len(p.body) / 2
		_, err = f.Write(p.body[:half])
		if err == nil {
			_, err = f.Write(p.body[half:])
		}
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		if err := s.disk.Rename(to+".part", to); err != nil {
			return err
		}
		return s.disk.Sync(filepath.Dir(to))
	}
	return errors.New("no such release")
}

// Check implements carry.Checker.
func (s *sim) Check(_ context.Context, path string, r update.Release) error {
	if !s.store.Whole(r) || s.store.Path(r) != path {
		return errors.New("what is tried is not whole")
	}
	return nil
}

// running is a program that runs in the simulation.
type running struct {
	began  time.Time
	stop   context.CancelFunc
	done   chan struct{}
	detail string
}

func (r *running) Sign() update.Sign {
	up := time.Since(r.began)
	return update.Sign{Up: up, Ready: up > 2*time.Second, Proof: update.Proof{Database: true}}
}
func (r *running) Stop()                 { r.stop() }
func (r *running) Kill()                 { r.stop() }
func (r *running) Done() <-chan struct{} { return r.done }

// Start implements launch.Starter: what lies at path runs, and if it is the agent, it updates itself.
func (s *sim) Start(ctx context.Context, path string) (launch.Program, error) {
	p := program{version: s.launcher, good: true}
	var own update.Release
	if path != "" {
		body, err := s.read(path)
		if err != nil {
			return nil, err
		}
		found := false
		for _, r := range s.releases {
			if bytes.Equal(r.body, body) {
				p, own, found = r, r.release(), true
			}
		}
		if !found {
			return nil, errors.New("BUG: half a program is started")
		}
	}
	s.ran = append(s.ran, p.version)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{began: time.Now(), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if !p.good {
			r.detail = "it ended"
			return
		}
		u := &carry.Updater{Store: s.store, Releases: s, Checker: s, Own: own, Version: p.version, Restart: stop, Log: s.log,
			Here: func() update.Here {
				return update.Here{Device: "pc", Moment: update.Moment{Local: time.Now(), Quiet: time.Hour}, Proof: update.Proof{Database: true}}
			}}
		u.Want(s.want)
		_ = u.Run(ctx)
	}()
	return r, nil
}

func (s *sim) read(path string) ([]byte, error) {
	f, err := s.disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Ask implements launch.Starter.
func (s *sim) Ask(context.Context, string) update.Answer { return update.Answer{} }

// Detail implements launch.Starter.
func (s *sim) Detail(p launch.Program) string { return p.(*running).detail }

// run runs the PC for so long, or until its power goes.
func (s *sim) run(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	s.disk.OnCut = cancel
	l := &launch.Launcher{Store: s.store, Starter: s, Installed: s.launcher, Log: s.log}
	return l.Run(ctx, func(func() error) {})
}

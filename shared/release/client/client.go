// Package client is the side of a PC that is updated: it gets signed metadata and programs from wherever they lie, believes neither the place nor
// the line, and says which program may be run. The Update Framework's rules are go-tuf's (trustedmetadata); what go-tuf's own updater lacks
// is here: files that survive a power cut, downloads that go on where they were cut off, an end to a line that only drips. See
// hub/release/DESIGN.md.
package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/release"
)

// Limits bound what a source can cost. Zero is the default of each.
type Limits struct {
	MinBytes int64         // fewer than these within a Window end a download: 128 KB
	Window   time.Duration // 2 minutes: with MinBytes about 1 KB/s, slower than any line on which a till works
	Metadata time.Duration // for one file of metadata: 1 minute
}

func (l Limits) orDefault() Limits {
	if l.MinBytes == 0 {
		l.MinBytes = 128 << 10
	}
	if l.Window == 0 {
		l.Window = 2 * time.Minute
	}
	if l.Metadata == 0 {
		l.Metadata = time.Minute
	}
	return l
}

// Config is what a Client needs.
type Config struct {
	Dir     string // trusted metadata; nobody else writes there
	Root    []byte // the root that was pinned when this PC was enrolled; used while Dir holds none
	Source  Source
	Program string // "" = the agent
	OS      string // as GOOS
	Arch    string // as GOARCH
	Channel string // "" = stable
	Now     func() time.Time
	Limits  Limits
}

// Client finds and fetches releases. One goroutine at a time uses it; a second process on Dir is told so.
type Client struct {
	c Config
}

// Open checks the settings; it reads and fetches nothing.
func Open(c Config) (*Client, error) {
	if c.Program == "" {
		c.Program = release.Agent
	}
	if c.Channel == "" {
		c.Channel = release.Stable
	}
	if c.Dir == "" || c.Source == nil || c.OS == "" || c.Arch == "" || c.Now == nil {
		return nil, fault.Msg(fault.Invalid, "open release client", "folder, source, system or clock is missing")
	}
	c.Limits = c.Limits.orDefault()
	return &Client{c}, nil
}

// Find brings the trusted metadata up to date and names the next step from running to want; want "" is the newest of the channel. The step is
// want itself or a version on the way to it. Every error wraps one of release.Err… and means: go on running what runs.
func (c *Client) Find(ctx context.Context, running, want string) (release.Target, error) {
	pc := release.PC{Program: c.c.Program, OS: c.c.OS, Arch: c.c.Arch, Channel: c.c.Channel}
	var goal release.Version
	var err error
	if pc.Running, err = release.ParseVersion(running); err != nil && running != "" {
		return release.Target{}, coded(fmt.Errorf("%w: the running version %w; a package brings it to a released one", release.ErrRefused, err))
	}
	if want != "" {
		if goal, err = release.ParseVersion(want); err != nil {
			return release.Target{}, coded(fmt.Errorf("%w: %w", release.ErrUnknown, err))
		}
	}
	v, err := c.View(ctx)
	if err != nil {
		return release.Target{}, err
	}
	t, err := release.Next(v.Targets, pc, goal)
	return t, coded(err)
}

// View is everything the signed metadata says.
type View struct {
	Root, Timestamp, Snapshot, Version int64 // Version is that of the targets
	Expires                            map[string]time.Time
	Targets                            []release.Target
	Unread                             []string // targets whose words this program does not know: they are not offered
}

// View brings the trusted metadata up to date and shows all of it.
func (c *Client) View(ctx context.Context) (v View, err error) {
	l, err := lock.Take(c.c.Dir, "release")
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, l.Release()) }()
	m, err := c.refresh(ctx)
	if err != nil {
		return v, coded(err)
	}
	targets := m.Targets[metadata.TARGETS]
	v = View{Root: m.Root.Signed.Version, Timestamp: m.Timestamp.Signed.Version, Snapshot: m.Snapshot.Signed.Version, Version: targets.Signed.Version,
		Expires: map[string]time.Time{metadata.ROOT: m.Root.Signed.Expires, metadata.TIMESTAMP: m.Timestamp.Signed.Expires, metadata.SNAPSHOT: m.Snapshot.Signed.Expires,
			metadata.TARGETS: targets.Signed.Expires}}
	v.Targets, v.Unread = Read(targets.Signed.Targets)
	return v, nil
}

// Read turns what targets metadata lists into programs with their patches. What cannot be read is listed by name and offered to nobody.
func Read(list map[string]*metadata.TargetFiles) (out []release.Target, unread []string) {
	byName := map[string]int{}
	patches := []release.Target{}
	for name, f := range list {
		t, err := read(name, f)
		switch {
		case err != nil || len(list) > release.MaxNames:
			unread = append(unread, name)
		case t.Patch != nil:
			patches = append(patches, t)
		default:
			byName[name] = len(out)
			out = append(out, t)
		}
	}
	for _, p := range patches {
		program := p.Custom
		program.Patch = nil
		i, ok := byName[release.NameOf(program)]
		if !ok || out[i].Sum != p.Patch.ToSum {
			unread = append(unread, p.Name)
			continue
		}
		out[i].Patches = append(out[i].Patches, release.Patch{Name: p.Name, Delta: *p.Patch, Size: p.Size, Sum: p.Sum})
	}
	return out, unread
}

func read(name string, f *metadata.TargetFiles) (t release.Target, err error) {
	if f == nil || f.Custom == nil || !release.ValidName(name) || f.Length <= 0 || f.Length > release.MaxProgram {
		return t, errors.New("it has no custom data, size or name")
	}
	t = release.Target{Name: name, Size: f.Length}
	if t.Custom, err = release.ParseCustom(*f.Custom); err != nil {
		return t, err
	}
	if name != release.NameOf(t.Custom) {
		return t, errors.New("it says that it is another")
	}
	return t, t.Sum.UnmarshalText([]byte(hex.EncodeToString(f.Hashes["sha256"])))
}

// coded attaches what the caller can do about it.
func coded(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, release.ErrSource), errors.Is(err, release.ErrExpired):
		return fault.New(fault.Unavailable, "update", err)
	case errors.Is(err, release.ErrUnknown), errors.Is(err, release.ErrCurrent):
		return fault.New(fault.NotFound, "update", err)
	case errors.Is(err, release.ErrRefused):
		return fault.New(fault.Conflict, "update", err)
	}
	return fault.New(fault.CodeOf(err), "update", err)
}

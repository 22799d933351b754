package app

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/launch"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

// tryout tries a new program before anything points to it: it has to start and say what it is, accept this PC's settings, and work on a buffer
// of this version in such a way that this version can go on with it.
type tryout struct {
	cfg      Config
	settings string
}

const (
	selfWithin     = 30 * time.Second // a virus scanner looks at a new program before it lets it start
	rehearseWithin = 2 * time.Minute
)

// Self is what a program says of itself.
type Self struct {
	Version string `json:"version"`
	Schema  int    `json:"schema"` // of its buffer
	Least   int    `json:"least"`  // what its buffer's readers must know at least
}

// Check implements carry.Checker.
func (t tryout) Check(ctx context.Context, path string, r update.Release) error {
	var s Self
	if err := launch.Answer(ctx, selfWithin, path, &s, "update", "self"); err != nil {
		return update.Failure{Cause: update.NoStart, Detail: err.Error()}
	}
	if !update.Same(s.Version, r.Version) {
		return update.Failure{Cause: update.Wrong, Detail: "it says that it is version " + s.Version + ", and " + r.Version + " was named", Final: true}
	}
	if s.Least > buffer.Schema {
		return update.Failure{Cause: update.Schema, Detail: fmt.Sprintf("it needs a buffer of schema %d, and version %s knows %d: a version between the two comes first", s.Least, version.String(), buffer.Schema), Final: true}
	}
	if err := t.rehearse(ctx, path); err != nil {
		return update.Failure{Cause: update.Schema, Detail: err.Error(), Final: true}
	}
	return nil
}

// rehearse has both versions work on one small buffer in turn: this one, the new one, this one again.
func (t tryout) rehearse(ctx context.Context, path string) error {
	dir := filepath.Join(t.cfg.DataDir, "versions", "rehearsal")
	if err := os.RemoveAll(dir); err != nil {
		return fault.New(fault.Internal, "rehearse", err)
	}
	defer os.RemoveAll(dir)
	if err := Rehearse(ctx, dir, 1); err != nil {
		return fmt.Errorf("this version's own part: %w", err)
	}
	var said rehearsed
	if err := launch.Answer(ctx, rehearseWithin, path, &said, "update", "rehearse", dir); err != nil {
		return fmt.Errorf("it cannot work on the buffer of version %s: %w", version.String(), err)
	}
	if err := Rehearse(ctx, dir, 3); err != nil {
		return fmt.Errorf("version %s cannot go on with the buffer after it: %w", version.String(), err)
	}
	return nil
}

// rehearsed is what `update rehearse` answers.
type rehearsed struct {
	Records int `json:"records"`
}

// Rehearse opens the buffer in dir, proves what is in it, and adds a record; after it there must be n.
func Rehearse(ctx context.Context, dir string, n uint64) error {
	b, err := buffer.Open(ctx, buffer.Options{Dir: dir, Device: "rehearsal", Clean: func(d source.Draft) source.Draft { return d }})
	if err != nil {
		return err
	}
	err = rehearseOn(ctx, b, n)
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return err
}

func rehearseOn(ctx context.Context, b *buffer.Buffer, n uint64) error {
	if b.Salvage != nil {
		return fault.Msg(fault.Conflict, "rehearse", "the buffer was taken for damaged: "+b.Salvage.Text())
	}
	d := source.Draft{Stream: envelope.State, Kind: "rehearsal.v1", Key: fmt.Sprint("part-", n), ContentType: "application/json", At: time.Now(), Body: []byte(`{"part":` + fmt.Sprint(n) + `}`)}
	if err := b.Append(ctx, "rehearsal", source.Cursor(fmt.Sprint(n)), []source.Draft{d}); err != nil {
		return err
	}
	if have := b.State(envelope.State).Last; n != 0 && have != n {
		return fault.Msg(fault.Conflict, "rehearse", fmt.Sprintf("%d records are there instead of %d", have, n))
	}
	_, err := b.Verify(ctx)
	return err
}

// lookBeside is what the version before finds when it looks beside the one that runs: can it still work with the buffer, does it reach head office.
func lookBeside(ctx context.Context, file string) (a update.Answer) {
	cfg, _ := LoadConfig(file) // settings of a newer version may have more in them; where the data is stands in all
	if err := buffer.Look(ctx, cfg.DataDir); err != nil {
		a.Buffer = err.Error()
	}
	if u, err := url.Parse(cfg.Hub.URL); err != nil || !strings.HasPrefix(u.Scheme, "mqtt") {
		return a
	}
	o, err := lineOf(cfg)
	if err != nil {
		return a
	}
	st, err := uplink.Try(ctx, o)
	a.Line = err == nil && st.Online
	return a
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

// A command that hangs ends after so long, whatever its own limit is. A bundle is offered again after retryBundle while the hub is away.
const (
	doctorIn    = 3 * time.Minute
	bundleIn    = time.Hour
	retryBundle = 15 * time.Second
)

// obey begins the commands that are due, each once: the note that it was begun is on the disk before.
func (d *desirer) obey(ctx context.Context, a *App, f desired.Folder, wg *sync.WaitGroup) {
	if d.word == nil {
		return
	}
	l, now := f.Ledger(), a.hubTime()
	begin, late := l.Due(d.word.Commands, now)
	for _, c := range late {
		l.Entries[c.ID] = notBegun(c, wire.Expired, "it came after its time limit and was not begun")
	}
	begin, strange := known(begin)
	for _, c := range strange {
		a.log.WarnContext(ctx, "a command of the hub was refused", "code", c.Kind, "detail", c.ID, "err", c.Check())
		l.Entries[c.ID] = notBegun(c, wire.Unknown, "it was not begun: "+c.Check().Error()+". This PC runs "+version.String()+"; update it, then ask again")
	}
	if small := l.Forget(d.word.Commands, time.Now()); len(late)+len(strange) > 0 || len(small.Entries) < len(l.Entries) {
		l = small
		if err := f.Put(l); err != nil {
			a.log.WarnContext(ctx, "cannot note commands of the hub; they wait", "err", err)
			return
		}
	}
	for _, c := range begin {
		a.log.InfoContext(ctx, "a command of the hub is carried out", "code", c.Kind, "detail", c.ID)
		e := desired.Entry{Kind: c.Kind, Begun: time.Now().UTC()}
		if c.Kind == wire.LogLevel { // it is done by being noted
			e.Level, e.Until = c.Level, e.Begun.Add(c.For)
			e.End = result(c, nil, fmt.Sprintf("it logs at %s until %s, then as its settings say", c.Level, e.Until.Format(time.RFC3339)))
		}
		l.Entries[c.ID] = e
		if err := f.Put(l); err != nil {
			a.log.WarnContext(ctx, "cannot note a command of the hub; it waits", "err", err)
			return
		}
		switch c.Kind {
		case wire.Restart:
			d.reopen()
			return // the others are begun after it
		case wire.Doctor, wire.Bundle:
			wg.Go(func() { d.carry(ctx, a, c) })
		}
	}
}

// known parts the commands that this version can carry out from those that only a later one can.
func known(cs []wire.Command) (can, cannot []wire.Command) {
	for _, c := range cs {
		if c.Check() == nil {
			can = append(can, c)
		} else {
			cannot = append(cannot, c)
		}
	}
	return can, cannot
}

func notBegun(c wire.Command, how wire.Outcome, why string) desired.Entry {
	now := time.Now().UTC()
	return desired.Entry{Kind: c.Kind, Begun: now, End: &wire.Result{ID: c.ID, Kind: c.Kind, Outcome: how, Detail: why, At: now}}
}

// carry does what takes its time. One that is cut off by the agent's end is told as such at the next start.
func (d *desirer) carry(ctx context.Context, a *App, c wire.Command) {
	limit := min(map[wire.Kind]time.Duration{wire.Doctor: doctorIn, wire.Bundle: bundleIn}[c.Kind], max(c.Expires.Sub(a.hubTime()), time.Second))
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var said string
	var err error
	switch c.Kind {
	case wire.Doctor:
		said = d.doctor(within)
	case wire.Bundle:
		said, err = d.bundle(within, a, c)
	}
	if ctx.Err() != nil {
		return
	}
	if within.Err() != nil && err == nil {
		err = errors.New("it did not end within its time limit")
	}
	a.ends.put(result(c, err, said))
}

func (d *desirer) doctor(ctx context.Context) string {
	var b strings.Builder
	cfg, _ := LoadConfig(d.file)
	Examine(ctx, d.file).Text(&b)
	return newWash(cfg).clean(b.String())
}

// bundle sends the support bundle to the hub, again and again until it has it or the time is over.
func (d *desirer) bundle(ctx context.Context, a *App, c wire.Command) (string, error) {
	var b bytes.Buffer
	if err := (&cli{file: d.file, err: &b}).writeBundle(ctx, &b); err != nil {
		return "", err
	}
	if b.Len() > enrol.MaxBundle {
		return "", fault.Msg(fault.Invalid, "support bundle", fmt.Sprintf("it has %d bytes; the hub takes %d", b.Len(), enrol.MaxBundle))
	}
	for {
		err := identityOf(a.Config).Upload(ctx, c.ID, b.Bytes())
		if err == nil {
			return fmt.Sprintf("%d bytes are at the hub", b.Len()), nil
		}
		if knownFault(err) {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(retryBundle):
		}
	}
}

// ends is what commands that took their time came to; run writes it down.
type ends struct {
	mu  sync.Mutex
	all []*wire.Result
}

func (e *ends) put(r *wire.Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, r)
}

func (e *ends) take() []*wire.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.all
	e.all = nil
	return all
}

// noteEnds writes down what ended.
func (d *desirer) noteEnds(ctx context.Context, a *App, f desired.Folder) {
	all := a.ends.take()
	if len(all) == 0 {
		return
	}
	l := f.Ledger()
	for _, r := range all {
		e := l.Entries[r.ID]
		e.End = r
		l.Entries[r.ID] = e
	}
	if err := f.Put(l); err != nil {
		a.log.WarnContext(ctx, "cannot note how a command of the hub ended; it is tried again", "err", err)
		for _, r := range all {
			a.ends.put(r)
		}
	}
}

// endCutOff ends at a start what was begun before it: a restart is done by that, and nothing else is begun a second time.
func (d *desirer) endCutOff(f desired.Folder, log *slog.Logger) {
	l := f.Ledger()
	cut := l.CutOff()
	for _, id := range cut {
		e := l.Entries[id]
		c := wire.Command{ID: id, Kind: e.Kind}
		if e.Kind == wire.Restart {
			e.End = result(c, nil, "everything was closed and opened again")
		} else {
			e.End = result(c, errors.New("the agent ended while it ran; it is not begun again"), "")
		}
		l.Entries[id] = e
	}
	if len(cut) == 0 {
		return
	}
	if err := f.Put(l); err != nil {
		log.Warn("cannot note how a command of the hub ended; it is noted at the next start", "err", err)
	}
}

// result is the one end of a command.
func result(c wire.Command, err error, said string) *wire.Result {
	r := &wire.Result{ID: c.ID, Kind: c.Kind, Outcome: wire.Done, Detail: said, At: time.Now().UTC()}
	if err != nil {
		r.Outcome, r.Detail = wire.Failed, strings.TrimSpace(said+"\n"+err.Error())
	}
	if len(r.Detail) > wire.MaxDetail {
		r.Detail = strings.ToValidUTF8(r.Detail[:wire.MaxDetail], "") + "\n…"
	}
	return r
}

func jsonOf(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return b, fault.New(fault.Internal, "write report", err)
}

package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// said is how the last round of each source went.
type said struct {
	mu sync.Mutex
	of map[string]string // "" = well
}

func (s *said) note(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]string{}
	}
	s.of[name] = text(err)
}

// look lists the sources that fail, with why, and those that have not had a turn.
func (s *said) look(sources []source.Source) (failing map[string]string, waiting []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failing = map[string]string{}
	for _, x := range sources {
		switch why, known := s.of[x.Name()]; {
		case !known:
			waiting = append(waiting, x.Name())
		case why != "":
			failing[x.Name()] = why
		}
	}
	return failing, waiting
}

// desiredName is the name under which the buffer remembers what the hub was told of its settings.
const desiredName = "desired"

// tell tells the hub what became of settings and commands, once each: report and memory of it are one transaction of the buffer.
func (d *desirer) tell(ctx context.Context, a *App, f desired.Folder) {
	if m := f.Marker(); m.Step.Final() {
		is := source.Cursor(fmt.Sprintf("%s %s %d", m.Hash, m.Step, m.Behind))
		if told, err := a.Buffer.Cursor(ctx, desiredName); err == nil && told != is {
			_ = a.append(ctx, desiredName, is, decode.Desired, m.Report()) // a full disk: it is told later
		}
	}
	l := f.Ledger()
	for _, r := range l.Untold() {
		name := "command " + r.ID
		told, err := a.Buffer.Cursor(ctx, name)
		if err == nil && told == "" {
			err = a.append(ctx, name, source.Cursor(r.Outcome), decode.Command, r)
		}
		if err != nil {
			return
		}
		e := l.Entries[r.ID]
		e.Told = true
		l.Entries[r.ID] = e
		if f.Put(l) != nil {
			return
		}
	}
}

// append puts one thing on the state stream.
func (a *App) append(ctx context.Context, name string, c source.Cursor, kind envelope.Kind, v any) error {
	body, err := jsonOf(v)
	if err != nil {
		return err
	}
	return a.Buffer.Append(ctx, name, c, []source.Draft{{Stream: envelope.State, Kind: kind, Key: name, ContentType: "application/json", At: time.Now(), Body: body}})
}

// DesiredStatus is how the hub's settings stand.
type DesiredStatus struct {
	Version int64        `json:"version"`
	State   desired.Step `json:"state"`
	Reason  string       `json:"reason,omitempty"`
	At      time.Time    `json:"at,omitzero"`
	Notes   []string     `json:"notes,omitempty"`
}

// desiredStatus is nil when the hub never set anything.
func desiredStatus(c Config) *DesiredStatus {
	if !c.Enrolled {
		return nil
	}
	m := desired.In(c.DataDir).Marker()
	if m.Step == desired.None || m.Step == desired.Applied && m.Hash == wire.HashOf("") {
		return nil
	}
	return &DesiredStatus{Version: m.Version, State: m.Step, Reason: m.Reason, At: m.At, Notes: m.Notes}
}

// lookDesired sets what a manager should know of the hub's settings.
func (a *App) lookDesired(now time.Time) {
	if a.Config.Desired.Unused != "" {
		a.Health.Set(settingsUnused, oneLine(a.Config.Desired.Unused), now)
	} else {
		a.Health.Clear(settingsUnused)
	}
	if s := desiredStatus(a.Config); s != nil && (s.State == desired.Refused || s.State == desired.RolledBack) {
		a.Health.Set(settingsBack, oneLine(s.Reason), now)
	} else {
		a.Health.Clear(settingsBack)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// knownFault keeps the codes that a person can act on.
func knownFault(err error) bool {
	c := fault.CodeOf(err)
	return c == fault.Invalid || c == fault.Conflict || c == fault.NotFound
}

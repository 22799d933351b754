package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/decode"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
)

// DesiredConfig is what the hub has set of the settings.
type DesiredConfig struct {
	Version int64  `json:"version,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Trial   bool   `json:"trial,omitempty"`  // they have not proven themselves yet
	Unused  string `json:"unused,omitempty"` // why the hub's settings do not count, "" = they do
}

// asDesired lays the hub's settings over the PC's own. Only an enrolled PC can tell its hub's word from another's, so only it obeys one.
func (c Config) asDesired(own []byte) Config {
	if !c.Enrolled {
		return c
	}
	m, trial := desired.In(c.DataDir).InForce()
	if m.Hash == "" {
		return c
	}
	d := DesiredConfig{Version: m.Version, Hash: m.Hash, Trial: trial}
	out, _, err := laid(own, m.Settings, c)
	if err != nil {
		d.Unused, out = err.Error(), c
	}
	out.Desired = d
	return out
}

// laid is the one check of the hub's settings: the same as of a file, and that they touch nothing of the agent's own. notes say what of them
// only a later version knows. Code invalid.
func laid(own []byte, settings string, c Config) (out Config, notes []string, err error) {
	s, notes, err := wire.ParseKnown(settings)
	if err != nil {
		return c, nil, err
	}
	data, err := desired.Overlay(own, s)
	if err != nil {
		return c, nil, err
	}
	out, err = parseConfig("the hub's settings on this PC", data, s.Profiles)
	if err != nil {
		return c, nil, err
	}
	var f config.Faults
	for name, keys := range s.Sources["filedrop"] {
		if dir, ok := keys["dir"].(string); ok && desired.Forbidden(dir, c.DataDir, c.Profiles.Dir) {
			f.Add("source.filedrop %q: %s is a folder of the agent's own; tickets do not come from there", name, dir)
		}
	}
	return out, notes, f.Err("the hub's settings on this PC")
}

// notes are what is not wrong with settings and should be looked at.
func (c Config) notes() (out []string) {
	for _, d := range c.Source.FileDrop {
		if _, err := os.ReadDir(d.Dir); err != nil {
			out = append(out, fmt.Sprintf("source.filedrop %q: %s cannot be read now: %v", d.Name, d.Dir, err))
		}
	}
	return out
}

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

// desirer makes of this PC what the hub wants. It lives as long as the process and drives one App after another; run is its only goroutine,
// and between two runs runWatching's.
type desirer struct {
	file  string
	level slog.LevelVar
	heard chan []byte   // the newest word, unread
	again chan struct{} // open anew

	own     string        // the settings' log level
	trial   bool          // the settings in use have not proven themselves yet
	closing bool          // open anew was said
	word    *wire.Message // the newest that counts
	strange string        // the last word that was refused, so that it is said once
	well    time.Time     // since when everything is, zero = it is not
	release *wire.Release // that is wanted, once wished
	wished  bool
}

func newDesirer(file string) *desirer {
	return &desirer{file: file, heard: make(chan []byte, 1), again: make(chan struct{}, 1)}
}

// hear implements uplink.Options.Desired.
func (d *desirer) hear(sealed []byte) {
	for {
		select {
		case d.heard <- sealed:
			return
		default:
		}
		select {
		case <-d.heard: // an older one
		default:
		}
	}
}

// says takes over what settings say of the log.
func (d *desirer) says(c Config) {
	d.own = c.LogLevel
	d.setLevel(c, time.Now())
}

func (d *desirer) setLevel(c Config, now time.Time) {
	level := d.own
	if c.Enrolled {
		if l := desired.In(c.DataDir).Ledger().Level(now); l != "" {
			level = l
		}
	}
	d.level.Set(levelOf(level))
}

// open reads the settings to go on with, after it has healed what a kill left. have is what held until now, nil = the process starts: a file
// that was spoiled meanwhile then ends nothing.
func (d *desirer) open(ctx context.Context, have *Config, log *slog.Logger) (Config, error) {
	d.trial, d.closing, d.well, d.word = false, false, time.Time{}, nil
	select {
	case <-d.again:
	default:
	}
	c, err := LoadConfig(d.file)
	if err != nil && have != nil {
		log.ErrorContext(ctx, "the settings file cannot be used; what held before goes on", "file", d.file, "err", err)
		c, err = *have, nil
	}
	if err != nil || !c.Enrolled {
		d.says(c)
		return c, err
	}
	mine, err := lock.Take(c.DataDir, program) // another agent that runs here has its trial, and this one ends
	if err != nil {
		return c, err
	}
	defer mine.Release() //nolint:errcheck // it is taken again in a moment
	f := desired.In(c.DataDir)
	m, err := f.Open(time.Now())
	if err != nil { // a full disk: what holds is used, and the next start tries again
		log.WarnContext(ctx, "cannot note how the hub's settings stand", "err", err)
	}
	if c, err = d.load(c); err != nil {
		return c, err
	}
	if c.Desired.Trial && c.Desired.Unused != "" {
		if _, err := f.Give(m, c.Desired.Unused, time.Now()); err != nil {
			return c, err
		}
		if c, err = d.load(c); err != nil {
			return c, err
		}
	}
	d.trial = c.Desired.Trial
	d.endCutOff(f, log)
	d.says(c)
	return c, nil
}

func (d *desirer) load(have Config) (Config, error) {
	c, err := LoadConfig(d.file)
	if err != nil {
		return have, nil //nolint:nilerr // it was read a moment ago, or held before
	}
	return c, nil
}

// giveBack ends a trial with which the agent could not run.
func (d *desirer) giveBack(ctx context.Context, why error, log *slog.Logger) error {
	c, err := LoadConfig(d.file)
	if err != nil {
		return err
	}
	f := desired.In(c.DataDir)
	log.ErrorContext(ctx, "the agent does not run with the hub's new settings; those before hold again", "err", why)
	_, err = f.Give(f.Marker(), "the agent does not run with them: "+why.Error(), time.Now())
	return err
}

// lookEvery is how often a trial is looked at, and commands.
const lookEvery = time.Second

// run obeys until ctx ends.
func (d *desirer) run(ctx context.Context, a *App) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case sealed := <-d.heard:
			d.read(ctx, a, sealed)
		case <-tick.C:
		}
		if d.closing {
			continue
		}
		f := desired.In(a.Config.DataDir)
		d.watch(ctx, a, f)
		d.noteEnds(ctx, a, f)
		if !d.closing && !d.trial {
			d.obey(ctx, a, f, &wg)
		}
		d.tell(ctx, a, f)
		d.wish(ctx, a, f)
		d.setLevel(a.Config, time.Now())
	}
}

// reopen closes the agent and opens it again.
func (d *desirer) reopen() {
	d.closing = true
	select {
	case d.again <- struct{}{}:
	default:
	}
}

// read takes a word in.
func (d *desirer) read(ctx context.Context, a *App, sealed []byte) {
	id, err := identityOf(a.Config).Read()
	if err != nil {
		return // the keeper of the certificate tells
	}
	w, err := wire.Open(sealed, id.CA, id.Hub, id.Device)
	if err != nil {
		if d.strange != err.Error() {
			d.strange = err.Error()
			a.log.ErrorContext(ctx, "a word on what this PC shall be was refused: it is not its hub's, or not whole", "err", err)
		}
		return
	}
	f, now := desired.In(a.Config.DataDir), time.Now()
	m := f.Marker()
	switch desired.Hear(m, w.Version, w.Hash, f.Holds()) {
	case desired.Older:
		again, err := f.HubIsBehind(m, w.Version)
		if !again {
			a.log.WarnContext(ctx, "an older word of the hub was refused; what holds goes on", "version", w.Version, "seen", m.Seen, "err", err)
		}
		return
	case desired.Known:
	case desired.Same:
		err = f.Note(m, w, w.Hash == f.Holds() && m.Step != desired.Trying, now)
	case desired.New:
		err = d.take(ctx, a, f, m, w)
	}
	if err != nil {
		a.log.ErrorContext(ctx, "cannot keep the hub's word; it is taken up at the next start", "err", err)
		return
	}
	d.word = &w
}

// take checks new settings, and has them tried or refused.
func (d *desirer) take(ctx context.Context, a *App, f desired.Folder, m desired.Marker, w wire.Message) error {
	own, err := ownSettings(d.file)
	if err != nil {
		return err
	}
	base, err := parseConfig(d.file, own, nil)
	if err != nil {
		return err // the PC's own settings are being edited: the word comes again
	}
	c, notes, err := laid(own, w.Settings, base)
	if err != nil {
		a.log.WarnContext(ctx, "the hub's new settings cannot be used here; nothing was changed", "version", w.Version, "err", err)
		trying := m.Step == desired.Trying
		err = f.Refuse(m, w, err.Error(), time.Now())
		if trying { // the trial ended with it
			d.reopen()
		}
		return err
	}
	if m.Step != desired.Trying { // else it is known from before the first trial
		failing, _ := a.said.look(a.sources)
		m.Ailing, m.Line = slices.Sorted(maps.Keys(failing)), a.uplink.State().Connected
	}
	m.Notes = append(notes, c.notes()...)
	a.log.InfoContext(ctx, "new settings of the hub are tried", "version", w.Version)
	if err := f.Try(m, w); err != nil {
		return err
	}
	d.reopen()
	return nil
}

// watch decides about a trial.
func (d *desirer) watch(ctx context.Context, a *App, f desired.Folder) {
	m := f.Marker()
	if !d.trial || m.Step != desired.Trying || m.Hash != a.Config.Desired.Hash {
		return
	}
	facts := desired.Facts{Ran: time.Since(a.started), Line: a.uplink.State().Connected}
	facts.Failing, facts.Waiting = a.said.look(a.sources)
	switch {
	case !desired.Well(m, facts):
		d.well = time.Time{}
	case d.well.IsZero():
		d.well = time.Now()
	}
	if !d.well.IsZero() {
		facts.Well = time.Since(d.well)
	}
	var err error
	switch do, why := desired.Watch(m, facts); do {
	case desired.Keep:
		if _, err = f.Commit(m, time.Now()); err == nil {
			d.trial = false
			a.log.InfoContext(ctx, "the hub's new settings hold", "version", m.Version)
		}
	case desired.Give:
		a.log.ErrorContext(ctx, "the hub's new settings were given back; those before hold again", "version", m.Version, "why", why)
		_, err = f.Give(m, why, time.Now())
		d.reopen()
	}
	if err != nil {
		a.log.ErrorContext(ctx, "cannot note how the hub's settings stand", "err", err)
	}
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

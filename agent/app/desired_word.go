package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/desired"
	wire "github.com/tillpost/tillpost/shared/desired"
)

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

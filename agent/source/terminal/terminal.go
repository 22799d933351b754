// Package terminal asks a card terminal on the store's own network what it is, whether it works, and what it holds of payments taken
// offline; on request also for its batches. It only reads, one conversation at a time, in times when nobody trades, and gives way at once
// to a till.
package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/upa"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// every is how often a terminal is looked at inside its windows.
	every = 15 * time.Minute
	// tellAgain is when a terminal that has not changed is told again: the hub shows that it was seen.
	tellAgain = 24 * time.Hour
	// keptBatches bounds the memory of batches that were told; a terminal knows some days' worth.
	keptBatches = 200
)

// Options say which terminal, and when it may be asked.
type Options struct {
	Address  string // host:port; UPA listens on 8081
	Register string // the name under which we ask; "" = "9"
	Place    upa.Place
	Windows  Windows
	Every    time.Duration // 0 = 15 min
	Pause    time.Duration // between two conversations, 0 = 0.3 s
	Batches  bool          // read batches here; leave it off where the gateway tells them
	Mode     mode.Mode
	Log      *slog.Logger
	Now      func() time.Time // nil = time.Now
}

// Terminal is one terminal; it implements source.Source.
type Terminal struct {
	o    Options
	name string
	br   *breaker.Breaker

	line   sync.Mutex // one conversation at a time
	turn   int
	hungUp time.Time

	next   time.Time // when it is looked at again
	pieces source.Pieces
}

// cursor is the source's memory: what was told last.
type cursor struct {
	Told    retail.Terminal   `json:"told"`
	At      time.Time         `json:"at,omitzero"`
	Batches map[string]string `json:"batches,omitempty"` // state of each batch that was told
}

// New returns a terminal's source under its name, which must never change.
func New(name string, o Options) *Terminal {
	if o.Every == 0 {
		o.Every = every
	}
	if o.Pause == 0 {
		o.Pause = pause
	}
	if o.Register == "" {
		o.Register = "9" // not a till's own number
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	// The look after a failure is the next regular one: a terminal that is off at night is no reason to hurry.
	return &Terminal{o: o, name: "terminal/" + name, br: breaker.New("terminal/"+name, breaker.Options{After: 2, Rest: o.Every - time.Second, Mode: o.Mode})}
}

// Name implements source.Source.
func (t *Terminal) Name() string { return t.name }

// Breakers are the source's connections.
func (t *Terminal) Breakers() []*breaker.Breaker { return []*breaker.Breaker{t.br} }

// Read implements source.Source. A terminal that cannot be asked is no error: it is told as a state of the terminal, and its connection
// shows why.
func (t *Terminal) Read(ctx context.Context, after source.Cursor, most int) ([]source.Draft, source.Cursor, error) {
	if ds, next, more := t.pieces.Next(after, most); more {
		return ds, next, nil
	}
	now := t.o.Now()
	if now.Before(t.next) || !t.o.Windows.Open(now, t.o.Place.Zone) {
		return nil, after, nil
	}
	var c cursor
	if own := source.Whole(after); own != "" {
		if err := json.Unmarshal([]byte(own), &c); err != nil {
			return nil, after, fault.New(fault.Internal, "read cursor of "+t.name, err)
		}
	}
	t.next = now.Add(t.o.Every)
	seen := look{terminal: c.Told, batches: map[string]string{}}
	err := t.br.Do(ctx, func(ctx context.Context) error { return t.look(ctx, now, c, &seen) })
	switch {
	case ctx.Err() != nil:
		return nil, after, ctx.Err()
	case seen.busy:
		return nil, after, nil
	case err != nil:
		seen.terminal.Status = upa.StatusOffline
		if errors.Is(err, upa.ErrGarbage) {
			seen.terminal.Status = upa.StatusGarbage
		}
		t.o.Log.InfoContext(ctx, "a card terminal cannot be asked", "source", t.name, "err", err)
	}
	return t.tell(now, after, c, seen, most)
}

// look is what one round found.
type look struct {
	terminal retail.Terminal
	busy     bool
	drafts   []source.Draft
	batches  map[string]string
}

// look asks what the source wants to know. It stops at the first word that a till is at the terminal.
func (t *Terminal) look(ctx context.Context, now time.Time, c cursor, seen *look) error {
	as, err := t.talk(ctx, upa.AppInfo{})
	if err == nil {
		seen.terminal, err = upa.Info(as[0], t.o.Place, now)
	}
	if err == nil {
		as, err = t.talk(ctx, upa.SAFReport{})
	}
	if err == nil {
		err = t.offline(ctx, as, seen)
	}
	if err == nil && t.o.Batches {
		err = t.batches(ctx, now, c, seen)
	}
	if errors.Is(err, errBusy) {
		seen.busy = true
		return nil
	}
	if fault.Is(err, fault.Invalid) { // an answer in a form that we cannot read is worth a later look, and shown until then
		err = fault.New(fault.Unavailable, t.name, err)
	}
	return err
}

// offline reads the report on offline payments. A terminal that refuses it has said nothing about them: that must not look like none.
func (t *Terminal) offline(ctx context.Context, as []upa.Answer, seen *look) error {
	seen.terminal.Offline = nil
	var all upa.Offline
	for i, a := range as {
		if err := a.Refused(); err != nil {
			t.o.Log.InfoContext(ctx, "a card terminal does not tell its offline payments", "source", t.name, "err", err)
			return nil
		}
		o, err := upa.OfflinePayments(a, t.o.Place)
		if err != nil {
			return err
		}
		if i == 0 {
			all = o
		} else if err := all.Join(o); err != nil {
			return err
		}
	}
	if all.More {
		return fault.Msg(fault.Unavailable, t.name, "the report on offline payments breaks off")
	}
	seen.terminal.Offline = all.State()
	return nil
}

// batches reads every batch that is new or stood open when it was told.
func (t *Terminal) batches(ctx context.Context, now time.Time, c cursor, seen *look) error {
	as, err := t.talk(ctx, upa.Batches{})
	if err != nil {
		return err
	}
	ids, err := upa.BatchList(as[0])
	if err != nil {
		return err
	}
	if len(ids) > keptBatches {
		ids = ids[len(ids)-keptBatches:]
	}
	for _, id := range ids {
		if was := c.Batches[string(id)]; was == closed {
			seen.batches[string(id)] = was
			continue
		}
		as, err := t.talk(ctx, upa.BatchDetails{Batch: id})
		if err != nil {
			return err
		}
		state, ds, err := t.batch(now, as)
		if err != nil {
			return err
		}
		if seen.batches[string(id)] = state; state != c.Batches[string(id)] {
			seen.drafts = append(seen.drafts, ds...)
		}
	}
	return nil
}

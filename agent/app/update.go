package app

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/agent/update/launch"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/version"
)

// updates is what one process that a launcher started does about versions: it lives as long as the process, through every change of settings.
type updates struct {
	*carry.Updater
	voice *launch.Voice
	app   atomic.Pointer[App] // the agent that works now

	mu    sync.Mutex
	last  uint64    // the last ticket's place in its stream
	since time.Time // when it came, by the clock that no one sets
}

// newUpdates makes them; restart ends the process in order.
func newUpdates(c Config, settings string, voice *launch.Voice, log *slog.Logger, restart func()) *updates {
	store := slots.At(c.DataDir)
	exe, _ := os.Executable()
	own := ownRelease(store, exe)
	u := &updates{voice: voice, since: time.Now()}
	u.Updater = &carry.Updater{
		Store: store, Releases: releasesOf(c, u.now), Checker: tryout{c, settings}, Here: u.here, Own: own, Version: version.String(), Exe: exe,
		Restart: restart, Log: log, Every: update.Pulse,
	}
	return u
}

// ownRelease is what this program is among the versions on this PC: zero = the installed one. The pointer alone does not say: on a full disk it
// could not be set.
func ownRelease(s slots.Store, exe string) update.Release {
	w := s.Watch()
	for _, r := range []update.Release{s.Current(), w.From, w.To} {
		if path := s.Path(r); path != "" && same(path, exe) {
			return r
		}
	}
	return update.Release{}
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// now is head office's time where it is known.
func (u *updates) now() time.Time {
	if a := u.app.Load(); a != nil {
		return a.hubTime()
	}
	return time.Now()
}

// here tells how the store stands at this moment.
func (u *updates) here() update.Here {
	h := update.Here{Moment: update.Moment{Local: time.Now(), Quiet: u.quiet()}}
	if a := u.app.Load(); a != nil {
		h.Device, h.Proof = string(a.Config.Device), a.proof()
	}
	return h
}

// quiet is how long no ticket came in: by their number, so that neither a till's clock nor this PC's can make it longer.
func (u *updates) quiet() time.Duration {
	a := u.app.Load()
	if a == nil {
		return 0
	}
	n := a.Buffer.State(envelope.Sales).Last
	u.mu.Lock()
	defer u.mu.Unlock()
	if n != u.last {
		u.last, u.since = n, time.Now()
	}
	return time.Since(u.since)
}

// prove tells the launcher how the agent stands, until ctx ends.
func (u *updates) prove(ctx context.Context) {
	tick := time.NewTicker(update.Pulse)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if a := u.app.Load(); a != nil {
				a.plantedOffline(time.Now())
				u.voice.Prove(a.proof())
			}
		}
	}
}

// proof is how the agent stands, for whoever judges a version.
func (a *App) proof() update.Proof {
	now := time.Now()
	a.look(now)
	p := update.Proof{Connected: a.uplink.State().Connected}
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := a.Buffer.Hub(within)
	p.Database = err == nil
	for _, s := range envelope.Streams {
		st := a.Buffer.State(s)
		p.Head += st.Acked
		p.Waiting = p.Waiting || st.Waiting() > 0
	}
	for _, h := range a.Health.Report(now) {
		code, of, _ := strings.Cut(h.Code, ":")
		if of != "" && slices.Contains([]string{sourceDown.Code, sourceShut.Code, connectionRefused.Code, connectionDown.Code}, code) {
			p.Down = append(p.Down, of)
		}
	}
	slices.Sort(p.Down)
	return p
}

// Update is how a version stands, in `agent status`.
type Update struct {
	Installed string          `json:"installed,omitempty"` // version of the package's own program, which started this one
	Phase     update.Phase    `json:"phase,omitempty"`
	To        string          `json:"to,omitempty"`
	Why       string          `json:"why,omitempty"`
	Last      *update.Outcome `json:"last,omitempty"`
}

// updateStatus tells it; nil = no launcher started this agent, so only a package brings another version.
func (a *App) updateStatus() *Update {
	if a.updates == nil {
		return nil
	}
	s := a.updates.Status()
	return &Update{Installed: a.updates.Store.Watch().Base, Phase: s.Phase, To: s.To, Why: s.Why, Last: s.Last}
}

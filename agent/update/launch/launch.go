// Package launch is the launcher: the process that the service manager starts and that only a package replaces. It starts the version that the
// pointer names as a process of its own, hears whether that one does its work, and carries out what update.Watch decides: the pointer's flip,
// probation, commit and the way back. What stands between the two processes (protocol.go) never changes its meaning: the launcher of an old
// package starts the newest agent.
package launch

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/fault"
)

// Program is a version that runs.
type Program interface {
	Sign() update.Sign     // Elapsed and Now are the launcher's
	Stop()                 // asks it to end in order
	Kill()                 // ends it
	Done() <-chan struct{} // closed when it has ended; Detail then says how
}

// Starter starts versions and puts questions to them. An empty path is the installed program.
type Starter interface {
	Start(ctx context.Context, path string) (Program, error)
	Ask(ctx context.Context, path string) update.Answer
	Detail(p Program) string // how it ended
}

// Launcher is one life of the service.
type Launcher struct {
	Store     slots.Store
	Starter   Starter
	Installed string // the launcher's own version
	Log       *slog.Logger
	Every     time.Duration // 0 = a second

	watch update.Watch
	kept  update.Watch
	saved time.Time // when kept was
	moved atomic.Int64
	end   error // of the program that ran last
}

const (
	every    = time.Second
	keepLate = 30 * time.Second // running time alone is written down no more often
	// keepTrial is how often in the trial: a day of it is not a write a minute.
	keepTrial = 15 * time.Minute
	stale     = time.Minute
	// asleep is how many looks were left out when the PC slept, or stood still, and everything on it with the launcher.
	asleep   = 10
	stopping = 25 * time.Second // for a program to end in order before it is killed
	// killAfter is for one that has to go: what it has under way is safe on the disk.
	killAfter = 10 * time.Second
)

var errStill = errors.New("the launcher has not moved for a minute")

// Run runs whatever version it has to be until ctx ends, and tells ready once it works; an error is a reason for the service manager to start everything anew.
func (l *Launcher) Run(ctx context.Context, ready func(alive func() error)) error {
	l.touch()
	l.watch = l.Store.Watch()
	l.kept = l.watch
	w, o := l.watch.Begin(l.disk())
	for ctx.Err() == nil {
		if !l.keep(ctx, w, true) && o.Act == update.Point && w.Phase == update.Flipping {
			// Without its note the pointer stays: the version that was there runs on, and takes the update back when it starts.
			w, o = l.kept, update.Order{Act: update.Run, Target: l.Store.Current()}
		}
		switch o.Act {
		case update.Point:
			if err := l.Store.Point(o.Target); err != nil {
				l.Log.WarnContext(ctx, "the pointer cannot be set", "version", l.name(o.Target), "phase", string(w.Phase), "err", err)
				w, o = w.Unpointed(o, err.Error(), l.disk())
				continue
			}
			l.Log.InfoContext(ctx, "the pointer is set", "version", l.name(o.Target), "phase", string(w.Phase))
			w, o = w.Resume(l.disk())
		case update.Run:
			w, o = l.run(ctx, ready, w, o)
		default:
			l.keep(ctx, w, true)
			return l.end
		}
	}
	l.keep(ctx, w, true)
	return nil
}

func (l *Launcher) touch() { l.moved.Store(time.Now().UnixNano()) }

// alive answers the service manager's watchdog: the launcher moves. Whether the agent does is the launcher's own business.
func (l *Launcher) alive() error {
	if time.Since(time.Unix(0, l.moved.Load())).Abs() > stale {
		return errStill
	}
	return nil
}

func (l *Launcher) disk() update.Disk {
	return update.Disk{Installed: l.Installed, Current: l.Store.Current(), Whole: l.Store.Whole, Plan: l.Store.Plan(), Now: time.Now()}
}

func (l *Launcher) name(r update.Release) string {
	if r.Installed() {
		return l.Installed
	}
	return r.Version
}

// keep writes the watch down when it is another than the disk has, and reports whether the disk has it.
func (l *Launcher) keep(ctx context.Context, w update.Watch, now bool) bool {
	if reflect.DeepEqual(w, l.kept) {
		return true
	}
	late := w
	late.Ran = l.kept.Ran
	often := keepLate
	if w.Phase == update.Trial {
		often = keepTrial
	}
	if !now && reflect.DeepEqual(late, l.kept) && time.Since(l.saved) < often {
		return true
	}
	if err := l.Store.KeepWatch(w); err != nil {
		l.Log.WarnContext(ctx, "where the update stands cannot be written down", "err", err)
		return false
	}
	l.kept, l.saved = w, time.Now()
	return true
}

// run starts a version and attends to it until it has ended.
func (l *Launcher) run(ctx context.Context, ready func(alive func() error), w update.Watch, o update.Order) (update.Watch, update.Order) {
	if o.After > 0 {
		select {
		case <-ctx.Done():
			return w.Ended(update.End{Asked: true}, l.disk())
		case <-time.After(o.After):
		}
	}
	p, err := l.Starter.Start(ctx, l.Store.Path(o.Target))
	if err != nil {
		l.end = fault.New(fault.Internal, "start version "+l.name(o.Target), err)
		l.Log.WarnContext(ctx, "a version cannot be started", "version", l.name(o.Target), "err", err)
		return w.Ended(update.End{Detail: err.Error()}, l.disk())
	}
	return l.attend(ctx, ready, w, p)
}

// attend looks at a running program every second. Only this goroutine decides.
func (l *Launcher) attend(ctx context.Context, ready func(alive func() error), w update.Watch, p Program) (update.Watch, update.Order) {
	period := l.Every
	if period <= 0 {
		period = every
	}
	tick := time.NewTicker(period)
	defer tick.Stop()
	answers, asking, told, last, woke := make(chan update.Answer, 1), false, false, time.Now(), time.Time{}
	for {
		var o update.Order
		select {
		case <-ctx.Done():
			l.stop(p, stopping)
			return w.Ended(update.End{Asked: true}, l.disk())
		case <-p.Done():
			detail := l.Starter.Detail(p)
			if l.end = nil; detail != "" {
				l.end = errors.New(detail)
			}
			return w.Ended(update.End{Detail: detail}, l.disk())
		case a := <-answers:
			asking = false
			w, o = w.Asked(a, p.Sign())
			l.Log.InfoContext(ctx, "the version before has looked", "phase", string(w.Phase), "could", !a.Failed, "buffer", a.Buffer, "line", a.Line)
		case now := <-tick.C:
			l.touch()
			s := p.Sign()
			s.Elapsed, s.Now = min(time.Since(last), asleep*period), now
			if time.Since(last) > asleep*period {
				woke = time.Now()
			}
			if last = time.Now(); !woke.IsZero() { // what could not speak was not silent
				s.Silent, s.Up = min(s.Silent, last.Sub(woke)), min(s.Up, last.Sub(woke))
			}
			if s.Ready && !told {
				told = true
				ready(l.alive)
			}
			w, o = w.Look(s)
		}
		l.keep(ctx, w, false)
		switch o.Act {
		case update.Kill:
			l.Log.WarnContext(ctx, "what runs is ended", "cause", string(w.Cause), "detail", w.Detail)
			l.stop(p, killAfter)
		case update.Ask:
			if !asking {
				asking = true
				go func() { answers <- l.Starter.Ask(ctx, l.Store.Path(o.Target)) }()
			}
		}
	}
}

// stop ends a program: in order within the time, else at once.
func (l *Launcher) stop(p Program, within time.Duration) {
	p.Stop()
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		select {
		case <-p.Done():
			return
		case <-late.C:
			p.Kill()
			<-p.Done()
			return
		case <-time.After(every):
			l.touch()
		}
	}
}

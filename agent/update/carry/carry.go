// Package carry does the running agent's part of an update: what update.Plan names, one step after the other, each noted on the disk before it
// is taken. An update that cannot be done disturbs nothing: it is told, and tried again later.
package carry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/slots"
)

// Target is a release that signed metadata names for this PC.
type Target struct {
	Release update.Release
	Signed  any // what the source itself wants to have again
}

// Releases is where releases come from. An update.Failure says whether trying again is of use; any other error is tried again.
type Releases interface {
	// Find names the next step from the running version to the one wished; its version may be a required one on the way.
	Find(ctx context.Context, running, want string) (Target, error)
	// Fetch brings it to the file `to`, whole and checked. old is the running program, from which a patch may be made.
	Fetch(ctx context.Context, t Target, old, to string) error
}

// Checker tries a program that lies on the disk, before anything points to it.
type Checker interface {
	Check(ctx context.Context, path string, r update.Release) error
}

// Updater is safe for concurrent use. Fill it, then Run it.
type Updater struct {
	Store    slots.Store
	Releases Releases
	Checker  Checker
	Here     func() update.Here // how the agent stands now; Elapsed, Watch, Running and Version are filled in here
	Own      update.Release     // the program of this process; zero = the installed one
	Version  string             // its version
	Exe      string             // its file
	Restart  func()             // ends this process in order: the launcher then takes the plan over
	Log      *slog.Logger
	Every    time.Duration // 0 = 10 s

	mu     sync.Mutex
	want   update.Want
	byHand *hand
	plan   update.Plan
	kept   update.Plan // what the disk has
	target Target
	handed bool
	wake   chan struct{}
}

// hand is a wish of a person at this PC.
type hand struct {
	want update.Want
	from Releases
}

const (
	every    = 10 * time.Second
	keepLate = 10 * time.Minute // waiting alone is written down no more often
	within   = 2 * time.Hour    // a download over the poorest line
)

// Want sets head office's wish; the zero value takes it back.
func (u *Updater) Want(w update.Want) {
	u.mu.Lock()
	u.want = w
	u.mu.Unlock()
	u.stir()
}

// Offer sets the wish of a person at this PC, which comes first until it has its final word. from nil is the usual source.
func (u *Updater) Offer(w update.Want, from Releases) {
	u.mu.Lock()
	u.byHand = &hand{w, from}
	u.mu.Unlock()
	u.stir()
}

func (u *Updater) stir() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wake != nil {
		select {
		case u.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// Status is how an update stands, for people and for head office.
type Status struct {
	Version string          `json:"version"`
	Phase   update.Phase    `json:"phase,omitempty"`
	To      string          `json:"to,omitempty"`
	Why     string          `json:"why,omitempty"`
	Last    *update.Outcome `json:"last,omitempty"` // the final word about the last one

	other *update.Outcome // of the other part, which may be the later one where the clock was set
}

// Of is the final word about an order, nil = there is none.
func (s Status) Of(order string) *update.Outcome {
	for _, o := range []*update.Outcome{s.Last, s.other} {
		if o != nil && o.Order == order {
			return o
		}
	}
	return nil
}

// Status tells it; Last is there only when it is final.
func (u *Updater) Status() Status {
	u.mu.Lock()
	p, version := u.plan, u.Version
	u.mu.Unlock()
	return Stands(version, p, u.Store.Watch())
}

// Stands puts both parts together.
func Stands(version string, p update.Plan, w update.Watch) Status {
	s := Status{Version: version, Phase: p.Phase, To: p.To.Version, Why: p.Why, Last: p.Last, other: w.Last}
	if s.To == "" && p.Phase != update.Idle {
		s.To = p.Want.Version
	}
	if w.Last != nil && (s.Last == nil || w.Last.At.After(s.Last.At) || w.Last.Seq > s.Last.Seq) {
		s.Last, s.other = w.Last, p.Last
	}
	if w.Phase != update.Idle && (p.Phase == update.Idle || p.Phase == update.Handed) {
		s.Phase, s.To, s.Why = w.Phase, w.To.Version, w.Detail
	}
	return s
}

// Run moves the plan on until ctx ends. It returns nil then: no update is a reason to end an agent.
func (u *Updater) Run(ctx context.Context) error {
	u.begin(ctx)
	period := u.Every
	if period <= 0 {
		period = every
	}
	tick := time.NewTicker(period)
	defer tick.Stop()
	last := time.Now()
	for {
		now := time.Now()
		u.Step(ctx, now.Sub(last))
		last = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-u.wake:
		}
	}
}

func (u *Updater) begin(ctx context.Context) {
	u.mu.Lock()
	u.wake = make(chan struct{}, 1)
	u.plan = u.Store.Plan()
	u.kept = u.plan
	u.mu.Unlock()
	if p, do := u.plan.Untaken(u.here(0)); do != update.Nothing || p.Phase != u.plan.Phase {
		u.keep(ctx, p)
		u.tidy(ctx)
	}
}

func (u *Updater) here(elapsed time.Duration) update.Here {
	h := u.Here()
	h.Elapsed, h.Watch, h.Running, h.Version = elapsed, u.Store.Watch(), u.Own, u.Version
	return h
}

// Step does everything that can be done now. Only one goroutine calls it.
func (u *Updater) Step(ctx context.Context, elapsed time.Duration) {
	want, from := u.wish()
	p, do := u.plan.Tick(want, u.here(elapsed))
	for ctx.Err() == nil {
		if !u.keep(ctx, p) {
			return // nothing is done that is not written down
		}
		if do == update.Nothing {
			break
		}
		p, do = u.do(ctx, p, do, from)
	}
	u.settled(p)
}

func (u *Updater) wish() (update.Want, Releases) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byHand == nil {
		return u.want, u.Releases
	}
	from := u.byHand.from
	if from == nil {
		from = u.Releases
	}
	return u.byHand.want, from
}

// settled forgets a person's wish that has had its word.
func (u *Updater) settled(p update.Plan) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.byHand != nil && p.Phase == update.Idle {
		u.byHand = nil
	}
}

func (u *Updater) do(ctx context.Context, p update.Plan, do update.Do, from Releases) (update.Plan, update.Do) {
	failed := func(err error, usual update.Cause) (update.Plan, update.Do) {
		f := failure(err, usual)
		if ctx.Err() == nil { // else nothing of it is kept
			u.Log.WarnContext(ctx, "the update cannot be done now; the version that runs goes on", "step", string(do), "version", p.Want.Version, "cause", string(f.Cause), "err", f.Detail)
		}
		return p.Failed(f, u.here(0))
	}
	switch do {
	case update.Find:
		t, err := u.find(ctx, p, from)
		if err != nil {
			return failed(err, update.NoRelease)
		}
		u.target = t
		return p.Found(t.Release)
	case update.Fetch:
		if err := u.fetch(ctx, from); err != nil {
			return failed(err, update.NoDownload)
		}
		return p.Fetched()
	case update.Check:
		if err := u.check(ctx, p.To); err != nil {
			return failed(err, update.NoStart)
		}
		u.Log.InfoContext(ctx, "a new version is ready; it waits for a quiet moment", "version", p.To.Version)
		return p.Checked()
	case update.HandOver:
		if !u.handed {
			u.handed = true
			u.Log.InfoContext(ctx, "the agent makes room for another version", "version", p.To.Version)
			u.Restart()
		}
	case update.Tidy:
		u.tidy(ctx)
	}
	return p, update.Nothing
}

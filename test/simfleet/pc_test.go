package simfleet

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/hub/fleet"
)

const tick = 10 * time.Minute

// wish is what the hub's last word to a PC says of releases.
type wish struct {
	version, order string
	notBefore      time.Time
	back           bool
}

// pc is a store's PC: its disk, the launcher, the agent that runs, the till beside it. What it decides, the product's own deciders decide.
type pc struct {
	w *world
	fleet.Device
	silentWhy string // why it stands still for good: a person would have to come

	online, off bool
	heard       wish

	// The disk.
	plan    update.Plan
	watch   update.Watch
	current update.Release
	slots   map[update.Release]bool

	proc *process // nil = nothing runs
	sold int      // tickets that its till has written
	took int      // those that an agent has made durable
	last time.Time
	word func(*fleet.Device) // what it says when it can be heard
}

// process is a version that runs.
type process struct {
	rel    update.Release
	v      string
	up     time.Duration
	ready  bool
	silent time.Duration
	eaten  uint64
}

func (p *pc) version(r update.Release) string {
	if r.Installed() {
		return old
	}
	return r.Version
}

func (p *pc) disk() update.Disk {
	return update.Disk{Installed: old, Current: p.current, Plan: p.plan, Now: p.w.now, Whole: func(r update.Release) bool { return r.Installed() || p.slots[r] }}
}

// live lets a tick pass.
func (p *pc) live() {
	w := p.w
	if w.rng.IntN(300) == 0 {
		p.online = !p.online
	} else if !p.online && w.rng.IntN(12) == 0 {
		p.online = true
	}
	local := w.now.Add(-6 * time.Hour)
	if h := local.Hour(); h >= 9 && h < 21 {
		p.sold++
		p.last = w.now
	}
	switch {
	case p.off:
		if w.rng.IntN(3) == 0 {
			p.off = false
			p.launch()
		}
		return
	case w.rng.IntN(2000) == 0: // the power goes, whatever is under way
		p.off, p.proc = true, nil
		return
	case p.proc == nil: // the service manager takes its turn
		p.launch()
	}
	p.tend()
	if p.proc != nil && p.proc.ready {
		p.agent()
	}
	p.tell()
}

// launch is a launcher that starts.
func (p *pc) launch() {
	watch, o := p.watch.Begin(p.disk())
	p.obey(watch, o)
}

// obey carries out the launcher's orders until something runs or it gives up. The power may go between any two.
func (p *pc) obey(watch update.Watch, o update.Order) {
	for range 100 {
		p.watch = watch
		if p.w.cuts && p.w.rng.IntN(40) == 0 {
			p.off, p.proc = true, nil
			return
		}
		switch o.Act {
		case update.Point:
			if !o.Target.Installed() && !p.slots[o.Target] {
				p.w.t.Fatalf("seed %d: %s is pointed to a version that is not on its disk", p.w.seed, p.ID)
			}
			p.current = o.Target
			watch, o = p.watch.Resume(p.disk())
		case update.Run:
			p.proc = &process{rel: o.Target, v: p.version(o.Target)}
			if !p.w.of.starts(p) {
				p.proc = nil
				watch, o = p.watch.Ended(update.End{Detail: "exit status 2"}, p.disk())
				continue
			}
			p.proc.ready = p.w.of.begins(p)
			return
		case update.Kill:
			p.proc = nil
			watch, o = p.watch.Ended(update.End{Detail: "killed"}, p.disk())
		default: // give up: the service manager starts everything anew, at the next tick
			p.proc = nil
			return
		}
	}
	p.w.t.Fatalf("seed %d: %s finds no end: %+v", p.w.seed, p.ID, p.watch)
}

// tend is the launcher's look at what runs, and what became of that meanwhile.
func (p *pc) tend() {
	r := p.proc
	if r == nil {
		return
	}
	r.up += tick
	if !p.w.of.lives(p) {
		p.proc = nil
		watch, o := p.watch.Ended(update.End{Detail: "exit status 2"}, p.disk())
		p.obey(watch, o)
		return
	}
	if !p.w.of.moves(p) {
		r.silent += tick
	}
	r.eaten += p.w.of.eats(p)
	s := update.Sign{Elapsed: tick, Up: r.up, Ready: r.ready, Silent: r.silent, Memory: 30<<20 + r.eaten, Proof: p.proof(), Now: p.w.now}
	watch, o := p.watch.Look(s)
	if o.Act == update.Ask {
		watch, o = watch.Asked(update.Answer{Line: p.online}, s)
	}
	p.watch = watch
	if o.Act != update.Stay {
		p.obey(watch, o)
	}
}

func (p *pc) proof() update.Proof {
	return update.Proof{Database: true, Connected: p.online, Head: uint64(p.took)} // #nosec G115 -- it counts up
}

// agent is what the running agent does in a tick: it takes what the till has written, hears the hub, and goes on with its plan.
func (p *pc) agent() {
	p.took = p.sold
	if p.online {
		if o := p.w.wishes[p.ID]; o.order != "" {
			p.heard = o
		}
	}
	h := update.Here{Device: p.ID, Running: p.proc.rel, Version: p.proc.v, Watch: p.watch, Proof: p.proof(), Elapsed: tick,
		Moment: update.Moment{Local: p.w.now.Add(-6 * time.Hour), Quiet: p.w.now.Sub(p.last)}}
	want := update.Want{}
	if p.heard.order != "" && !p.w.now.Before(p.heard.notBefore) {
		want = update.Want{Version: p.heard.version, Order: p.heard.order, Back: p.heard.back, From: 60, Until: 300, Jitter: time.Hour, MaxWait: 4 * 24 * time.Hour}
		if want.Back { // what was called back does not wait for a night
			want.From, want.Until, want.Jitter = 0, 0, 0
		}
	}
	plan, do := p.plan.Tick(want, h)
	for range 20 {
		p.plan = plan
		if do == update.Nothing {
			return
		}
		if do == update.HandOver {
			p.proc = nil // it ends in order, and the launcher takes the plan over
			watch, o := p.watch.Ended(update.End{}, p.disk())
			p.obey(watch, o)
			return
		}
		if plan, do = p.do(plan, do, h); p.off {
			return
		}
	}
	p.w.t.Fatalf("seed %d: the plan of %s finds no end: %+v", p.w.seed, p.ID, p.plan)
}

func (p *pc) do(plan update.Plan, do update.Do, h update.Here) (update.Plan, update.Do) {
	if p.w.cuts && p.w.rng.IntN(60) == 0 {
		p.off, p.proc = true, nil
		return plan, do
	}
	switch do {
	case update.Find:
		if !p.online {
			return plan.Failed(update.Failure{Cause: update.NoRelease, Detail: "head office cannot be reached"}, h)
		}
		return plan.Found(update.Release{Version: plan.Want.Version, SHA256: fmt.Sprintf("%064x", len(plan.Want.Version)), Size: 6 << 20})
	case update.Fetch:
		if p.w.rng.IntN(20) == 0 {
			return plan.Failed(update.Failure{Cause: update.NoDownload, Detail: "the line broke"}, h)
		}
		return plan.Fetched()
	case update.Check:
		if f := p.w.of.refuses(p); f != nil {
			return plan.Failed(*f, h)
		}
		p.slots[plan.To] = true
		return plan.Checked()
	case update.Tidy:
		keep := map[update.Release]bool{}
		for _, r := range update.Needs(plan, p.watch, p.current) {
			if p.slots[r] {
				keep[r] = true
			}
		}
		p.slots = keep
	}
	return plan, update.Nothing
}

// tell brings to the hub what it can hear.
func (p *pc) tell() {
	if !p.online || p.off || p.proc == nil || !p.proc.ready {
		return
	}
	p.Seen, p.Running, p.Traded = p.w.now, p.proc.v, p.last
	if p.heard.order == "" || p.heard.order != p.w.wishes[p.ID].order {
		return
	}
	last := p.plan.Last
	if l := p.watch.Last; l != nil && (last == nil || l.Seq > last.Seq) {
		last = l
	}
	step, why := fleet.Waiting, ""
	switch {
	case last != nil && last.Order == p.heard.order:
		step, why = map[update.Result]fleet.Step{update.Committed: fleet.Kept, update.RolledBack: fleet.Back, update.Failed: fleet.Refused}[last.Result], string(last.Cause)
	case update.Same(p.heard.version, p.proc.v) && p.plan.Phase == update.Idle:
		step = fleet.Kept // it runs it already
	case p.plan.Phase != update.Idle && p.plan.Phase != update.Waiting || p.watch.Phase == update.Probation || p.watch.Phase == update.Flipping || p.watch.Phase == update.Returning:
		step = fleet.Working
	}
	if step != p.Step {
		p.Step, p.Why, p.Since = step, why, p.w.now
	}
}

package fleet

import (
	"fmt"
	"time"
)

// count is how a ring, or all rings so far, stand.
type count struct {
	all, told, final, kept, failed, lost, traded, cases int
	newest                                              time.Time // when the last of those that keep it began to
	why                                                 map[string]int
}

// Decide looks at the fleet again: it stops a rollout that fails, goes to the next ring, and says who is told what. Whoever calls it notes what
// was told (Device.Told) before it is sent; with the same devices and a later time it goes on where it was.
func Decide(r Rollout, ds []Device, now time.Time) (Rollout, []Tell) {
	return decide(r, ds, r.Members(ds), now)
}

// Beside decides for a rollout that is done while another one is on its way: who that one has reached is none of its business.
func Beside(done, other Rollout, ds []Device, now time.Time) (Rollout, []Tell) {
	ring, taken := done.Members(ds), other.Members(ds)
	for i := range ring {
		if taken[i] >= 0 && taken[i] <= other.Ring && other.State != Aborted {
			ring[i] = -1
		}
	}
	return decide(done, ds, ring, now)
}

// Pinned tells devices that a person holds at a version what it is.
func Pinned(ds []Device) (out []Tell) {
	for i := range ds {
		if d := &ds[i]; d.Pin != "" && d.Told != d.Pin && d.Running != d.Pin && !d.Excluded && !d.Deaf {
			out = append(out, Tell{Device: d.ID, Version: d.Pin})
		}
	}
	return out
}

func decide(r Rollout, ds []Device, ring []int, now time.Time) (Rollout, []Tell) {
	if r.State == Running {
		r.judge(ds, ring, now)
	}
	switch r.State {
	case Running, Done:
		return r.forward(ds, ring, now)
	case Stopped, Reverse:
		return r, r.backward(ds)
	}
	return r, nil
}

// judge stops, advances or ends a running rollout.
func (r *Rollout) judge(ds []Device, ring []int, now time.Time) {
	all := r.count(ds, ring, now, func(n int) bool { return n >= 0 && n <= r.Ring })
	if why, bad := r.fails(all); bad {
		r.State, r.Why = Stopped, why
		return
	}
	here := r.count(ds, ring, now, func(n int) bool { return n == r.Ring })
	if !r.Rings[r.Ring].passed(here, now) {
		return
	}
	if r.Ring++; r.Ring == len(r.Rings) {
		r.Ring, r.State, r.Why = len(r.Rings)-1, Done, ""
		return
	}
	r.Since = now
}

func (r *Rollout) count(ds []Device, ring []int, now time.Time, in func(int) bool) count {
	c := count{why: map[string]int{}}
	for i := range ds {
		d := &ds[i]
		if !in(ring[i]) {
			continue
		}
		c.all++
		if d.Told != r.Version {
			continue
		}
		c.told++
		lost := d.Seen.Add(or(r.Silent, 12*time.Hour))
		switch {
		case (d.Step == Back || d.Step == Refused) && d.Since.Before(r.Forgiven):
		case d.Step != Waiting && lost.Before(now) && lost.Before(r.Forgiven):
		case d.Step == Back || d.Step == Refused:
			c.final, c.failed = c.final+1, c.failed+1
			c.why[d.Why]++
		case d.Step != Waiting && lost.Before(now):
			c.final, c.lost = c.final+1, c.lost+1
		case d.Step == Kept:
			c.final, c.kept, c.cases = c.final+1, c.kept+1, c.cases+d.Cases
			if d.Since.After(c.newest) {
				c.newest = d.Since
			}
			if d.Traded.After(d.Since) {
				c.traded++
			}
		}
	}
	return c
}

// fails tells whether a rollout must stop. Lost devices count like failed ones, but one alone never stops it: a store's line breaks on every
// day of the year.
func (r *Rollout) fails(c count) (why string, bad bool) {
	few := 3
	if r.Rings[r.Ring].Percent == 0 {
		few = 1
	}
	bads := c.failed
	if c.lost > 1 {
		bads += c.lost
	}
	if bads < or(r.Failures, few) || bads*100 < or(r.Failing, 2)*c.final {
		return "", false
	}
	why = fmt.Sprintf("%d of %d devices did not keep it", c.failed, c.final)
	most := ""
	for w, n := range c.why {
		if n > c.why[most] || n == c.why[most] && w < most {
			most = w
		}
	}
	if most != "" {
		why += fmt.Sprintf(", most often (%d): %s", c.why[most], most)
	}
	if c.lost > 1 {
		why += fmt.Sprintf("; %d took it up and have not been heard of since", c.lost)
	}
	return why, true
}

// passed tells whether the next ring may begin. An empty ring is passed.
func (want Ring) passed(c count, now time.Time) bool {
	return c.all == 0 || len(want.missing(c, now)) == 0
}

// missing says what a ring still needs: enough have said how it went, they keep it and have traded with it, it has run long enough, and no cases
// came of it.
func (want Ring) missing(c count, now time.Time) (out []string) {
	need := func(ok bool, format string, a ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	need(c.final*100 >= or(want.Heard, 80)*c.all, "%d of %d devices have said how it went, %d %% are needed", c.final, c.all, or(want.Heard, 80))
	if c.final > 0 {
		need(c.kept > 0 && c.kept*100 >= or(want.Success, 98)*c.final, "%d of %d keep it, %d %% are needed", c.kept, c.final, or(want.Success, 98))
	}
	if c.kept > 0 {
		need(c.traded*100 >= or(want.Traded, 50)*c.kept, "%d of %d have sold something with it, %d %% are needed", c.traded, c.kept, or(want.Traded, 50))
		if left := want.Soak - now.Sub(c.newest); left > 0 {
			need(false, "it must run for another %s", left.Round(time.Minute))
		}
	}
	need(c.cases == 0, "%d cases came up in its stores since; close them or stop the rollout", c.cases)
	if c.kept == 0 && len(out) == 0 {
		need(false, "nobody runs it yet")
	}
	return out
}

// forward tells devices of the rings so far, as many as may be on their way at a time.
func (r Rollout) forward(ds []Device, ring []int, now time.Time) (Rollout, []Tell) {
	flying := 0
	for i := range ds {
		if ds[i].Told == r.Version && (ds[i].Step == Working || ds[i].Step == Waiting && now.Sub(ds[i].ToldAt) < awake) {
			flying++
		}
	}
	var out []Tell
	for i := range ds {
		d := &ds[i]
		if flying == or(r.InFlight, 50) {
			break
		}
		if ring[i] < 0 || ring[i] > r.Ring || !r.due(d, now) {
			continue
		}
		out = append(out, Tell{Device: d.ID, Version: r.Version, NotBefore: r.slot(now)})
		flying++
	}
	return r, out
}

// due tells whether a device of the rings so far is to be told. When a release has proven itself in the whole fleet, who went back alone (the power
// failed three times in its probation, its disk was full) is asked again: nobody else would ever do it.
func (r Rollout) due(d *Device, now time.Time) bool {
	switch d.Told {
	case r.Version:
		return r.State == Done && (d.Step == Back || d.Step == Refused) && now.Sub(d.Since) >= askedAgain
	case "":
		return d.Running != r.Version
	}
	return true
}

// askedAgain is how long a device that went back from a good release is left alone.
const askedAgain = 3 * 24 * time.Hour

// awake is how long a device that was told and has not begun holds a place of those in flight: it may be off until spring.
const awake = 24 * time.Hour

// slot spreads downloads so that together they stay within Rate.
func (r *Rollout) slot(now time.Time) time.Time {
	if r.Next.Before(now) {
		r.Next = now
	}
	at := r.Next
	if r.Rate > 0 {
		r.Next = at.Add(time.Duration(r.Size/r.Rate)*time.Second + time.Duration(r.Size%r.Rate)*time.Second/time.Duration(r.Rate))
	}
	return at
}

// backward tells everybody who runs the release, or is about to, to run what it ran before: at once and
// all together, for that stands on their disks.
func (r Rollout) backward(ds []Device) (out []Tell) {
	for i := range ds {
		if d := &ds[i]; d.Told == r.Version && d.eligible() {
			before := d.Before
			if before == "" {
				before = r.Previous
			}
			out = append(out, Tell{Device: d.ID, Version: before, Back: true})
		}
	}
	return out
}

func or[T ~int | ~int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

package fleet

import (
	"fmt"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Usual are the rings of a rollout when a person names none.
func Usual() []Ring {
	return []Ring{
		{Name: "test stores", Group: "test", Soak: 4 * time.Hour},
		{Name: "canary", Count: 25, Soak: 24 * time.Hour},
		{Name: "a tenth", Percent: 10, Soak: 24 * time.Hour},
		{Name: "half", Percent: 50, Soak: 12 * time.Hour},
		{Name: "all", Percent: 100},
	}
}

// Check says what is wrong with a rollout that a person wants. Code invalid.
func (r *Rollout) Check() error {
	bad := func(format string, a ...any) error {
		return fault.Msg(fault.Invalid, "plan rollout", fmt.Sprintf(format, a...))
	}
	switch {
	case r.Version == "":
		return bad("it names no version")
	case r.Previous == "" || r.Previous == r.Version:
		return bad("it names no version to go back to")
	case len(r.Rings) == 0:
		return bad("it has no rings")
	case r.Failing < 0 || r.Failing > 50:
		return bad("a rollout that goes on until %d %% have failed would never stop; take 1 to 50", r.Failing)
	case r.Rate > 0 && r.Size <= 0:
		return bad("a limit in bytes per second needs the size of the download")
	}
	percent := 0
	for _, ring := range r.Rings {
		ways := 0
		for _, is := range []bool{ring.Group != "", ring.Count > 0, ring.Percent > 0} {
			if is {
				ways++
			}
		}
		switch {
		case ways != 1:
			return bad("ring %q must say a group, a count or a percentage, and one of them only", ring.Name)
		case ring.Percent > 0 && (ring.Percent <= percent || ring.Percent > 100):
			return bad("ring %q has %d %%, and percentages rise to 100", ring.Name, ring.Percent)
		case ring.Percent == 0 && percent > 0:
			return bad("ring %q stands behind a ring of percents, which may hold all of it", ring.Name)
		}
		percent = max(percent, ring.Percent)
	}
	if percent != 100 {
		return bad("its last ring has %d %%, so some stores would never get it; end with 100", percent)
	}
	return nil
}

// Order is what a person may say to a rollout.
type Order string

// Orders.
const (
	Pause  Order = "pause"
	Resume Order = "resume" // also of one that stopped by itself, with a reason
	Abort  Order = "abort"
	Return Order = "back" // all back to the version before
)

// Obey returns the rollout after an order. What failed before it is resumed does not stop it again. Code conflict: it makes no sense where the rollout stands.
func (r Rollout) Obey(o Order, why string, now time.Time) (Rollout, error) {
	from := map[Order][]State{
		Pause:  {Running},
		Resume: {Paused, Stopped},
		Abort:  {Running, Paused, Stopped},
		Return: {Running, Paused, Stopped, Aborted, Done},
	}
	to := map[Order]State{Pause: Paused, Resume: Running, Abort: Aborted, Return: Reverse}
	for _, s := range from[o] {
		if s == r.State {
			if r.State, r.Why = to[o], why; o == Resume {
				r.Forgiven = now
			}
			return r, nil
		}
	}
	return r, fault.Msg(fault.Conflict, string(o)+" rollout", fmt.Sprintf("rollout %s of %s is %s: nothing to %s", r.ID, r.Version, r.State, o))
}

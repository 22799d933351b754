package release

import (
	"fmt"
	"slices"
)

// PC is who asks: which programs it can run and what it runs now.
type PC struct {
	Program, OS, Arch string
	Channel           string // it sees its own channel and "stable"
	Running           Version
}

// Stable is the channel that every PC sees.
const Stable = "stable"

// Next names the step that a PC takes now to come to the version that is wanted; want "" is the newest of its channel. The step is the wanted
// version itself, or one on the way that it requires: who was switched off for a year walks through them one by one. An older program than the
// one that runs is named only where the offline keys gave leave to go back to it from there: a hub that was broken into, or metadata
// that still lists last year's program, takes nobody back to its holes. Errors: ErrUnknown, ErrRefused, ErrCurrent.
func Next(all []Target, pc PC, want Version) (Target, error) {
	mine := seen(all, pc)
	if want == "" {
		if len(mine) == 0 {
			return Target{}, fmt.Errorf("%w: no %s for %s/%s in channel %s", ErrUnknown, pc.Program, pc.OS, pc.Arch, pc.Channel)
		}
		want = mine[len(mine)-1].Version
		if pc.Running != "" && want.Compare(pc.Running) <= 0 {
			return Target{}, fmt.Errorf("%w: %s runs", ErrCurrent, pc.Running)
		}
	}
	i := slices.IndexFunc(mine, func(t Target) bool { return t.Version == want })
	if i < 0 {
		return Target{}, fmt.Errorf("%w: %s %s for %s/%s in channel %s", ErrUnknown, pc.Program, want, pc.OS, pc.Arch, pc.Channel)
	}
	goal := mine[i]
	if pc.Running == "" || want == pc.Running {
		return goal, nil
	}
	if want.Compare(pc.Running) < 0 {
		if goal.BackFrom == "" || pc.Running.Compare(goal.BackFrom) > 0 {
			return Target{}, fmt.Errorf("%w: %s is older than %s, which runs, and no signed metadata gives leave to go back to it", ErrRefused, want, pc.Running)
		}
		return goal, nil
	}
	return step(mine, goal, pc.Running)
}

// step finds the first step from running up to goal: the lowest version that goal requires is tried first, as that is the way that was tested.
func step(mine []Target, goal Target, running Version) (Target, error) {
	tried := map[Version]bool{}
	var find func(goal Target) (Target, bool)
	find = func(goal Target) (Target, bool) {
		if goal.Requires == "" || running.Compare(goal.Requires) >= 0 {
			return goal, true
		}
		for _, t := range mine {
			if tried[t.Version] || t.Version.Compare(running) <= 0 || t.Version.Compare(goal.Requires) < 0 || t.Version.Compare(goal.Version) >= 0 {
				continue
			}
			tried[t.Version] = true
			if s, ok := find(t); ok {
				return s, true
			}
		}
		return Target{}, false
	}
	if s, ok := find(goal); ok {
		return s, nil
	}
	return Target{}, fmt.Errorf("%w: %s requires %s, %s runs, and nothing that is released leads from one to the other", ErrRefused, goal.Version, goal.Requires, running)
}

// seen are the programs for this PC, oldest first.
func seen(all []Target, pc PC) []Target {
	var mine []Target
	for _, t := range all {
		if t.Program == pc.Program && t.OS == pc.OS && t.Arch == pc.Arch && (t.Channel == Stable || t.Channel == pc.Channel) && t.Patch == nil {
			mine = append(mine, t)
		}
	}
	slices.SortFunc(mine, func(a, b Target) int { return a.Version.Compare(b.Version) })
	return mine
}

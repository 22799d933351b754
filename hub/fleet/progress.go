package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Progress is how one ring stands.
type Progress struct {
	Ring
	All     int // devices in it
	Told    int
	Waiting int // told, and not begun
	Working int
	Kept    int
	Failed  int // went back or refused it
	Lost    int // took it up and fell silent
	Now     bool
	Missing []string // what the ring still needs before the next one begins, in words
}

// Cause is one reason why devices did not keep a release.
type Cause struct {
	Why     string
	Devices []string
}

// Progresses tells how each ring of a rollout stands, and why devices did not keep it, the most frequent reason first.
func Progresses(r Rollout, ds []Device, now time.Time) (out []Progress, causes []Cause) {
	ring := r.Members(ds)
	for n, want := range r.Rings {
		c := r.count(ds, ring, now, func(at int) bool { return at == n })
		p := Progress{Ring: want, All: c.all, Told: c.told, Kept: c.kept, Failed: c.failed, Lost: c.lost, Now: n == r.Ring && (r.State == Running || r.State == Paused)}
		for i := range ds {
			if ring[i] == n && ds[i].Told == r.Version && ds[i].Step == Working {
				p.Working++
			}
		}
		p.Working -= min(p.Working, c.lost)
		p.Waiting = p.Told - p.Kept - p.Failed - p.Lost - p.Working
		if p.Now {
			p.Missing = want.missing(c, now)
		}
		out = append(out, p)
	}
	by := map[string][]string{}
	for i := range ds {
		if d := &ds[i]; d.Told == r.Version && (d.Step == Back || d.Step == Refused) {
			by[d.Why] = append(by[d.Why], d.ID)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(by)) {
		causes = append(causes, Cause{why, by[why]})
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(len(b.Devices), len(a.Devices)) })
	return out, causes
}

// Share is how many devices run a version.
type Share struct {
	Version string
	Devices int
}

// Spread counts devices by what they run, the most frequent first; "" is one that has never said.
func Spread(ds []Device) (out []Share) {
	by := map[string]int{}
	for i := range ds {
		by[ds[i].Running]++
	}
	for _, v := range slices.Sorted(maps.Keys(by)) {
		out = append(out, Share{v, by[v]})
	}
	slices.SortStableFunc(out, func(a, b Share) int { return cmp.Compare(b.Devices, a.Devices) })
	return out
}

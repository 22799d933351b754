package fleet

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// eligible devices are those that a rollout may touch.
func (d *Device) eligible() bool { return !d.Excluded && !d.Deaf && d.Pin == "" }

// draw is a device's place in the line of a rollout: fixed for both, and even over the fleet, so that no store is always the first.
func draw(rollout, device string) uint64 {
	sum := sha256.Sum256([]byte(rollout + "\x00" + device))
	return binary.BigEndian.Uint64(sum[:])
}

// Members returns each device's ring, −1 for those that the rollout leaves alone. A device keeps its ring as long as the fleet stays the same; one
// that comes later joins a ring of percents.
func (r *Rollout) Members(ds []Device) []int {
	ring := make([]int, len(ds))
	var line []int // indices, in the order of the draw
	for i := range ds {
		ring[i] = -1
		if ds[i].eligible() {
			line = append(line, i)
		}
	}
	place := make([]uint64, len(ds))
	for _, i := range line {
		place[i] = draw(r.ID, ds[i].ID)
	}
	slices.SortFunc(line, func(a, b int) int {
		if place[a] < place[b] {
			return -1
		}
		return 1
	})
	whole, taken := len(line), 0
	for n, want := range r.Rings {
		for _, i := range want.pick(ds, line, whole, taken) {
			ring[i] = n
			taken++
		}
		line = slices.DeleteFunc(line, func(i int) bool { return ring[i] >= 0 })
	}
	return ring
}

// pick chooses from the line of those that are in no ring yet.
func (want Ring) pick(ds []Device, line []int, whole, taken int) []int {
	switch {
	case want.Group != "":
		var out []int
		for _, i := range line {
			if ds[i].Group == want.Group {
				out = append(out, i)
			}
		}
		return out
	case want.Count > 0:
		return everyKind(ds, line, want.Count)
	default:
		n := (whole*want.Percent+99)/100 - taken
		return line[:max(0, min(n, len(line)))]
	}
}

// everyKind picks n, going round the kinds of PCs: a release that breaks one kind alone must meet it in the canary ring. When there are more
// kinds than n, all are taken once.
func everyKind(ds []Device, line []int, n int) (out []int) {
	var kinds []string
	of := map[string][]int{}
	for _, i := range line {
		k := ds[i].Platform + " " + ds[i].Sources
		if of[k] == nil {
			kinds = append(kinds, k)
		}
		of[k] = append(of[k], i)
	}
	for round := 0; len(out) < len(line) && (round == 0 || len(out) < n); round++ {
		for _, k := range kinds {
			if round < len(of[k]) && (round == 0 || len(out) < n) {
				out = append(out, of[k][round])
			}
		}
	}
	return out
}

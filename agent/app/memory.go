package app

import (
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What the agent took for a rush of tickets it gives back when that is over: the runtime alone keeps it for minutes, and the PC is the till's.
const (
	spareMemory = 1 << 20 // what may stay taken without being used
	spareEvery  = 15 * time.Second
)

// spare gives memory back, at most once in spareEvery: it is a sweep of the whole heap, a few milliseconds.
type spare struct{ at time.Time }

func (s *spare) look(now time.Time) {
	if now.Sub(s.at) < spareEvery {
		return
	}
	if unused() > spareMemory {
		s.at = now
		debug.FreeOSMemory()
	}
}

// unused is what the heap holds of the system's memory and has nothing in.
func unused() uint64 {
	m := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(m)
	return m[0].Value.Uint64()
}

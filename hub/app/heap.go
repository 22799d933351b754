package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How far the heap may grow beyond what lives before it is swept. A hub of a few stores has a few MB that live, and collecting it a hundred times
// a second took a sixth of a drain (measured): it may grow to five times that. What lives grows with the PCs that are connected, and there the same
// percentage would keep gigabytes for nothing: beyond heapSpare the room grows by heapLeast percent only.
const (
	heapMost  = 400
	heapLeast = 50
	heapSpare = 64 << 20
)

// heapPercent is the collector's percentage for a heap of which so many bytes live.
func heapPercent(live uint64) int {
	return int(min(heapMost, max(heapLeast, heapSpare*100/max(live, 1))))
}

// KeepHeap sets the collector's percentage after each collection, until ctx ends. After a rush, such as a fleet that comes back at once, the
// next collection sees less and the system gets the memory back.
func KeepHeap(ctx context.Context) {
	swept := make(chan struct{}, 1)
	type mark struct{ _ *byte }
	var watch func(*mark)
	watch = func(m *mark) {
		select {
		case swept <- struct{}{}:
		default:
		}
		if ctx.Err() == nil {
			runtime.SetFinalizer(m, watch) // it is found dead again by the next collection
		}
	}
	runtime.SetFinalizer(&mark{new(byte)}, watch)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for at := 0; ; {
		metrics.Read(live)
		if want := heapPercent(live[0].Value.Uint64()); want*10 > at*11 || want*11 < at*10 {
			debug.SetGCPercent(want)
			at = want
		}
		select {
		case <-ctx.Done():
			return
		case <-swept:
		}
	}
}

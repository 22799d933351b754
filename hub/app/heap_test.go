package app

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// The room beyond what lives never takes more than a small hub's, or half of what lives.
func TestTheHeapsRoom(t *testing.T) {
	for live, want := range map[uint64]int{0: heapMost, 5 << 20: heapMost, 16 << 20: 400, 32 << 20: 200, 64 << 20: 100, 128 << 20: heapLeast, 4 << 30: heapLeast} {
		if got := heapPercent(live); got != want {
			t.Errorf("%d MB live: %d %%, want %d", live>>20, got, want)
		}
	}
}

// It follows each collection: up when much lives, down when it is gone.
func TestTheHeapIsKept(t *testing.T) {
	was := debug.SetGCPercent(100)
	defer debug.SetGCPercent(was)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); KeepHeap(ctx) }()
	defer func() { cancel(); runtime.GC(); <-done }()
	is := func(low, high uint64) bool {
		percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for range 1000 {
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
			if metrics.Read(percent); percent[0].Value.Uint64() >= low && percent[0].Value.Uint64() <= high {
				return true
			}
		}
		return false
	}
	if !is(150, heapMost) {
		t.Error("a small heap has no room")
	}
	much := make([]byte, 300<<20)
	if !is(heapLeast, heapLeast+5) {
		t.Error("a large heap has the room of a small one")
	}
	runtime.KeepAlive(much)
	much = nil
	if !is(150, heapMost) {
		t.Error("what was freed is not noticed")
	}
}

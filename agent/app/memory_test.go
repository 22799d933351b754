package app

import (
	"runtime"
	"testing"
	"time"
)

// TestARushesMemoryIsGivenBack, once, and not again before its time.
func TestARushesMemoryIsGivenBack(t *testing.T) {
	rush := func() {
		var held [][]byte
		for range 64 {
			held = append(held, make([]byte, 1<<20))
		}
		runtime.KeepAlive(held)
		held = nil
		runtime.GC()
		if unused() < 16<<20 {
			t.Skipf("the runtime gave it back by itself: %d bytes are unused", unused())
		}
	}
	now, s := time.Now(), spare{}
	rush()
	s.look(now)
	if n := unused(); n > 8<<20 {
		t.Errorf("%d bytes are kept of 64 MB that nobody uses", n)
	}
	rush()
	s.look(now.Add(spareEvery - time.Second))
	if n := unused(); n < 8<<20 {
		t.Errorf("it sweeps without a rest: %d bytes are unused", n)
	}
	s.look(now.Add(spareEvery))
	if n := unused(); n > 8<<20 {
		t.Errorf("%d bytes are kept the second time", n)
	}
}

//go:build linux

package crowd_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
)

// TestACrowd has TILLPOST_CROWD PCs come, stay, and come back after the hub was away, and says what it costs the hub (make bench-crowd).
func TestACrowd(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("TILLPOST_CROWD"))
	if err != nil || n < 40 {
		t.Skip("a fleet on one hub: make bench-crowd, or TILLPOST_CROWD=5000")
	}
	var files syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
	if files.Cur < uint64(n)+200 {
		t.Logf("%d files may be open: %d PCs", files.Cur, files.Cur-200)
		n = int(files.Cur) - 200
	}
	began := time.Now()
	h := newHub(t, n)
	t.Logf("%.0f s: %d PCs are registered", time.Since(began).Seconds(), n)
	h.start()
	defer h.stop()
	time.Sleep(5 * time.Second)
	empty := h.resident("VmRSS")
	t.Logf("nobody connected: %d MB resident; %s", empty>>20, h.heap())
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	seen := func(part []*pc, f func(p *pc) bool) func() bool {
		return func() bool {
			for _, p := range part {
				if !f(p) {
					return false
				}
			}
			return true
		}
	}
	all := func(p *pc) bool { return p.heads.Load() >= int64(len(envelope.Streams)) && p.word.Load() > 0 }
	for _, part := range [][2]int{{0, n / 8}, {n / 8, n / 4}, {n / 4, n / 2}, {n / 2, n}} {
		began, cpu := time.Now(), h.cpu()
		for _, p := range h.pcs[part[0]:part[1]] {
			wg.Go(func() { p.run(ctx, t) })
			time.Sleep(2 * time.Millisecond)
		}
		h.until(fmt.Sprintf("PCs %d to %d to hear heads and their words", part[0], part[1]), 10*time.Minute, seen(h.pcs[part[0]:part[1]], all))
		took, used := time.Since(began), h.cpu()-cpu
		time.Sleep(10 * time.Second)
		t.Logf("%5d PCs: %4d MB resident, %4d KB a PC; came in %.0f s, %.1f ms of processor each; %s", part[1], h.resident("VmRSS")>>20, (h.resident("VmRSS")-empty)>>10/int64(part[1]),
			took.Seconds(), used.Seconds()*1000/float64(part[1]-part[0]), h.heap())
	}
	h.rests(n, empty, "at rest")
	h.asks(h.pcs[n/2])
	for _, p := range h.pcs {
		p.heads.Store(0)
	}
	h.stop()
	time.Sleep(2 * time.Second)
	began = time.Now()
	h.start()
	h.until("everybody to be back", 15*time.Minute, seen(h.pcs, all))
	t.Logf("the hub started anew: %d PCs are back after %.0f s, %.1f ms of processor each; %d MB resident, %d MB at most; %s", n, time.Since(began).Seconds(), h.cpu().Seconds()*1000/float64(n), h.resident("VmRSS")>>20, h.resident("VmHWM")>>20, h.heap())
	time.Sleep(2 * time.Minute)
	h.rests(n, empty, "two minutes later")
}

// asks gives one PC a command and says when it hears of it, and what that costs the hub.
func (h *hub) asks(p *pc) {
	was, cpu, began := p.word.Load(), h.cpu(), time.Now()
	if out, err := exec.Command(h.program, "device", "log-level", string(p.id), "debug", "--for", "1m", "--config", h.conf).CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	h.until("the PC to hear its command", time.Minute, func() bool { return p.word.Load() > was })
	took := time.Since(began)
	time.Sleep(5 * time.Second)
	h.t.Logf("a command is at its PC after %.1f s; it costs the hub %.2f s of processor with what it does beside it in 5 s", took.Seconds(), (h.cpu() - cpu).Seconds())
}

// rests says what the hub needs while nothing happens, and how long a person waits for the fleet.
func (h *hub) rests(n int, empty int64, when string) {
	cpu, began := h.cpu(), time.Now()
	time.Sleep(time.Minute)
	used := h.cpu() - cpu
	h.t.Logf("%s: %d MB resident, %d KB a PC; %.1f %% of a processor; %s", when, h.resident("VmRSS")>>20, (h.resident("VmRSS")-empty)>>10/int64(n), 100*used.Seconds()/time.Since(began).Seconds(), h.heap())
	began = time.Now()
	out, err := exec.Command(h.program, "rollout", "list", "--json", "--config", h.conf).Output()
	must(h.t, err)
	h.t.Logf("hub rollout list: %d KB in %.1f s", len(out)>>10, time.Since(began).Seconds())
}

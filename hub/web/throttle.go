package web

import (
	"net/netip"
	"sync"
	"time"
)

// Guessing is slowed by name and by address. The first tries are free; then the wait doubles with each failure. A wait is never long
// enough to lock a person out for a morning: whoever guesses at somebody else's name must not be able to.
const (
	freeByName    = 5
	freeByAddress = 30
	longestWait   = 5 * time.Minute
	forgetAfter   = 30 * time.Minute
	maxTries      = 10_000 // names and addresses remembered at once: about 1 MB
)

// throttle counts failures. Safe for concurrent use; a restart forgets, which costs an attacker nothing and gains him five tries.
type throttle struct {
	now func() time.Time
	mu  sync.Mutex
	m   map[string]*tries
}

type tries struct {
	count int
	last  time.Time
}

func newThrottle(now func() time.Time) *throttle { return &throttle{now: now, m: map[string]*tries{}} }

// take asks for one try and counts it at once, so that many at the same moment are no way around. A wait above zero = refused.
func (t *throttle) take(key string, free int) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	k := t.m[key]
	if k == nil || now.Sub(k.last) > forgetAfter {
		t.makeRoomLocked(now)
		t.m[key] = &tries{1, now}
		return 0
	}
	if k.count >= free {
		pause := longestWait
		if over := k.count - free; over < 9 { // 2⁹ s is above the longest
			pause = min(pause, time.Second<<over)
		}
		if wait = pause - now.Sub(k.last); wait > 0 {
			return wait
		}
	}
	k.count, k.last = k.count+1, now
	return 0
}

// good forgets a key: its owner came in.
func (t *throttle) good(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.m, key)
}

// makeRoomLocked keeps the map bounded: the forgotten go first, then the oldest.
func (t *throttle) makeRoomLocked(now time.Time) {
	if len(t.m) < maxTries {
		return
	}
	oldest, at := "", now
	for key, k := range t.m {
		if now.Sub(k.last) > forgetAfter {
			delete(t.m, key)
		} else if !k.last.After(at) {
			oldest, at = key, k.last
		}
	}
	if len(t.m) >= maxTries {
		delete(t.m, oldest)
	}
}

// addressKey is the address without its port; of IPv6 the network, since one owner has all of it.
func addressKey(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "address " + remote
	}
	a := ap.Addr().Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return "address " + p.String()
		}
	}
	return "address " + a.String()
}

package enrol

import (
	"net/netip"
	"sync"
	"time"
)

// Guessing is slowed by address and in all. Ten wrong tries end a code in any case; this keeps the numbers of codes from being tried out,
// and the hub from computing for a stranger.
const (
	freeWrong   = 5 // of one address: a person mistypes
	longestWait = 5 * time.Minute
	forgetAfter = 30 * time.Minute
	maxAddrs    = 10_000
	inAll       = 300 // wrong tries of all addresses within forgetAfter; then everybody who has no right code waits
)

// limit counts wrong tries. Safe for concurrent use; a restart forgets, the count of each code it does not.
type limit struct {
	now func() time.Time

	mu    sync.Mutex
	wrong map[string]*tries
	all   tries
}

type tries struct {
	count int
	last  time.Time
}

// wait tells how long an address must wait before it may try.
func (l *limit) wait(addr string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.all.count > inAll && now.Sub(l.all.last) < forgetAfter {
		if w := 10*time.Second - now.Sub(l.all.last); w > 0 {
			return w
		}
	}
	k := l.wrong[addr]
	if k == nil || k.count < freeWrong || now.Sub(k.last) > forgetAfter {
		return 0
	}
	pause := longestWait
	if over := k.count - freeWrong; over < 9 {
		pause = min(pause, time.Second<<over)
	}
	return max(0, pause-now.Sub(k.last))
}

// failed counts a wrong try.
func (l *limit) failed(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.all.last) > forgetAfter {
		l.all.count = 0
	}
	l.all.count, l.all.last = l.all.count+1, now
	k := l.wrong[addr]
	if k == nil || now.Sub(k.last) > forgetAfter {
		if len(l.wrong) >= maxAddrs {
			l.wrong = map[string]*tries{} // so many at once are one attacker; the count of all still holds him
		}
		k = &tries{}
		l.wrong[addr] = k
	}
	k.count, k.last = k.count+1, now
}

// good forgets an address: its owner has a right code.
func (l *limit) good(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wrong, addr)
}

// addressOf is the address without its port; of IPv6 the network, since one owner has all of it.
func addressOf(remote string) string {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	a := ap.Addr().Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

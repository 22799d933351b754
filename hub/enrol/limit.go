package enrol

import (
	"net/netip"
	"sync"
	"time"
)

// Guessing is slowed by address. Ten wrong tries end a code in any case; so that a crowd of addresses cannot end all codes in this way, only some
// of many wrong tries count against their codes. A right code waits for nobody else's wrong ones: see DESIGN.md for what a guess is worth.
const (
	freeWrong   = 5 // of one address: a person mistypes
	longestWait = 5 * time.Minute
	forgetAfter = 30 * time.Minute
	maxAddrs    = 10_000
	inAll       = 300              // wrong tries of all addresses within forgetAfter that count, each
	countEvery  = 10 * time.Second // beyond these one counts
)

// limit counts wrong tries. Safe for concurrent use; a restart forgets, the count of each code it does not.
type limit struct {
	now func() time.Time

	mu      sync.Mutex
	wrong   map[string]*tries
	all     time.Time // by when the wrong tries of all are forgotten: each adds its share of forgetAfter
	counted time.Time // when one counted last
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

// counts says whether a wrong try of a code's number counts against the code.
func (l *limit) counts() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.all.Sub(now) > forgetAfter && now.Sub(l.counted) < countEvery {
		return false
	}
	l.counted = now
	return true
}

// failed counts a wrong try; flood says that there are too many to write of each.
func (l *limit) failed(addr string) (flood bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.all.Before(now) {
		l.all = now
	}
	if flood = l.all.Sub(now) > forgetAfter; !flood { // it is over within a little more than forgetAfter, however long it was
		l.all = l.all.Add(forgetAfter / inAll)
	}
	k := l.wrong[addr]
	if k == nil || now.Sub(k.last) > forgetAfter {
		if len(l.wrong) >= maxAddrs {
			l.wrong = map[string]*tries{} // so many at once are one attacker, who gains nothing by more tries
		}
		k = &tries{}
		l.wrong[addr] = k
	}
	k.count, k.last = k.count+1, now
	return flood
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

package find

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// UPAPort is where a card terminal with UPA listens.
const UPAPort = 8081

const (
	atOnce  = 64                     // connections that are tried together: a store's router must not feel it
	answers = 400 * time.Millisecond // a terminal on the same network answers in a few
	netMost = 24                     // no network larger than 256 addresses is looked through
)

// Networks lists this PC's own networks, as far as they are a store's size.
func Networks() (out []netip.Prefix) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() || p.Addr().IsLoopback() || !p.Addr().IsPrivate() {
			continue
		}
		if p.Bits() < netMost {
			p = netip.PrefixFrom(p.Addr(), netMost)
		}
		out = append(out, p.Masked())
	}
	return out
}

// Terminals lists the addresses of networks at which something listens on port. It connects and hangs up: a terminal serves one conversation,
// and the till's comes first, so nothing is said to it.
func Terminals(ctx context.Context, networks []netip.Prefix, port uint16) (out []netip.Addr) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		gate = make(chan struct{}, atOnce)
	)
	for _, n := range networks {
		for a := n.Masked().Addr(); n.Contains(a) && ctx.Err() == nil; a = a.Next() {
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				d := net.Dialer{Timeout: answers}
				c, err := d.DialContext(ctx, "tcp", netip.AddrPortFrom(a, port).String())
				if err != nil {
					return
				}
				c.Close()
				mu.Lock()
				defer mu.Unlock()
				out = append(out, a)
			})
		}
	}
	wg.Wait()
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

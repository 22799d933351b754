package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/poller"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// decideEvery is how often it is looked who reads which account, without news of a device.
const decideEvery = 30 * time.Second

// unreadAfter is how long an account may have no reader before it is a case: agents come up in any order.
const unreadAfter = 5 * time.Minute

// pollers decides who reads each vendor account and tells every device.
type pollers struct {
	store  *store.Store
	assign func(retail.DeviceID, map[string]envelope.Duty)
	change chan struct{}

	mu    sync.Mutex
	wakes map[string]int64 // by tenant: the last wake-up
	idle  map[string]time.Time
}

func newPollers(s *store.Store) *pollers {
	return &pollers{store: s, change: make(chan struct{}, 1), wakes: map[string]int64{}, idle: map[string]time.Time{}}
}

// Births implements link.Births: what a device says of itself may change who reads what.
func (p *pollers) Births(ctx context.Context, came map[retail.DeviceID]envelope.Birth) error {
	err := p.store.Births(ctx, came)
	ring(p.change)
	return err
}

// wake lets the reader of an account look now.
func (p *pollers) wake(tenant string) {
	p.mu.Lock()
	p.wakes[tenant] = time.Now().UnixMicro()
	p.mu.Unlock()
	ring(p.change)
}

func (a *App) assignPollers(ctx context.Context) error {
	p := a.pollers
	tick := time.NewTicker(decideEvery)
	defer tick.Stop()
	for {
		if err := p.decide(ctx, time.Now()); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot decide who reads the vendors' accounts; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.change:
		case <-tick.C:
		}
	}
}

// decide looks at every account, keeps what changed, and says each device's duties.
func (p *pollers) decide(ctx context.Context, now time.Time) error {
	all, err := p.store.Candidates(ctx)
	if err != nil {
		return err
	}
	held, err := p.store.Pollers(ctx)
	if err != nil {
		return err
	}
	duties := map[retail.DeviceID]map[string]envelope.Duty{}
	for _, tenant := range slices.Sorted(maps.Keys(all)) {
		d := poller.Decide(all[tenant], held[tenant], now)
		wanted := p.unread(tenant, d.Device == "", now)
		if d.Device != held[tenant] || wanted {
			if err := p.store.SetPoller(ctx, tenant, d, wanted); err != nil {
				return err
			}
		}
		p.mu.Lock()
		wake := p.wakes[tenant]
		p.mu.Unlock()
		for _, c := range all[tenant] {
			if duties[c.Device] == nil {
				duties[c.Device] = map[string]envelope.Duty{}
			}
			if c.Device == d.Device {
				duties[c.Device][tenant] = envelope.Duty{Read: true, Wake: wake}
			} else {
				duties[c.Device][tenant] = envelope.Duty{Why: d.Why}
			}
		}
	}
	for d, accounts := range duties {
		p.assign(d, accounts)
	}
	return nil
}

// unread reports whether an account has had no reader for so long that a person should know.
func (p *pollers) unread(tenant string, nobody bool, now time.Time) bool {
	since, known := p.idle[tenant]
	switch {
	case !nobody:
		delete(p.idle, tenant)
		return false
	case !known:
		p.idle[tenant] = now
		return false
	}
	return now.Sub(since) >= unreadAfter
}

// accounts lists who could read which vendor account.
func (c *cli) accounts(ctx context.Context, s *desk, _ []string) error {
	all, err := s.Candidates(ctx)
	if err != nil {
		return err
	}
	held, err := s.Pollers(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range slices.Sorted(maps.Keys(all)) {
		for _, x := range all[tenant] {
			where, here, does := "its own store's tickets", "away", ""
			if x.Whole {
				where = "all locations"
			}
			if x.Online {
				here = "there"
			}
			if held[tenant] == x.Device {
				does = "  READS IT"
			}
			fmt.Fprintf(c.out, "%s  %s (%s, %s)%s\n", tenant, x.Device, where, here, does)
		}
	}
	return nil
}

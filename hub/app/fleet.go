package app

import (
	"context"
	"time"

	"github.com/tillpost/tillpost/hub/fleet"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/fault"
)

// fleetEvery is how often the fleet's rollouts are looked at: a ring goes on within a minute of its last proof. Only programs of tests are built
// with another (-ldflags -X).
var fleetEvery = "20s"

// watchFleet lets rollouts go on. What devices are told goes out with their desired state.
func (a *App) watchFleet(ctx context.Context) error {
	every, err := time.ParseDuration(fleetEvery)
	if err != nil {
		return fault.New(fault.Internal, "look at the fleet", err)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if _, err := a.Store.LookAtFleet(ctx); err != nil && ctx.Err() == nil {
			a.log.WarnContext(ctx, "cannot look at the fleet's releases; nobody is told anything new until it works", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// rollouts is the fleet as the pages order it.
type rollouts struct{ *store.Store }

// Order implements web.Fleet.
func (r rollouts) Order(ctx context.Context, id, order, who, why string) error {
	return r.InTx(ctx, func(tx *store.Tx) error { return tx.OrderRollout(ctx, id, fleet.Order(order), who, why) })
}

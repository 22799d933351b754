package app

import (
	"context"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/retail"
)

// watchDevices ends the lines of devices whose rights ended, whoever ended them: a command is another process, and the database is where
// both meet. It also looks for devices that are there twice.
func (a *App) watchDevices(ctx context.Context) error {
	if a.Broker == nil && a.Config.Enrol.CRLFile == "" {
		return nil
	}
	last, looked, listed := int64(-1), time.Time{}, time.Time{}
	again := map[retail.DeviceID]time.Time{}
	tick := time.NewTicker(changesEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		changed, next, err := a.Store.DeviceChanges(ctx, last)
		if err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "cannot see whose certificate ended; it is tried again", "err", err)
		} else if err == nil {
			last = next
		}
		if len(changed) > 0 || now.Sub(listed) > crlEvery {
			if listed = now; !a.listRevoked(ctx) { // again with the next look
				listed = now.Add(crlAgain - crlEvery)
			}
		}
		if a.Broker == nil {
			changed = nil
		}
		for _, d := range changed {
			a.dropEnded(ctx, d)
			again[d] = now.Add(lookAgainAfter)
		}
		for d, due := range again {
			if now.After(due) {
				a.dropEnded(ctx, d)
				delete(again, d)
			}
		}
		if a.Broker != nil && now.Sub(looked) > twinsEvery {
			looked = now
			a.lookForTwins(ctx, now)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// dropEnded ends what a device may not hold any more. A line by password that still opens is ended too: the agent comes in again within a
// moment.
func (a *App) dropEnded(ctx context.Context, d retail.DeviceID) {
	keep, err := a.Store.Keeps(ctx, d)
	if err == nil {
		err = a.Broker.Drop(d, keep...)
	}
	if err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "cannot end a device's connections; what it sends is refused all the same", "device", d, "err", err)
	}
}

// lookForTwins opens a case for each device of which two PCs are connected. A person finds out which of them is the store's.
func (a *App) lookForTwins(ctx context.Context, now time.Time) {
	found, err := a.Broker.Twins()
	if err != nil {
		a.log.WarnContext(ctx, "cannot look for copied PCs", "err", err)
		return
	}
	for _, t := range found {
		c := cases.New(cases.CertificateCopied, string(t.Device), now)
		c.Detail = "two PCs are connected as " + string(t.Device) + " at the same time: " + t.First + " and " + t.Second
		if err := a.Store.Open(ctx, c); err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "cannot open a case", "err", err)
		}
	}
}

package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

// bySettings is who confirmed what the settings file names.
const bySettings = "settings"

// locations confirms what the settings name. Each location is applied when its part of the file has changed since it was last applied:
// what head office sets by pages or commands holds until then. A change that may not be made is told and stops nothing.
func (a *App) locations(ctx context.Context) error { return a.setLocations(ctx, a.Config.Locations) }

func (a *App) setLocations(ctx context.Context, ls []LocationConfig) error {
	for _, l := range ls {
		if err := a.location(ctx, l); fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
			a.log.ErrorContext(ctx, "the settings of a location do not hold; what held before goes on", "location", l.Code, "err", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) location(ctx context.Context, l LocationConfig) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	name, mark := "settings location "+string(l.Code), hex.EncodeToString(sum[:8])
	if have, err := a.Store.Setting(ctx, name); err != nil || have == mark {
		return err
	}
	f := view.LocationForm{Code: l.Code, Name: l.Name, Currency: l.Currency, Company: l.Company, OpenDays: l.OpenDays, Zone: l.Zone, Cutoff: l.Cutoff, From: l.From}
	was, err := a.Store.LocationForm(ctx, l.Code)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	// How a location goes live, and what it does with closed periods, is often said by a command: a file that does not name it does not take it back.
	f.Review, f.Shadow, f.OldWay = cmp.Or(l.Review, was.Review), cmp.Or(l.Shadow, was.Shadow), cmp.Or(l.OldWay, was.OldWay)
	f.Costs = cmp.Or(l.Costs, was.Costs)
	f.Period = cmp.Or(l.Closed, was.Period)
	f.Posting, f.PostingFrom = l.Posting, l.PostingFrom
	if err := a.Clerk.PutLocation(ctx, f, bySettings); err != nil {
		return err
	}
	return a.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, t := range l.Tills {
			if err := tx.ConfirmTill(ctx, l.Code, t, bySettings); err != nil {
				return err
			}
		}
		return tx.SetSetting(ctx, name, mark)
	})
}

package app

import (
	"context"
	"net/http"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/web"
	"github.com/tillpost/tillpost/shared/version"
)

// pages builds the hub's pages on the store.
func (a *App) pages() (http.Handler, error) {
	desk := waking{a}
	return web.New(web.Parts{Days: a.Store, Desk: desk, Review: a.Store, Shadow: shadows{a.Store, a.Config.Odoo}, Tickets: a.Clerk, Finder: finder{a.Store, a.Config.Odoo}, Payments: a.Store, Settlement: clearings{a.Store, a.Config}, Cases: a.Clerk, Mapping: a.Store, Registry: a.Clerk, Devices: devices{a}, Wishes: devices{a}, Fleet: rollouts{a.Store}, Users: a.Store, Statuses: a.Store, Restored: a.Store.Restored, Upkeep: a.needs, Sessions: a.Store.Sessions(), Log: a.log,
		Secure: a.Config.Web.CertFile != "", Version: version.String()})
}

// waking lets what a person decided on a day go at once.
type waking struct{ *App }

// Hold keeps a store-day from being posted.
func (w waking) Hold(ctx context.Context, k rollup.DayKey, who, reason string) error {
	defer w.wake()
	return w.Store.Hold(ctx, k, who, reason)
}

// Release lets a held one go on.
func (w waking) Release(ctx context.Context, k rollup.DayKey, who, reason string) error {
	defer w.wake()
	return w.Store.Release(ctx, k, who, reason)
}

// Approve lets it be posted as it is.
func (w waking) Approve(ctx context.Context, k rollup.DayKey, who, reason string) error {
	defer w.wake()
	return w.Store.Approve(ctx, k, who, reason)
}

// Reverse takes a posted one back.
func (w waking) Reverse(ctx context.Context, k rollup.DayKey, who, reason string) error {
	defer w.wake()
	return reverseDay(ctx, w.Store, w.Config.Odoo, k, who, reason)
}

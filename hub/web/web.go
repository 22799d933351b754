// Package web is the hub's pages: store-days, their documents, the tickets behind every figure, cases with one recommended action, the
// registry. Drawn on the server, readable without a script; every change is a POST that the parts behind it audit.
package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// Days reads store-days and the tickets behind their figures. Code not_found for a day nobody knows.
type Days interface {
	DayViews(ctx context.Context, f view.DayFilter) ([]view.DayView, error)
	CountDays(ctx context.Context, f view.DayFilter) (int, error)
	DayDetail(ctx context.Context, k rollup.DayKey) (view.DayDetail, error)
	LineTickets(ctx context.Context, k view.LineKey) (view.TicketPage, error)
}

// Desk decides store-days. Codes: not_found, conflict when the day is past deciding.
type Desk interface {
	Hold(ctx context.Context, k rollup.DayKey, who, reason string) error
	Release(ctx context.Context, k rollup.DayKey, who, reason string) error
	Approve(ctx context.Context, k rollup.DayKey, who, reason string) error
	Reverse(ctx context.Context, k rollup.DayKey, who, reason string) error
}

// Review sums store-days over a span.
type Review interface {
	ReviewDays(ctx context.Context, f view.ReviewFilter) ([]view.ReviewRow, error)
	ReviewLocations(ctx context.Context, f view.ReviewFilter) ([]view.ReviewRow, error)
}

// Shadow compares days that run beside the books with what the old way posted. Codes: invalid for a span that is too long, unavailable while Odoo is
// away.
type Shadow interface {
	ShadowReport(ctx context.Context, f view.ReviewFilter) (view.ShadowReport, error)
}

// Tickets reads tickets and raw records.
type Tickets interface {
	TicketView(ctx context.Context, id int64) (view.TicketView, error)
	Way(ctx context.Context, t view.TicketView) ([]view.WayStop, error)
}

// Finder finds whatever an id names, and how its records stand in Odoo.
type Finder interface {
	Find(ctx context.Context, f view.FindFilter) (view.Found, error)
}

// Cases reads the to-do list, and carries out what a person decides.
type Cases interface {
	CaseViews(ctx context.Context, f view.CaseFilter) ([]view.CaseView, error)
	CaseView(ctx context.Context, id string) (view.CaseView, error)
	OpenCases(ctx context.Context, only []retail.LocationCode) (int, error)
	Act(ctx context.Context, id string, a view.Act) error
}

// Registry reads and sets locations and tills.
type Registry interface {
	LocationViews(ctx context.Context, f view.LocationFilter) ([]view.LocationView, error)
	CountLocations(ctx context.Context, only []retail.LocationCode, since time.Time) (view.LocationCount, error)
	PutLocation(ctx context.Context, f view.LocationForm, who string) error
	ConfirmTill(ctx context.Context, l retail.LocationCode, t retail.TillCode, who string) error
	LocationSteps(ctx context.Context, l retail.LocationCode) ([]view.StepView, error)
	Connections(ctx context.Context) ([]view.ConnectionView, error)
}

// Devices gives stores' PCs one-time codes, and takes their rights away.
type Devices interface {
	MakeCode(ctx context.Context, l retail.LocationCode, d retail.DeviceID, replace bool, who string) (view.CodeMade, error)
	Revoke(ctx context.Context, d retail.DeviceID, who, reason string) error
}

// Users reads who may sign in. Code not_found for a name nobody has.
type Users interface {
	User(ctx context.Context, name string) (view.User, error)
	ChangePassword(ctx context.Context, name, hash, who string) error
	SignedIn(ctx context.Context, name, from string) error
}

// Parts is what the pages stand on. Every field but Restored, Upkeep, Secure, Version and Now is needed.
type Parts struct {
	Days       Days
	Desk       Desk
	Review     Review
	Shadow     Shadow
	Tickets    Tickets
	Finder     Finder
	Payments   Payments
	Settlement Settlement
	Cases      Cases
	Mapping    Mapping
	Registry   Registry
	Devices    Devices
	Fleet      Fleet
	Wishes     Wishes
	Users      Users
	Statuses   Statuses
	Sessions   scs.Store
	Restored   func(context.Context) (time.Time, error) // when the hub was put back from a backup, zero when its entries are read back since; nil = nobody looks
	Upkeep     func() []upkeep.Need                     // what the hub's own machine needs; nil = nobody looks
	Log        *slog.Logger
	Secure     bool // served over TLS: cookies and headers say so
	Version    string
	Now        func() time.Time // nil = time.Now
}

// site is the pages at work. Safe for concurrent use.
type site struct {
	Parts
	pages    map[string]*template.Template
	session  *scs.SessionManager
	throttle *throttle
}

// New builds the pages. Its error is a spoiled template: a bug.
func New(p Parts) (http.Handler, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	s := &site{Parts: p, throttle: newThrottle(p.Now)}
	var err error
	if s.pages, err = parsePages(s.Now); err != nil {
		return nil, err
	}
	s.session = s.newSessions()
	return s.routes(), nil
}

package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// lane is the way to one Odoo database: one writer, so that none of its documents is in two hands.
type lane struct {
	name   string // as the settings call it, "" = the first
	cfg    OdooConfig
	client *odoo.Client
	writer *odoo.Writer
	claims *odoo.Claims
	box    store.Outbox
	tasks  chan struct{}  // the outbox has something new
	told   breaker.Status // as it was kept last
	key    odoo.KeyEnd
}

// newLane connects one database of the settings; it does not call yet.
func (a *App) newLane(hub envelope.HubID, name string, cfg OdooConfig) (*lane, error) {
	c, err := OpenOdoo(cfg)
	if err != nil {
		return nil, err
	}
	l := &lane{name: name, cfg: cfg, client: c, box: store.Outbox{Store: a.Store, Name: name, Books: a.Config.Odoo.beyond()}, tasks: make(chan struct{}, 1)}
	l.writer = odoo.NewWriter(hub, c, l.box, a.log)
	l.writer.Sending, l.writer.Pages = l.box.Sending, a.Config.Notify.Base
	l.claims = odoo.NewClaims(l.writer, a.name(), store.ClaimBook{Store: a.Store, Lane: l.connection()})
	l.claims.Others = func(company string) odoo.ClaimBook {
		return store.ClaimBook{Store: a.Store, Lane: claimOf(l.connection(), company)}
	}
	l.claims.Companies = func(ctx context.Context) ([]string, error) { return a.companies(ctx, name) }
	return l, nil
}

// name is where people find this hub: they read it where another hub meets it.
func (a *App) name() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "an unnamed machine"
	}
	if a.Config.Notify.Base != "" {
		return host + ", " + a.Config.Notify.Base
	}
	return host + ", pages at " + a.Config.Web.Listen + ", data in " + a.Config.DataDir
}

// connection is the lane's name among the hub's connections.
func (l *lane) connection() string {
	if l.name == "" {
		return "odoo"
	}
	return "odoo " + l.name
}

// status is how the lane stands.
func (l *lane) status() breaker.Status {
	s := l.writer.Status()
	s.Name, s.Ends = l.connection(), l.key.At
	return s
}

// tellOdoo keeps how a lane stands, when it has changed.
func (a *App) tellOdoo(ctx context.Context, l *lane) {
	s := l.status()
	s.Mode, _ = a.Store.BooksMode(ctx)
	if l.told.Ends.Equal(s.Ends) && l.told.State == s.State && l.told.Reason == s.Reason && l.told.Mode == s.Mode && time.Until(l.told.Next) > 0 == (time.Until(s.Next) > 0) {
		return
	}
	if err := a.Store.SetConnection(ctx, s); err == nil {
		l.told = s
	}
}

// watchKey keeps the case about a key that ends soon. An Odoo that is away has said nothing: what was known holds.
func (a *App) watchKey(ctx context.Context, l *lane) {
	k, err := odoo.KeyEnds(ctx, l.client)
	if err != nil {
		return
	}
	l.key = k
	detail := ""
	if k.Soon(time.Now()) {
		detail = fmt.Sprintf("Odoo at %s, user %s: %s", l.cfg.URL, l.cfg.User, k)
	}
	if err := a.Store.KeyCase(ctx, l.connection(), detail); err != nil {
		a.log.ErrorContext(ctx, "cannot keep the case about the key", "err", err)
	}
}

// OpenOdoo connects to the books by the settings; it does not call yet.
func OpenOdoo(o OdooConfig) (*odoo.Client, error) {
	if o.URL == "" {
		return nil, fault.Msg(fault.Invalid, "odoo", "the settings name no Odoo: fill in [odoo]")
	}
	ends, err := o.keyEnds()
	if err != nil {
		return nil, fault.New(fault.Invalid, "odoo.key_expires", err)
	}
	return odoo.New(odoo.Config{KeyEnds: ends, URL: o.URL, Database: o.Database, User: o.User, Company: o.Company, AllowHTTP: o.AllowHTTP, Transport: odoo.Transport(o.Transport),
		Key: func() (string, error) { return config.Secret(o.KeyFile) }})
}

// books builds roller and writer.
func (a *App) books(ctx context.Context) error {
	a.roller = &roll.Roller{Store: a.Store, Log: a.log, Made: a.ringLanes}
	if err := a.posting(ctx, a.Config.Posting); err != nil {
		return err
	}
	if a.Config.Odoo.URL == "" {
		if at, err := a.Store.Restored(ctx); err != nil || at.IsZero() {
			return err
		}
		_, err := a.Store.Adopt(ctx, nil) // without books there is nothing to read back
		return err
	}
	if err := a.firstMode(ctx); err != nil {
		return err
	}
	hub, err := a.Store.HubID(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, b := range a.Config.Odoo.all() {
		l, err := a.newLane(hub, b.name, b.cfg)
		if err != nil {
			return err
		}
		a.lanes = append(a.lanes, l)
		names = append(names, l.connection())
	}
	return a.Store.OnlyConnections(ctx, names)
}

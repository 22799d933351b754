// Package app puts the hub together: broker, link, intake, store, roller, Odoo writer and pages, by plain constructor calls.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/hub/enrol"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/link"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/version"
)

// App is one hub. Make it with New, run it with Run, then Close it.
type App struct {
	Config Config
	Store  *store.Store
	Clerk  store.Clerk
	Intake *ingest.Intake
	Link   *link.Link
	Broker *broker.Broker // nil with an external one
	WebURL string         // set once Run serves the pages
	// EnrolURL is where PCs enrol, "" without enrolment.
	EnrolURL string

	// File, when set before Run, is watched: what may change while the hub runs is taken from it, and the log's level goes to Level.
	File  string
	Level *slog.LevelVar
	// Ready, when set before Run, is told once the hub does its work; alive says whether it still does.
	Ready func(alive func() error)

	log       *slog.Logger
	lock      *lock.Lock
	calendars *calendars
	pollers   *pollers
	roller    *roll.Roller
	lanes     []*lane       // one per Odoo database, none without Odoo
	news      chan struct{} // the ledger has something new
	mend      chan struct{} // a profile came: what was refused for want of it is read again
	web       net.Listener
	vital     vital
	keeper    keeper
	enrol     *enrol.Server
	enrolAt   net.Listener // nil without enrolment
}

// program names the hub's lock in its folder.
const program = "hub"

// OpenStore opens the database with what commands and service both need.
func OpenStore(ctx context.Context, c Config) (*store.Store, store.Clerk, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, store.Clerk{}, fault.New(fault.Invalid, "data_dir", err)
	}
	s, err := store.Open(ctx, c.DataDir)
	if err != nil {
		return nil, store.Clerk{}, err
	}
	t := newCalendars(s.Calendar)
	if err := s.Judge(ctx, c.Posting.rules()); err != nil {
		return nil, store.Clerk{}, errors.Join(err, s.Close())
	}
	return s, store.Clerk{Store: s, Mean: reader(s, c, t), Done: t.forget, Places: newPlaces(c.Odoo, s).list}, nil
}

// reader says what records mean, with the profiles that the hub knows, and tells the store what those say of proofs.
func reader(s *store.Store, c Config, t *calendars) func(*envelope.Envelope) ingest.Meaning {
	p := &profiles{read: s.Profile, have: map[profileText]known{}, sent: map[profileText][]byte{}}
	s.Says = p.needs
	b := &booksMode{read: s.BooksMode}
	return p.hear(meaning.Reader{Calendar: t.get, Books: b.get, Decoder: decode.Decoder{Profiles: p.get}}.Mean)
}

// New opens the database and builds the rest. Code invalid for settings that cannot work.
func New(ctx context.Context, c Config, log *slog.Logger) (*App, error) {
	a := &App{Config: c, log: log, news: make(chan struct{}, 1), mend: make(chan struct{}, 1)}
	var err error
	if a.lock, err = lock.Take(c.DataDir, program); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, c.DataDir)
	if err != nil {
		return nil, errors.Join(err, a.lock.Release())
	}
	a.Store = s
	if err := s.AllAway(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.calendars = newCalendars(s.Calendar)
	a.Clerk = store.Clerk{Store: s, Mean: reader(s, c, a.calendars), Done: a.wake, Places: newPlaces(c.Odoo, s).list}
	s.Told = a.told
	for _, build := range []func(context.Context) error{a.locations, a.intake, a.books, a.listen, a.listenEnrol} {
		if err := build(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// wake tells the roller that something may have changed.
func (a *App) wake() {
	a.calendars.forget()
	ring(a.news)
	a.ringLanes()
}

// ringLanes tells every writer that the outbox may have something new.
func (a *App) ringLanes() {
	for _, l := range a.lanes {
		ring(l.tasks)
	}
}

func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// inbox wakes the roller after each commit.
type inbox struct {
	*store.Store
	news, mend chan struct{}
}

func (i inbox) Commit(ctx context.Context, advances []ingest.Advance) error {
	err := i.Store.Commit(ctx, advances)
	ring(i.news)
	for _, a := range advances {
		for _, e := range a.Envs {
			if e.Env.Kind == decode.Profile {
				ring(i.mend)
			}
		}
	}
	return err
}

// intake builds broker, link and intake.
func (a *App) intake(ctx context.Context) error {
	hub, err := a.Store.HubID(ctx)
	if err != nil {
		return err
	}
	a.Intake = ingest.New(hub, inbox{a.Store, a.news, a.mend}, a.Store, a.Clerk.Mean, a.log)
	b := a.Config.Broker
	a.pollers = newPollers(a.Store)
	o := link.Options{URL: b.URL, User: b.User, Hub: hub, Births: a.pollers, Log: a.log}
	if b.URL == "" {
		if err := a.startBroker(ctx); err != nil {
			return err
		}
		o.URL = a.Broker.URL()
		o.User, o.Password, o.TLS = a.Broker.Own()
	} else if b.PasswordFile != "" {
		if o.Password, err = config.Secret(b.PasswordFile); err != nil {
			return err
		}
	}
	if a.Link, err = link.New(o, a.Intake); err == nil {
		a.pollers.assign = a.Link.Assign
	}
	return err
}

// Run does the hub's work until ctx ends. What fails by itself is tried again; an error is a reason to start the process anew.
func (a *App) Run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		go KeepHeap(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	start := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				cancel(fault.New(fault.CodeOf(err), name, err))
			}
		})
	}
	start("intake", a.Intake.Run)
	start("link", a.Link.Run)
	start("roll", a.roll)
	ring(a.mend) // a profile may have come just before the hub ended, or come with this version of it
	start("mend", a.reread)
	start("match", a.match)
	start("settle", a.settle)
	start("giftcards", a.closeGifts)
	start("pollers", a.assignPollers)
	if len(a.lanes) > 0 {
		start("odoo", a.post)
	}
	start("web", a.serveWeb)
	start("vital", a.keepVital)
	if a.Config.Metrics.Listen != "" {
		start("metrics", a.serveMetrics)
	}
	start("upkeep", a.watchUpkeep)
	start("devices", a.watchDevices)
	start("fleet", a.watchFleet)
	start("releases", a.watchReleases)
	start("desired", a.sayDesired)
	if a.enrol != nil {
		start("enrol", a.serveEnrol)
	}
	if len(a.Config.Notify.channels()) > 0 {
		start("notify", a.tell)
	}
	if a.File != "" {
		start("settings", a.watchSettings)
	}
	if a.vital.moved(time.Now()); a.Ready != nil {
		a.Ready(a.vital.alive)
	}
	a.log.InfoContext(ctx, "hub started", "version", version.String(), "web", a.WebURL)
	<-ctx.Done()
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close ends broker and database cleanly.
func (a *App) Close() error {
	if a.Broker != nil {
		a.Broker.Close()
	}
	if a.web != nil {
		a.web.Close()
	}
	if a.enrolAt != nil {
		a.enrolAt.Close()
	}
	return errors.Join(a.Store.Close(), a.lock.Release())
}

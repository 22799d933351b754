// Command demo runs the whole line on this machine: a hub with its broker and database, an agent and a till in New York, Chicago and Los
// Angeles, and Odoo, the fake one unless ODOO_URL is set. ONCE=1 runs one business day, compares three independent sums and ends with 0
// only if every difference is 0.00; SOURCE=retail lets the tills write into a Heartland Retail account that an agent beside the hub reads; DEMO_BREAK=drop|double|shift spoils one ticket on its way and must be found.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/tillpost/tillpost/agent/app"
	hub "github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
	"github.com/tillpost/tillpost/test/fake/till"
	"github.com/tillpost/tillpost/test/port"
)

// within is how long the day may take until it is verified in Odoo.
const within = 3 * time.Minute

// monthWithin is how long a month's steps may take: Odoo may be on a machine that has other things to do.
const monthWithin = 12 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is one run.
type demo struct {
	out    io.Writer
	dir    string
	log    *slog.Logger
	odoo   books.Odoo
	hub    *hub.App
	broker string
	shops  []*shop

	taxNames map[string]string // taxes of head office's own, by jurisdiction
	month    *month            // nil: one business day
	account  *account          // nil: the tills hand their tickets to an agent in each store
	wg       sync.WaitGroup
	failed   chan error
	began    time.Time
}

// shop is a store: its till and its agent.
type shop struct {
	till.Store
	till  *till.Till
	agent *app.App
	door  string // where its till hands tickets in
	told  []till.Event
	days  map[string]soldDay // of a month, by date
	words books.Told         // what the account must hold, nil = what was told

	gateway *gateway // nil: its cards go through none that is read
}

func run(ctx context.Context, out io.Writer) (err error) {
	ctx, stop := context.WithCancel(ctx)
	d := &demo{out: out, failed: make(chan error, 16), began: time.Now()}
	if os.Getenv("MONTH") != "" {
		d.month = &month{}
	}
	defer func() {
		stop()
		d.wg.Wait()
		err = d.close(err)
	}()
	if d.dir, err = os.MkdirTemp("", "tillpost-demo-"); err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(d.dir, "demo.log"))
	if err != nil {
		return err
	}
	defer logs.Close()
	d.log = hub.Logger(logs, "info")
	if d.month != nil {
		return d.wholeMonth(ctx)
	}
	day := time.Now().AddDate(0, 0, -2)
	for _, build := range []func(context.Context) error{d.books, func(ctx context.Context) error { return d.agents(ctx, day) }, func(ctx context.Context) error { return d.sell(ctx, day) }, d.centre} {
		if err := build(ctx); err != nil {
			return err
		}
	}
	if err := d.posted(ctx, day); err != nil {
		return err
	}
	verdict := errors.Join(d.compare(ctx, day.Format(time.DateOnly)), d.payments(ctx))
	if os.Getenv("ONCE") != "" || verdict != nil || ctx.Err() != nil {
		return verdict
	}
	return d.live(ctx)
}

// close ends everything. After a failure the folder with log, databases and truth files stays for whoever looks into it.
func (d *demo) close(err error) error {
	for _, s := range d.shops {
		if s.agent != nil {
			err = errors.Join(err, s.agent.Close())
		}
	}
	if d.account != nil && d.account.agent != nil {
		err = errors.Join(err, d.account.agent.Close())
	}
	if d.hub != nil {
		err = errors.Join(err, d.hub.Close())
	}
	if err != nil && d.dir != "" {
		fmt.Fprintf(d.out, "What was run lies in %s\n", d.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

func (d *demo) start(ctx context.Context, what string, run func(context.Context) error) {
	d.wg.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			d.failed <- fmt.Errorf("%s: %w", what, err)
		}
	})
}

// books finds Odoo, or starts the fake one.
func (d *demo) books(ctx context.Context) error {
	d.odoo = books.Odoo{URL: os.Getenv("ODOO_URL"), DB: os.Getenv("ODOO_DB"), User: os.Getenv("ODOO_USER"), Key: os.Getenv("ODOO_KEY")}
	if d.odoo.URL != "" {
		fmt.Fprintf(d.out, "Odoo: %s\n", d.odoo.URL)
		return nil
	}
	f, err := fake.New(fake.Options{Version: 18})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.odoo = books.Odoo{URL: "http://" + l.Addr().String(), DB: "odoo", User: "tillpost", Key: "key"}
	srv := &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)}
	d.start(ctx, "fake Odoo", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { srv.Close() })()
		return srv.Serve(l)
	})
	fmt.Fprintf(d.out, "Odoo: a fake one (set ODOO_URL, ODOO_DB, ODOO_USER, ODOO_KEY for a real one)\n")
	return nil
}

// agents starts an agent in each store. The hub is not there yet: that is the ordinary case of a store, and nothing may be lost by it.
func (d *demo) agents(ctx context.Context, day time.Time) error {
	var err error
	if d.broker, err = port.Addr(); err != nil {
		return err
	}
	if throughRetail() {
		if err := d.openAccount(ctx, day); err != nil {
			return err
		}
	}
	for i, s := range d.stores() {
		s.Tips = s.Tips && d.account == nil // Retail knows none
		sh := &shop{Store: s, till: till.New(s, uint64(2026+i))}
		d.shops = append(d.shops, sh)
		if d.account != nil && os.Getenv("SOURCE") != "mixed" {
			continue // nothing of it runs in the store
		}
		c := app.Default()
		c.Device, c.DataDir = retail.DeviceID(fmt.Sprintf("agent-%d", i+1)), filepath.Join(d.dir, s.Code)
		c.Hub.URL, c.Hub.RetryLongest = "mqtt://"+d.broker, config.Duration(time.Second)
		if sh.door, err = port.Addr(); err != nil {
			return err
		}
		if c.Status.Listen, err = port.Addr(); err != nil { // three PCs on one machine
			return err
		}
		c.Source.LocalAPI = app.LocalAPIConfig{Listen: sh.door, TokenFile: filepath.Join(d.dir, "token"), Locations: []retail.LocationCode{retail.LocationCode(s.Code)}}
		if err := os.WriteFile(c.Source.LocalAPI.TokenFile, []byte("demo\n"), 0o600); err != nil {
			return err
		}
		if through() || d.month != nil {
			if err := d.openGateway(ctx, sh, &c); err != nil {
				return err
			}
		}
		switch {
		case d.month != nil:
			err = d.month.charge(sh)
		case through():
			err = sh.ahead(day)
		}
		if err != nil {
			return err
		}
		if sh.agent, err = app.New(ctx, c, d.log); err != nil {
			return err
		}
		d.start(ctx, "agent "+s.Code, sh.agent.Run)
		fmt.Fprintf(d.out, "Agent of %s runs; the hub is still away.\n", s.Name)
	}
	return nil
}

// stores are the three. On a real Odoo they have codes of this run: each run is another hub, and a day that another hub has posted there is not posted again.
func (d *demo) stores() (out []till.Store) {
	for _, s := range till.Three {
		if os.Getenv("ODOO_URL") != "" {
			s.Code += "-" + strconv.FormatInt(d.began.Unix(), 36)
		}
		out = append(out, s)
	}
	return out
}

// centre starts the hub, registers what it should know and prepares the books.
func (d *demo) centre(ctx context.Context) (err error) {
	c := hub.Default()
	c.DataDir, c.Web.Listen, c.Broker.Listen, c.Broker.Open = filepath.Join(d.dir, "hub"), "127.0.0.1:0", d.broker, true
	if l := os.Getenv("DEMO_LISTEN"); l != "" {
		c.Web.Listen = l
	}
	c.Posting.Settle = 0
	if d.month != nil {
		c.Banks, c.Merchants = d.month.settings(d.shops)
	}
	key := filepath.Join(d.dir, "odoo.key")
	if err := os.WriteFile(key, []byte(d.odoo.Key+"\n"), 0o600); err != nil {
		return err
	}
	c.Odoo = hub.OdooConfig{URL: d.odoo.URL, Database: d.odoo.DB, User: d.odoo.User, KeyFile: key, Mode: "test"}
	var taxes []string
	for i, s := range d.shops {
		l := hub.LocationConfig{Code: retail.LocationCode(s.Code), Name: s.Name, Zone: s.Zone, Cutoff: fmt.Sprintf("%02d:00", s.Cutoff), Currency: "USD", Posting: d.month.mode(i)}
		l.Tills = d.tills(s)
		c.Locations = append(c.Locations, l)
		for _, t := range s.Taxes {
			taxes = append(taxes, t.Name)
		}
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return err
	}
	if d.account != nil {
		c.Webhooks = hub.WebhooksConfig{SecretFile: filepath.Join(d.dir, "webhook.secret"), Tenants: []string{tenant}}
		if err := os.WriteFile(c.Webhooks.SecretFile, []byte(hookSecret+"\n"), 0o600); err != nil {
			return err
		}
	}
	if d.hub, err = hub.New(ctx, c, d.log); err != nil {
		return err
	}
	if err := d.hub.Store.InTx(ctx, func(tx *store.Tx) error { return d.devices(ctx, tx) }); err != nil {
		return err
	}
	if d.taxNames, err = d.ownTaxes(ctx); err != nil {
		return err
	}
	reps, err := hub.Setup(ctx, d.hub.Store, c.Odoo, odoo.SetupOptions{Taxes: taxes, TaxNames: d.taxNames, Banks: bankNames(c.Banks)}, "demo")
	if err != nil {
		return err
	}
	for _, rep := range reps {
		fmt.Fprintf(d.out, "Odoo %s, company %s: journal %s and %d rules stand.\n", rep.Version, rep.Company, rep.Books.Journal, len(rep.Rules))
	}
	d.start(ctx, "hub", d.hub.Run)
	if d.account != nil {
		d.hooks(ctx, d.hub)
	}
	fmt.Fprintf(d.out, "The hub is there. Its pages: %s\n", d.hub.WebURL)
	return d.admin(ctx)
}

func (d *demo) devices(ctx context.Context, tx *store.Tx) error {
	if d.account != nil {
		if err := d.account.assign(ctx, tx); err != nil {
			return err
		}
	}
	for _, s := range d.shops {
		if s.agent == nil {
			continue
		}
		if err := tx.AddDevice(ctx, s.agent.Config.Device, "", "demo"); err != nil {
			return err
		}
		if err := tx.Assign(ctx, s.agent.Config.Device, retail.LocationCode(s.Code), time.Unix(0, 0), "demo"); err != nil {
			return err
		}
	}
	return nil
}

// admin makes a user for the pages.
func (d *demo) admin(ctx context.Context) error {
	secret := rand.Text()
	err := d.hub.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.AddUser(ctx, view.User{Name: "demo", Role: view.Admin, Hash: password.Hash(secret)}, "demo")
	})
	fmt.Fprintf(d.out, "Sign in as demo with %s\n", secret)
	return err
}

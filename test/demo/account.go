package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/app"
	hub "github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/webhook"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/fake/till"
)

const (
	tenant      = "acme"
	retailToken = "demo-token-of-no-account"
	hookSecret  = "demo-secret-of-no-webhook-0000"
)

// throughRetail reports whether the tills write into a Heartland Retail account, which one agent beside the hub reads.
func throughRetail() bool {
	s := os.Getenv("SOURCE")
	return s == "retail" || s == "mixed"
}

// account is the tenant's Heartland Retail.
type account struct {
	*heartland.Retail
	truth *heartland.Retail // hears every ticket as it was sold, whatever is spoilt on the way to the other
	agent *app.App
}

// openAccount starts the fake account and the agent that reads it.
func (d *demo) openAccount(ctx context.Context, day time.Time) error {
	var places []heartland.Place
	for _, s := range d.stores() {
		places = append(places, heartland.Place{Code: s.Code, Name: s.Name, Zone: s.Zone, Stations: s.Tills})
	}
	a := &account{Retail: heartland.New(heartland.Options{Token: retailToken, Places: places}), truth: heartland.New(heartland.Options{Token: retailToken, Places: places})}
	d.account = a
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)}
	d.start(ctx, "fake Heartland Retail", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { srv.Close() })()
		return srv.Serve(l)
	})
	c := app.Default()
	c.Device, c.DataDir = "beside-hub", filepath.Join(d.dir, "beside-hub")
	c.Hub.URL, c.Hub.RetryLongest = "mqtt://"+d.broker, config.Duration(time.Second)
	token := filepath.Join(d.dir, "retail.token")
	if err := os.WriteFile(token, []byte(retailToken+"\n"), 0o600); err != nil {
		return err
	}
	c.Source.Retail = []app.RetailConfig{{Tenant: tenant, URL: "http://" + l.Addr().String() + "/api", TokenFile: token, Since: retail.BusinessDate(day.AddDate(0, 0, -1).Format(time.DateOnly)), Category: "custom@category"}}
	if a.agent, err = app.New(ctx, c, d.log); err != nil {
		return err
	}
	d.start(ctx, "agent beside the hub", a.agent.Run)
	fmt.Fprintf(d.out, "A Heartland Retail account with %d locations is there, and an agent that may read it once the hub says so.\n", len(places))
	return nil
}

// hear takes the events of a store's day: sent are those that get as far as the account. It returns what they come to in an account, which
// keeps no drawer and no tip.
func (a *account) hear(s *shop, day string, sent []till.Event) till.Truth {
	for _, e := range s.told {
		a.truth.Tell(e)
	}
	for _, e := range sent {
		a.Tell(e)
	}
	s.words = books.Told{}
	for _, e := range s.told {
		_, at, cents, ok := a.truth.Of(e.ID)
		if !ok {
			continue
		}
		id := e.ID // as the till calls it, when the account never heard of it
		if there, _, _, ok := a.Of(e.ID); ok {
			id = fmt.Sprint(there)
		}
		s.words[id] = books.Word{Cents: cents, Day: at}
	}
	n, measures := a.truth.Truth(s.Code, day)
	return till.Truth{Location: s.Code, Day: day, Tickets: n, Measures: measures}
}

// hooks lets the account tell the hub of each sale, as the vendor does: late at times, and without waiting for an answer.
func (d *demo) hooks(ctx context.Context, h *hub.App) {
	url := h.WebURL + webhook.New(hookSecret, []string{tenant}, nil, d.log).Path(tenant, webhook.Sales)
	d.account.Hook = func(_ string, body []byte) {
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				return
			}
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
}

// assign lets the agent beside the hub speak for every location.
func (a *account) assign(ctx context.Context, tx *store.Tx) error {
	if err := tx.AddDevice(ctx, a.agent.Config.Device, "", "demo"); err != nil {
		return err
	}
	return tx.Assign(ctx, a.agent.Config.Device, store.AllLocations, time.Unix(0, 0), "demo")
}

// tills are a store's, as head office confirms them.
func (d *demo) tills(s *shop) (out []retail.TillCode) {
	if d.account != nil {
		for _, id := range d.account.Stations(s.Code) {
			out = append(out, retail.TillCode(id))
		}
		return out
	}
	for n := range s.Tills {
		out = append(out, retail.TillCode(fmt.Sprintf("T%d", n+1)))
	}
	return out
}

package retail_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	agent "github.com/tillpost/tillpost/agent/app"
	hub "github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/hub/webhook"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/port"
	rig "github.com/tillpost/tillpost/test/retail"
)

const hookSecret = "a-secret-of-the-test-and-no-other"

// centre is a hub, an account and its agents, with real sockets and files.
type centre struct {
	t      *testing.T
	dir    string
	broker string
	hub    *hub.App
	retail *heartland.Retail
	url    string
}

func newCentre(t *testing.T) *centre {
	c := &centre{t: t, dir: t.TempDir(), retail: heartland.New(heartland.Options{Token: rig.Token, Places: three()})}
	srv := httptest.NewServer(c.retail)
	t.Cleanup(srv.Close)
	c.url = srv.URL + "/api"
	c.broker = port.Free(t)
	o := hub.Default()
	o.DataDir, o.Web.Listen, o.Broker.Listen, o.Broker.Open = filepath.Join(c.dir, "hub"), "127.0.0.1:0", c.broker, true
	o.Webhooks = hub.WebhooksConfig{SecretFile: c.file("hook", hookSecret), Tenants: []string{"acme"}}
	for _, p := range three() {
		loc := hub.LocationConfig{Code: retail.LocationCode(p.Code), Name: p.Name, Zone: p.Zone, Cutoff: "00:00", Currency: "USD"}
		for _, s := range c.retail.Stations(p.Code) {
			loc.Tills = append(loc.Tills, retail.TillCode(s))
		}
		o.Locations = append(o.Locations, loc)
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.hub, err = hub.New(t.Context(), o, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	c.run(c.hub.Run, c.hub.Close)
	return c
}

// run starts something that ends with the test, or when stop is called.
func (c *centre) run(run func(context.Context) error, end func() error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done, once := make(chan struct{}), false
	go func() { defer close(done); _ = run(ctx) }()
	stop = func() {
		if !once {
			once = true
			cancel()
			<-done
			_ = end()
		}
	}
	c.t.Cleanup(stop)
	return stop
}

func (c *centre) file(name, text string) string {
	f := filepath.Join(c.dir, name)
	if err := os.WriteFile(f, []byte(text+"\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return f
}

// agent starts one that could read the account; no locations = all of them.
func (c *centre) agent(d retail.DeviceID, locations ...retail.LocationCode) (*agent.App, func()) {
	c.t.Helper()
	ctx := c.t.Context()
	if err := c.hub.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddDevice(ctx, d, "", "test"); err != nil {
			return err
		}
		if len(locations) == 0 {
			return tx.Assign(ctx, d, store.AllLocations, time.Unix(0, 0), "test")
		}
		return tx.Assign(ctx, d, locations[0], time.Unix(0, 0), "test")
	}); err != nil {
		c.t.Fatal(err)
	}
	o := agent.Default()
	o.Device, o.DataDir, o.Hub.URL = d, filepath.Join(c.dir, string(d)), "mqtt://"+c.broker
	o.Source.Retail = []agent.RetailConfig{{Tenant: "acme", URL: c.url, TokenFile: c.file("token", rig.Token), Locations: locations, Category: "custom@category"}}
	a, err := agent.New(ctx, o, slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	return a, c.run(a.Run, a.Close)
}

func (c *centre) until(what string, ok func() bool) {
	c.t.Helper()
	for end := time.Now().Add(90 * time.Second); !ok(); {
		if time.Now().After(end) {
			c.t.Fatalf("%s did not come in 90 s", what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func reads(a *agent.App) bool { return a.Status(context.Background()).Accounts[0].Reads }

// tickets counts what the hub has booked.
func (c *centre) tickets() (n int) {
	c.t.Helper()
	days, err := c.hub.Store.DayViews(c.t.Context(), view.DayFilter{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range days {
		n += d.Tickets
	}
	return n
}

// The hub gives an account to one agent: a store's own while it is the only one, the one beside the hub as soon as it is there; a webhook
// wakes whoever reads. Whatever is sold meanwhile is booked once.
func TestOneReaderOfAnAccount(t *testing.T) {
	if testing.Short() {
		t.Skip("a hub and two agents with real sockets")
	}
	c := newCentre(t)
	dice := rand.New(rand.NewPCG(1, 1))
	sold := 0
	sell := func(n int) {
		for range n {
			c.retail.Sell(c.retail.Quick("S-NY", dice))
			sold++
		}
	}
	own, _ := c.agent("store-ny", "S-NY")
	c.until("the store's own agent reads", func() bool { return reads(own) })
	sell(5)
	c.until("its tickets", func() bool { return c.tickets() == sold })
	beside, stop := c.agent("beside-hub")
	c.until("the agent beside the hub reads", func() bool { return reads(beside) && !reads(own) })
	if why := own.Status(t.Context()).Accounts[0].Why; !strings.Contains(why, "beside-hub") {
		t.Errorf("the store's own does not read because %q", why)
	}
	c.until("everything is read again, and nothing is new", func() bool { return c.tickets() == sold && !beside.Status(t.Context()).Accounts[0].Behind.IsZero() })
	hook := c.hub.WebURL + webhook.New(hookSecret, []string{"acme"}, nil, nil).Path("acme", webhook.Sales)
	c.retail.Hook = func(string, []byte) {
		resp, err := http.Post(hook, "application/json", strings.NewReader(`{"lies":true}`))
		if err == nil {
			resp.Body.Close()
		}
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Errorf("the hub answers a webhook with %v %v", resp, err)
		}
	}
	for range 3 {
		begun := time.Now()
		sell(1)
		c.until("a ticket that a webhook told of", func() bool { return c.tickets() == sold })
		t.Logf("from the sale to the hub's books: %s", time.Since(begun).Round(10*time.Millisecond))
	}
	c.retail.Set(func(x *heartland.Trouble) { x.Revoked = true })
	sell(1)
	c.until("the refused connection is told", func() bool {
		return beside.Status(t.Context()).Connections[0].State == breaker.Refused && len(beside.Status(t.Context()).Health) > 0
	})
	stop()
	if reads(own) {
		t.Error("a store's own agent took over from the one beside the hub")
	}
}

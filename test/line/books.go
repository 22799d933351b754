package line

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// Books is the whole hub as the product wires it, with device d1 allowed to speak for every location and S1 confirmed.
type Books struct {
	*app.App
	quit context.CancelFunc
	done chan struct{}
}

// BooksConfig is the settings of a hub in dir, without Odoo, on free ports of this machine.
func BooksConfig(dir string) app.Config {
	c := app.Default()
	c.DataDir = dir
	c.Web.Listen, c.Broker.Listen, c.Broker.Open = "127.0.0.1:0", "127.0.0.1:0", true
	c.Locations = []app.LocationConfig{{Code: "S1", Name: "Line", Zone: "America/New_York", Cutoff: "04:00", Currency: "USD", Tills: []retail.TillCode{"T1", "T2", "T3", "T4"}}}
	return c
}

// StartBooks opens the hub. With an Odoo in the settings, setup has run before the hub begins.
func StartBooks(ctx context.Context, c app.Config) (*Books, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, err
	}
	h, err := app.New(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.AddDevice(ctx, "d1", "", "line"); err != nil {
			return err
		}
		return tx.Assign(ctx, "d1", store.AllLocations, time.Unix(0, 0), "line")
	})
	if err == nil && c.Odoo.URL != "" {
		_, err = app.Setup(ctx, h.Store, c.Odoo, odoo.SetupOptions{Taxes: []string{"NY State", "NY City"}, Tenders: []string{"cash", "card"}}, "line")
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	run, quit := context.WithCancel(context.WithoutCancel(ctx))
	b := &Books{App: h, quit: quit, done: make(chan struct{})}
	go func() { defer close(b.done); _ = h.Run(run) }()
	return b, nil
}

// Stop ends the hub as an operator would.
func (b *Books) Stop() {
	b.quit()
	<-b.done
	_ = b.Close()
}

// FakeOdoo is a fake Odoo that counts what it is asked: every request is one call.
type FakeOdoo struct {
	*fake.Server
	Requests atomic.Int64
	http     *httptest.Server
}

// StartFakeOdoo starts one of version 18 on a free port.
func StartFakeOdoo() (*FakeOdoo, error) { return StartFakeOdooOf(18) }

// StartFakeOdooOf starts one of another version.
func StartFakeOdooOf(version int) (*FakeOdoo, error) {
	s, err := fake.New(fake.Options{Version: version})
	if err != nil {
		return nil, err
	}
	f := &FakeOdoo{Server: s}
	f.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.Requests.Add(1)
		s.ServeHTTP(w, r)
	}))
	return f, nil
}

// Config is what a hub needs to post to it; its key goes into a file in dir.
func (f *FakeOdoo) Config(dir string) (app.OdooConfig, error) {
	key := filepath.Join(dir, "odoo.key")
	return app.OdooConfig{URL: f.http.URL, Database: "odoo", User: "tillpost", KeyFile: key}, os.WriteFile(key, []byte("key\n"), 0o600)
}

// Close ends it.
func (f *FakeOdoo) Close() { f.http.Close() }

// DraftOn is the n-th ticket as if it had been sold on another day.
func DraftOn(day retail.BusinessDate, n int) (source.Draft, error) {
	d := Draft(n)
	d.Body = bytes.ReplaceAll(d.Body, []byte(base.Format(time.DateOnly)), []byte(day))
	at, err := time.Parse(time.DateOnly, string(day))
	d.At = at.Add(d.At.Sub(base.Truncate(24 * time.Hour)))
	return d, err
}

// Package devices runs a whole agent and a whole hub in one process, with what stands on a store's own network: a card terminal, a till's
// database, and books that are for tests or real.
package devices

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // the till's database

	agent "github.com/tillpost/tillpost/agent/app"
	hub "github.com/tillpost/tillpost/hub/app"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/odoo"
	"github.com/tillpost/tillpost/test/fake/terminal"
	"github.com/tillpost/tillpost/test/port"
)

// rig is one store and one centre.
type rig struct {
	t      *testing.T
	dir    string
	broker string
	hub    *hub.App
	agent  *agent.App
	config agent.Config
	stop   context.CancelFunc // of the agent
	gone   *sync.WaitGroup
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newRig starts the hub on an Odoo. The agent follows with start.
func newRig(t *testing.T, o odoo.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), broker: port.Free(t)}
	f, err := odoo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	c := hub.Default()
	c.DataDir, c.Web.Listen, c.Broker.Listen, c.Broker.Open = filepath.Join(r.dir, "hub"), "127.0.0.1:0", r.broker, true
	c.Odoo = hub.OdooConfig{URL: srv.URL, Database: "odoo", User: "tillpost", KeyFile: write(t, filepath.Join(r.dir, "odoo.key"), "key\n"), AllowHTTP: true}
	c.Locations = []hub.LocationConfig{{Code: "S-17", Name: "Springfield", Zone: "America/Chicago", Cutoff: "04:00", Currency: "USD"}}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if r.hub, err = hub.New(t.Context(), c, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	run(t, r.hub.Run, r.hub.Close)
	err = r.hub.Store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "store-17", "", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "store-17", "S-17", time.Unix(0, 0), "test")
	})
	if err != nil {
		t.Fatal(err)
	}
	r.config = agent.Default()
	r.config.Device, r.config.DataDir, r.config.Hub.URL = "store-17", filepath.Join(r.dir, "agent"), "mqtt://"+r.broker
	return r
}

// run runs until the test ends.
func run(t *testing.T, f func(context.Context) error, end func() error) (context.CancelFunc, *sync.WaitGroup) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return cancel, &wg
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.agent, err = agent.New(r.t.Context(), r.config, slog.New(slog.DiscardHandler)); err != nil {
		r.t.Fatal(err)
	}
	r.stop, r.gone = run(r.t, r.agent.Run, r.agent.Close)
}

func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.gone.Wait()
	r.start()
}

// until waits for what must come; the time is a bound for a test that fails, not a measurement.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	limit := time.After(90 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit:
			r.t.Fatalf("it did not come: %s\nconnections %+v\ncases %+v", what, r.agent.Connections(), r.cases())
		case <-tick.C:
		}
	}
}

func (r *rig) cases() []cases.Case {
	r.t.Helper()
	cs, err := r.hub.Store.Cases(r.t.Context(), false)
	if err != nil {
		r.t.Fatal(err)
	}
	return cs
}

// open finds an open case of a cause.
func (r *rig) open(c cases.Cause) *cases.Case {
	for _, k := range r.cases() {
		if k.Cause == c {
			return &k
		}
	}
	return nil
}

// day is what the ledger holds of the store.
func (r *rig) tickets() (n int) {
	r.t.Helper()
	ds, err := r.hub.Store.DayViews(r.t.Context(), view.DayFilter{Location: "S-17"})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, d := range ds {
		n += d.Tickets
	}
	return n
}

// page reads a page of the hub as a person who is signed in would; here only the store's own views are looked at.
func (r *rig) location() view.LocationView {
	r.t.Helper()
	ls, err := r.hub.Store.LocationViews(r.t.Context(), view.LocationFilter{Only: []retail.LocationCode{"S-17"}})
	if err != nil || len(ls) != 1 {
		r.t.Fatal(len(ls), err)
	}
	return ls[0]
}

func TestTerminalThatHoldsOfflinePayments(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	pad, err := terminal.Start(t.Context(), chicago, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	pad.BankLine(false)
	pad.Take(1201, "Visa")
	pad.Take(8799, "MC")
	r.config.Source.Terminal = []agent.TerminalConfig{{Name: "front", Address: pad.Address(), Location: "S-17", Till: "PINPAD-1", Zone: "America/Chicago", Windows: []string{"always"}}}
	r.start()
	r.until("the case with the money at stake", func() bool { c := r.open(cases.OfflinePayments); return c != nil && c.Amount.Minor == 10000 })
	if c := r.open(cases.OfflinePayments); c.Location != "S-17" || !strings.Contains(c.Detail, "…1111") || strings.Contains(c.Detail, "*") {
		t.Errorf("%+v", c)
	}
	r.until("the terminal and its connection at the hub", func() bool {
		l := r.location()
		return len(l.Tills) == 1 && l.Tills[0].Serial == "1850012345" && len(l.Devices) == 1 && len(l.Devices[0].Connections) == 1
	})
	if c := r.location().Devices[0].Connections[0]; c.State != breaker.Closed || c.Mode != mode.Test || c.Name != "terminal/front" {
		t.Errorf("%+v", c)
	}
	pad.BankLine(true)
	pad.SendHeld(0)
	pad.ForgetSAF()
	r.restart() // the next look is at the start
	r.until("the case closed by itself", func() bool { return r.open(cases.OfflinePayments) == nil })
	for _, c := range pad.Asked() {
		if c != "GetAppInfo" && c != "GetSAFReport" {
			t.Errorf("the terminal was asked for %s", c)
		}
	}
}

// pos makes a pcAmerica database on SQLite with three sales of today, and the profile for it.
func pos(t *testing.T, dir string) (db *sql.DB, profiles string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "cresql.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	noon := time.Now().Add(-2 * time.Hour).In(time.UTC).Format("2006-01-02T15:04:05")
	for _, q := range []string{
		`CREATE TABLE Invoice_Totals (Store_ID, Invoice_Number INTEGER, CustNum, DateTime DATETIME, Total_Price, Grand_Total, Station_ID, Cashier_ID, Status, CA_Amount, CC_Amount, OA_Amount, GC_Amount, Taxed_Sales)`,
		`CREATE TABLE Invoice_Itemized (Store_ID, Invoice_Number INTEGER, LineNum INTEGER, ItemNum, DiffItemName, Quantity, PricePer, Tax1Per, Tax2Per, Tax3Per)`,
		`CREATE TABLE Inventory (ItemNum, ItemName, Dept_ID)`,
		`INSERT INTO Invoice_Totals VALUES ('1', 1, '', '` + noon + `', '9.00', '9.72', '01', 'ann', 'C', '9.72', '0', '0', '0', '9.00'), ('1', 2, '', '` + noon + `', '9.00', '9.72', '01', 'ann', 'C', '0', '9.72', '0', '0', '9.00'),
			('1', 3, '', '` + noon + `', '9.00', '9.72', '01', 'ann', 'C', '0', '9.72', '0', '0', '9.00')`,
		`INSERT INTO Invoice_Itemized VALUES ('1', 1, 1, '100', 'Coffee', '2', '4.50', '0.36', '0', '0'), ('1', 2, 1, '100', 'Coffee', '2', '4.50', '0.36', '0', '0'), ('1', 3, 1, '100', 'Coffee', '2', '4.50', '0.36', '0', '0')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := profile.Shipped("pcamerica")
	profiles = filepath.Join(dir, "profiles")
	if err := os.MkdirAll(profiles, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(profiles, "pos.toml"), strings.NewReplacer(`name = "pcamerica"`, `name = "pos"`, `"sqlserver"`, `"sqlite3"`, `America/New_York`, `UTC`).Replace(string(p.TOML())))
	return db, profiles
}

func (r *rig) sells(profiles, m string) {
	r.config.Profiles.Dir = profiles
	r.config.Source.PosSQL = []agent.PosSQLConfig{{Name: "till", Profile: "pos", Address: filepath.Join(r.dir, "cresql.db"), Location: "S-17", Mode: m}}
}

func TestTillDatabaseRefusedAndMended(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	db, profiles := pos(t, r.dir)
	if _, err := db.Exec(`ALTER TABLE Inventory RENAME TO Other`); err != nil {
		t.Fatal(err)
	}
	r.sells(profiles, "")
	r.start()
	r.until("the refusal as a case", func() bool { return r.open(cases.ConnectionRefused) != nil })
	if c := r.open(cases.ConnectionRefused); !strings.Contains(c.Detail, "no such table: Inventory") || !strings.Contains(c.Do, "agent connection retry possql/till") || c.Location != "S-17" {
		t.Errorf("%+v", c)
	}
	file := write(t, filepath.Join(r.dir, "agent.toml"), "device = 'store-17'\ndata_dir = '"+r.config.DataDir+"'\n[hub]\nurl = 'mqtt://127.0.0.1:1'\n")
	var out bytes.Buffer
	if code := agent.Main([]string{"status", "--config", file}, &out, &out); code != 1 || !strings.Contains(out.String(), "refuses") {
		t.Errorf("status ends with %d:\n%s", code, &out)
	}
	if _, err := db.Exec(`ALTER TABLE Other RENAME TO Inventory`); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if code := agent.Main([]string{"connection", "retry", "possql/nothing", "--config", file}, &out, &out); code != 1 || !strings.Contains(out.String(), "possql/till") {
		t.Errorf("retry of nothing ends with %d: %s", code, &out)
	}
	if code := agent.Main([]string{"connection", "retry", "possql/till", "--config", file}, &out, &out); code != 0 {
		t.Errorf("retry: %s", &out)
	}
	r.until("the sales", func() bool { return r.tickets() == 3 })
	r.until("the case closed by itself", func() bool { return r.open(cases.ConnectionRefused) == nil })
}

// Test sales never stand in real books, nor real ones in a copy for tests: they are kept aside under one case, and booked once it is mended.
func TestTestAndRealDoNotMeet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		odoo   odoo.Options
		source string
	}{{"test sales, real books", odoo.Options{}, "test"}, {"real sales, test books", odoo.Options{Neutral: true}, "production"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c.odoo)
			r.until("what the books are", func() bool { m, err := r.hub.Store.BooksMode(t.Context()); return err == nil && m != mode.Unknown })
			_, profiles := pos(t, r.dir)
			r.sells(profiles, c.source)
			r.start()
			r.until("the case", func() bool { k := r.open(cases.ModeMix); return k != nil && k.Seen >= 3 })
			if k := r.open(cases.ModeMix); k.Subject != "device store-17" || !strings.Contains(k.Detail, c.source) {
				t.Errorf("%+v", k)
			}
			if n := r.tickets(); n != 0 {
				t.Errorf("%d tickets are booked", n)
			}
			// The person finds that the books' setting was wrong. What was kept aside is booked, once.
			if err := r.hub.Store.SetBooksMode(t.Context(), mode.Mode(c.source), "test", "it was wrong"); err != nil {
				t.Fatal(err)
			}
			r.until("the sales", func() bool {
				_ = r.hub.Clerk.Act(t.Context(), cases.ID(cases.ModeMix, "device store-17"), view.Act{What: "retry", Who: "ann"})
				return r.tickets() == 3
			})
			r.until("the case closed", func() bool { return r.open(cases.ModeMix) == nil })
		})
	}
}

// An agent refuses to start with test and production side by side.
func TestAgentRefusesAMix(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{})
	_, profiles := pos(t, r.dir)
	r.sells(profiles, "production")
	r.config.Source.Terminal = []agent.TerminalConfig{{Name: "front", Address: "127.0.0.1:8081", Location: "S-17", Till: "P", Zone: "UTC"}}
	if a, err := agent.New(t.Context(), r.config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "possql/till of a real one") {
		if err == nil {
			_ = a.Close()
		}
		t.Errorf("%v", err)
	}
}

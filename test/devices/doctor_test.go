package devices

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	agent "github.com/tillpost/tillpost/agent/app"
	hub "github.com/tillpost/tillpost/hub/app"
	odooside "github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/heartland"
	"github.com/tillpost/tillpost/test/fake/odoo"
	"github.com/tillpost/tillpost/test/fake/terminal"
	"github.com/tillpost/tillpost/test/port"
)

// settings writes a configuration as a file.
func settings(t *testing.T, dir, name string, c any) string {
	t.Helper()
	b, err := config.Print(c)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(dir, name), string(b))
}

// finds reports whether a report has a finding in a state that says some words.
func finds(r doctor.Report, s doctor.State, words string) bool {
	for _, f := range r.Findings {
		if f.State == s && strings.Contains(f.What+": "+f.Found+" "+f.Means+" "+f.Do, words) {
			return true
		}
	}
	return false
}

func words(r doctor.Report) string {
	var b bytes.Buffer
	r.Text(&b)
	return b.String()
}

// whole fills a rig's agent with one source of each kind, all of them well.
func whole(t *testing.T, r *rig) *terminal.Terminal {
	t.Helper()
	_, profiles := pos(t, r.dir)
	r.sells(profiles, "")
	pad, err := terminal.Start(t.Context(), time.UTC, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	r.config.Source.Terminal = []agent.TerminalConfig{{Name: "front", Address: pad.Address(), Location: "S-17", Till: "PINPAD-1", Zone: "UTC", Windows: []string{"always"}}}
	drop := filepath.Join(r.dir, "drop")
	if err := os.MkdirAll(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(drop, "s.csv"), "Invoice ID,Branch,Product line,Quantity,Tax 5%,Date,Time,Payment,cogs\n1,S-17,Toys,1,0.10,1/5/2026,13:08,Cash,2.00\n")
	r.config.Source.FileDrop = []agent.FileDropConfig{{Name: "till", Dir: drop, Pattern: "*.csv", Profile: "supermarket", Location: "S-17"}}
	account := httptest.NewServer(heartland.New(heartland.Options{Token: "t", Places: []heartland.Place{{Code: "S-17", Name: "Seventeen", Zone: "America/Chicago", Stations: 1}}}))
	t.Cleanup(account.Close)
	r.config.Source.Retail = []agent.RetailConfig{{Tenant: "acme", URL: account.URL + "/api", TokenFile: write(t, filepath.Join(r.dir, "retail"), "t\n"), Locations: []retail.LocationCode{"S-17"}}}
	r.config.Source.LocalAPI = agent.LocalAPIConfig{Listen: port.Free(t), TokenFile: write(t, filepath.Join(r.dir, "token"), "secret\n")}
	r.config.Hub.PasswordFile = write(t, filepath.Join(r.dir, "password"), "x\n")
	return pad
}

func TestAgentDoctorFindsNothingWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	pad := whole(t, r)
	r.start()
	file := settings(t, r.dir, "agent.toml", r.config)
	var rep doctor.Report
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(words(rep))
		}
	})
	r.until("a healthy report", func() bool {
		rep = agent.Examine(t.Context(), file)
		return rep.Healthy() && finds(rep, doctor.Good, "clock agrees")
	})
	for _, want := range []string{"settings", "disk", "it runs since", "answers at " + r.broker, "clock agrees", "local API: it listens", "profile pos.toml", "folder till: 1 files", "terminal/front: it answers (test)", "possql/till: it answers", "retail/acme: it answers (test)"} {
		if !finds(rep, doctor.Good, want) {
			t.Errorf("%q is missing in\n%s", want, words(rep))
		}
	}
	var out bytes.Buffer
	if code := agent.Main([]string{"doctor", "--json", "--config", file}, &out, &out); code != 0 || !json.Valid(out.Bytes()) {
		t.Errorf("doctor ends with %d: %s", code, &out)
	}
	pad.Misbehave(terminal.Garbage)
	out.Reset()
	if code := agent.Main([]string{"doctor", "--config", file}, &out, &out); code != 1 || !strings.Contains(out.String(), "WRONG  terminal/front") || !strings.Contains(out.String(), "To do:") {
		t.Errorf("doctor ends with %d: %s", code, &out)
	}
}

// Each fault alone is found and says what to do.
func TestAgentDoctorFindsEachFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := &rig{t: t, dir: dir, config: agent.Default()}
	r.config.Device, r.config.DataDir, r.config.Hub.URL = "store-17", filepath.Join(dir, "data"), "mqtt://"+port.Free(t)
	whole(t, r)
	account := r.config.Source.Retail[0]
	r.config.Source.Retail = nil // asking it takes its time: only where it is the fault
	good := r.config
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	for name, c := range map[string]struct {
		spoil func(*agent.Config)
		says  []string
	}{
		"settings":         {func(c *agent.Config) { c.Device = "My PC" }, []string{"cannot be a device's name", "does not start"}},
		"nothing runs":     {func(*agent.Config) {}, []string{"the agent is not running", "Nobody listens there"}},
		"no data folder":   {func(c *agent.Config) { c.DataDir = filepath.Join(dir, "a", "b", "c") }, []string{"neither", "Correct data_dir"}},
		"data is a file":   {func(c *agent.Config) { c.DataDir = write(t, filepath.Join(dir, "file"), "") }, []string{"is no folder"}},
		"hub's name":       {func(c *agent.Config) { c.Hub.URL = "mqtts://nowhere.invalid:8883" }, []string{"name server"}},
		"untrusted hub":    {func(c *agent.Config) { c.Hub.URL = "mqtts://" + expired(t) }, []string{"does not trust the hub's certificate", "ended on"}},
		"no MQTT there":    {func(c *agent.Config) { c.Hub.URL = "mqtt://" + web.Listener.Addr().String() }, []string{"hub: connect to the hub"}},
		"port taken":       {func(c *agent.Config) { c.Source.LocalAPI.Listen = web.Listener.Addr().String() }, []string{"another program uses"}},
		"no folder":        {func(c *agent.Config) { c.Source.FileDrop[0].Dir = filepath.Join(dir, "none") }, []string{"folder till", "network drive"}},
		"wrong kind":       {func(c *agent.Config) { c.Source.FileDrop[0].Profile = "pcamerica" }, []string{"reads a database, not files"}},
		"no such profile":  {func(c *agent.Config) { c.Source.FileDrop[0].Profile = "nothing" }, []string{"there is no such profile"}},
		"broken profile":   {func(c *agent.Config) { c.Profiles.Dir = brokenProfiles(t, c.Profiles.Dir) }, []string{"profile bad.toml", "Correct the lines named"}},
		"terminal off":     {func(c *agent.Config) { c.Source.Terminal[0].Address = port.Free(t) }, []string{"terminal/front", "nobody listens at that port"}},
		"database gone":    {func(c *agent.Config) { c.Source.PosSQL[0].Address = filepath.Join(dir, "none.db") }, []string{"possql/till", "comes by itself"}},
		"database refuses": {func(c *agent.Config) { c.Source.PosSQL[0].Address = emptyDB(t, dir) }, []string{"no such table", "agent connection retry possql/till"}},
		"account's token": {func(c *agent.Config) {
			x := account
			x.TokenFile = write(t, filepath.Join(dir, "old"), "x\n")
			c.Source.Retail = []agent.RetailConfig{x}
		}, []string{"retail/acme", "The token is not accepted", "agent connection retry retail/acme"}},
		"account's rights": {func(c *agent.Config) {
			x := account
			x.Locations = []retail.LocationCode{"S-99"}
			c.Source.Retail = []agent.RetailConfig{x}
		}, []string{"may not see S-99", "agent connection retry retail/acme"}},
		"test and real":      {func(c *agent.Config) { c.Source.PosSQL[0].Mode = "production" }, []string{"possql/till of a real one"}},
		"SQL profile absent": {func(c *agent.Config) { c.Source.PosSQL[0].Profile = "supermarket" }, []string{"these read a database: pcamerica"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			cfg.Source.FileDrop, cfg.Source.Terminal, cfg.Source.PosSQL = append([]agent.FileDropConfig{}, good.Source.FileDrop...), append([]agent.TerminalConfig{}, good.Source.Terminal...), append([]agent.PosSQLConfig{}, good.Source.PosSQL...)
			c.spoil(&cfg)
			rep := agent.Examine(t.Context(), settings(t, t.TempDir(), "agent.toml", cfg))
			for _, s := range c.says {
				if !finds(rep, doctor.Bad, s) {
					t.Errorf("%q is not told in\n%s", s, words(rep))
				}
			}
		})
	}
	open := write(t, filepath.Join(dir, "token"), "secret\n")
	if err := os.Chmod(open, 0o644); err != nil { //nolint:gosec // that is the fault
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "drop", "s.csv")); err != nil {
		t.Fatal(err)
	}
	rep := agent.Examine(t.Context(), settings(t, dir, "agent.toml", good))
	for _, s := range []string{"read by everybody", "there is no file in"} {
		if !finds(rep, doctor.Warn, s) {
			t.Errorf("%q is not told in\n%s", s, words(rep))
		}
	}
}

func brokenProfiles(t *testing.T, old string) string {
	t.Helper()
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join(old, "pos.toml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "pos.toml"), string(b))
	write(t, filepath.Join(dir, "bad.toml"), "name = 'bad'\ncolour = 'red'\n")
	return dir
}

func emptyDB(t *testing.T, dir string) string {
	t.Helper()
	return write(t, filepath.Join(dir, "empty.db"), "")
}

// certificate makes one that ends at a time, and writes it and its key.
func certificate(t *testing.T, dir string, ends time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.Add(-24 * time.Hour), NotAfter: ends, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, &c, &c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: kb})))
}

// expired is a TLS server whose certificate has ended.
func expired(t *testing.T) string {
	t.Helper()
	cert, key := certificate(t, t.TempDir(), time.Now().Add(-time.Hour))
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.(*tls.Conn).Handshake()
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestHubDoctor(t *testing.T) {
	t.Parallel()
	r := newRig(t, odoo.Options{Neutral: true})
	cfg := r.hub.Config
	cfg.Web.Listen = strings.TrimPrefix(r.hub.WebURL, "http://")
	file := settings(t, r.dir, "hub.toml", cfg)
	rep := hub.Examine(t.Context(), file)
	for state, list := range map[doctor.State][]string{
		doctor.Good: {"settings", "disk", "pages: they answer", "broker: it answers", "time zones", "database: it is whole", "hub.secret", "clock agrees with Odoo's", "books: they are for tests", "1 devices"},
		doctor.Warn: {"none was ever made", "any program on this machine may send"},
		doctor.Bad:  {"Nobody can sign in", "Odoo lacks a journal"},
	} {
		for _, s := range list {
			if !finds(rep, state, s) {
				t.Errorf("%s: %q is missing in\n%s", state, s, words(rep))
			}
		}
	}
	// What was wrong is put right.
	ctx := t.Context()
	if _, err := hub.Setup(ctx, r.hub.Store, cfg.Odoo, odooside.SetupOptions{}, "test"); err != nil {
		t.Fatal(err)
	}
	err := r.hub.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.AddUser(ctx, view.User{Name: "ann", Role: view.Admin, Hash: password.Hash("correct horse 9")}, "test")
	})
	if err == nil {
		_, err = r.hub.Store.Backup(ctx, filepath.Join(r.dir, "backup.db"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if rep = hub.Examine(ctx, file); !rep.Healthy() || !finds(rep, doctor.Good, "store-days can be posted") || !finds(rep, doctor.Good, "the last one is of") {
		t.Errorf("%s", words(rep))
	}
	var out bytes.Buffer
	if code := hub.Main([]string{"doctor", "--json", "--config", file}, &out, &out); code != 0 || !json.Valid(out.Bytes()) {
		t.Errorf("doctor ends with %d: %s", code, &out)
	}
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	soon, key := certificate(t, t.TempDir(), time.Now().Add(time.Hour))
	for name, c := range map[string]struct {
		spoil func(*hub.Config)
		says  []string
	}{
		"settings":        {func(c *hub.Config) { c.LogLevel = "loud" }, []string{"does not start with these"}},
		"hub down":        {func(c *hub.Config) { c.Web.Listen, c.Broker.Listen = port.Free(t), port.Free(t) }, []string{"pages: nothing answers", "broker", "Start the hub"}},
		"other program":   {func(c *hub.Config) { c.Web.Listen = web.Listener.Addr().String() }, []string{"another program answers"}},
		"own broker away": {func(c *hub.Config) { c.Broker.URL, c.Broker.Open = "mqtt://"+port.Free(t), false }, []string{"Start the broker"}},
		"Odoo away":       {func(c *hub.Config) { c.Odoo.URL = "http://" + port.Free(t) }, []string{"Store-days wait and none is lost", "that Odoo runs"}},
		"Odoo's key":      {func(c *hub.Config) { c.Odoo.KeyFile = write(t, filepath.Join(r.dir, "wrong.key"), "wrong\n") }, []string{"Make a new API key"}},
		"wrong books":     {func(c *hub.Config) { c.Odoo.Mode = "production" }, []string{"neutralised copy for tests"}},
		"certificate":     {func(c *hub.Config) { c.Web.CertFile, c.Web.KeyFile = soon, key }, []string{"certificate of the pages", "Renew it now"}},
		"no folder":       {func(c *hub.Config) { c.DataDir = filepath.Join(r.dir, "x", "y") }, []string{"neither"}},
		"damaged":         {func(c *hub.Config) { c.DataDir = damaged(t) }, []string{"database", "hub restore"}},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := cfg
			c.spoil(&spoilt)
			rep := hub.Examine(ctx, settings(t, t.TempDir(), "hub.toml", spoilt))
			for _, s := range c.says {
				if !finds(rep, doctor.Bad, s) {
					t.Errorf("%q is not told in\n%s", s, words(rep))
				}
			}
		})
	}
}

// damaged is a hub's folder whose database is no database.
func damaged(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hub.db"), strings.Repeat("this is no database ", 500))
	return dir
}

func TestDoctorsScales(t *testing.T) {
	for off, want := range map[time.Duration]doctor.State{0: doctor.Good, 20 * time.Second: doctor.Good, -time.Minute: doctor.Warn, 9 * time.Minute: doctor.Bad, -9 * time.Minute: doctor.Bad} {
		if f := doctor.Clock("clock", "head office's", off); f.State != want {
			t.Errorf("%s: %+v", off, f)
		}
	}
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for left, want := range map[int]doctor.State{400: doctor.Good, 20: doctor.Warn, 1: doctor.Bad, -1: doctor.Bad} {
		if f := doctor.Expiry("certificate", "the hub", now.AddDate(0, 0, left), now); f.State != want {
			t.Errorf("%d days: %+v", left, f)
		}
	}
	f := doctor.Clock("clock", "head office's", 9*time.Minute)
	if !strings.Contains(fmt.Sprint(f), "9m0s ahead of head office's") {
		t.Errorf("%+v", f)
	}
}

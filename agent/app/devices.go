package app

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/agent/source/possql"
	"github.com/tillpost/tillpost/agent/source/terminal"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/upa"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// TerminalConfig is one card terminal on the store's own network.
type TerminalConfig struct {
	Name     string              `toml:"name" comment:"never change it: what was told is remembered under it"`
	Address  string              `toml:"address" comment:"host, or host:port; UPA listens on 8081"`
	Location retail.LocationCode `toml:"location"`
	Till     retail.TillCode     `toml:"till" comment:"what the terminal is called at head office"`
	Currency money.Currency      `toml:"currency" comment:"empty: USD"`
	Zone     string              `toml:"zone" comment:"the store's time zone"`
	Windows  []string            `toml:"windows" comment:"times of day in which it may be asked; empty: 22:30-06:00"`
	Batches  bool                `toml:"batches" comment:"read batches here; leave it off where the gateway tells them"`
	Mode     string              `toml:"mode" comment:"test or production; empty: not marked, and test on this PC"`
}

// upaPort is where UPA listens.
const upaPort = "8081"

func (c TerminalConfig) address() string {
	if _, _, err := net.SplitHostPort(c.Address); err == nil {
		return c.Address
	}
	return net.JoinHostPort(strings.Trim(c.Address, "[]"), upaPort)
}

// mode is the setting's, or test for a simulator on this PC: no terminal stands there.
func (c TerminalConfig) mode() mode.Mode {
	m, _ := mode.Parse(c.Mode)
	if host, _, _ := net.SplitHostPort(c.address()); m == mode.Unknown && mode.Loopback(host) {
		return mode.Test
	}
	return m
}

func (c TerminalConfig) place() (upa.Place, error) {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil || c.Zone == "" {
		return upa.Place{}, fault.Msg(fault.Invalid, "zone", "the time zone "+c.Zone+" is unknown; write it like America/New_York")
	}
	p := upa.Place{Location: c.Location, Till: c.Till, Currency: c.Currency, Zone: zone}
	if p.Currency == "" {
		p.Currency = "USD"
	}
	return p, nil
}

func (c TerminalConfig) validate(n int, f *config.Faults) {
	for name, v := range map[string]string{"name": c.Name, "address": c.Address, "location": string(c.Location), "till": string(c.Till)} {
		if v == "" {
			f.Add("source.terminal %d: it needs %s", n, name)
		}
	}
	if p, err := c.place(); err != nil {
		f.Add("source.terminal %d: %v", n, err)
	} else if !p.Currency.Valid() {
		f.Add("source.terminal %d: the currency %q is not an ISO code", n, c.Currency)
	}
	if _, err := terminal.ParseWindows(c.Windows); err != nil {
		f.Add("source.terminal %d: %v", n, err)
	}
	if _, ok := mode.Parse(c.Mode); !ok {
		f.Add("source.terminal %d: mode %q is not test or production", n, c.Mode)
	}
}

// PosSQLConfig is one till's own database.
type PosSQLConfig struct {
	Name     string              `toml:"name" comment:"never change it: what was read is remembered under it"`
	Profile  string              `toml:"profile" comment:"such as pcamerica"`
	Address  string              `toml:"address" comment:"HOST, HOST\\INSTANCE or HOST:PORT; a file for sqlite3"`
	Database string              `toml:"database" comment:"such as cresql"`
	User     string              `toml:"user" comment:"may only read; empty: the account of this service (Windows)"`
	Password string              `toml:"password_file"`
	Trust    bool                `toml:"trust_certificate" comment:"take the server's own certificate unseen; on this PC it is taken anyway"`
	Location retail.LocationCode `toml:"location" comment:"for tickets that name none"`
	Zone     string              `toml:"zone" comment:"the tills' clock; empty: the profile's"`
	Mode     string              `toml:"mode" comment:"test or production; empty: not marked"`
}

func (c PosSQLConfig) validate(n int, f *config.Faults) {
	for name, v := range map[string]string{"name": c.Name, "profile": c.Profile, "address": c.Address} {
		if v == "" {
			f.Add("source.possql %d: it needs %s", n, name)
		}
	}
	if c.Zone != "" {
		if _, err := time.LoadLocation(c.Zone); err != nil {
			f.Add("source.possql %d: the time zone %q is unknown; write it like America/New_York", n, c.Zone)
		}
	}
	if c.Password != "" {
		if _, err := config.Secret(c.Password); err != nil {
			f.Add("source.possql %d: password_file: %v", n, err)
		}
	} else if c.User != "" {
		f.Add("source.possql %d: user %s needs a password_file", n, c.User)
	}
	if _, ok := mode.Parse(c.Mode); !ok {
		f.Add("source.possql %d: mode %q is not test or production", n, c.Mode)
	}
}

// validateDevices checks what stands on the store's own network.
func (s SourceConfig) validateDevices(keys keystore.Store, f *config.Faults) {
	names := map[string]bool{}
	once := func(kind, name string) {
		if names[kind+name] {
			f.Add("source.%s: the name %q is used twice", kind, name)
		}
		names[kind+name] = true
	}
	modes := map[string]mode.Mode{}
	for i, c := range s.Terminal {
		c.validate(i+1, f)
		once("terminal", c.Name)
		modes["terminal/"+c.Name] = c.mode()
	}
	for i, c := range s.PosSQL {
		c.validate(i+1, f)
		once("possql", c.Name)
		modes["possql/"+c.Name], _ = mode.Parse(c.Mode)
	}
	s.validateGateways(keys, modes, f)
	for i, c := range s.Retail {
		c.validate(i+1, f)
		once("retail", c.Tenant)
		modes["retail/"+c.Tenant], _ = c.mode()
	}
	if words := mixture(modes); words != "" {
		f.Add("source: %s", words)
	}
}

// openDevices builds terminals and till databases.
func (a *App) openDevices() error {
	for _, c := range a.Config.Source.Terminal {
		place, err := c.place()
		if err != nil {
			return err
		}
		windows, err := terminal.ParseWindows(c.Windows)
		if err != nil {
			return err
		}
		t := terminal.New(c.Name, terminal.Options{Address: c.address(), Place: place, Windows: windows, Batches: c.Batches, Mode: c.mode(), Log: a.log})
		a.sources = append(a.sources, t)
		a.connect(of(t.Breakers()[0], connection{down: terminalDown, check: t.Check}))
	}
	for _, c := range a.Config.Source.PosSQL {
		d, err := a.openPosSQL(c)
		if err != nil {
			return err
		}
		a.sources = append(a.sources, d)
		var secrets []string
		if c.Password != "" {
			secrets = []string{c.Password}
		}
		a.connect(of(d.Breakers()[0], connection{secrets: secrets, check: d.Check}))
	}
	return nil
}

func (a *App) openPosSQL(c PosSQLConfig) (*possql.Database, error) {
	p, err := a.Config.Profiles.find(c.Profile)
	if err != nil {
		return nil, err
	}
	if p.Format != "sql" {
		return nil, fault.Msg(fault.Invalid, "source.possql "+c.Name, "profile "+c.Profile+" reads files; these read a database: "+strings.Join(sqlProfiles(), ", "))
	}
	m, _ := mode.Parse(c.Mode)
	s := possql.Server{Address: c.Address, Database: c.Database, User: c.User, Trust: c.Trust}
	if p.SQL.Driver == "sqlite3" && !filepath.IsAbs(c.Address) {
		return nil, fault.Msg(fault.Invalid, "source.possql "+c.Name, "address "+c.Address+" must be a whole path: a service starts in another folder")
	}
	if c.Password != "" {
		s.Password = func() (string, error) { return config.Secret(c.Password) }
	}
	return possql.New(c.Name, possql.Options{Server: s, Profile: p, Location: c.Location, Zone: c.Zone, Mode: m, Log: a.log})
}

func sqlProfiles() []string {
	return slices.DeleteFunc(profile.Names(), func(name string) bool {
		p, ok := profile.Shipped(name)
		return !ok || p.Format != "sql"
	})
}

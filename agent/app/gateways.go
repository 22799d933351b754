package app

import (
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/agent/source/gpapi"
	"github.com/tillpost/tillpost/agent/source/portico"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// PorticoConfig is one site of Heartland's payment gateway: one merchant id, one store.
type PorticoConfig struct {
	Name     string                     `toml:"name" comment:"never change it: what was read is remembered under it"`
	Location retail.LocationCode        `toml:"location"`
	Currency money.Currency             `toml:"currency" comment:"empty: USD"`
	Tills    map[string]retail.TillCode `toml:"tills" comment:"the gateway's number of each terminal, and what its till is called"`
	URL      string                     `toml:"url" comment:"empty: as the key says; needed with user_name"`

	KeyFile      string `toml:"key_file" comment:"the secret API key (skapi_…); or, for an older merchant, the five below"`
	LicenseID    string `toml:"license_id"`
	SiteID       string `toml:"site_id"`
	DeviceID     string `toml:"device_id"`
	UserName     string `toml:"user_name"`
	PasswordFile string `toml:"password_file"`

	DeveloperID string          `toml:"developer_id" comment:"six characters, where Heartland asks for them"`
	VersionNbr  string          `toml:"version_nbr" comment:"four characters, likewise"`
	NoBatches   bool            `toml:"no_batches" comment:"the processor keeps this merchant's batches: the gateway has none to tell"`
	Poll        config.Duration `toml:"poll" comment:"empty: every minute"`
}

// reader reads a secret from its file.
type reader func(file string) (guard.Secret, error)

// credentials reads the key or password from its file, each time anew.
func (c PorticoConfig) credentials(read reader) (cred portico.Credentials, err error) {
	cred = portico.Credentials{License: c.LicenseID, Site: c.SiteID, Device: c.DeviceID, User: c.UserName}
	for file, into := range map[string]*guard.Secret{c.KeyFile: &cred.APIKey, c.PasswordFile: &cred.Password} {
		if file == "" {
			continue
		}
		if *into, err = read(file); err != nil {
			return portico.Credentials{}, err
		}
	}
	return cred, cred.Check()
}

// place is whether it is the test or the real gateway, and its address.
func (c PorticoConfig) place(read reader) (mode.Mode, string, error) {
	cred, err := c.credentials(read)
	if err != nil {
		return mode.Unknown, "", err
	}
	return portico.Place(cred, c.URL)
}

func (c PorticoConfig) secrets() (files []string) {
	for _, f := range []string{c.KeyFile, c.PasswordFile} {
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}

func (c PorticoConfig) validate(n int, read reader, f *config.Faults) {
	for name, v := range map[string]string{"name": c.Name, "location": string(c.Location)} {
		if v == "" {
			f.Add("source.portico %d: it needs %s", n, name)
		}
	}
	if c.Currency != "" && !c.Currency.Valid() {
		f.Add("source.portico %d: the currency %q is not an ISO code", n, c.Currency)
	}
	if _, _, err := c.place(read); err != nil {
		f.Add("source.portico %d: %v", n, err)
	}
	if c.DeveloperID != "" && len(c.DeveloperID) != 6 {
		f.Add("source.portico %d: developer_id has six characters", n)
	}
	if c.VersionNbr != "" && len(c.VersionNbr) != 4 {
		f.Add("source.portico %d: version_nbr has four characters", n)
	}
}

// GPAPIConfig is one account of Global Payments' GP-API that may read settlement.
type GPAPIConfig struct {
	Name      string                         `toml:"name" comment:"never change it: what was read is remembered under it"`
	URL       string                         `toml:"url" comment:"empty: the real API"`
	AppID     string                         `toml:"app_id"`
	KeyFile   string                         `toml:"key_file" comment:"the app's key"`
	Account   string                         `toml:"account" comment:"the data account, such as settlement_reporting"`
	Locations map[string]retail.LocationCode `toml:"locations" comment:"merchant id and its store"`
	Poll      config.Duration                `toml:"poll" comment:"empty: every hour"`
}

func (c GPAPIConfig) validate(n int, read reader, f *config.Faults) {
	for name, v := range map[string]string{"name": c.Name, "app_id": c.AppID, "account": c.Account} {
		if v == "" {
			f.Add("source.gpapi %d: it needs %s", n, name)
		}
	}
	if _, err := read(c.KeyFile); err != nil {
		f.Add("source.gpapi %d: key_file: %v", n, err)
	}
	if _, _, err := gpapi.Place(c.URL); err != nil {
		f.Add("source.gpapi %d: %v", n, err)
	}
}

// validateGateways checks what reads payments, and adds each to modes. Nothing is sealed by a look.
func (s SourceConfig) validateGateways(keys keystore.Store, modes map[string]mode.Mode, f *config.Faults) {
	for i, c := range s.Portico {
		c.validate(i+1, keys.Read, f)
		once(modes, "portico/"+c.Name, f)
		modes["portico/"+c.Name], _, _ = c.place(keys.Read)
	}
	for i, c := range s.GPAPI {
		c.validate(i+1, keys.Read, f)
		once(modes, "gpapi/"+c.Name, f)
		modes["gpapi/"+c.Name], _, _ = gpapi.Place(c.URL)
	}
}

func once(modes map[string]mode.Mode, name string, f *config.Faults) {
	if _, twice := modes[name]; twice {
		f.Add("source: the name %q is used twice", name)
	}
}

// keep reads a key, and seals its file in place if it is the service that reads: what a person's account sealed, the service's may not open.
func (a *App) keep(file string) (guard.Secret, error) {
	if a.Buffer == nil {
		return keystore.Store{Dir: a.Config.DataDir}.Read(file)
	}
	text, sealed, err := keystore.Store{Dir: a.Config.DataDir}.Keep(file)
	if err == nil && !sealed {
		a.log.Warn("a key stays in plain text: this service may not write beside its file", "file", file)
	}
	return text, err
}

// renewed is keep for a key that a person may have written anew meanwhile.
func (a *App) renewed(file string) (guard.Secret, error) {
	if a.Buffer == nil {
		return a.keep(file)
	}
	text, _, err := keystore.Store{Dir: a.Config.DataDir}.Keep(file)
	return text, err
}

// openGateways builds what reads payments.
func (a *App) openGateways() error {
	for _, c := range a.Config.Source.Portico {
		m, url, err := c.place(a.keep)
		if err != nil {
			return fault.New(fault.Invalid, "source.portico "+c.Name, err)
		}
		o := portico.Options{Name: c.Name, Location: c.Location, Currency: c.Currency, Tills: c.Tills, URL: url, Mode: m,
			Credentials: func() (portico.Credentials, error) { return c.credentials(a.renewed) },
			DeveloperID: c.DeveloperID, VersionNbr: c.VersionNbr, NoBatches: c.NoBatches, Poll: time.Duration(c.Poll), Log: a.log}
		if o.Currency == "" {
			o.Currency = "USD"
		}
		s := portico.New(o)
		a.sources = append(a.sources, s)
		a.connect(of(s.Breakers()[0], connection{secrets: c.secrets(), check: s.Check}))
	}
	for _, c := range a.Config.Source.GPAPI {
		m, url, err := gpapi.Place(c.URL)
		if err == nil {
			_, err = a.keep(c.KeyFile)
		}
		if err != nil {
			return fault.New(fault.Invalid, "source.gpapi "+c.Name, err)
		}
		s := gpapi.New(gpapi.Options{Name: c.Name, URL: url, Mode: m, Account: c.Account, Locations: c.Locations, Poll: time.Duration(c.Poll), Log: a.log,
			Credentials: func() (string, guard.Secret, error) {
				key, err := a.renewed(c.KeyFile)
				return c.AppID, key, err
			}})
		a.sources = append(a.sources, s)
		a.connect(of(s.Breakers()[0], connection{secrets: []string{c.KeyFile}, check: s.Check}))
	}
	return nil
}

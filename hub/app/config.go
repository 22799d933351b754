package app

import (
	"crypto/tls"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/audit"
	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Config is hub.toml.
type Config struct {
	DataDir   string           `toml:"data_dir"`
	LogLevel  string           `toml:"log_level"`
	Web       WebConfig        `toml:"web"`
	Broker    BrokerConfig     `toml:"broker"`
	Enrol     EnrolConfig      `toml:"enrol"`
	Odoo      OdooConfig       `toml:"odoo"`
	Posting   PostingConfig    `toml:"posting"`
	Notify    NotifyConfig     `toml:"notify"`
	Banks     []BankConfig     `toml:"bank,omitempty"`
	Merchants []MerchantConfig `toml:"merchant,omitempty"`
	Webhooks  WebhooksConfig   `toml:"webhooks"`
	Metrics   MetricsConfig    `toml:"metrics"`
	Release   ReleaseConfig    `toml:"release"`
	Locations []LocationConfig `toml:"location,omitempty"`
}

// WebConfig is where the pages are.
type WebConfig struct {
	Listen   string `toml:"listen"`
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
}

// MetricsConfig is where Prometheus reads.
type MetricsConfig struct {
	Listen string `toml:"listen" comment:"/metrics and /healthz with the reasons; this machine only; empty: none"`
}

// BrokerConfig is where the stores come in: the embedded broker, or another one by URL.
type BrokerConfig struct {
	Listen       string `toml:"listen" comment:"of the embedded broker"`
	CertFile     string `toml:"cert_file"`
	KeyFile      string `toml:"key_file"`
	URL          string `toml:"url" comment:"an own broker instead: mqtts://host:8883"`
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
	Open         bool   `toml:"open" comment:"let any device of this machine in without password; loopback only, for trials"`
}

// LocationConfig is a store that head office confirms by its settings.
type LocationConfig struct {
	Code     retail.LocationCode `toml:"code"`
	Name     string              `toml:"name"`
	Zone     string              `toml:"zone"`
	Cutoff   string              `toml:"cutoff"`
	Currency money.Currency      `toml:"currency"`
	Company  string              `toml:"company"`
	From     retail.BusinessDate `toml:"from" comment:"first day on which zone and cutoff hold; empty: from the beginning"`
	OpenDays string              `toml:"open_days"`
	Review   view.Review         `toml:"review" json:",omitempty" comment:"auto or person; empty: as posting.auto_approve"`
	Shadow   retail.BusinessDate `toml:"shadow_until" json:",omitempty" comment:"first day that is posted; the days before are compared with what the old way posted"`
	OldWay   string              `toml:"old_journal" json:",omitempty" comment:"journal code of the old way; empty: its entries are known by the analytic account"`
	Costs    retail.BusinessDate `toml:"cogs_from" json:",omitempty" comment:"first day whose cost of goods is posted as an entry of its own, where the tills tell it; empty: none, as an Odoo that values stock books it"`
	Closed   lockdate.Policy     `toml:"closed_period" json:",omitempty" comment:"hold, next or ask; empty: as posting.closed_period"`
	Posting  rollup.Mode         `toml:"posting" json:",omitempty" comment:"entry, receipt, invoice or ticket: as what its days go to Odoo; empty: as it is, at first entry"`
	Tills    []retail.TillCode   `toml:"tills"`

	PostingFrom retail.BusinessDate `toml:"posting_from" json:",omitempty" comment:"first day that goes so; days that have a document keep theirs"`
}

// Default returns the settings that hold where the file says nothing.
func Default() Config {
	c := Config{DataDir: "/var/lib/tillpost-hub", LogLevel: "info"}
	if runtime.GOOS == "windows" {
		c.DataDir = filepath.Join(os.Getenv("ProgramData"), "Tillpost", "hub")
	}
	c.Web.Listen, c.Broker.Listen = "127.0.0.1:8780", "127.0.0.1:1883"
	c.Metrics.Listen = "127.0.0.1:8781"
	c.Enrol.Life = config.Duration(defaultLife)
	c.Posting = PostingConfig{AutoApprove: true, Grace: config.Duration(6 * time.Hour), Settle: config.Duration(10 * time.Minute), Gaps: audit.Advisory, Control: audit.Advisory,
		ControlWait: config.Duration(24 * time.Hour), Closed: lockdate.Hold}
	return c
}

// LoadConfig reads a file. The error lists everything that is wrong with it; code invalid.
func LoadConfig(file string) (Config, error) {
	c := Default()
	var f config.Faults
	data, err := os.ReadFile(file)
	if err != nil {
		return c, fault.New(fault.Invalid, "read settings", err)
	}
	config.Decode(data, &c, &f)
	c.validate(&f)
	return c, f.Err(file)
}

func (c *Config) validate(f *config.Faults) {
	if !filepath.IsAbs(c.DataDir) {
		f.Add("data_dir: %q must be a whole path", c.DataDir)
	}
	if c.LogLevel != "debug" && c.LogLevel != "info" && c.LogLevel != "warn" && c.LogLevel != "error" {
		f.Add("log_level: %q is not debug, info, warn or error", c.LogLevel)
	}
	listener("web", c.Web.Listen, c.Web.CertFile, c.Web.KeyFile, f)
	if c.Metrics.Listen != "" && !loopback(c.Metrics.Listen) {
		f.Add("metrics.listen: %q must be an address of this machine such as 127.0.0.1:8781; a collector elsewhere reads through one that stands here", c.Metrics.Listen)
	}
	c.validateBroker(f)
	c.Enrol.validate(c.Broker, f)
	c.Odoo.validate(f)
	c.Posting.validate(f)
	c.Notify.validate(f)
	c.validateSettlement(f)
	c.Webhooks.validate(f)
	c.validateRelease(f)
	seen := map[retail.LocationCode]bool{}
	for i, l := range c.Locations {
		if l.Code == "" || seen[l.Code] {
			f.Add("location %d: the code %q is empty or used twice", i+1, l.Code)
		}
		seen[l.Code] = true
		l.validate(f)
	}
}

// validateBroker checks where stores come in: the hub's own broker, or another one.
func (c *Config) validateBroker(f *config.Faults) {
	if c.Broker.URL != "" {
		c.Broker.external(f)
		return
	}
	if c.Enrol.on() && c.Broker.CertFile == "" && c.Broker.KeyFile == "" { // it shows the hub's own certificate
		listener("broker", "127.0.0.1"+c.Broker.Listen[max(0, strings.LastIndexByte(c.Broker.Listen, ':')):], "", "", f)
	} else {
		listener("broker", c.Broker.Listen, c.Broker.CertFile, c.Broker.KeyFile, f)
	}
	if c.Broker.Open && !loopback(c.Broker.Listen) {
		f.Add("broker.open: only on this machine; a network listener asks every device for its password")
	}
}

func (l LocationConfig) validate(f *config.Faults) {
	if _, err := time.LoadLocation(l.Zone); err != nil || l.Zone == "" {
		f.Add("location %s: the time zone %q is unknown; write it like America/New_York", l.Code, l.Zone)
	}
	if _, err := retail.ParseClock(l.Cutoff); err != nil {
		f.Add("location %s: cutoff %q is not a time of day like 04:00", l.Code, l.Cutoff)
	}
	if l.From != "" && !l.From.Valid() {
		f.Add("location %s: from %q is not a date like 2026-12-01", l.Code, l.From)
	}
	if l.Review != view.ByDefault && l.Review != view.Auto && l.Review != view.ByPerson {
		f.Add("location %s: review %q is not auto or person", l.Code, l.Review)
	}
	if l.Costs != "" && !l.Costs.Valid() {
		f.Add("location %s: cogs_from %q is not a date like 2026-12-01", l.Code, l.Costs)
	}
	if l.Shadow != "" && !l.Shadow.Valid() {
		f.Add("location %s: shadow_until %q is not a date like 2026-12-01", l.Code, l.Shadow)
	}
	if !l.Closed.Valid() {
		f.Add("location %s: closed_period %q is not hold, next or ask", l.Code, l.Closed)
	}
	if !l.Posting.Valid() {
		f.Add("location %s: posting %q is none of %v", l.Code, l.Posting, rollup.Modes)
	}
	if l.PostingFrom != "" && !l.PostingFrom.Valid() {
		f.Add("location %s: posting_from %q is not a date like 2026-12-01", l.Code, l.PostingFrom)
	}
	if !l.Currency.Valid() {
		f.Add("location %s: the currency %q is not an ISO code", l.Code, l.Currency)
	}
}

// external demands of another broker what the embedded one gives: nobody on the way reads sales or speaks as the hub.
func (b BrokerConfig) external(f *config.Faults) {
	u, err := url.Parse(b.URL)
	if err != nil || u.Scheme != "mqtts" && u.Scheme != "mqtt" || u.Port() == "" {
		f.Add("broker.url: %q is not of the form mqtts://host:port", b.URL)
		return
	}
	if u.User != nil {
		f.Add("broker.url: a password does not belong into the address; use broker.user and broker.password_file")
	}
	here := loopback(u.Host)
	if u.Scheme == "mqtt" && !here {
		f.Add("broker.url: %q would carry sales unencrypted over the network; use mqtts://", b.URL)
	}
	if !here && (b.User == "" || b.PasswordFile == "") {
		f.Add("broker.user, broker.password_file: a broker on another machine must ask the hub for its password, and each device for its own")
	}
	if b.PasswordFile != "" {
		if _, err := config.Secret(b.PasswordFile); err != nil {
			f.Add("broker.password_file: %v", err)
		}
	}
}

// listener demands TLS of every address that others can reach (DESIGN D16).
func listener(name, addr, cert, key string, f *config.Faults) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		f.Add("%s.listen: %q is not of the form host:port", name, addr)
		return
	}
	if (cert == "") != (key == "") {
		f.Add("%s: cert_file and key_file belong together", name)
	}
	if cert != "" && key != "" {
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			f.Add("%s: the certificate cannot be used: %v", name, err)
		}
	}
	if !loopback(addr) && cert == "" {
		f.Add("%s.listen: %q can be reached by others, so it needs cert_file and key_file; without them only 127.0.0.1 is allowed", name, addr)
	}
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

package app

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/proxy"
	"github.com/tillpost/tillpost/shared/retail"
)

// Config is agent.toml.
type Config struct {
	Device   retail.DeviceID `toml:"device" comment:"this PC's name at the hub; an enrolled PC knows it"`
	DataDir  string          `toml:"data_dir" comment:"the buffer stands here; keep it on a local disk"`
	LogLevel string          `toml:"log_level"`
	Hub      HubConfig       `toml:"hub"`
	Source   SourceConfig    `toml:"source"`
	Profiles ProfilesConfig  `toml:"profiles"`
	Guard    GuardConfig     `toml:"guard"`
	Status   StatusConfig    `toml:"status"`

	// Enrolled tells that the PC comes in by certificate: device, hub and broker are then those of its identity.
	Enrolled bool `toml:"-" json:"enrolled"`
	// Desired is what the hub has set of all this.
	Desired DesiredConfig `toml:"-" json:"desired,omitzero"`
}

// HubConfig says where the hub is.
type HubConfig struct {
	URL          string          `toml:"url" comment:"mqtt://host:port on this PC, mqtts://host:port elsewhere; an enrolled PC knows it"`
	ID           envelope.HubID  `toml:"id" comment:"the only hub to obey; empty: the first one that answers"`
	PasswordFile string          `toml:"password_file"`
	CAFile       string          `toml:"ca_file" comment:"empty: the system's certificates"`
	RecoveryKey  string          `toml:"recovery_key" comment:"what hub recovery-key prints: with it head office can read this PC's disk when the PC is dead"`
	Proxy        string          `toml:"proxy" comment:"the store's web proxy on the way to head office, http://host:port; empty: what the system names, or none; \"none\": none"`
	ProxyLogin   string          `toml:"proxy_login_file" comment:"user:password for it"`
	RetryLongest config.Duration `toml:"retry_longest"`
}

// SourceConfig lists where tickets come from.
type SourceConfig struct {
	FileDrop []FileDropConfig `toml:"filedrop,omitempty"`
	Terminal []TerminalConfig `toml:"terminal,omitempty"`
	PosSQL   []PosSQLConfig   `toml:"possql,omitempty"`
	Portico  []PorticoConfig  `toml:"portico,omitempty"`
	GPAPI    []GPAPIConfig    `toml:"gpapi,omitempty"`
	Retail   []RetailConfig   `toml:"retail,omitempty"`
	LocalAPI LocalAPIConfig   `toml:"localapi"`
}

// kinds names what is read, for the hub's rollouts: a release may break one kind alone.
func (c SourceConfig) kinds() string {
	var out []string
	for _, k := range []struct {
		name string
		is   bool
	}{
		{"filedrop", len(c.FileDrop) > 0}, {"gpapi", len(c.GPAPI) > 0}, {"localapi", c.LocalAPI.Listen != ""}, {"portico", len(c.Portico) > 0},
		{"possql", len(c.PosSQL) > 0}, {"retailapi", len(c.Retail) > 0}, {"terminal", len(c.Terminal) > 0},
	} {
		if k.is {
			out = append(out, k.name)
		}
	}
	return strings.Join(out, " ")
}

// FileDropConfig is one watched folder.
type FileDropConfig struct {
	Name     string              `toml:"name" comment:"never change it: what was read is remembered under it"`
	Dir      string              `toml:"dir"`
	Pattern  string              `toml:"pattern" comment:"which files, such as *.csv; empty: all"`
	Profile  string              `toml:"profile"`
	Location retail.LocationCode `toml:"location" comment:"for files that do not name one"`
	Settle   config.Duration     `toml:"settle" comment:"a file is read when it did not change for so long"`
	History  bool                `toml:"history" comment:"old data: goes after today's sales"`
}

// LocalAPIConfig is the door for a till that pushes.
type LocalAPIConfig struct {
	Listen    string                `toml:"listen" comment:"empty: closed; this PC only"`
	TokenFile string                `toml:"token_file"`
	Locations []retail.LocationCode `toml:"locations" comment:"whose tickets it takes; empty: any"`
}

// GuardConfig is the card-data guard's.
type GuardConfig struct {
	KeyFile string `toml:"key_file" comment:"the same on every PC: a ticket number that looks like a card number is then the same token everywhere; empty: this PC's own"`
}

// ProfilesConfig says where own profiles are.
type ProfilesConfig struct {
	Dir string `toml:"dir"`

	Given map[string]string `toml:"-" json:"given,omitempty"` // by the hub: before all others
}

// Default returns the settings that hold where the file says nothing.
func Default() Config {
	return Config{DataDir: defaultDir(), LogLevel: "info", Status: StatusConfig{Listen: defaultStatus}}
}

func defaultDir() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "Tillpost", "agent")
	}
	return "/var/lib/tillpost-agent"
}

// LoadConfig reads a file, and lays over it what the hub has set. The error lists everything that is wrong with the file; code invalid. What
// the hub has set never keeps an agent from starting: when it does not fit the file any more the file alone counts.
func LoadConfig(file string) (Config, error) {
	data, err := ownSettings(file)
	if err != nil {
		return Default(), err
	}
	c, err := parseConfig(file, data, nil)
	if err != nil {
		return c, err
	}
	return c.asDesired(data), nil
}

func ownSettings(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	return bytes.TrimPrefix(data, []byte("\ufeff")), fault.New(fault.Invalid, "read settings", err) // Notepad's mark
}

// parseConfig is the one check of settings, wherever they come from.
func parseConfig(name string, data []byte, profiles map[string]string) (Config, error) {
	c := Default()
	var f config.Faults
	config.Decode(data, &c, &f)
	c.Profiles.Given = profiles
	c.enrolled(&f)
	c.validate(&f)
	return c, f.Err(name)
}

func (c *Config) validate(f *config.Faults) {
	if !c.Device.Valid() && c.Device == "" && c.Hub.URL == "" {
		f.Add("this PC is not enrolled: agent enrol --hub ADDRESS --code CODE, with a code from head office (hub device code)")
		return
	}
	if !c.Device.Valid() {
		f.Add("device: %q cannot be a device's name; use a-z, 0-9 and -", c.Device)
	}
	if !filepath.IsAbs(c.DataDir) {
		f.Add("data_dir: %q must be a whole path: a service starts in another folder", c.DataDir)
	}
	if c.LogLevel != "debug" && c.LogLevel != "info" && c.LogLevel != "warn" && c.LogLevel != "error" {
		f.Add("log_level: %q is not debug, info, warn or error", c.LogLevel)
	}
	c.Hub.validate(c.Enrolled, f)
	names := map[string]bool{}
	for i, d := range c.Source.FileDrop {
		d.validate(i+1, c.Profiles, f)
		if names[d.Name] {
			f.Add("source.filedrop %d: the name %q is used twice", i+1, d.Name)
		}
		names[d.Name] = true
	}
	c.Source.LocalAPI.validate(f)
	c.Status.validate(f)
	c.Source.validateDevices(keystore.Store{Dir: c.DataDir}, f)
	if c.Guard.KeyFile != "" {
		if _, err := config.Secret(c.Guard.KeyFile); err != nil {
			f.Add("guard.key_file: %v", err)
		}
	}
}

func (h HubConfig) validate(enrolled bool, f *config.Faults) {
	u, err := url.Parse(h.URL)
	if err != nil || u.Port() == "" || (u.Scheme != "mqtt" && u.Scheme != "mqtts") {
		f.Add("hub.url: %q is not of the form mqtts://host:port", h.URL)
		return
	}
	if u.User != nil {
		f.Add("hub.url: a password does not belong into the address; use hub.password_file")
	}
	if enrolled && u.Scheme != "mqtts" {
		f.Add("hub.url: an enrolled PC speaks mqtts:// only; take the line out, this PC knows its hub")
	}
	if u.Scheme == "mqtt" && !loopback(u.Hostname()) {
		f.Add("hub.url: %q would send tickets unencrypted over the network; use mqtts://", h.URL)
	}
	if err := proxy.Check(h.Proxy); err != nil {
		f.Add("hub.proxy: %v", err)
	}
	if h.ProxyLogin != "" {
		if h.Proxy == "" || h.Proxy == proxy.None {
			f.Add("hub.proxy_login_file: it is for hub.proxy, which names none")
		}
		if _, err := config.Secret(h.ProxyLogin); err != nil {
			f.Add("hub.proxy_login_file: %v", err)
		}
	}
	if _, err := h.recovery(); err != nil {
		f.Add("hub.recovery_key: %v", err)
	}
	if enrolled {
		return // its certificate counts, whatever passwords there are
	}
	if h.PasswordFile != "" {
		if _, err := config.Secret(h.PasswordFile); err != nil {
			f.Add("hub.password_file: %v", err)
		}
	} else if !loopback(u.Hostname()) {
		f.Add("hub.password_file: a hub on another machine asks for this device's password (hub device add)")
	}
}

// way is the proxy on the way to head office.
func (h HubConfig) way() (p proxy.Proxy) {
	if p.Address = h.Proxy; h.ProxyLogin != "" {
		p.Login = func() (string, error) { return config.Secret(h.ProxyLogin) }
	}
	return p
}

// recovery is the hub's public recovery key, nil = none.
func (h HubConfig) recovery() ([]byte, error) {
	if h.RecoveryKey == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(h.RecoveryKey)
	if err != nil || len(key) != 32 {
		return nil, fault.Msg(fault.Invalid, "recovery_key", "it is not what hub recovery-key prints: 44 letters and digits that end with =")
	}
	return key, nil
}

func (d FileDropConfig) validate(n int, profiles ProfilesConfig, f *config.Faults) {
	if d.Name == "" {
		f.Add("source.filedrop %d: it needs a name", n)
	}
	if !filepath.IsAbs(d.Dir) {
		f.Add("source.filedrop %d: dir %q must be a whole path", n, d.Dir)
	}
	if d.Profile == "" {
		f.Add("source.filedrop %d: it needs a profile", n)
	} else if _, err := profiles.find(d.Profile); err != nil {
		f.Add("source.filedrop %d: %v", n, err)
	}
	if _, err := filepath.Match(d.Pattern, "x"); err != nil {
		f.Add("source.filedrop %d: pattern %q cannot be read", n, d.Pattern)
	}
}

func (l LocalAPIConfig) validate(f *config.Faults) {
	if l.Listen == "" {
		return
	}
	a, err := netip.ParseAddrPort(l.Listen)
	if err != nil || !a.Addr().IsLoopback() {
		f.Add("source.localapi.listen: %q must be an address of this PC such as 127.0.0.1:8750", l.Listen)
	}
	if l.TokenFile == "" {
		f.Add("source.localapi.token_file: it is needed, so that only the till can hand in tickets")
	} else if _, err := config.Secret(l.TokenFile); err != nil {
		f.Add("source.localapi.token_file: %v", err)
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

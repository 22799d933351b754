package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// RetailConfig is one account of Heartland Retail.
type RetailConfig struct {
	Tenant    string                `toml:"tenant" comment:"the account's subdomain: acme of acme.retail.heartland.us; never change it"`
	URL       string                `toml:"url" comment:"empty: https://TENANT.retail.heartland.us/api; oauth: the vendor is asked by the token"`
	TokenFile string                `toml:"token_file" comment:"an API token of a user who may see every location wanted"`
	Currency  money.Currency        `toml:"currency" comment:"empty: USD"`
	Zone      string                `toml:"zone" comment:"of locations that name none"`
	Locations []retail.LocationCode `toml:"locations" comment:"whose tickets are read; empty: all, for an agent beside the hub"`
	Since     retail.BusinessDate   `toml:"since" comment:"first day whose tickets are read; empty: the day of the first start"`
	Category  string                `toml:"category" comment:"the items' field with their category, such as custom@department"`
	Customers bool                  `toml:"customers" comment:"read customers too; not needed for the books"`
	Mode      string                `toml:"mode" comment:"test or production; empty: as the address says"`
}

// oauth stands for an address that the vendor tells.
const oauth = "oauth"

func (c RetailConfig) url() string {
	switch c.URL {
	case "":
		return "https://" + c.Tenant + ".retail.heartland.us/api"
	case oauth:
		return ""
	}
	return strings.TrimSuffix(c.URL, "/")
}

// mode joins what the settings and the address say; clash = they contradict each other.
func (c RetailConfig) mode() (m mode.Mode, clash bool) {
	said, _ := mode.Parse(c.Mode)
	address := mode.OfURL(c.url())
	if trial(c.Tenant) {
		address = mode.Test // an account that the vendor's people set up for tests stands on the same hosts
	}
	return mode.Of(said, address)
}

// trial reports whether an account's name says that it is for trials.
func trial(tenant string) bool {
	for _, part := range strings.FieldsFunc(strings.ToLower(tenant), func(r rune) bool { return r == '-' || r == '_' }) {
		switch part {
		case "test", "sandbox", "staging", "demo", "training", "trial", "dev":
			return true
		}
	}
	return false
}

func (c RetailConfig) validate(n int, f *config.Faults) {
	if c.Tenant == "" || strings.ContainsAny(c.Tenant, "/\\. ") {
		f.Add("source.retail %d: tenant %q is not a subdomain such as acme", n, c.Tenant)
	}
	if u, err := url.Parse(c.url()); c.URL != oauth && (err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u.Hostname())) {
		f.Add("source.retail %d: url %q is not of the form https://acme.retail.heartland.us/api", n, c.URL)
	}
	if _, err := config.Secret(c.TokenFile); err != nil {
		f.Add("source.retail %d: token_file: %v", n, err)
	}
	if c.Currency != "" && !c.Currency.Valid() {
		f.Add("source.retail %d: the currency %q is not an ISO code", n, c.Currency)
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		f.Add("source.retail %d: the time zone %q is unknown; write it like America/New_York", n, c.Zone)
	}
	if c.Since != "" && !c.Since.Valid() {
		f.Add("source.retail %d: since %q is not a date like 2026-11-25", n, c.Since)
	}
	if _, ok := mode.Parse(c.Mode); !ok {
		f.Add("source.retail %d: mode %q is not test or production", n, c.Mode)
	} else if _, clash := c.mode(); clash {
		f.Add("source.retail %d: mode says %s, the address says the other: correct one of them", n, c.Mode)
	}
}

// polls is what this agent tells the hub that it could read.
func (s SourceConfig) polls() (out []envelope.Poll) {
	for _, c := range s.Retail {
		out = append(out, envelope.Poll{Tenant: c.Tenant, Whole: len(c.Locations) == 0})
	}
	return out
}

// accounts are the sources that read only while the hub says so.
type accounts struct {
	sources []*retailapi.Source

	mu   sync.Mutex
	said envelope.Polls
	news chan struct{}
	last map[string]int64 // wake-ups that were passed on
}

// openRetail builds the accounts. They read nothing before recallDuties or the hub says so.
func (a *App) openRetail() {
	a.accounts.news, a.accounts.last = make(chan struct{}, 1), map[string]int64{}
	for _, c := range a.Config.Source.Retail {
		m, _ := c.mode()
		currency := c.Currency
		if currency == "" {
			currency = "USD"
		}
		s := retailapi.New(c.Tenant, retailapi.Options{Tenant: c.Tenant, URL: c.url(), Token: func() (string, error) { return config.Secret(c.TokenFile) }, Currency: currency, Zone: c.Zone,
			Locations: c.Locations, Since: c.Since, Category: c.Category, Customers: c.Customers, Dir: a.Config.DataDir, Mode: m, Log: a.log})
		a.accounts.sources = append(a.accounts.sources, s)
		a.sources = append(a.sources, s)
		a.connect(of(s.Breaker(), connection{secrets: []string{c.TokenFile}, check: s.Check}))
	}
	if len(a.accounts.sources) > 0 {
		a.watches = append(a.watches, a.obey)
	}
}

// recallDuties grants what the hub said last: it holds until the hub says another thing, also while it is away.
func (a *App) recallDuties(ctx context.Context) error {
	said, err := a.Buffer.Cursor(ctx, dutiesName)
	if err != nil {
		return err
	}
	var p envelope.Polls
	if json.Unmarshal([]byte(said), &p) == nil {
		a.grant(p)
	}
	return nil
}

// dutiesName is the name under which the buffer remembers the hub's word.
const dutiesName = "duties"

// polled takes the hub's word; it is called on the line's own goroutine and must not wait.
func (a *App) polled(p envelope.Polls) {
	a.accounts.mu.Lock()
	a.accounts.said = p
	a.accounts.mu.Unlock()
	select {
	case a.accounts.news <- struct{}{}:
	default:
	}
}

// obey does what the hub says, and remembers it. Another hub's word does not count.
func (a *App) obey(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.accounts.news:
		}
		a.accounts.mu.Lock()
		p := a.accounts.said
		a.accounts.mu.Unlock()
		if hub, err := a.Buffer.Hub(ctx); err != nil || hub != "" && hub != p.Hub {
			continue
		}
		a.grant(p)
		if body, err := json.Marshal(p); err == nil {
			if err := a.Buffer.Append(ctx, dutiesName, source.Cursor(body), nil); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "cannot remember which accounts this agent reads", "err", err)
			}
		}
	}
}

func (a *App) grant(p envelope.Polls) {
	for _, s := range a.accounts.sources {
		d, ok := p.Accounts[s.Tenant()]
		if !ok {
			d.Why = "the hub has not said yet who reads this account"
		}
		s.Grant(d.Read, d.Why)
		if d.Wake != 0 && d.Wake != a.accounts.last[s.Tenant()] {
			a.accounts.last[s.Tenant()] = d.Wake
			s.Nudge()
		}
	}
}

// lookRetail sets what the accounts themselves say.
func (a *App) lookRetail(now time.Time) {
	for _, s := range a.accounts.sources {
		st := s.Status()
		a.condition(retailHidden, st.Name, len(st.Hidden) > 0, strings.Join(st.Hidden, ", "), now)
		a.condition(retailClock, st.Name, st.ClockWrong(), fmt.Sprintf("this PC is off by %s", st.Clock.Abs()), now)
		a.condition(retailNewer, st.Name, st.Newer, "api_v2 is on", now)
		a.condition(retailPart, st.Name, len(st.Lacking) > 0, strings.Join(st.Lacking, "; "), now)
	}
}

// What can be wrong with an account, in words for the person beside the hub.
var (
	retailHidden = condition("retail_hidden", health.High, 0)
	retailClock  = condition("retail_clock", health.Low, 10*time.Minute)
	retailNewer  = condition("retail_v2", health.Low, time.Hour)
	retailPart   = condition("retail_part", health.Medium, 30*time.Minute)
)

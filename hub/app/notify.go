package app

import (
	"context"
	"net"
	"net/mail"
	"net/url"
	"strconv"

	"github.com/tillpost/tillpost/hub/notify"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/config"
)

// NotifyConfig says who is told what cannot wait.
type NotifyConfig struct {
	Base    string        `toml:"base" comment:"the hub's address as people reach it; messages link there"`
	Mail    MailConfig    `toml:"mail"`
	Webhook WebhookConfig `toml:"webhook"`
}

// MailConfig is a mail server.
type MailConfig struct {
	Server       string   `toml:"server" comment:"host:port; empty: no mail"`
	User         string   `toml:"user"`
	PasswordFile string   `toml:"password_file"`
	From         string   `toml:"from"`
	To           []string `toml:"to"`
}

// WebhookConfig is another program that is told.
type WebhookConfig struct {
	URL        string `toml:"url" comment:"empty: none"`
	SecretFile string `toml:"secret_file" comment:"signs each message"`
}

func (n NotifyConfig) validate(f *config.Faults) {
	if n.Mail.Server == "" && n.Webhook.URL == "" {
		return
	}
	if u, err := url.Parse(n.Base); err != nil || u.Host == "" {
		f.Add("notify.base: %q is not an address like https://tillpost.example.com, which the messages link to", n.Base)
	}
	n.Mail.validate(f)
	n.Webhook.validate(f)
}

func (m MailConfig) validate(f *config.Faults) {
	if m.Server == "" {
		return
	}
	if _, _, err := m.address(); err != nil {
		f.Add("notify.mail.server: %q is not of the form host:port", m.Server)
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		f.Add("notify.mail.from: %q is not an address", m.From)
	}
	if len(m.To) == 0 {
		f.Add("notify.mail.to: nobody is named")
	}
	for _, to := range m.To {
		if _, err := mail.ParseAddress(to); err != nil {
			f.Add("notify.mail.to: %q is not an address", to)
		}
	}
	if m.PasswordFile != "" {
		if _, err := config.Secret(m.PasswordFile); err != nil {
			f.Add("notify.mail.password_file: %v", err)
		}
	}
}

func (m MailConfig) address() (host string, port int, err error) {
	host, p, err := net.SplitHostPort(m.Server)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(p)
	return host, port, err
}

func (w WebhookConfig) validate(f *config.Faults) {
	if w.URL == "" {
		return
	}
	if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" && !loopback(u.Host) {
		f.Add("notify.webhook.url: %q must be https, or on this machine", w.URL)
	}
	if _, err := config.Secret(w.SecretFile); err != nil {
		f.Add("notify.webhook.secret_file: %v", err)
	}
}

// channels are what the settings name.
func (n NotifyConfig) channels() (out []notify.Channel) {
	if m := n.Mail; m.Server != "" {
		host, port, _ := m.address()
		c := notify.Mail{Host: host, Port: port, TLS: !loopback(m.Server), User: m.User, From: m.From, To: m.To, Base: n.Base}
		if m.PasswordFile != "" {
			c.Password = func() (string, error) { return config.Secret(m.PasswordFile) }
		}
		out = append(out, c)
	}
	if n.Webhook.URL != "" {
		out = append(out, notify.Hook{URL: n.Webhook.URL, Base: n.Base, Secret: func() (string, error) { return config.Secret(n.Webhook.SecretFile) }})
	}
	return out
}

// troubles is what the database knows, with the lanes to Odoo and the hub's own machine, which only this process does.
type troubles struct {
	store.Notices
	lanes func() []breaker.Status
	needs func() []upkeep.Need
}

// Facts implements notify.Store.
func (t troubles) Facts(ctx context.Context) (notify.Facts, error) {
	f, err := t.Notices.Facts(ctx)
	f.Lanes, f.Needs = t.lanes(), t.needs()
	return f, err
}

// laneStates tell how the ways to Odoo stand.
func (a *App) laneStates() (out []breaker.Status) {
	for _, l := range a.lanes {
		s := l.writer.Status()
		s.Name = l.connection()
		out = append(out, s)
	}
	return out
}

// tell runs the messages.
func (a *App) tell(ctx context.Context) error {
	t := notify.Teller{Store: troubles{store.Notices{Store: a.Store}, a.laneStates, a.needs}, Channels: a.Config.Notify.channels(), Log: a.log}
	return t.Run(ctx)
}

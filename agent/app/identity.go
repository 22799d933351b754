package app

import (
	"context"
	"crypto/tls"
	"net/url"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

func identityOf(c Config) identity.Store { return identity.Store{Dir: c.DataDir, Proxy: c.Hub.way()} }

// enrolled fills in what an enrolled PC knows of itself. What the file says otherwise is a fault, not a second truth.
func (c *Config) enrolled(f *config.Faults) {
	id, err := identityOf(*c).Read()
	if fault.Is(err, fault.NotFound) {
		return
	}
	if err != nil {
		f.Add("%v", err)
		return
	}
	c.Enrolled = true
	if c.Device == "" {
		c.Device = id.Device
	} else if c.Device != id.Device {
		f.Add("device: the file says %q, this PC is enrolled as %q; take the line out", c.Device, id.Device)
	}
	if c.Hub.ID == "" {
		c.Hub.ID = id.Hub
	} else if c.Hub.ID != id.Hub {
		f.Add("hub.id: the file says %q, this PC is enrolled at %q; take the line out", c.Hub.ID, id.Hub)
	}
	if c.Hub.URL == "" {
		c.Hub.URL = id.Broker
	}
	if c.Hub.Proxy == "" {
		c.Hub.Proxy = id.Proxy
	}
	if c.Hub.RecoveryKey == "" {
		c.Hub.RecoveryKey = id.Recovery
	}
}

// lineOf says how the line to head office is made: by certificate once the PC is enrolled, else by password. There is no way back: a PC that
// has a certificate never shows a password.
func lineOf(c Config) (o uplink.Options, err error) {
	o = uplink.Options{URL: c.Hub.URL, Device: c.Device, Version: version.String(), Sources: c.Source.kinds()}
	if u, err := url.Parse(c.Hub.URL); err == nil && u.Scheme == "mqtts" {
		if by, _, err := c.Hub.way().For(u.Host); by != nil || err != nil {
			o.Dial = c.Hub.way().Dial
		}
	}
	if c.Enrolled {
		o.Secure = func() (*tls.Config, error) { return identityOf(c).Line() }
		return o, nil
	}
	o.CAFile = c.Hub.CAFile
	if f := c.Hub.PasswordFile; f != "" {
		o.Password, err = config.Secret(f)
	}
	return o, err
}

// keeper renews the certificate while the agent runs.
type keeper struct {
	app   *App
	hurry chan struct{}

	mu      sync.Mutex
	hurried time.Time
}

func newKeeper(a *App) *keeper { return &keeper{app: a, hurry: make(chan struct{}, 1)} }

func (k *keeper) run(ctx context.Context) error {
	a := k.app
	s := identity.Keeper{Store: identityOf(a.Config), Now: a.hubTime,
		Renewed: func(id identity.Identity) {
			a.log.InfoContext(ctx, "this PC's certificate was renewed; the line is made anew with it", "device", id.Device)
			a.reconnect()
		},
		Told: func(err error, ends time.Time) { k.told(ctx, err, ends) },
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(s.Step(ctx)):
		case <-k.hurry:
			s.Ask(ctx)
		}
	}
}

// reconnect has the line made anew, with the certificate that the PC has now. Streams that the hub had refused ask again at once.
func (a *App) reconnect() {
	select {
	case a.again <- struct{}{}:
	default: // it is on its way
	}
}

// hubTime is head office's time as far as it is known: by that a certificate runs out.
func (a *App) hubTime() time.Time {
	now := time.Now()
	if off, known := a.loop.Clock(); known {
		now = now.Add(-off)
	}
	return now
}

// told keeps the conditions that a manager sees.
func (k *keeper) told(ctx context.Context, err error, ends time.Time) {
	h := &k.app.Health
	if err == nil {
		h.Clear(notRenewed)
		return
	}
	if ctx.Err() != nil {
		return
	}
	k.app.log.WarnContext(ctx, "this PC's certificate is not renewed yet", "ends", ends, "err", err)
	switch c := fault.CodeOf(err); {
	case c == fault.Conflict || c == fault.Invalid || c == fault.NotFound:
		h.Set(notLetIn, err.Error(), time.Now())
	default:
		h.Set(notRenewed, "it ends "+ends.Local().Format(time.DateTime)+": "+err.Error(), time.Now())
	}
}

// askEvery bounds how often a PC that is turned away asks why.
const askEvery = 5 * time.Minute

// lookRefused sets what it means when the broker turns this PC away. An enrolled one asks the hub for a certificate at once: if it may have
// one all is well again, and if not the answer says why.
func (a *App) lookRefused(line uplink.State, now time.Time) {
	if !line.Refused() || a.keeper == nil {
		return
	}
	k := a.keeper
	k.mu.Lock()
	ask := now.Sub(k.hurried) > askEvery
	if ask {
		k.hurried = now
	}
	k.mu.Unlock()
	if ask {
		select {
		case k.hurry <- struct{}{}:
		default:
		}
	}
}

// CertificateStatus is how this PC's certificate stands.
type CertificateStatus struct {
	Ends     time.Time `json:"ends"`
	Renew    time.Time `json:"renew"` // from when on a new one is asked for
	DaysLeft int       `json:"days_left"`
}

func certificateStatus(c Config, now time.Time) *CertificateStatus {
	if !c.Enrolled {
		return nil
	}
	id, err := identityOf(c).Read()
	if err != nil {
		return nil
	}
	renew, ends, err := id.Ends()
	if err != nil {
		return nil
	}
	return &CertificateStatus{Ends: ends, Renew: renew, DaysLeft: int(ends.Sub(now) / (24 * time.Hour))}
}

// certificate looks at this PC's own.
func (x *examination) certificate() {
	if !x.cfg.Enrolled {
		return
	}
	id, err := identityOf(x.cfg).Read()
	if err == nil {
		_, err = identityOf(x.cfg).Line()
	}
	if err != nil {
		x.Bad("certificate", err.Error(), "What is sold waits on this PC.", "Enrol this PC again with a code from head office (hub device replace).")
		return
	}
	_, ends, err := id.Ends()
	if err != nil {
		x.Bad("certificate", err.Error(), "What is sold waits on this PC.", "Enrol this PC again with a code from head office (hub device replace).")
		return
	}
	if left := time.Until(ends); left <= 0 {
		x.Bad("certificate", "it ran out "+ends.Local().Format(time.DateTime), "What is sold waits on this PC.", "Start the service: it renews the certificate by itself. Then look again; and see that this PC's clock is right.")
		return
	}
	x.Add(doctor.Finding{What: "certificate", State: doctor.Good, Found: "this PC is " + string(id.Device) + " at " + string(id.Hub) + "; its certificate holds until " + ends.Local().Format(time.DateOnly) + " and is renewed by itself"})
}

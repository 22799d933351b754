package app

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/enrol"
)

// How often the hub looks at its own machine. A certificate is looked at by connecting, as others see it: a renewed file that nobody shows
// yet is no help.
const (
	diskEvery        = time.Minute
	certificateEvery = time.Hour
)

// shown is one address that shows a certificate.
type shown struct{ name, addr, server, file string }

// shownBy lists them: pages and broker, embedded or not.
func (c Config) shownBy() (out []shown) {
	if c.Web.CertFile != "" {
		out = append(out, shown{"web", dialable(c.Web.Listen), "", c.Web.CertFile})
	}
	switch u, err := url.Parse(c.Broker.URL); {
	case c.Broker.URL == "" && c.Broker.CertFile != "":
		out = append(out, shown{"broker", dialable(c.Broker.Listen), "", c.Broker.CertFile})
	case c.Broker.URL == "" && c.Enrol.on(): // the hub's own, which it makes anew by itself
		out = append(out, shown{"broker", dialable(c.Broker.Listen), enrol.ServerName, ""})
	case err == nil && u.Scheme == "mqtts":
		out = append(out, shown{"broker", u.Host, u.Hostname(), ""})
	}
	return out
}

// dialable is where a listener of this machine is reached from it.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return listen
}

// look sees the certificate, or its file where nobody answers; ok is false when neither tells.
func (s shown) look(ctx context.Context) (c upkeep.Certificate, ok bool) {
	c = upkeep.Certificate{Name: s.name, At: s.addr}
	var err error
	if c.Ends, err = doctor.ServerCertificate(ctx, s.addr, s.server); err != nil && s.file != "" {
		c.At = s.file
		c.Ends, err = doctor.FileCertificate(s.file)
	}
	return c, err == nil
}

// lookUpkeep looks at everything at once, for a command.
func (c Config) lookUpkeep(ctx context.Context, now time.Time) (s upkeep.State) {
	s.Disk.Dir = c.DataDir
	if free, err := doctor.FreeDisk(c.DataDir); err == nil {
		s.Disk = s.Disk.Next(free, now)
	}
	for _, x := range c.shownBy() {
		if k, ok := x.look(ctx); ok {
			s.Certificates = append(s.Certificates, k)
		}
	}
	if ends, err := c.releases().Ends(); err == nil { // one that cannot be read is hub doctor's word
		s.Signatures = signaturesOf(ends)
	}
	return s
}

// signaturesOf are those of the releases in force.
func signaturesOf(ends []release.End) (out []upkeep.Signature) {
	for _, e := range ends {
		out = append(out, upkeep.Signature{Role: e.Role, Warn: e.Warn, Ends: e.Ends})
	}
	return out
}

// keeper keeps what the running hub saw last. It is safe for concurrent use.
type keeper struct {
	mu    sync.Mutex
	state upkeep.State
	free  func(dir string) (uint64, error) // nil = the system's word
}

// State is what was seen last.
func (k *keeper) State() upkeep.State {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.state
	s.Certificates = slices.Clone(s.Certificates)
	s.Signatures = slices.Clone(s.Signatures)
	return s
}

func (k *keeper) disk(dir string, now time.Time) error {
	free := doctor.FreeDisk
	if k.free != nil {
		free = k.free
	}
	n, err := free(dir)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.Disk.Dir = dir
	k.state.Disk = k.state.Disk.Next(n, now)
	return nil
}

func (k *keeper) certificate(c upkeep.Certificate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, have := range k.state.Certificates {
		if have.Name == c.Name {
			k.state.Certificates[i] = c
			return
		}
	}
	k.state.Certificates = append(k.state.Certificates, c)
}

func (k *keeper) signatures(list []upkeep.Signature) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.Signatures = list
}

// watchUpkeep looks at disk, certificates and the releases' signatures until ctx ends. What cannot be looked at now keeps what was known.
func (a *App) watchUpkeep(ctx context.Context) error {
	due := map[string]time.Time{}
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		if err := a.keeper.disk(a.Config.DataDir, now); err != nil {
			a.log.WarnContext(ctx, "cannot see how much room the disk has", "dir", a.Config.DataDir, "err", err)
		}
		for _, x := range a.Config.shownBy() {
			if now.Before(due[x.name]) {
				continue
			}
			if c, ok := x.look(ctx); ok { // else again in a minute
				a.keeper.certificate(c)
				due[x.name] = now.Add(certificateEvery)
			}
		}
		if ends, err := a.Config.releases().Ends(); err == nil {
			a.keeper.signatures(signaturesOf(ends))
		}
		for _, n := range a.keeper.State().Needs(now) {
			if n.Level == upkeep.Now && !strings.HasPrefix(n.Key, "release:") { // watchReleases tells of those
				a.log.WarnContext(ctx, n.Title, "detail", n.Detail, "do", n.Do)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// needs is what a person should do about the hub's own machine.
func (a *App) needs() []upkeep.Need { return a.keeper.State().Needs(time.Now()) }

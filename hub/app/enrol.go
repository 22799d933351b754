package app

import (
	"context"
	"crypto/ecdh"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/hub/enrol"
	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/shared/config"
	wire "github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/retail"
)

// EnrolConfig is how stores' PCs get certificates.
type EnrolConfig struct {
	Listen       string          `toml:"listen" comment:"where PCs enrol and renew, such as 0.0.0.0:8790; empty: devices have passwords only"`
	Broker       string          `toml:"broker" comment:"the broker as the stores reach it, mqtts://host:port; empty: the host at which they reached the hub"`
	BrokerCAFile string          `toml:"broker_ca_file" comment:"whose certificates a broker of your own shows; empty: the system's"`
	CRLFile      string          `toml:"crl_file" comment:"where the list of revoked certificates is kept for a broker of your own; written anew at each revocation, and every day"`
	Life         config.Duration `toml:"life" comment:"of a certificate; a PC renews it by itself when a third is left"`
}

const (
	defaultLife    = 90 * 24 * time.Hour
	shortestLife   = time.Second // shorter ones end before they arrive
	longestLife    = 5 * 365 * 24 * time.Hour
	changesEvery   = 200 * time.Millisecond // a certificate that a command revokes has lost its line within a second
	lookAgainAfter = time.Second            // a connection that was being made while the right ended is found then
	twinsEvery     = 30 * time.Second
	enrolReadsFor  = 20 * time.Second
)

func (e EnrolConfig) on() bool { return e.Listen != "" }

func (e EnrolConfig) validate(b BrokerConfig, f *config.Faults) {
	if time.Duration(e.Life) < shortestLife || time.Duration(e.Life) > longestLife {
		f.Add("enrol.life: %s is not between %s and %s", time.Duration(e.Life), shortestLife, longestLife)
	}
	if !e.on() {
		if e.Broker != "" || e.BrokerCAFile != "" || e.CRLFile != "" {
			f.Add("enrol.listen: it is missing; without it nobody is told of the broker")
		}
		return
	}
	if _, _, err := net.SplitHostPort(e.Listen); err != nil {
		f.Add("enrol.listen: %q is not of the form host:port", e.Listen)
	}
	if b.Open {
		f.Add("broker.open: it lets in whoever comes; with [enrol] every device shows its certificate or a password")
	}
	if u, err := url.Parse(e.Broker); e.Broker != "" && (err != nil || u.Scheme != "mqtts" || u.Port() == "" || u.User != nil) {
		f.Add("enrol.broker: %q is not of the form mqtts://host:port", e.Broker)
	}
	if b.URL != "" && e.Broker == "" {
		f.Add("enrol.broker: say where the stores reach your own broker")
	}
	if e.CRLFile != "" && !filepath.IsAbs(e.CRLFile) {
		f.Add("enrol.crl_file: %q must be a whole path", e.CRLFile)
	}
	if e.BrokerCAFile != "" {
		if pem, err := os.ReadFile(e.BrokerCAFile); err != nil {
			f.Add("enrol.broker_ca_file: %v", err)
		} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
			f.Add("enrol.broker_ca_file: %s holds no certificate", e.BrokerCAFile)
		}
	}
}

// startBroker starts the embedded broker. With enrolment it shows the hub's own certificate to PCs that were enrolled, and lets them in by
// theirs; devices with passwords see the configured one, where there is one, and come in as before.
func (a *App) startBroker(ctx context.Context) (err error) {
	b := a.Config.Broker
	o := broker.Options{Listen: b.Listen, Dir: filepath.Join(a.Config.DataDir, "broker"), Log: a.log}
	if !b.Open {
		o.Passwords, o.Matches = a.Store, password.Matches
	}
	if o.TLS, err = tlsOf(b.CertFile, b.KeyFile); err != nil {
		return err
	}
	if a.Config.Enrol.on() {
		var other *tls.Certificate
		if o.TLS != nil {
			other = &o.TLS.Certificates[0]
		}
		if o.Authority, err = a.Store.Authority(ctx); err != nil {
			return err
		}
		o.TLS, o.Certificates = o.Authority.Listener(other, time.Now), a.Store
	}
	a.Broker, err = broker.Start(ctx, o)
	return err
}

// listenEnrol takes the address where PCs enrol.
func (a *App) listenEnrol(ctx context.Context) error {
	e := a.Config.Enrol
	if !e.on() {
		return nil
	}
	ca, err := a.Store.Authority(ctx)
	if err != nil {
		return err
	}
	grant, err := a.grant(ctx)
	if err != nil {
		return err
	}
	a.enrol = &enrol.Server{Authority: ca, Book: a.Store, Life: time.Duration(e.Life), Grant: grant, Locations: a.speaksFor, Bundles: a.Store, ReleaseRoot: a.releaseRoot, Log: a.log, Now: time.Now}
	var lc net.ListenConfig
	if a.enrolAt, err = lc.Listen(ctx, "tcp", e.Listen); err != nil {
		return fault.New(fault.Unavailable, "enrol.listen: another program may hold the address", err)
	}
	a.EnrolURL = "https://" + a.enrolAt.Addr().String()
	a.enrolAt = tls.NewListener(a.enrolAt, a.enrol.TLS())
	return nil
}

// grant is what every enrolled PC is told.
func (a *App) grant(ctx context.Context) (g wire.Grant, err error) {
	e := a.Config.Enrol
	if g.Hub, err = a.Store.HubID(ctx); err != nil {
		return g, err
	}
	g.Broker = e.Broker
	if a.Broker != nil {
		g.ServerName = wire.ServerName
		if g.Broker == "" {
			u, err := url.Parse(a.Broker.URL())
			if err != nil {
				return g, fault.New(fault.Internal, "read the broker's address", err)
			}
			g.Broker = "mqtts://:" + u.Port()
		}
	}
	if e.BrokerCAFile != "" {
		pem, err := os.ReadFile(e.BrokerCAFile)
		if err != nil {
			return g, fault.New(fault.Invalid, "enrol.broker_ca_file", err)
		}
		g.BrokerCA = string(pem)
	}
	g.Recovery, err = publicRecovery(filepath.Join(a.Config.DataDir, recoveryFile))
	return g, err
}

// publicRecovery is the public half of the recovery key, "" when none was made.
func publicRecovery(path string) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	key, err := openRecovery(path)
	if err != nil {
		return "", fault.New(fault.Internal, "recovery key "+path, err)
	}
	return recoveryText(key), nil
}

func recoveryText(key *ecdh.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(key.PublicKey().Bytes())
}

// releaseRoot is what a PC that is enrolled now is given to believe releases by.
func (a *App) releaseRoot(ctx context.Context) string {
	root, err := a.Config.releases().Root()
	if err != nil {
		a.log.ErrorContext(ctx, "a PC is enrolled without the root of releases; it is given it when it renews", "err", err)
	}
	return string(root)
}

func (a *App) speaksFor(ctx context.Context, d retail.DeviceID) string {
	list, err := a.Store.DeviceViews(ctx, "")
	if err != nil {
		return ""
	}
	for _, v := range list {
		if v.ID == d {
			return v.Locations
		}
	}
	return ""
}

// serveEnrol answers PCs.
func (a *App) serveEnrol(ctx context.Context) error {
	quiet := log.New(quietly{a}, "", 0) // handshakes of strangers are no news
	mux := http.NewServeMux()           // releases are signed and no secret: whoever reaches this door may read them
	mux.Handle("/", a.enrol.Handler())
	mux.Handle(release.Path, a.Config.releases().Handler())
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: enrolReadsFor, WriteTimeout: 2 * enrolReadsFor, IdleTimeout: time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: quiet}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if s.Shutdown(within) != nil {
			s.Close()
		}
	})
	defer stop()
	a.log.InfoContext(ctx, "stores' PCs can enrol and renew", "address", a.EnrolURL)
	if err := s.Serve(a.enrolAt); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// quietly puts the server's complaints where only who looks for them finds them.
type quietly struct{ *App }

// Write implements io.Writer.
func (q quietly) Write(p []byte) (int, error) {
	q.log.Debug("enrol", "said", string(p))
	return len(p), nil
}

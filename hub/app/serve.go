package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// listen takes the pages' address before anything else runs: a taken port stops the start and not the day.
func (a *App) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	if a.web, err = lc.Listen(ctx, "tcp", a.Config.Web.Listen); err != nil {
		return fault.New(fault.Unavailable, "web.listen", err)
	}
	t, err := tlsOf(a.Config.Web.CertFile, a.Config.Web.KeyFile)
	a.WebURL = "http://" + a.web.Addr().String()
	if t != nil {
		a.web = tls.NewListener(a.web, t)
		a.WebURL = "https://" + a.web.Addr().String()
	}
	return err
}

// serveWeb serves the pages.
func (a *App) serveWeb(ctx context.Context) error {
	h, err := a.pages()
	if err == nil {
		h, err = a.hooks(h)
	}
	if err != nil {
		return err
	}
	s := &http.Server{Handler: a.withHealth(h), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if s.Shutdown(within) != nil {
			s.Close()
		}
	})
	defer stop()
	if err := s.Serve(a.web); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func tlsOf(cert, key string) (*tls.Config, error) {
	if cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read certificate", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

package identity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"net/url"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
)

// Upload hands the support bundle that a command asked for to this PC's hub, with the PC's certificate. Codes: unavailable (later), others
// (the hub does not want it).
func (s Store) Upload(ctx context.Context, command string, bundle []byte) error {
	id, err := s.Read()
	if err != nil {
		return err
	}
	hub, err := url.Parse(id.HubURL)
	if err != nil {
		return fault.New(fault.Invalid, "read the hub's address", err)
	}
	shown, err := s.pair(id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, enrol.BundleIn)
	defer cancel()
	c, err := s.shows(ctx, hub, id, shown)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hub.String()+enrol.PathBundle+"?command="+url.QueryEscape(command), bytes.NewReader(bundle))
	if err != nil {
		return fault.New(fault.Internal, "send the support bundle", err)
	}
	req.Header.Set("Content-Type", "application/zip")
	req.Close = true
	if err := req.Write(c); err != nil {
		return unreachable(hub, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err != nil {
		return unreachable(hub, err)
	}
	defer resp.Body.Close()
	var ok struct{}
	return read(resp, hub, &ok)
}

// shows reaches the hub's door with the PC's certificate, and nobody else.
func (s Store) shows(ctx context.Context, hub *url.URL, was Identity, shown tls.Certificate) (*tls.Conn, error) {
	conf, err := trusting(was.CA, enrol.ServerName, shown)
	if err != nil {
		return nil, err
	}
	conf.MinVersion = tls.VersionTLS13
	// A certificate is shown whatever authorities the hub names: it is the only one that there is.
	conf.Certificates, conf.GetClientCertificate = nil, func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
	return s.dial(ctx, hub, conf)
}

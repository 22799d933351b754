package identity

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
)

// Web reads from the hub's door what is no secret, such as releases: through the store's proxy, and from the machine of this PC's hub alone,
// whatever address that is reached at and whatever year this PC believes in. The identity is read anew for each connection.
func (s Store) Web() *http.Client {
	return &http.Client{Transport: &http.Transport{DialTLSContext: s.door, ResponseHeaderTimeout: time.Minute, IdleConnTimeout: time.Minute}}
}

// door is a line to the hub that shows nothing of this PC.
func (s Store) door(ctx context.Context, _, addr string) (net.Conn, error) {
	id, err := s.Read()
	if err != nil {
		return nil, err
	}
	hub, err := url.Parse(id.HubURL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the hub's address", err)
	}
	conf, err := trusting(id.CA, enrol.ServerName)
	if err != nil {
		return nil, err
	}
	conf.MinVersion = tls.VersionTLS13
	hub.Host = addr
	return s.dial(ctx, hub, conf)
}

// Package proxy makes the lines to head office through a store's web proxy, by CONNECT: the proxy carries bytes, and TLS is from end to end. A
// proxy that opens encrypted lines breaks them on purpose: the hub's proof fits one connection only.
package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// None is the address that says: none, whatever the environment names.
const None = "none"

const (
	dialIn    = 15 * time.Second
	maxAnswer = 16 << 10 // of a proxy that refuses, with its page's beginning
)

// Proxy is what the settings say. The zero value is what the environment says (HTTPS_PROXY, NO_PROXY).
type Proxy struct {
	Address string                 // http://host:port or https://host:port; "" = the environment; None
	Login   func() (string, error) // user:password, read at each try; nil = none
}

// Check refuses an address that is none. Code invalid.
func Check(address string) error {
	if address == "" || address == None {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || u.Path != "" && u.Path != "/":
		return fault.Msg(fault.Invalid, "proxy", fmt.Sprintf("%q is not of the form http://host:port, nor \"none\"", address))
	case u.User != nil:
		return fault.Msg(fault.Invalid, "proxy", "a password does not belong into the address; use hub.proxy_login_file")
	}
	return nil
}

// For is the proxy on the way to addr, nil = none; named says that the settings name it, and not only the environment.
func (p Proxy) For(addr string) (u *url.URL, named bool, err error) {
	switch p.Address {
	case None:
		return nil, false, nil
	case "":
		u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: addr}})
		if err != nil || u != nil && u.Scheme != "http" && u.Scheme != "https" {
			return nil, false, nil // another program's setting; what it means is not ours to guess
		}
		return u, false, nil
	}
	if err := Check(p.Address); err != nil {
		return nil, false, err
	}
	u, err = url.Parse(p.Address)
	if err != nil {
		return nil, false, fault.New(fault.Invalid, "proxy", err)
	}
	if p.Login != nil {
		login, err := p.Login()
		if err != nil {
			return nil, false, err
		}
		user, password, _ := strings.Cut(login, ":")
		u.User = url.UserPassword(user, password)
	}
	return u, true, nil
}

// Dial connects to addr. A proxy that the settings name is the only way; one that only the environment names and that refuses is passed by,
// because it may be meant for browsers. Code unavailable.
func (p Proxy) Dial(ctx context.Context, addr string) (net.Conn, error) {
	u, named, err := p.For(addr)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return direct(ctx, addr)
	}
	c, err := through(ctx, u, addr)
	if err == nil || named {
		return c, err
	}
	c, derr := direct(ctx, addr)
	if derr != nil {
		return nil, errors.Join(derr, err)
	}
	return c, nil
}

func direct(ctx context.Context, addr string) (net.Conn, error) {
	return (&net.Dialer{Timeout: dialIn}).DialContext(ctx, "tcp", addr)
}

// through asks a proxy for a line to addr.
func through(ctx context.Context, u *url.URL, addr string) (net.Conn, error) {
	refuse := func(err error) error {
		return fault.New(fault.Unavailable, "through the proxy "+u.Host, err)
	}
	at := u.Host
	if u.Port() == "" { // the environment's may leave it out
		at = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	c, err := direct(ctx, at)
	if err != nil {
		return nil, refuse(err)
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	_ = c.SetDeadline(time.Now().Add(dialIn))
	if u.Scheme == "https" {
		t := tls.Client(c, &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12})
		if err := t.HandshakeContext(ctx); err != nil {
			c.Close()
			return nil, refuse(err)
		}
		c = t
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{"User-Agent": {"tillpost"}}}
	if user := u.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(c); err != nil {
		c.Close()
		return nil, refuse(err)
	}
	r := bufio.NewReaderSize(c, maxAnswer)
	resp, err := http.ReadResponse(r, req)
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusProxyAuthRequired:
		err = errors.New("it asks for a login: name it in hub.proxy_login_file (user:password; no Windows sign-in is spoken)")
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusMethodNotAllowed:
		err = fmt.Errorf("it does not let this PC through to %s (%s): have it allowed there, for CONNECT", addr, resp.Status)
	case resp.StatusCode/100 != 2:
		err = fmt.Errorf("it answers %s for %s", resp.Status, addr)
	case r.Buffered() > 0:
		err = errors.New("it sends before anything was asked")
	}
	if err != nil {
		c.Close()
		return nil, refuse(err)
	}
	_ = c.SetDeadline(time.Time{})
	return c, nil
}

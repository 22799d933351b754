// Package odoo brings documents into Odoo's books, once each and to the cent, and reads back what the books then say. It speaks XML-RPC to
// Odoo 17 and 18 and JSON-2 to 19; DESIGN.md says why it does things in the order it does.
package odoo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

const (
	// maxAnswer bounds an answer: a thousand journal items are about 1 MB.
	maxAnswer = 64 << 20
	// writePatience is a little more than the 120 s after which Odoo itself kills a call and commits nothing of it. Giving up earlier would
	// leave a call running whose outcome is not known; the replay would find it, but later.
	writePatience = 130 * time.Second
	// readPatience is for calls that change nothing: giving up costs a repetition.
	readPatience = 60 * time.Second
	// helloPatience is for version and login: an Odoo that needs longer is away. A login alone costs it about a second.
	helloPatience = 30 * time.Second
)

// Config says where the books are and who writes.
type Config struct {
	URL      string // "https://books.example.com"
	Database string
	User     string
	// Key gives the API key (or password). It is asked again at each login, so that a renewed key works without a restart: keys of
	// ordinary users of Odoo 18 and 19 live 90 days at most.
	Key       func() (string, error)
	Company   string        // name of the Odoo company, "" = the user's own
	Transport Transport     // "" = Auto
	KeyEnds   *time.Time    // when the key ends, zero = never, nil = Odoo is asked
	AllowHTTP bool          // the key may travel unencrypted to a host that is not this one
	Timeout   time.Duration // no call may take longer; 0 = 130 s for calls that write, less for others
}

// Client calls Odoo's models. It is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	calls atomic.Int64

	mu    sync.Mutex
	in    session // uid 0 = not logged in
	known Version // as it was told last
}

// New checks cfg and makes a client; it does not call yet. Code invalid, every fault at once.
func New(cfg Config) (*Client, error) {
	var bad []string
	u, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		bad = append(bad, fmt.Sprintf("url %q is not like https://books.example.com", cfg.URL))
	case u.Scheme == "http" && !cfg.AllowHTTP && !loopback(u.Hostname()):
		bad = append(bad, fmt.Sprintf("url %q would send the key unencrypted: use https, or set allow_http", cfg.URL))
	}
	for name, v := range map[string]string{"database": cfg.Database, "user": cfg.User} {
		if v == "" {
			bad = append(bad, name+" is missing")
		}
	}
	if cfg.Transport == "" {
		cfg.Transport = Auto
	}
	if !cfg.Transport.Valid() {
		bad = append(bad, fmt.Sprintf("transport %q is not auto, xmlrpc or json2", cfg.Transport))
	}
	if cfg.Key == nil {
		bad = append(bad, "the key is missing")
	}
	if len(bad) > 0 {
		return nil, fault.Msg(fault.Invalid, "read the Odoo settings", strings.Join(bad, "; "))
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	if cfg.Timeout == 0 {
		cfg.Timeout = writePatience
	}
	return &Client{cfg: cfg, http: &http.Client{
		// A redirected POST becomes a GET: better to say that the address is wrong.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
			DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second},
	}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Calls counts the calls made so far: the budget of a store-day is measured by it.
func (c *Client) Calls() int64 { return c.calls.Load() }

// Login returns the user's id, asking Odoo only when it is not known. A refused user or key is an Error of kind Denied.
func (c *Client) Login(ctx context.Context) (uid int64, key string, err error) {
	s, err := c.login(ctx)
	return s.uid, s.key, err
}

// session is a login that works, and how calls travel under it.
type session struct {
	way way
	uid int64
	key string
}

func (c *Client) login(ctx context.Context) (s session, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in.uid != 0 {
		return c.in, nil
	}
	if s.key, err = c.cfg.Key(); err != nil {
		return session{}, &Error{Kind: Denied, Text: "the API key cannot be read: " + err.Error()}
	}
	if s.way, err = c.choose(ctx); err != nil {
		return session{}, err
	}
	s.uid, err = s.way.login(ctx, s.key)
	if KindOf(err) == Denied && c.cfg.Transport == Auto && s.way != c.xml() {
		// Of 19 on a password opens XML-RPC alone: a hub that was set up with one goes on.
		s.way = c.xml()
		s.uid, err = s.way.login(ctx, s.key)
	}
	if err != nil {
		return session{}, err
	}
	c.in = s
	return s, nil
}

// logout makes the next call log in again with the key as it is then.
func (c *Client) logout() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = session{}
}

// Call runs a model's method: args are by position as in execute_kw, the records' ids first where it works on records. A method that returns
// None is nil, nil. Every error is an *Error.
func (c *Client) Call(ctx context.Context, model, method string, args []any, kw map[string]any) (any, error) {
	s, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	if kw == nil {
		kw = map[string]any{}
	}
	got, err := s.way.call(ctx, patience(method), s, model, method, args, kw)
	if KindOf(err) == Denied {
		c.logout()
	}
	return got, err
}

func patience(method string) time.Duration {
	switch method {
	case "search_read", "read", "check_access_rights", "has_access", "check_object_reference":
		return readPatience
	}
	return writePatience
}

// exchange makes one request and reads one answer, whatever it is.
func (c *Client) exchange(ctx context.Context, most time.Duration, make func(context.Context) (*http.Request, error)) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, min(most, c.cfg.Timeout))
	defer cancel()
	req, err := make(ctx)
	if err != nil {
		return nil, nil, &Error{Kind: Broken, Text: err.Error(), Err: err}
	}
	c.calls.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, away(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, away(err)
	}
	if len(body) > maxAnswer {
		return nil, nil, &Error{Kind: Broken, Text: fmt.Sprintf("the answer is longer than %d bytes", maxAnswer)}
	}
	return resp, body, nil
}

// errNoPage is an address that the server does not have.
var errNoPage = errors.New("there is no such page")

// acceptable refuses what is no answer of the kind that was asked for: a proxy's page, a login page, maintenance, a redirect.
func acceptable(resp *http.Response, body []byte, kind string) error {
	ours := strings.Contains(resp.Header.Get("Content-Type"), kind)
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return &Error{Kind: Away, Text: fmt.Sprintf("the address redirects to %q: put that into the settings", resp.Header.Get("Location"))}
	case resp.StatusCode == http.StatusNotFound && !ours:
		return &Error{Kind: Away, Text: "HTTP 404 instead of an answer: " + glimpse(body), Err: errNoPage}
	case resp.StatusCode != http.StatusOK && !(ours && kind == "json"): // JSON-2 says its errors by status, XML-RPC never does
		return &Error{Kind: Away, Text: fmt.Sprintf("HTTP %d instead of an answer: %s", resp.StatusCode, glimpse(body))}
	case !ours:
		return &Error{Kind: Away, Text: fmt.Sprintf("a web page instead of an answer (maintenance, or a wrong address): %s", glimpse(body))}
	}
	return nil
}

// Package odoo brings documents into Odoo's books, once each and to the cent, and reads back what the books then say. It speaks XML-RPC to
// Odoo 17, 18 and 19; DESIGN.md says why it does things in the order it does.
package odoo

import (
	"context"
	"crypto/tls"
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
	AllowHTTP bool          // the key may travel unencrypted to a host that is not this one
	Timeout   time.Duration // no call may take longer; 0 = 130 s for calls that write, less for others
}

// Client calls Odoo's models. It is safe for concurrent use.
type Client struct {
	cfg   Config
	http  *http.Client
	calls atomic.Int64

	mu  sync.Mutex
	uid int64 // 0 = not logged in
	key string
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

// Version is what the server says it is.
type Version struct {
	Major int    // 17, 18, 19; 0 = not understood
	Text  string // "18.0-20250520"
}

// Version asks the server; no login is needed.
func (c *Client) Version(ctx context.Context) (v Version, err error) {
	got, err := c.send(ctx, helloPatience, "common", "version")
	if err != nil {
		return v, err
	}
	m, _ := got.(map[string]any)
	v.Text = text(m["server_version"])
	if info, _ := m["server_version_info"].([]any); len(info) > 0 {
		v.Major = major(info[0])
	}
	return v, nil
}

// Login returns the user's id, asking Odoo only when it is not known. A refused user or key is an Error of kind Denied.
func (c *Client) Login(ctx context.Context) (uid int64, key string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uid != 0 {
		return c.uid, c.key, nil
	}
	if key, err = c.cfg.Key(); err != nil {
		return 0, "", &Error{Kind: Denied, Text: "the API key cannot be read: " + err.Error()}
	}
	got, err := c.send(ctx, helloPatience, "common", "authenticate", c.cfg.Database, c.cfg.User, key, map[string]any{})
	if err != nil {
		return 0, "", err
	}
	id, ok := got.(int64)
	if !ok || id == 0 {
		return 0, "", &Error{Kind: Denied, Text: fmt.Sprintf("Odoo refuses user %s or the API key", c.cfg.User)}
	}
	c.uid, c.key = id, key
	return id, key, nil
}

// logout makes the next call log in again with the key as it is then.
func (c *Client) logout() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uid = 0
}

// Call runs a model's method. A method that returns None answers with a fault after it was committed; here that is nil, nil. Every error
// is an *Error.
func (c *Client) Call(ctx context.Context, model, method string, args []any, kw map[string]any) (any, error) {
	uid, key, err := c.Login(ctx)
	if err != nil {
		return nil, err
	}
	if kw == nil {
		kw = map[string]any{}
	}
	got, err := c.send(ctx, patience(method), "object", "execute_kw", c.cfg.Database, uid, key, model, method, args, kw)
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

// send makes one request and reads one answer.
func (c *Client) send(ctx context.Context, most time.Duration, service, method string, args ...any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, min(most, c.cfg.Timeout))
	defer cancel()
	req, err := request(ctx, c.cfg.URL+"/xmlrpc/2/"+service, method, args)
	if err != nil {
		return nil, &Error{Kind: Broken, Text: err.Error(), Err: err}
	}
	c.calls.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, away(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, away(err)
	}
	if err := acceptable(resp, body); err != nil {
		return nil, err
	}
	return answer(body)
}

// acceptable refuses what is no XML-RPC answer: a proxy's page, a login page, maintenance, a redirect.
func acceptable(resp *http.Response, body []byte) error {
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return &Error{Kind: Away, Text: fmt.Sprintf("the address redirects to %q: put that into the settings", resp.Header.Get("Location"))}
	case resp.StatusCode != http.StatusOK:
		return &Error{Kind: Away, Text: fmt.Sprintf("HTTP %d instead of an answer: %s", resp.StatusCode, glimpse(body))}
	case !strings.Contains(resp.Header.Get("Content-Type"), "xml"):
		return &Error{Kind: Away, Text: fmt.Sprintf("a web page instead of an answer (maintenance, or a wrong address): %s", glimpse(body))}
	case len(body) > maxAnswer:
		return &Error{Kind: Broken, Text: fmt.Sprintf("the answer is longer than %d bytes", maxAnswer)}
	}
	return nil
}

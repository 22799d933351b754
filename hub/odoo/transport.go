package odoo

import (
	"context"
	"errors"
	"time"
)

// Transport is how calls travel to Odoo.
type Transport string

const (
	Auto   Transport = "auto"   // JSON-2 from Odoo 19 on, XML-RPC before
	XMLRPC Transport = "xmlrpc" // every version up to 19; Odoo has announced its end
	JSON2  Transport = "json2"  // from 19 on; takes API keys only, no password
)

// Valid reports whether t is one of the three, or "" for Auto.
func (t Transport) Valid() bool { return t == "" || t == Auto || t == XMLRPC || t == JSON2 }

// firstJSON2 is the first version that speaks JSON-2.
const firstJSON2 = 19

// way is one transport. What it answers means the same on both: integers are int64, other numbers float64, a method's None is nil, and every
// error is an *Error.
type way interface {
	// login proves user and key and returns the user's id; Denied when they are refused.
	login(ctx context.Context, key string) (uid int64, err error)
	// call runs a method within most, as one transaction of Odoo's.
	call(ctx context.Context, most time.Duration, s session, model, method string, args []any, kw map[string]any) (any, error)
}

func (c *Client) xml() way { return xmlWay{c} }

// choose picks the way by the settings, or by what the server says it is. c.mu is held.
func (c *Client) choose(ctx context.Context) (way, error) {
	switch c.cfg.Transport {
	case XMLRPC:
		return c.xml(), nil
	case JSON2:
		return jsonWay{c}, nil
	}
	v := c.known
	if v.Text == "" {
		var err error
		if v, err = c.ask(ctx); err != nil {
			return nil, err
		}
		c.known = v
	}
	if v.Major >= firstJSON2 {
		return jsonWay{c}, nil
	}
	return c.xml(), nil
}

// Version is what the server says it is.
type Version struct {
	Major int    // 17, 18, 19; 0 = not understood
	Text  string // "18.0-20250520"
}

// Version asks the server; no login is needed. A server that became another version is logged in to anew, by the way that fits it.
func (c *Client) Version(ctx context.Context) (Version, error) {
	v, err := c.ask(ctx)
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.Text != "" && c.known != v {
		c.in = session{}
	}
	c.known = v
	return v, nil
}

// ask reads the version over XML-RPC, which 17 and 18 alone know, or over the page that JSON-2 has for it. Which of them answers says nothing
// about the way to choose: the number does.
func (c *Client) ask(ctx context.Context) (v Version, err error) {
	if c.cfg.Transport == JSON2 {
		return c.webVersion(ctx)
	}
	v, err = c.xmlVersion(ctx)
	if c.cfg.Transport == Auto && errors.Is(err, errNoPage) { // an Odoo that has no XML-RPC any more
		if web, werr := c.webVersion(ctx); werr == nil {
			return web, nil
		}
	}
	return v, err
}

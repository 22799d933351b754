package odoo

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// signs stand on every page of a database that was neutralised, a copy for tests (views web.neutralize_banner and website.neutralize_ribbon).
var signs = []string{"oe_neutralize_banner", "neutralize_ribbon"}

// Neutralised reports whether the database is a copy for tests, as Odoo's neutralize makes it. An administrator may read the parameter
// database.is_neutralized; for everybody else the banner on the login page says the same. Every error is an *Error.
func Neutralised(ctx context.Context, c *Client) (bool, error) {
	got, err := c.Call(ctx, "ir.config_parameter", "get_param", []any{"database.is_neutralized"}, nil)
	switch KindOf(err) {
	case "":
		s, ok := got.(string) // the parameter's text, or false when it is not set
		return ok && s != "" && !strings.EqualFold(s, "false"), nil
	case Away, Denied:
		return false, err
	}
	return c.banner(ctx)
}

// maxPage bounds a login page.
const maxPage = 2 << 20

// banner looks at the login page of the database, with a client of its own: pages redirect and set cookies, calls must not.
func (c *Client) banner(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return false, &Error{Kind: Broken, Text: err.Error(), Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.URL+"/web/login?db="+url.QueryEscape(c.cfg.Database), nil)
	if err != nil {
		return false, &Error{Kind: Broken, Text: err.Error(), Err: err}
	}
	resp, err := (&http.Client{Jar: jar, Transport: c.http.Transport}).Do(req)
	if err != nil {
		return false, away(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return false, away(err)
	}
	if resp.StatusCode != http.StatusOK {
		return false, &Error{Kind: Refused, Text: "the login page, which would tell whether the database is a copy for tests, answers " + resp.Status}
	}
	for _, s := range signs {
		if strings.Contains(string(page), s) {
			return true, nil
		}
	}
	return false, nil
}

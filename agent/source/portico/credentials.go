package portico

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/mode"
)

// Credentials are either a key, or the five of an older merchant.
type Credentials struct {
	APIKey   guard.Secret
	License  string
	Site     string
	Device   string
	User     string
	Password guard.Secret
}

// Check reports what is wrong with c: neither kind, half of one, or both. Code invalid.
func (c Credentials) Check() error {
	five := []string{c.License, c.Site, c.Device, c.User, string(c.Password)}
	given := 0
	for _, v := range five {
		if v != "" {
			given++
		}
	}
	bad := func(text string) error { return fault.Msg(fault.Invalid, "gateway credentials", text) }
	switch {
	case c.APIKey != "" && given > 0:
		return bad("a key and a user are two ways in: give one of them")
	case c.APIKey != "":
		return c.checkKey()
	case given == 0:
		return bad("there are none: name key_file, or license_id, site_id, device_id, user_name and password_file")
	case given < len(five):
		return bad("license_id, site_id, device_id, user_name and password_file are needed together")
	}
	for _, id := range five[:3] {
		if !digits(id) || len(id) > 10 {
			return bad("license_id, site_id and device_id are numbers of at most ten digits")
		}
	}
	return nil
}

// checkKey sees that a key is the secret one. Code invalid.
func (c Credentials) checkKey() error {
	switch k := string(c.APIKey); {
	case strings.HasPrefix(k, "pkapi_"):
		return fault.Msg(fault.Invalid, "gateway credentials", "this is the public key (pkapi_): the secret one begins with skapi_")
	case !strings.HasPrefix(k, "skapi_") || mode.OfKey(k) == mode.Unknown:
		return fault.Msg(fault.Invalid, "gateway credentials", "a secret key begins with skapi_cert_ or skapi_prod_")
	}
	return nil
}

// The gateway's hosts. A key that can charge cards is sent to no other.
var hosts = map[string]bool{"api2.heartlandportico.com": true, "api2-c.heartlandportico.com": true, "cert.api2.heartlandportico.com": true, "cert.api2-c.heartlandportico.com": true}

// Place is whether the gateway is the test or the real one, as key and address say together, and the address to use; address "" = the one
// that suits the key. A key of one at an address of the other is refused. Code invalid.
func Place(c Credentials, address string) (m mode.Mode, base string, err error) {
	if err := c.Check(); err != nil {
		return "", "", err
	}
	m = mode.OfKey(string(c.APIKey))
	if address == "" {
		switch m {
		case mode.Production:
			return m, "https://api2.heartlandportico.com", nil
		case mode.Test:
			return m, "https://cert.api2.heartlandportico.com", nil
		}
		return "", "", fault.Msg(fault.Invalid, "gateway address", "a user does not tell which gateway it belongs to: name url")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("%.80q is not of the form https://host", address))
	}
	if here := mode.Loopback(u.Hostname()); !here && (!hosts[u.Hostname()] || u.Scheme != "https" || u.Port() != "") {
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("%.80q is not Heartland's gateway: a key that can charge cards is sent nowhere else", address))
	}
	all, clash := mode.Of(m, mode.OfURL(address))
	if clash {
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("the key is of the %s gateway, the address of the %s one", m, mode.OfURL(address)))
	}
	return all, u.Scheme + "://" + u.Host, nil
}

// write puts the credentials into a request's header.
func (c Credentials) write(b *bytes.Buffer) {
	if c.APIKey != "" {
		value(b, "SecretAPIKey", string(c.APIKey))
		return
	}
	value(b, "LicenseId", c.License)
	value(b, "SiteId", c.Site)
	value(b, "DeviceId", c.Device)
	value(b, "UserName", c.User)
	value(b, "Password", string(c.Password))
}

func value(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Buffer takes everything
	b.WriteString("</" + name + ">")
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

var errNoNumber = errors.New("it is no number of the gateway")

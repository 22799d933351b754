package portico

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/fault"
)

// Secret is text that no format, log or encoder prints.
type Secret string

const hidden = "[hidden]"

// String implements fmt.Stringer, for every verb but the quoted ones.
func (s Secret) String() string { return hidden }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return hidden }

// Format implements fmt.Formatter, so that no verb reaches the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Credentials are either a key, or the five of an older merchant.
type Credentials struct {
	APIKey   Secret
	License  string
	Site     string
	Device   string
	User     string
	Password Secret
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
		if _, err := c.environment(); err != nil {
			return err
		}
		return nil
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

// environment is what a key says of itself; "" for the five, which say nothing.
func (c Credentials) environment() (source.Environment, error) {
	switch k := string(c.APIKey); {
	case k == "":
		return "", nil
	case strings.HasPrefix(k, "skapi_cert_"):
		return source.Test, nil
	case strings.HasPrefix(k, "skapi_prod_"):
		return source.Production, nil
	case strings.HasPrefix(k, "pkapi_"):
		return "", fault.Msg(fault.Invalid, "gateway credentials", "this is the public key (pkapi_): the secret one begins with skapi_")
	}
	return "", fault.Msg(fault.Invalid, "gateway credentials", "a secret key begins with skapi_cert_ or skapi_prod_")
}

// The gateway's hosts. A key that can charge cards is sent to no other.
var hosts = map[string]source.Environment{"api2.heartlandportico.com": source.Production, "api2-c.heartlandportico.com": source.Production,
	"cert.api2.heartlandportico.com": source.Test, "cert.api2-c.heartlandportico.com": source.Test}

// Environment is test or production, as key and address say together; address "" = the one that suits the key. It returns the address to use.
// A key of one at an address of the other is refused. Code invalid.
func Environment(c Credentials, address string) (env source.Environment, base string, err error) {
	if err := c.Check(); err != nil {
		return "", "", err
	}
	if env, err = c.environment(); err != nil {
		return "", "", err
	}
	if address == "" {
		switch env {
		case source.Production:
			return env, "https://api2.heartlandportico.com", nil
		case source.Test:
			return env, "https://cert.api2.heartlandportico.com", nil
		}
		return "", "", fault.Msg(fault.Invalid, "gateway address", "a user does not tell which gateway it belongs to: name url")
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("%.80q is not of the form https://host", address))
	}
	at, known := hosts[u.Hostname()]
	switch {
	case loopback(u.Hostname()): // a simulator on this PC
		if env == "" {
			env = source.Test
		}
		return env, u.Scheme + "://" + u.Host, nil
	case !known || u.Scheme != "https" || u.Port() != "":
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("%.80q is not Heartland's gateway: a key that can charge cards is sent nowhere else", address))
	case env != "" && env != at:
		return "", "", fault.Msg(fault.Invalid, "gateway address", fmt.Sprintf("the key is of the %s gateway, the address of the %s one", env, at))
	}
	return at, "https://" + u.Host, nil
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
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

// print tells two credentials apart without keeping either.
func (c Credentials) print() [32]byte {
	return sha256.Sum256([]byte(strings.Join([]string{string(c.APIKey), c.License, c.Site, c.Device, c.User, string(c.Password)}, "\x00")))
}

func value(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Buffer takes everything
	b.WriteString("</" + name + ">")
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

var errNoNumber = errors.New("it is no number of the gateway")

// Package mode tells test from production. A test sale in real books is as bad as a lost one, so every connection is marked by what its key
// or address says, records carry the mark, and two marks that contradict each other are refused. It is pure.
package mode

import (
	"errors"
	"fmt"
	"mime"
	"net/netip"
	"net/url"
	"strings"
)

// Mode is what a connection's other side is.
type Mode string

const (
	Unknown    Mode = ""           // nothing says so: a till on the store's own network, a file
	Test       Mode = "test"       // certification host, sandbox, simulator, neutralised database
	Production Mode = "production" // real money
)

// Parse reads a setting. An empty text leaves it to the key or address.
func Parse(s string) (m Mode, ok bool) {
	m = Mode(s)
	return m, m == Unknown || m == Test || m == Production
}

// String is the mode for a person.
func (m Mode) String() string {
	if m == Unknown {
		return "not marked"
	}
	return string(m)
}

// Mixed reports that a and b must not meet. What nothing is known of meets everything.
func Mixed(a, b Mode) bool { return a != Unknown && b != Unknown && a != b }

// ErrMixed: a record of one mode came to books of the other.
var ErrMixed = errors.New("test and real must not meet")

// Check is ErrMixed when a record of mode m must not be booked in books.
func Check(m, books Mode) error {
	if !Mixed(m, books) {
		return nil
	}
	return fmt.Errorf("%w: the record is of a %s system, the books are %s; it is kept aside and not booked", ErrMixed, m, books)
}

// OfKey reads Heartland's Portico keys: skapi_cert_… charges test cards, skapi_prod_… real ones.
func OfKey(key string) Mode {
	switch {
	case strings.Contains(key, "_cert_"):
		return Test
	case strings.Contains(key, "_prod_"):
		return Production
	}
	return Unknown
}

// testHosts are the names, or ends of names, under which Heartland and Global Payments keep their test systems.
var testHosts = []string{"cert.api2.heartlandportico.com", "cert.api2-c.heartlandportico.com", "posgateway.cert.secureexchange.net", "apis.sandbox.globalpay.com"}

// realHosts are those of the real ones; a part that begins with a dot holds for every name that ends in it.
var realHosts = []string{"api2.heartlandportico.com", "api2-c.heartlandportico.com", "apis.globalpay.com", "apis.eu.globalpay.com", ".retail.heartland.us"}

// OfURL reads the mode from an address on the internet: a vendor's test host, a sandbox by its name, a simulator on this machine. It is not
// for what stands on the store's own network: a real till's database may well be on this machine.
func OfURL(address string) Mode {
	u, err := url.Parse(address)
	if err != nil {
		return Unknown
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case Loopback(host), among(testHosts, host), labelled(host, "sandbox"), labelled(host, "cert"):
		return Test
	case among(realHosts, host):
		return Production
	}
	return Unknown
}

// Of joins what several signs say; clash = they contradict each other, as a test key at a production host does.
func Of(signs ...Mode) (m Mode, clash bool) {
	for _, s := range signs {
		if Mixed(m, s) {
			return m, true
		}
		if m == Unknown {
			m = s
		}
	}
	return m, false
}

// Loopback reports whether host is this machine.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func among(names []string, host string) bool {
	for _, n := range names {
		if host == n || strings.HasPrefix(n, ".") && strings.HasSuffix(host, n) {
			return true
		}
	}
	return false
}

// labelled reports whether one of the parts of a host's name is word.
func labelled(host, word string) bool {
	for part := range strings.SplitSeq(host, ".") {
		if part == word {
			return true
		}
	}
	return false
}

// param is the name under which a record's content type carries its mark. Content types are in the record's checksum: a mark cannot be
// lost or changed on the way, and a record keeps that of the hour in which it was captured.
const param = "mode"

// Mark puts m on a content type; one that is Unknown leaves it as it is.
func Mark(contentType string, m Mode) string {
	if m == Unknown {
		return contentType
	}
	return contentType + "; " + param + "=" + string(m)
}

// Marked reads the mark of a content type.
func Marked(contentType string) Mode {
	if !strings.Contains(contentType, ";") {
		return Unknown
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return Unknown
	}
	m, ok := Parse(params[param])
	if !ok {
		return Unknown
	}
	return m
}

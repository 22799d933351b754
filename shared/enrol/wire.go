package enrol

import (
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	// ServerName is what every hub's certificate says, whatever address it is reached at. Who a hub is, its authority tells; an address may
	// change, be a number or stand behind a forwarded port.
	ServerName = "hub.tillpost.internal"
	// PathEnrol and PathRenew are where a PC asks.
	PathEnrol = "/v1/enrol"
	PathRenew = "/v1/renew"
	// PathBundle is where a PC hands in a support bundle that was asked for.
	PathBundle = "/v1/bundle"
	// MaxBundle bounds one: some days of a log, compressed, have a tenth of it.
	MaxBundle = 8 << 20
	// BundleIn is how long handing one in may take, on a slow line.
	BundleIn = 5 * time.Minute
	// DefaultPort is where a hub listens for PCs that enrol.
	DefaultPort = "8790"
	// Backdate is how long before its making a certificate begins: a PC's clock may be behind the hub's.
	Backdate = time.Hour
	// MaxBody bounds a question and an answer.
	MaxBody = 64 << 10
)

// Ask is what a PC wants signed. It travels as the bytes that its proof covers.
type Ask struct {
	CSR []byte `json:"csr"` // PKCS #10, DER
	// Have is the device that this PC was until now, "" = none: tickets on its disk are chained under that name.
	Have retail.DeviceID `json:"have,omitempty"`
	// Hub is the hub that this PC's tickets belong to, "" = none yet.
	Hub  envelope.HubID `json:"hub,omitempty"`
	Host string         `json:"host,omitempty"` // the PC's own name, for people
}

// Redeem is the body of PathEnrol.
type Redeem struct {
	Code  string `json:"code"` // Code.ID
	Ask   []byte `json:"ask"`  // an Ask in JSON
	Proof []byte `json:"proof"`
}

// Answer is the answer to it.
type Answer struct {
	Grant []byte `json:"grant"` // a Grant in JSON
	Proof []byte `json:"proof"`
}

// Grant is what an enrolled PC knows.
type Grant struct {
	Hub        envelope.HubID  `json:"hub"`
	Device     retail.DeviceID `json:"device"`
	Locations  string          `json:"locations"` // for people: "S-17"
	Broker     string          `json:"broker"`    // mqtts://host:port; no host = the one that the PC reached the hub at
	ServerName string          `json:"server_name,omitempty"`
	CA         string          `json:"ca"`                  // PEM: the hub's authority
	BrokerCA   string          `json:"broker_ca,omitempty"` // PEM: whose certificates a broker of its own shows; "" = CA when ServerName is set, else the system's
	Cert       string          `json:"cert"`                // PEM: this PC's certificate
	Recovery   string          `json:"recovery_key,omitempty"`
	// ReleaseRoot is the root of signed releases that this PC starts from (DESIGN D18), "" = the hub has none. The PC keeps the one of
	// its code, or the first of a renewal where that had none: later ones come signed by it.
	ReleaseRoot string `json:"release_root,omitempty"`
}

// Refusal is the body of an answer that grants nothing.
type Refusal struct {
	Code  fault.Code `json:"code"`
	Error string     `json:"error"`
}

// HubURL reads a hub's address as a person writes it: host, host:port or https://host:port. Code invalid: nothing but https is spoken.
func HubURL(s string) (*url.URL, error) {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fault.Msg(fault.Invalid, "hub", "the address is not of the form hub.example.com or https://hub.example.com:"+DefaultPort)
	}
	if u.Scheme != "https" || u.User != nil {
		return nil, fault.Msg(fault.Invalid, "hub", "only https:// is spoken here, and no name or password stands in the address: anybody on the way could read it otherwise")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), DefaultPort)
	}
	u.Path = ""
	return u, nil
}

// BrokerURL fills the host in that the PC reached the hub at. Code invalid: a broker that would be spoken to in the clear.
func (g Grant) BrokerURL(hub *url.URL) (string, error) {
	u, err := url.Parse(g.Broker)
	if err != nil || u.Scheme != "mqtts" || u.Port() == "" {
		return "", fault.Msg(fault.Invalid, "enrol", "the hub names no broker of the form mqtts://host:port: head office's IT must correct [enrol] broker there")
	}
	if u.Hostname() == "" {
		u.Host = net.JoinHostPort(hub.Hostname(), u.Port())
	}
	return u.String(), nil
}

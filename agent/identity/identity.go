// Package identity is who this PC is to the hub (DESIGN D16): its key, its certificate, the hub's authority and where the hub is, in one file
// that is replaced whole. It enrols with a one-time code, renews by itself, and can be killed between any two steps. See DESIGN.md.
package identity

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/proxy"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	file    = "identity.json" // who this PC is
	pending = "identity.next" // a key that the hub was asked to sign, or will be
	// lockName keeps a command and the service from renewing at once.
	lockName = "identity"
)

// Store is the folder in which the identity stands: the agent's data_dir. Proxy is on the way to the hub.
type Store struct {
	Dir   string
	Proxy proxy.Proxy
}

// Identity is what an enrolled PC knows. Its key is sealed by the keystore.
type Identity struct {
	Device     retail.DeviceID `json:"device"`
	Hub        envelope.HubID  `json:"hub"`
	Locations  string          `json:"locations"`
	HubURL     string          `json:"hub_url"` // where it enrolled and renews
	Broker     string          `json:"broker"`
	ServerName string          `json:"server_name,omitempty"` // what the broker's certificate says, "" = its address
	CA         string          `json:"ca"`
	BrokerCA   string          `json:"broker_ca,omitempty"`
	Cert       string          `json:"cert"`
	Key        string          `json:"key"` // sealed
	Recovery   string          `json:"recovery_key,omitempty"`
	// ReleaseRoot is the pinned root of signed releases. Only a one-time code that a person types in replaces it.
	ReleaseRoot string    `json:"release_root,omitempty"`
	Enrolled    time.Time `json:"enrolled"`
	Proxy       string    `json:"proxy,omitempty"`    // on the way to the hub, as it was named when this PC enrolled
	CodeSum     string    `json:"code_sum,omitempty"` // of the code that was used: typing it again changes nothing
}

// Read gives the PC's identity. Code not_found: it was never enrolled; invalid: the file cannot be used.
func (s Store) Read() (Identity, error) {
	var id Identity
	b, err := os.ReadFile(filepath.Join(s.Dir, file))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // a data_dir that is a file is others' to tell
		return id, fault.Msg(fault.NotFound, "read identity", "this PC is not enrolled: agent enrol --hub ADDRESS --code CODE, with a code from head office (hub device code)")
	}
	if err == nil {
		err = json.Unmarshal(b, &id)
	}
	if err == nil && (!id.Device.Valid() || id.Cert == "" || id.Key == "" || id.CA == "") {
		err = errors.New("a part of it is missing")
	}
	if err != nil {
		return id, fault.New(fault.Invalid, "read "+filepath.Join(s.Dir, file)+": enrol this PC again with a code from hub device replace; the tickets on it stay", err)
	}
	return id, nil
}

// write puts the identity in the place of the one before: the one moment in which a PC becomes another.
func (s Store) write(id Identity) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		return fault.New(fault.Internal, "write identity", err)
	}
	return fault.New(fault.Internal, "write identity", keystore.Replace(filepath.Join(s.Dir, file), append(b, '\n')))
}

func (s Store) keys() keystore.Store { return keystore.Store{Dir: s.Dir} }

// Ends is when the certificate runs out, and from when on a new one is asked for: a third of its life is left then.
func (id Identity) Ends() (renew, ends time.Time, err error) {
	c, err := leaf(id.Cert)
	if err != nil {
		return renew, ends, fault.New(fault.Invalid, "read this PC's certificate", err)
	}
	life := c.NotAfter.Sub(c.NotBefore.Add(enrol.Backdate))
	return c.NotAfter.Add(-life / 3), c.NotAfter, nil
}

// Line is the TLS of the line to the broker, with the certificate that the PC has now. It is read anew for each connection: a renewed
// certificate, or one of a new code, is used without a restart.
func (s Store) Line() (*tls.Config, error) {
	id, err := s.Read()
	if err != nil {
		return nil, err
	}
	cert, err := s.pair(id)
	if err != nil {
		return nil, err
	}
	if id.ServerName != "" {
		return trusting(id.CA, id.ServerName, cert)
	}
	u, err := url.Parse(id.Broker)
	if err != nil {
		return nil, fault.New(fault.Invalid, "read the broker's address", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname(), Certificates: []tls.Certificate{cert}}
	if id.BrokerCA != "" {
		if c.RootCAs, err = pool(id.BrokerCA); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (s Store) pair(id Identity) (tls.Certificate, error) {
	key, err := s.privateKey(id.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	c, err := leaf(id.Cert)
	if err == nil && !key.PublicKey.Equal(c.PublicKey) {
		err = errors.New("its key is another one")
	}
	if err != nil {
		return tls.Certificate{}, fault.New(fault.Invalid, "read this PC's certificate", err)
	}
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}, nil
}

// trusting accepts what the hub's own authority signed for a name, and nothing else. The time is not looked at: a store's PC whose battery is
// empty believes in some year of its own, the hub's certificate has its key in memory only, and the hub checks this PC's by its own clock.
func trusting(ca, name string, shown ...tls.Certificate) (*tls.Config, error) {
	roots, err := pool(ca)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name, Certificates: shown, InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(cs tls.ConnectionState) error { return signedBy(roots, name, cs.PeerCertificates) }}, nil
}

func signedBy(roots *x509.CertPool, name string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("it shows no certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: chain[0].NotAfter, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return fmt.Errorf("another machine than this PC's hub answers; nothing was sent to it: %w", err)
	}
	return nil
}

func pool(text string) (*x509.CertPool, error) {
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM([]byte(text)) {
		return nil, fault.Msg(fault.Invalid, "read the hub's authority", "it holds no certificate")
	}
	return p, nil
}

func leaf(text string) (*x509.Certificate, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		return nil, errors.New("it holds no certificate")
	}
	return x509.ParseCertificate(b.Bytes)
}

// codeSum remembers a used code without it.
func codeSum(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.StdEncoding.EncodeToString(sum[:])
}

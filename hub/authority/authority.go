// Package authority is the hub's own small certificate authority (DESIGN D16): it signs what stores' PCs show the hub, and what the hub
// shows them. It decides and keeps nothing; who may have a certificate, and whether one still holds, the hub's database says.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"time"

	"github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

const (
	authorityLife = 30 * 365 * 24 * time.Hour // longer than any hub: a new one means a code for every store
	serverLife    = 365 * 24 * time.Hour      // made anew at each start
)

// Authority signs. It is safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate is one PC's certificate as the hub keeps it.
type Certificate struct {
	Serial       string // hex
	Device       retail.DeviceID
	Key          KeyID
	DER          []byte
	Begins, Ends time.Time
}

// Issuer signs a request for a device: the one that the database finds it to be.
type Issuer func(retail.DeviceID) (Certificate, error)

// KeyID is the SHA-256 of a public key as certificates write it: the same key is the same PC asking again.
type KeyID [sha256.Size]byte

// New makes an authority for a hub.
func New(hub envelope.HubID, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Internal, "make the hub's authority", err)
	}
	t := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "Tillpost hub " + string(hub)}, NotBefore: now.Add(-enrol.Backdate), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fault.New(fault.Internal, "make the hub's authority", err)
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key}, fault.New(fault.Internal, "make the hub's authority", err)
}

// Load opens one that was kept; key is PKCS #8.
func Load(cert, key []byte) (*Authority, error) {
	c, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, fault.New(fault.Internal, "read the hub's authority", err)
	}
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, fault.New(fault.Internal, "read the hub's authority", err)
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok || !ec.PublicKey.Equal(c.PublicKey) {
		return nil, fault.Msg(fault.Internal, "read the hub's authority", "its key is not that of its certificate")
	}
	return &Authority{c, ec}, nil
}

// Bytes is what Load opens again.
func (a *Authority) Bytes() (cert, key []byte, err error) {
	key, err = x509.MarshalPKCS8PrivateKey(a.key)
	return a.cert.Raw, key, fault.New(fault.Internal, "keep the hub's authority", err)
}

// SignDesired signs a word to a PC (package shared/desired). Its prefix is no certificate's: the authority signs nothing else with this.
func (a *Authority) SignDesired(body []byte) ([]byte, error) {
	digest := desired.Digest(body)
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	return sig, fault.New(fault.Internal, "sign the desired state", err)
}

// PEM is the authority's certificate, for those who check its signatures.
func (a *Authority) PEM() string { return PEM(a.cert.Raw) }

// Pool holds the authority's certificate alone.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// PEM writes a certificate as text.
func PEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Request is a checked request: whoever made it has the key.
type Request struct {
	Key KeyID
	csr *x509.CertificateRequest
}

// ReadRequest checks a PKCS #10 request. Nothing is taken from it but its key: names are the hub's to give. Code invalid.
func ReadRequest(der []byte) (Request, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err == nil {
		if k, ok := csr.PublicKey.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
			err = errors.New("its key is not an ECDSA key on P-256")
		}
	}
	if err != nil {
		return Request{}, fault.New(fault.Invalid, "read the certificate request", err)
	}
	return Request{Key: sha256.Sum256(csr.RawSubjectPublicKeyInfo), csr: csr}, nil
}

// Issue signs a PC's certificate for a device. It says who the PC is and that it is a client: no store can speak as a hub with it.
func (a *Authority) Issue(r Request, d retail.DeviceID, now time.Time, life time.Duration) (Certificate, error) {
	if r.csr == nil || !d.Valid() || life <= 0 {
		return Certificate{}, fault.Msg(fault.Internal, "issue a certificate", "no checked request, device or life")
	}
	n := serial()
	t := &x509.Certificate{SerialNumber: n, Subject: pkix.Name{CommonName: string(d)}, NotBefore: now.Add(-enrol.Backdate), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, r.csr.PublicKey, a.key)
	if err != nil {
		return Certificate{}, fault.New(fault.Internal, "issue a certificate", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, fault.New(fault.Internal, "issue a certificate", err)
	}
	return certificate(c), nil
}

// Verify checks a certificate that a PC showed; its signature on the connection is TLS's work. One that ran out not longer than grace ago
// passes. Code invalid: it is not of this authority, not a PC's, or too old.
func (a *Authority) Verify(shown []*x509.Certificate, now time.Time, grace time.Duration) (Certificate, error) {
	if len(shown) == 0 {
		return Certificate{}, fault.Msg(fault.Invalid, "check the certificate", "none was shown")
	}
	c := shown[0]
	at := now
	if now.After(c.NotAfter) && !now.After(c.NotAfter.Add(grace)) {
		at = c.NotAfter
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: a.Pool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return Certificate{}, fault.New(fault.Invalid, "check the certificate", err)
	}
	out := certificate(c)
	if c.IsCA || !out.Device.Valid() {
		return Certificate{}, fault.Msg(fault.Invalid, "check the certificate", "it is not a store's")
	}
	return out, nil
}

func certificate(c *x509.Certificate) Certificate {
	return Certificate{Serial: hex.EncodeToString(c.SerialNumber.Bytes()), Device: retail.DeviceID(c.Subject.CommonName), Key: sha256.Sum256(c.RawSubjectPublicKeyInfo), DER: c.Raw,
		Begins: c.NotBefore.UTC(), Ends: c.NotAfter.UTC()}
}

// serial is 128 random bits, never negative.
func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[0] = b[0]&0x7f | 0x40 // the same length always
	return new(big.Int).SetBytes(b[:])
}

// server makes the certificate that the hub shows; its key is in memory only.
func (a *Authority) server(now time.Time) (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fault.New(fault.Internal, "make the hub's certificate", err)
	}
	t := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: enrol.ServerName}, DNSNames: []string{enrol.ServerName}, NotBefore: now.Add(-enrol.Backdate), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	return key, der, fault.New(fault.Internal, "make the hub's certificate", err)
}

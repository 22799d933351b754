package authority

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Ended is a certificate that gives no right any more, although its date has not come.
type Ended struct {
	Serial string // hex
	At     time.Time
	Held   bool // it may come back: its device is disabled
}

// listLife is how long a list may be used. A broker that finds it too old lets nobody in, so it outlives any hub that is away; a hub that
// runs writes it anew every day.
const listLife = 365 * 24 * time.Hour

// reasonHold is RFC 5280's certificateHold.
const reasonHold = 6

// Revoked lists what ended, as a PEM file that brokers read.
func (a *Authority) Revoked(ended []Ended, now time.Time) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(now.UnixNano()), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(listLife)}
	for _, e := range ended {
		n, err := hex.DecodeString(e.Serial)
		if err != nil || len(n) == 0 {
			return nil, fault.Msg(fault.Internal, "list revoked certificates", "the serial number "+e.Serial+" is none")
		}
		x := x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(n), RevocationTime: e.At}
		if e.Held {
			x.ReasonCode = reasonHold
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		return nil, fault.New(fault.Internal, "list revoked certificates", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), nil
}

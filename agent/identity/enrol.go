package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"os"
	"time"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/proxy"
	"github.com/tillpost/tillpost/shared/retail"
)

// askIn bounds one question to the hub, with everything.
const askIn = 40 * time.Second

// Options say how to enrol.
type Options struct {
	Hub  string // as a person writes it
	Code string // as a person writes it
	Have retail.DeviceID
	// HaveHub is the hub that the tickets on this PC belong to, "" = none.
	HaveHub envelope.HubID
	// Proxy is on the way to the hub, and remembered; "" = what the store has.
	Proxy string
}

// Enrol redeems a one-time code and writes the PC's identity. It may be killed anywhere and called again with the same code: the key that it
// asks with stands on the disk before the hub hears of it, so that an answer that was lost is given again. The same code after it worked
// changes nothing; again is then true. Codes: invalid (mistyped), unavailable (the hub cannot be reached), not_found and conflict (the hub
// refuses), conflict also when another machine than the code's hub answers.
func (s Store) Enrol(ctx context.Context, o Options) (id Identity, again bool, err error) {
	code, err := enrol.ParseCode(o.Code)
	if err != nil {
		return id, false, err
	}
	hub, err := enrol.HubURL(o.Hub)
	if err != nil {
		return id, false, err
	}
	if err := proxy.Check(o.Proxy); err != nil {
		return id, false, err
	}
	if o.Proxy != "" {
		s.Proxy.Address = o.Proxy
	}
	secret := code.Key()
	err = s.locked(ctx, func() error {
		have, err := s.Read()
		if err == nil && have.CodeSum == codeSum(secret) {
			if _, err := s.pair(have); err == nil { // else the key is gone: the code may still help
				id, again = have, true
				if o.Proxy != "" && o.Proxy != id.Proxy {
					if id.Proxy = o.Proxy; s.write(id) != nil {
						return fault.Msg(fault.Internal, "enrol", "the proxy's address cannot be written to "+s.Dir)
					}
				}
				return s.dropPending(id)
			}
		}
		if err == nil {
			o.Have, o.HaveHub = have.Device, have.Hub
		}
		key, err := s.nextKey(have.Key)
		if err != nil {
			return err
		}
		failpoint.Hit("enrol.key")
		ask := enrol.Ask{Have: o.Have, Hub: o.HaveHub}
		ask.Host, _ = os.Hostname()
		grant, err := s.redeem(ctx, hub, code, secret, key, ask)
		if err != nil {
			return err
		}
		failpoint.Hit("enrol.write")
		if id, err = s.accept(grant, hub, key, Identity{CodeSum: codeSum(secret), Proxy: s.Proxy.Address}); err != nil {
			return err
		}
		failpoint.Hit("enrol.written")
		return s.dropPending(id)
	})
	return id, again, err
}

// redeem asks the hub on one connection of its own. The hub's certificate proves nothing yet; that the hub knows the code does, and the proof
// fits this connection alone.
func (s Store) redeem(ctx context.Context, hub *url.URL, code enrol.Code, secret []byte, key *ecdsa.PrivateKey, ask enrol.Ask) (g enrol.Grant, err error) {
	ctx, cancel := context.WithTimeout(ctx, askIn)
	defer cancel()
	if ask.CSR, err = request(key); err != nil {
		return g, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: enrol.ServerName, InsecureSkipVerify: true} //nolint:gosec // the hub's proof is checked below
	c, err := s.dial(ctx, hub, conf)
	if err != nil {
		return g, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	state := c.ConnectionState()
	channel, err := enrol.Channel(&state)
	if err != nil {
		return g, err
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return g, fault.New(fault.Internal, "enrol", err)
	}
	var a enrol.Answer
	if err := post(ctx, c, hub, enrol.PathEnrol, enrol.Redeem{Code: code.ID(), Ask: body, Proof: enrol.AgentProof(secret, channel, body)}, &a); err != nil {
		return g, err
	}
	failpoint.Hit("enrol.answer")
	if !hmac.Equal(a.Proof, enrol.HubProof(secret, channel, a.Grant)) {
		return g, fault.Msg(fault.Conflict, "enrol", "the machine that answers at "+hub.Host+" is not the hub that made this code: it does not know the code. Nothing of it was believed or written. "+
			"Check the address; if it is right, something between this PC and the hub reads the line (a proxy, an antivirus that opens encrypted lines) or plays the hub: tell head office's IT")
	}
	if err := json.Unmarshal(a.Grant, &g); err != nil {
		return g, fault.New(fault.Invalid, "enrol: read the hub's answer; is it of this agent's version?", err)
	}
	roots, err := pool(g.CA)
	if err == nil {
		err = signedBy(roots, enrol.ServerName, state.PeerCertificates)
	}
	return g, fault.New(fault.Conflict, "enrol", err)
}

// accept checks a grant and makes it the PC's identity; what id holds already stays: a root of releases is none of a renewal's.
func (s Store) accept(g enrol.Grant, hub *url.URL, key *ecdsa.PrivateKey, id Identity) (Identity, error) {
	broker, err := g.BrokerURL(hub)
	if err != nil {
		return id, err
	}
	c, err := leaf(g.Cert)
	if err != nil {
		return id, fault.New(fault.Invalid, "read the certificate that the hub made", err)
	}
	roots, err := pool(g.CA)
	if err != nil {
		return id, err
	}
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: c.NotAfter, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return id, fault.New(fault.Invalid, "check the certificate that the hub made", err)
	}
	if !key.PublicKey.Equal(c.PublicKey) || c.Subject.CommonName != string(g.Device) || !g.Device.Valid() || g.Hub == "" {
		return id, fault.Msg(fault.Invalid, "check the certificate that the hub made", "it is not this PC's")
	}
	sealed, err := s.sealKey(key)
	if err != nil {
		return id, err
	}
	id.Device, id.Hub, id.Locations, id.HubURL, id.Broker, id.ServerName = g.Device, g.Hub, g.Locations, hub.String(), broker, g.ServerName
	id.CA, id.BrokerCA, id.Cert, id.Key, id.Recovery, id.Enrolled = g.CA, g.BrokerCA, g.Cert, sealed, g.Recovery, time.Now().UTC().Truncate(time.Second)
	if id.ReleaseRoot == "" {
		id.ReleaseRoot = g.ReleaseRoot
	}
	return id, s.write(id)
}

func request(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	return der, fault.New(fault.Internal, "ask for a certificate", err)
}

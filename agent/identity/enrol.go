package identity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
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
	secret := code.Key()
	err = s.locked(func() error {
		have, err := s.Read()
		if err == nil && have.CodeSum == codeSum(secret) {
			if _, err := s.pair(have); err == nil { // else the key is gone: the code may still help
				id, again = have, true
				return s.dropPending(have)
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
		grant, err := redeem(ctx, hub, code, secret, key, ask)
		if err != nil {
			return err
		}
		failpoint.Hit("enrol.write")
		if id, err = s.accept(grant, hub, key, Identity{CodeSum: codeSum(secret)}); err != nil {
			return err
		}
		failpoint.Hit("enrol.written")
		return s.dropPending(id)
	})
	return id, again, err
}

// locked lets one process at a time change the identity: a command and the service wait for each other, whose work ends within askIn.
func (s Store) locked(f func() error) error {
	l, err := lock.Take(s.Dir, lockName)
	for end := time.Now().Add(askIn + 5*time.Second); fault.Is(err, fault.Conflict) && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		l, err = lock.Take(s.Dir, lockName)
	}
	if err != nil {
		return err
	}
	err = keystore.HandOver(filepath.Join(s.Dir, lockName+".lock"))
	if err == nil {
		err = f()
	}
	return errors.Join(err, l.Release())
}

// redeem asks the hub on one connection of its own. The hub's certificate proves nothing yet; that the hub knows the code does, and the proof
// fits this connection alone.
func redeem(ctx context.Context, hub *url.URL, code enrol.Code, secret []byte, key *ecdsa.PrivateKey, ask enrol.Ask) (g enrol.Grant, err error) {
	ctx, cancel := context.WithTimeout(ctx, askIn)
	defer cancel()
	if ask.CSR, err = request(key); err != nil {
		return g, err
	}
	d := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS13, ServerName: enrol.ServerName, InsecureSkipVerify: true}} //nolint:gosec // the hub's proof is checked below
	c, err := d.DialContext(ctx, "tcp", hub.Host)
	if err != nil {
		return g, unreachable(hub, err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	state := c.(*tls.Conn).ConnectionState()
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

// accept checks a grant and makes it the PC's identity.
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
	return id, s.write(id)
}

func request(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	return der, fault.New(fault.Internal, "ask for a certificate", err)
}

// nextKey is the key that is asked with: the one that stands on the disk from an attempt before, or a new one, written before anybody hears
// of it. current is the sealed key in use, which is never asked with again.
func (s Store) nextKey(current string) (*ecdsa.PrivateKey, error) {
	sealed, err := s.readPending()
	if err != nil {
		return nil, err
	}
	if sealed != "" {
		key, err := s.privateKey(sealed)
		if err == nil {
			if now, err := s.privateKey(current); err != nil || !now.Equal(key) {
				return key, nil
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Internal, "make this PC's key", err)
	}
	if sealed, err = s.sealKey(key); err != nil {
		return nil, err
	}
	return key, fault.New(fault.Internal, "write this PC's key", keystore.Replace(filepath.Join(s.Dir, pending), []byte(sealed+"\n")))
}

func (s Store) readPending() (string, error) {
	b, err := os.ReadFile(filepath.Join(s.Dir, pending))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(b)), fault.New(fault.Internal, "read this PC's key", err)
}

// dropPending removes the key that was asked with once it is the PC's.
func (s Store) dropPending(id Identity) error {
	sealed, err := s.readPending()
	if err != nil || sealed == "" {
		return err
	}
	next, err := s.privateKey(sealed)
	now, err2 := s.privateKey(id.Key)
	if err == nil && err2 == nil && !next.Equal(now) {
		return nil // it is of an attempt that still runs
	}
	return fault.New(fault.Internal, "remove the key that was asked with", keystore.Remove(filepath.Join(s.Dir, pending)))
}

// post asks on a connection and reads the answer.
func post(ctx context.Context, c net.Conn, hub *url.URL, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fault.New(fault.Internal, "ask the hub", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hub.String()+path, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Internal, "ask the hub", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	if err := req.Write(c); err != nil {
		return unreachable(hub, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err != nil {
		return unreachable(hub, err)
	}
	defer resp.Body.Close()
	return read(resp, hub, answer)
}

func read(resp *http.Response, hub *url.URL, answer any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, enrol.MaxBody))
	if err != nil {
		return unreachable(hub, err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, answer); err != nil {
			return fault.New(fault.Invalid, "read the answer of "+hub.Host+"; is it a Tillpost hub of this agent's version?", err)
		}
		return nil
	}
	var r enrol.Refusal
	if err := json.Unmarshal(body, &r); err != nil || r.Error == "" {
		return fault.Msg(fault.Unavailable, "ask "+hub.Host, fmt.Sprintf("it answers %s and is no Tillpost hub, or one behind a proxy; check the address and the port (%s)", resp.Status, enrol.DefaultPort))
	}
	switch r.Code {
	case fault.Invalid, fault.Conflict, fault.NotFound, fault.Unavailable:
	default:
		r.Code = fault.Unavailable
	}
	return fault.Msg(r.Code, "the hub at "+hub.Host+" says", printable(r.Error))
}

func unreachable(hub *url.URL, err error) error {
	return fault.New(fault.Unavailable, "cannot reach the hub at "+hub.Host+": check its address, this PC's internet connection and firewall, then do the same again; a code is still good", err)
}

// printable is a stranger's text, short and on one line: until the hub has proven itself, anybody may have written it.
func printable(s string) string {
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x9b {
			return ' '
		}
		return r
	}, s)
	if r := []rune(out); len(r) > 500 {
		out = string(r[:500]) + "…"
	}
	return out
}

package enrol_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/store"
	wire "github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
)

// TestACodeThatWasStolenOpensNothingTwice: the second PC is refused and head office is told, whichever of the two is the thief.
func TestACodeThatWasStolenOpensNothingTwice(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	id := c.mustEnrol(t, pc(t), code)
	thief := pc(t)
	if _, err := c.enrol(t.Context(), thief, code); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "another PC has used this code") {
		t.Errorf("the second PC: %v", err)
	}
	if _, err := thief.Read(); !fault.Is(err, fault.NotFound) {
		t.Errorf("the second PC has an identity: %v", err)
	}
	if !c.hasCase(t, cases.CodeStolen, "pc-1") {
		t.Error("nobody was told")
	}
	if err := c.admit(t, id); err != nil {
		t.Errorf("the first PC lost its right: %v", err)
	}
}

// TestOnlyOneOfManyThatAskAtOnce with different keys gets a certificate.
func TestOnlyOneOfManyThatAskAtOnce(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	var wg sync.WaitGroup
	var mu sync.Mutex
	in := 0
	for range 6 {
		p := pc(t)
		wg.Go(func() {
			if _, err := c.enrol(context.WithoutCancel(t.Context()), p, code); err == nil {
				mu.Lock()
				in++
				mu.Unlock()
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := c.store.Certificates(t.Context(), "pc-1")
	if err != nil || in != 1 || len(list) != 1 {
		t.Errorf("%d PCs were enrolled, %d certificates made, %v", in, len(list), err)
	}
}

// TestGuessing: a wrong secret is told from an unknown number by nobody, ten wrong tries end a code, and an address that guesses must wait.
func TestGuessing(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	guess := func() (err error) {
		for {
			other := wire.NewCode()
			if x := wire.Code(code.ID() + string(other[4:])); validCode(x) {
				_, err = c.enrol(t.Context(), pc(t), x)
				return err
			}
		}
	}
	said := guess()
	_, unknown := c.enrol(t.Context(), pc(t), wire.NewCode())
	if !fault.Is(said, fault.NotFound) || unknown == nil || said.Error() != unknown.Error() {
		t.Errorf("a wrong secret: %v; an unknown number: %v", said, unknown)
	}
	var last error
	tries := 2
	for ; tries < 8 && !fault.Is(last, fault.Unavailable); tries++ {
		last = guess()
	}
	if !fault.Is(last, fault.Unavailable) || !strings.Contains(last.Error(), "too many wrong codes") {
		t.Errorf("after %d tries: %v", tries, last)
	}
	if _, err := c.enrol(t.Context(), pc(t), code); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an address that guesses is answered: %v", err)
	}
	for range 10 { // from other addresses
		if err := c.store.CodeWrong(t.Context(), code.ID(), "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.store.CodeKey(t.Context(), code.ID()); !fault.Is(err, fault.NotFound) {
		t.Errorf("the code is good after so many tries: %v", err)
	}
	if !c.hasCase(t, cases.CodeGuessed, "pc-1") {
		t.Error("nobody was told")
	}
}

func validCode(c wire.Code) bool { _, err := wire.ParseCode(string(c)); return err == nil }

// TestACodeRunsOut and one that was made anew ends the one before.
func TestACodeRunsOut(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	old := c.code(t, "pc-1", false)
	code := c.code(t, "pc-1", false)
	if _, err := c.enrol(t.Context(), pc(t), old); !fault.Is(err, fault.NotFound) {
		t.Errorf("the older code: %v", err)
	}
	c.ahead.Store(int64(2 * time.Hour))
	if _, err := c.enrol(t.Context(), pc(t), code); !fault.Is(err, fault.NotFound) {
		t.Errorf("a code that ran out: %v", err)
	}
}

// impostor answers at an address as a hub would, with an authority of its own.
func impostor(t *testing.T, h http.HandlerFunc) (string, *authority.Authority) {
	t.Helper()
	ca, err := authority.New("hub-evil", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secure := ca.Listener(nil, time.Now)
	secure.ClientAuth, secure.ClientCAs = tls.RequestClientCert, nil
	return serve(t, secure, h), ca
}

// TestAHubThatDoesNotKnowTheCode is believed nothing: neither its authority nor its broker.
func TestAHubThatDoesNotKnowTheCode(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	var ca *authority.Authority
	var url string
	var seen []byte
	url, ca = impostor(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, body...)
		var q wire.Redeem
		var ask wire.Ask
		if json.Unmarshal(body, &q) != nil || json.Unmarshal(q.Ask, &ask) != nil {
			t.Error("the question cannot be read")
		}
		req, err := authority.ReadRequest(ask.CSR)
		if err != nil {
			t.Error(err)
		}
		cert, err := ca.Issue(req, "pc-1", time.Now(), time.Hour)
		if err != nil {
			t.Error(err)
		}
		grant, _ := json.Marshal(wire.Grant{Hub: "hub-evil", Device: "pc-1", Broker: "mqtts://:1", ServerName: wire.ServerName, CA: ca.PEM(), Cert: authority.PEM(cert.DER)})
		_ = json.NewEncoder(w).Encode(wire.Answer{Grant: grant, Proof: q.Proof}) // the PC's own proof thrown back
	})
	p := pc(t)
	_, _, err := p.Enrol(t.Context(), identity.Options{Hub: url, Code: string(code)})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "does not know the code") {
		t.Errorf("got %v", err)
	}
	if _, err := p.Read(); !fault.Is(err, fault.NotFound) {
		t.Errorf("an identity was written: %v", err)
	}
	if bytes.Contains(seen, []byte(code[5:])) || bytes.Contains(seen, code.Key()) {
		t.Error("the impostor learnt the code")
	}
	if _, err := c.enrol(t.Context(), p, code); err != nil {
		t.Errorf("the code is not good any more: %v", err)
	}
}

// TestSomebodyBetween who carries everything over to the real hub gets nothing out of it: a proof fits one connection.
func TestSomebodyBetween(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	through := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}} //nolint:gosec // the attacker's
	url, _ := impostor(t, func(w http.ResponseWriter, r *http.Request) {
		resp, err := through.Post(c.url+r.URL.Path, "application/json", r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
	p := pc(t)
	if _, _, err := p.Enrol(t.Context(), identity.Options{Hub: url, Code: string(code)}); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	if list, err := c.store.Certificates(t.Context(), "pc-1"); err != nil || len(list) != 0 {
		t.Errorf("%d certificates were made, %v", len(list), err)
	}
	if _, err := c.enrol(t.Context(), p, code); err != nil {
		t.Errorf("the code is not good any more: %v", err)
	}
}

// TestARenewalGoesToThePCsOwnHub and to no other machine, whatever that one shows.
func TestARenewalGoesToThePCsOwnHub(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	p := pc(t)
	id := c.mustEnrol(t, p, c.code(t, "pc-1", false))
	asked := false
	evil, _ := impostor(t, func(http.ResponseWriter, *http.Request) { asked = true })
	rewrite(t, p, id.HubURL, evil) // its name server lies
	if _, err := p.Renew(t.Context()); err == nil || asked {
		t.Errorf("another machine was asked (%v): %v", asked, err)
	}
}

// TestNothingIsSpokenInTheClear whatever a person or a hub says.
func TestNothingIsSpokenInTheClear(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	plain := strings.Replace(c.url, "https://", "http://", 1)
	if _, _, err := pc(t).Enrol(t.Context(), identity.Options{Hub: plain, Code: string(code)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("http://: %v", err)
	}
	if c.heard.Load() != 0 {
		t.Error("the hub was asked")
	}
	c.door.Grant.Broker = "mqtt://:1883"
	p := pc(t)
	if _, err := c.enrol(t.Context(), p, code); !fault.Is(err, fault.Invalid) {
		t.Errorf("a broker in the clear: %v", err)
	}
	if _, err := p.Read(); !fault.Is(err, fault.NotFound) {
		t.Errorf("an identity was written: %v", err)
	}
	conf := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12} //nolint:gosec // the attacker's
	if x, err := tls.Dial("tcp", strings.TrimPrefix(c.url, "https://"), conf); err == nil {
		x.Close()
		t.Error("the door speaks TLS 1.2, on which a proof binds less")
	}
}

// TestWhoIsNotEnrolledRenewsNothing: no certificate, another authority's, a revoked one, one that ran out too long ago.
func TestWhoIsNotEnrolledRenewsNothing(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	c.device(t, "pc-2")
	resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}}). //nolint:gosec // the attacker's
																			Post(c.url+wire.PathRenew, "application/json", strings.NewReader(`{"csr":""}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		t.Error("somebody without a certificate got one")
	}
	other := newCentre(t)
	other.device(t, "pc-1")
	stranger := pc(t)
	id := other.mustEnrol(t, stranger, other.code(t, "pc-1", false))
	rewrite(t, stranger, id.HubURL, c.url)
	rewrite(t, stranger, strings.ReplaceAll(id.CA, "\n", `\n`), strings.ReplaceAll(c.ca.PEM(), "\n", `\n`))
	if _, err := stranger.Renew(t.Context()); !fault.Is(err, fault.Invalid) {
		t.Errorf("another hub's PC: %v", err)
	}

	p := pc(t)
	c.mustEnrol(t, p, c.code(t, "pc-1", false))
	c.tx(t, func(tx *store.Tx) error { return tx.Revoke(t.Context(), "pc-1", "test", "stolen") })
	if _, err := p.Renew(t.Context()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("a revoked PC: %v", err)
	}

	late := pc(t)
	c.mustEnrol(t, late, c.code(t, "pc-2", false))
	c.ahead.Store(int64(300 * 24 * time.Hour)) // a season
	if _, err := late.Renew(t.Context()); err != nil {
		t.Errorf("a store that was closed for a season: %v", err)
	}
	c.ahead.Store(int64(900 * 24 * time.Hour))
	if _, err := late.Renew(t.Context()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a PC that was away for more than a year: %v", err)
	}
}

// TestTheCodeStandsNowhere but with the person who got it: not in the database, not in a log, not on the PC, in no format.
func TestTheCodeStandsNowhere(t *testing.T) {
	c := newCentre(t)
	c.device(t, "pc-1")
	code := c.code(t, "pc-1", false)
	p := pc(t)
	c.mustEnrol(t, p, code)
	key := code.Key()
	for _, text := range []string{string(code), code.ForPerson(), string(code[4:]), string(key)} {
		for _, dir := range []string{c.dir, p.Dir} {
			if where := holds(t, dir, text); where != "" {
				t.Errorf("it stands in %s", where)
			}
		}
		if strings.Contains(c.log.String(), text) {
			t.Error("it stands in the log")
		}
	}
	for _, f := range []string{"%s", "%v", "%q", "%#v", "%+v"} {
		if s := fmt.Sprintf(f, code); strings.Contains(s, string(code[5:])) {
			t.Errorf("%s prints %s", f, s)
		}
	}
	id, err := p.Read()
	if err != nil {
		t.Fatal(err)
	}
	if where := holds(t, p.Dir, "PRIVATE KEY"); where != "" || !strings.HasPrefix(id.Key, "sealed:") {
		t.Errorf("the PC's key stands in plain text in %s", where)
	}
}

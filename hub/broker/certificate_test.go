package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
)

// register admits every certificate whose serial was not ended.
type register struct {
	mu    sync.Mutex
	ended map[string]bool
}

func (r *register) Admit(_ context.Context, c authority.Certificate) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended[c.Serial] {
		return fault.Msg(fault.Conflict, "certificate", "revoked")
	}
	return nil
}

func (r *register) end(serial string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended[serial] = true
}

// secured is a broker that asks for certificates, with one device "p" that still has a password.
func secured(t *testing.T, a *authority.Authority, r *register) *broker.Broker {
	t.Helper()
	return start(t, broker.Options{TLS: a.Listener(nil, time.Now), Authority: a, Certificates: r, Passwords: devices{"p": "pp"}, Matches: matches})
}

func newAuthority(t *testing.T) *authority.Authority {
	t.Helper()
	a, err := authority.New("hub-1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pc is a store's PC with its key.
func pc(t *testing.T, a *authority.Authority, d retail.DeviceID, at time.Time, life time.Duration) (tls.Certificate, authority.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	req, err := authority.ReadRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Issue(req, d, at, life)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{c.DER}, PrivateKey: key}, c
}

// dial connects as user, with a certificate when there is one.
func dial(t *testing.T, b *broker.Broker, a *authority.Authority, user, password string, shown ...tls.Certificate) (mqtt.Client, error) {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID(user + "-" + rand.Text()).SetUsername(user).SetPassword(password).SetProtocolVersion(4).
		SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).SetTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Pool(), ServerName: enrol.ServerName, Certificates: shown})
	c := mqtt.NewClient(o)
	tok := c.Connect()
	if !tok.WaitTimeout(10 * time.Second) {
		t.Fatal("no answer to CONNECT")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, tok.Error()
}

// TestCertificatesOpenAndNothingElse is the attack list at the broker's door.
func TestCertificatesOpenAndNothingElse(t *testing.T) {
	a, r := newAuthority(t), &register{ended: map[string]bool{}}
	b := secured(t, a, r)
	good, _ := pc(t, a, "a", time.Now(), time.Hour)
	ended, c := pc(t, a, "a", time.Now(), time.Hour)
	r.end(c.Serial)
	old, _ := pc(t, a, "a", time.Now().Add(-3*time.Hour), time.Hour)
	foreign, _ := pc(t, newAuthority(t), "a", time.Now(), time.Hour)
	for _, x := range []struct {
		name           string
		user, password string
		shown          []tls.Certificate
		in             bool
	}{
		{"its own certificate", "a", "", []tls.Certificate{good}, true},
		{"its own certificate and whatever password", "a", "x", []tls.Certificate{good}, true},
		{"a device that has a password", "p", "pp", nil, true},
		{"store a's certificate as store p", "p", "pp", []tls.Certificate{good}, false},
		{"store a's certificate as the hub", broker.HubUser, "", []tls.Certificate{good}, false},
		{"store a's certificate without a name", "", "", []tls.Certificate{good}, false},
		{"no certificate and no password", "a", "", nil, false},
		{"no certificate and a guessed password", "a", "h:", nil, false},
		{"nobody", "", "", nil, false},
		{"a revoked one", "a", "", []tls.Certificate{ended}, false},
		{"one that ran out", "a", "", []tls.Certificate{old}, false},
		{"one of another authority", "a", "", []tls.Certificate{foreign}, false},
	} {
		if _, err := dial(t, b, a, x.user, x.password, x.shown...); (err == nil) != x.in {
			t.Errorf("%s: %v, want in = %v", x.name, err, x.in)
		}
	}
}

// TestAStoresCertificateIsNoHubs: whoever has one cannot play the hub with it.
func TestAStoresCertificateIsNoHubs(t *testing.T) {
	a := newAuthority(t)
	store, _ := pc(t, a, "a", time.Now(), time.Hour)
	c, err := x509.ParseCertificate(store.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{enrol.ServerName, "a"} {
		if _, err := c.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: name, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
			t.Errorf("a store's certificate passes as the server %s", name)
		}
	}
}

// TestPlainMQTTIsNotSpoken: an agent that is talked into mqtt:// reaches nothing.
func TestPlainMQTTIsNotSpoken(t *testing.T) {
	a := newAuthority(t)
	b := secured(t, a, &register{})
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(strings.Replace(b.URL(), "mqtts://", "mqtt://", 1)).SetUsername("p").SetPassword("pp").SetProtocolVersion(4).
		SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
	tok := c.Connect()
	if tok.WaitTimeout(15*time.Second) && tok.Error() == nil {
		t.Error("the broker spoke plain MQTT")
	}
	c.Disconnect(0)
}

// TestEveryTopicByCertificate goes through every topic that there is, as a device with a certificate: what is not its own is neither said nor heard.
func TestEveryTopicByCertificate(t *testing.T) {
	a := newAuthority(t)
	b := secured(t, a, &register{ended: map[string]bool{}})
	own, _ := pc(t, a, "a", time.Now(), time.Hour)
	c, err := dial(t, b, a, "a", "", own)
	if err != nil {
		t.Fatal(err)
	}
	h := hub(t, b)
	heard := make(chan mqtt.Message, 200)
	for _, f := range []string{topic.AllUp, topic.AllHellos, topic.AllBirths} {
		if g := granted(t, h, f, heard); g == 0x80 {
			t.Fatalf("the hub may not hear %s", f)
		}
	}
	mine := make(chan mqtt.Message, 200)
	var say, deny []string
	for _, d := range []retail.DeviceID{"a", "b", "a-2"} {
		for _, s := range append([]envelope.Stream{"other"}, envelope.Streams...) {
			for _, tp := range []string{topic.Up(d, s), topic.Hello(d, s)} {
				if d == "a" && s != "other" {
					say = append(say, tp)
				} else {
					deny = append(deny, tp)
				}
			}
			deny = append(deny, topic.Head(d, s))
		}
		if d == "a" {
			say = append(say, topic.Birth(d))
		} else {
			deny = append(deny, topic.Birth(d))
		}
		deny = append(deny, topic.Poll(d), topic.Desired(d))
	}
	deny = append(deny, topic.Hub(), "tp1", "tp1/up", "tp1/up/a", "tp1/up/a/sales/more", "tp2/up/a/sales", "$MQTT/sub/x", "$SYS/x", "$JS/API/STREAM/LIST", "anything")
	for _, tp := range deny {
		done(t, c.Publish(tp, 1, false, "no"))
	}
	for _, tp := range say {
		done(t, c.Publish(tp, 1, false, "yes"))
		want(t, heard, tp, "yes")
	}
	select {
	case m := <-heard:
		t.Errorf("the hub heard %s = %q", m.Topic(), m.Payload())
	default:
	}
	for _, f := range []string{topic.Heads("a"), topic.Head("a", envelope.Sales), topic.Poll("a"), topic.Desired("a"), topic.Hub()} {
		if g := granted(t, c, f, mine); g == 0x80 {
			t.Errorf("it may not hear %s", f)
		}
	}
	for _, f := range []string{topic.Heads("b"), topic.Head("b", envelope.Sales), topic.Poll("b"), topic.Desired("b"), topic.Desired("+"), topic.AllUp, topic.AllHellos, topic.AllBirths, topic.Up("a", envelope.Sales), topic.Birth("a"),
		"#", "+", "tp1/#", "tp1/+", "tp1/head/#", "tp1/head/+/+", "tp1/head/+/sales", "$SYS/#", "$MQTT/#", "$JS/#"} {
		if g := granted(t, c, f, mine); g != 0x80 {
			t.Errorf("it may hear %s", f)
		}
	}
}

// TestARevokedCertificateLosesItsLine within a second, and others of the device that hold stay.
func TestARevokedCertificateLosesItsLine(t *testing.T) {
	a, r := newAuthority(t), &register{ended: map[string]bool{}}
	b := secured(t, a, r)
	first, c1 := pc(t, a, "a", time.Now(), time.Hour)
	second, c2 := pc(t, a, "a", time.Now(), time.Hour)
	one, err := dial(t, b, a, "a", "", first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := dial(t, b, a, "a", "", second)
	if err != nil {
		t.Fatal(err)
	}
	r.end(c1.Serial)
	sum := sha256.Sum256(c2.DER)
	if err := b.Drop("a", hex.EncodeToString(sum[:])); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Second); one.IsConnectionOpen(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the revoked one is still connected after a second")
		}
	}
	if !two.IsConnectionOpen() {
		t.Error("the one that holds was cut off too")
	}
	if _, err := dial(t, b, a, "a", "", first); err == nil {
		t.Error("the revoked one came in again")
	}
}

// TestOwnLineBesideAnothersCertificate: the hub's own link pins what it is shown, and devices with passwords see the configured certificate.
func TestOwnLineBesideAnothersCertificate(t *testing.T) {
	a, other := newAuthority(t), certificate(t)
	b := start(t, broker.Options{TLS: a.Listener(&other, time.Now), Authority: a, Certificates: &register{}, Passwords: devices{"p": "pp"}, Matches: matches})
	hub(t, b)
	c, err := tls.Dial("tcp", strings.TrimPrefix(b.URL(), "mqtts://"), &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "hub.example", InsecureSkipVerify: true}) //nolint:gosec // it looks at what it is shown
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0].DNSNames; len(got) != 1 || got[0] != "hub.example" {
		t.Errorf("a PC that asks for hub.example is shown %v", got)
	}
}

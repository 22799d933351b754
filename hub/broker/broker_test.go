package broker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/hub/broker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// devices is a table of passwords; the hash of one is the word itself behind "h:".
type devices map[retail.DeviceID]string

func (d devices) Password(_ context.Context, id retail.DeviceID) (string, error) {
	if p, ok := d[id]; ok {
		return "h:" + p, nil
	}
	return "", fault.Msg(fault.NotFound, "read device", "unknown")
}

func matches(hash, password string) bool { return hash == "h:"+password }

func start(t *testing.T, o broker.Options) *broker.Broker {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Passwords == nil {
		o.Passwords, o.Matches = devices{"a": "pa", "b": "pb"}, matches
	}
	o.Dir = t.TempDir()
	b, err := broker.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func connect(t *testing.T, b *broker.Broker, user, password string) (mqtt.Client, error) {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(b.URL()).SetClientID(user + "-" + rand.Text()).SetUsername(user).SetPassword(password).SetProtocolVersion(4).
		SetAutoReconnect(false).SetConnectTimeout(10 * time.Second)
	if _, _, secure := b.Own(); secure != nil {
		o.SetTLSConfig(secure)
	}
	c := mqtt.NewClient(o)
	tok := c.Connect()
	if !tok.WaitTimeout(10 * time.Second) {
		t.Fatal("no answer to CONNECT")
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, tok.Error()
}

func hub(t *testing.T, b *broker.Broker) mqtt.Client {
	t.Helper()
	user, password, _ := b.Own()
	c, err := connect(t, b, user, password)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func done(t *testing.T, tok mqtt.Token) {
	t.Helper()
	if !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
		t.Fatalf("token: %v", tok.Error())
	}
}

// granted subscribes and tells what the broker granted.
func granted(t *testing.T, c mqtt.Client, filter string, got chan<- mqtt.Message) byte {
	t.Helper()
	tok := c.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) { got <- m })
	tok.WaitTimeout(10 * time.Second)
	return tok.(*mqtt.SubscribeToken).Result()[filter]
}

func TestWhoComesIn(t *testing.T) {
	b := start(t, broker.Options{})
	for _, c := range []struct {
		user, password string
		in             bool
	}{{"a", "pa", true}, {"a", "pb", false}, {"a", "", false}, {"c", "pc", false}, {"", "", false}, {"$hub", "", false}, {"a.b", "x", false}, {"a", "pa", true}} {
		_, err := connect(t, b, c.user, c.password)
		if (err == nil) != c.in {
			t.Errorf("%q with %q: %v, want in = %v", c.user, c.password, err, c.in)
		}
	}
}

func TestADeviceHasItsOwnTopicsOnly(t *testing.T) {
	b := start(t, broker.Options{})
	h := hub(t, b)
	heard := make(chan mqtt.Message, 100)
	for _, f := range []string{"tp1/up/+/+", "tp1/hello/+/+", "tp1/birth/+", "tp1/hub"} {
		if g := granted(t, h, f, heard); g == 0x80 {
			t.Errorf("the hub may not hear %s", f)
		}
	}
	a, err := connect(t, b, "a", "pa")
	if err != nil {
		t.Fatal(err)
	}
	other, err := connect(t, b, "a", "pa") // paho delivers to every handler it has, granted or not
	if err != nil {
		t.Fatal(err)
	}
	mine := make(chan mqtt.Message, 100)
	for filter, ok := range map[string]bool{"tp1/head/a/+": true, "tp1/hub": true, "tp1/head/b/+": false, "tp1/head/+/+": false, "tp1/up/+/+": false, "tp1/birth/+": false, "#": false, "tp1/#": false, "+/hub": false, "$SYS/#": false} {
		c := a
		if !ok {
			c = other
		}
		if g := granted(t, c, filter, mine); (g != 0x80) != ok {
			t.Errorf("subscribe %s: %#x, want granted = %v", filter, g, ok)
		}
	}
	// Without rights a publish is confirmed and thrown away; only what is allowed arrives.
	for _, topic := range []string{"tp1/up/b/sales", "tp1/hello/b/sales", "tp1/birth/b", "tp1/head/a/sales", "tp1/head/b/sales", "tp1/hub", "tp1/up/a/other", "other"} {
		done(t, a.Publish(topic, 1, false, "no"))
	}
	done(t, a.Publish("tp1/up/a/sales", 1, false, "yes"))
	want(t, heard, "tp1/up/a/sales", "yes") // between two clients there is no order
	done(t, h.Publish("tp1/head/a/sales", 0, false, "head"))
	done(t, h.Publish("tp1/hub", 1, true, "here"))
	want(t, mine, "tp1/head/a/sales", "head")
	want(t, mine, "tp1/hub", "here")
	want(t, heard, "tp1/hub", "here")
	select {
	case m := <-heard:
		t.Errorf("the hub heard %s = %q too", m.Topic(), m.Payload())
	case m := <-mine:
		t.Errorf("the device heard %s = %q too", m.Topic(), m.Payload())
	default:
	}
}

func want(t *testing.T, from <-chan mqtt.Message, topic, payload string) {
	t.Helper()
	select {
	case m := <-from:
		if m.Topic() != topic || string(m.Payload()) != payload {
			t.Errorf("got %s = %q, want %s = %q", m.Topic(), m.Payload(), topic, payload)
		}
	case <-time.After(10 * time.Second):
		t.Errorf("%s never came", topic)
	}
}

func TestWhatWouldExposeSalesIsRefused(t *testing.T) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate(t)}}
	old := secure.Clone()
	old.MinVersion = tls.VersionTLS11
	for _, c := range []struct {
		name string
		o    broker.Options
		says string
	}{
		{"no TLS", broker.Options{Listen: "0.0.0.0:0", Passwords: devices{}, Matches: matches}, "certificate"},
		{"every address", broker.Options{Listen: ":0", Passwords: devices{}, Matches: matches}, "certificate"},
		{"no passwords", broker.Options{Listen: "0.0.0.0:0", TLS: secure}, "password"},
		{"old TLS", broker.Options{Listen: "0.0.0.0:0", TLS: old, Passwords: devices{}, Matches: matches}, "1.2"},
		{"old TLS on loopback", broker.Options{Listen: "127.0.0.1:0", TLS: old, Passwords: devices{}, Matches: matches}, "1.2"},
		{"no address", broker.Options{Listen: "nonsense"}, "address"},
	} {
		c.o.Dir = t.TempDir()
		b, err := broker.Start(t.Context(), c.o)
		if err == nil {
			b.Close()
		}
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a refusal that says %q", c.name, err, c.says)
		}
	}
}

func TestTLSAndTheHubsOwnLine(t *testing.T) {
	b := start(t, broker.Options{Listen: "0.0.0.0:0", TLS: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate(t)}}})
	if !strings.HasPrefix(b.URL(), "mqtts://127.0.0.1:") {
		t.Errorf("URL %s", b.URL())
	}
	hub(t, b)
	addr := strings.TrimPrefix(b.URL(), "mqtts://")
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}) //nolint:gosec // the point of the test
	if err == nil {
		c.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

func TestTakenAddressIsSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := broker.Start(t.Context(), broker.Options{Listen: l.Addr().String(), Dir: t.TempDir()}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestDropEndsConnections(t *testing.T) {
	b := start(t, broker.Options{})
	c, err := connect(t, b, "a", "pa")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Drop("a"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); c.IsConnectionOpen(); {
		if time.Now().After(end) {
			t.Fatal("still connected")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestAPasswordIsComparedOnceAndGuessesChangeNothing(t *testing.T) {
	var slow atomic.Int64
	table := devices{"a": "pa"}
	b := start(t, broker.Options{Passwords: table, Matches: func(h, p string) bool { slow.Add(1); return matches(h, p) }})
	for _, p := range []string{"pa", "pa", "guess", "pa"} {
		if _, err := connect(t, b, "a", p); (err == nil) != (p == "pa") {
			t.Errorf("%s: %v", p, err)
		}
	}
	if n := slow.Load(); n != 2 {
		t.Errorf("compared %d times, want 2", n)
	}
	table["a"] = "new"
	if _, err := connect(t, b, "a", "pa"); err == nil {
		t.Error("the old password still opens")
	}
	if _, err := connect(t, b, "a", "new"); err != nil {
		t.Error(err)
	}
}

func TestAPasswordThatTheHubMade(t *testing.T) {
	password, hash := broker.NewPassword()
	other, _ := broker.NewPassword()
	b := start(t, broker.Options{Passwords: kept{hash}, Matches: func(string, string) bool { t.Error("the slow comparison was asked"); return true }})
	if _, err := connect(t, b, "a", password); err != nil {
		t.Error(err)
	}
	for _, wrong := range []string{other, "", hash} {
		if _, err := connect(t, b, "a", wrong); err == nil {
			t.Errorf("%q opens", wrong)
		}
	}
}

type kept struct{ hash string }

func (k kept) Password(context.Context, retail.DeviceID) (string, error) { return k.hash, nil }

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub.example"}, DNSNames: []string{"hub.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

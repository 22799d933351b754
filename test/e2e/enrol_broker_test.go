package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/test/port"
)

// TestCertificatesAtABrokerOfOnesOwn: Mosquitto takes devices by the hub's authority and names them by their certificate. A revoked device's
// tickets are not booked although that broker does not know of it, and arrive once when the device is enrolled again.
func TestCertificatesAtABrokerOfOnesOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("builds binaries; left out of short runs")
	}
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed (apt-get install mosquitto)")
	}
	c := uncertified(t)
	c.ownBroker(t, "", "")
	c.startHub(t, "")

	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "one")
	c.arrives(t, "one")
	c.hub(t, "device", "revoke", "pc-s1", "--reason", "stolen")
	<-time.After(1500 * time.Millisecond)
	c.ticket(t, "two")
	<-time.After(2 * time.Second)
	if got := c.ledger(t); !slices.Equal(got, []string{"one"}) {
		t.Errorf("a revoked PC's tickets are booked: %v", got)
	}
	var st struct{ Waiting int }
	out, _, _ := c.agent(t, "", "status", "--json")
	if err := json.Unmarshal([]byte(out), &st); err != nil || st.Waiting == 0 {
		t.Errorf("nothing waits on the PC: %v %s", err, out)
	}
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	c.arrives(t, "one", "two")
}

// TestARevokedDeviceIsRefusedByABrokerOfOnesOwn: the hub keeps a list of what it revoked, at once; when Mosquitto has read it the device does not
// come in any more, another one does, and a new code brings the first one back.
func TestARevokedDeviceIsRefusedByABrokerOfOnesOwn(t *testing.T) {
	if testing.Short() {
		t.Skip("builds binaries; left out of short runs")
	}
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed (apt-get install mosquitto)")
	}
	c := uncertified(t)
	c.ownBroker(t, fmt.Sprintf("crl_file=%q\n", c.at("revoked.crl")), "crlfile "+c.at("revoked.crl")+"\n")
	c.startHub(t, "")
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	if err := c.comesIn(t); err != nil {
		t.Fatalf("an enrolled device is refused: %v", err)
	}
	list := func() int {
		b, err := os.ReadFile(c.at("revoked.crl"))
		if err != nil {
			return -1
		}
		block, _ := pem.Decode(b)
		if block == nil {
			return -1
		}
		l, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return len(l.RevokedCertificateEntries)
	}
	if n := list(); n != 0 {
		t.Fatalf("%d are listed before anything was revoked", n)
	}
	c.hub(t, "device", "revoke", "pc-s1", "--reason", "stolen")
	within(t, 5*time.Second, "the list has the revoked one", func() bool { return list() == 1 })
	reload := func() {
		if err := c.programs["broker"].cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	reload()
	within(t, 10*time.Second, "the broker refuses it", func() bool { return c.comesIn(t) != nil })
	c.mustEnrol(t, c.hub(t, "device", "code", "S1"))
	within(t, 10*time.Second, "a new certificate opens", func() bool { return c.comesIn(t) == nil })
	// Disabled for a while, and enabled again.
	c.hub(t, "device", "disable", "pc-s1")
	within(t, 5*time.Second, "the list has the disabled one", func() bool { return list() == 2 })
	reload()
	within(t, 10*time.Second, "the broker refuses the disabled one", func() bool { return c.comesIn(t) != nil })
	c.hub(t, "device", "set", "pc-s1", "--enable")
	within(t, 5*time.Second, "the list is shorter again", func() bool { return list() == 1 })
	reload()
	within(t, 10*time.Second, "the enabled one comes in", func() bool { return c.comesIn(t) == nil })
}

func within(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// ownBroker starts Mosquitto with an inner door for the hub and an outer one for devices with certificates, and writes the hub's settings; more
// of both are lines to put in.
func (c *certified) ownBroker(t *testing.T, enrol, broker string) {
	t.Helper()
	c.addrs["inside"] = port.Free(t)
	serverCert(t, c.at("broker.pem"), c.at("broker.key"))
	c.conf = c.settings(t, "2160h", fmt.Sprintf("url=\"mqtt://%s\"", c.addrs["inside"]), fmt.Sprintf("broker=\"mqtts://%s\"\nbroker_ca_file=%q\n", c.addrs["broker"], c.at("broker.pem"))+enrol)
	writeFile(t, c.at("ca.pem"), "%s\n", c.hub(t, "device", "ca"))
	if enrol != "" {
		c.hub(t, "device", "crl", "--out", c.at("revoked.crl"))
	}
	writeFile(t, c.at("rights"), "pattern write tp1/up/%%u/+\npattern write tp1/hello/%%u/+\npattern write tp1/birth/%%u\npattern read tp1/head/%%u/+\npattern read tp1/poll/%%u\ntopic read tp1/hub\n")
	_, inside, _ := net.SplitHostPort(c.addrs["inside"])
	_, outside, _ := net.SplitHostPort(c.addrs["broker"])
	conf := fmt.Sprintf("per_listener_settings true\npersistence false\nlistener %s 127.0.0.1\nallow_anonymous true\nlistener %s 127.0.0.1\nallow_anonymous false\ncafile %s\ncertfile %s\nkeyfile %s\n"+
		"require_certificate true\nuse_identity_as_username true\nacl_file %s\n", inside, outside, c.at("ca.pem"), c.at("broker.pem"), c.at("broker.key"), c.at("rights")) + broker
	if me, err := user.Current(); err == nil {
		conf += "user " + me.Username + "\n"
	}
	c.proc(t, "broker", "mosquitto", "-c", writeFile(t, c.at("mosquitto.conf"), "%s", conf))
	c.start(t, c.programs["broker"], "")
}

// comesIn connects to the broker with what this PC was given, as far as its handshake and the broker's word.
func (c *certified) comesIn(t *testing.T) error {
	t.Helper()
	conf, err := identity.Store{Dir: c.at("agentdata")}.Line()
	if err != nil {
		t.Fatal(err)
	}
	o := mqtt.NewClientOptions().AddBroker("mqtts://" + c.addrs["broker"]).SetClientID("look-" + rand.Text()).SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetTLSConfig(conf)
	client := mqtt.NewClient(o)
	defer client.Disconnect(0)
	tok := client.Connect()
	if !tok.WaitTimeout(5 * time.Second) {
		return errors.New("no answer")
	}
	return tok.Error()
}

// serverCert makes a certificate that a broker shows, of an authority that nobody knows.
func serverCert(t *testing.T, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for file, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(filepath.Clean(file), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

package people_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/fake/mail"
	"github.com/tillpost/tillpost/test/port"
)

// showing is a broker of somebody's own, as far as a handshake goes: it shows a certificate that ends in left, which may be changed.
func showing(t *testing.T, left time.Duration) (addr string, renew func(time.Duration)) {
	t.Helper()
	var mu sync.Mutex
	var shown *tls.Certificate
	renew = func(left time.Duration) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "mq"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(left)}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		shown = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	renew(left)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		return shown, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }(c)
		}
	}()
	return l.Addr().String(), renew
}

// TestABrokersCertificateIsSeenBeforeItEnds: the hub looks at what a broker of somebody's own shows, and says it by status, figures, page and
// mail; and once when it was renewed.
func TestABrokersCertificateIsSeenBeforeItEnds(t *testing.T) {
	m, err := mail.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	g := newRig(t)
	at, renew := showing(t, 5*24*time.Hour+time.Hour)
	metrics := port.Free(t)
	g.write(g.hubTOML, fmt.Sprintf("data_dir = %q\n[web]\nlisten = %q\n[broker]\nurl = \"mqtts://%s\"\n[metrics]\nlisten = %q\n[notify]\nbase = \"http://%s\"\n[notify.mail]\nserver = %q\nfrom = 'tillpost@example.com'\nto = ['it@example.com']\n",
		filepath.Join(g.dir, "hub"), g.web, at, metrics, g.web, m.Addr))
	if got := g.hub(1, "status"); !strings.Contains(got, "The certificate of the broker ends in 5 days") {
		t.Errorf("status of a hub that does not run: %s", got)
	}
	g.startHub()
	g.hubIn("correct horse 9\n", 0, "user", "add", "anna")
	until(t, "the figure", func() bool {
		return strings.Contains(fetch(t, "http://"+metrics+"/metrics"), `certificate_days_left{of="broker"} 5`)
	})
	if got := fetch(t, "http://"+metrics+"/metrics"); !strings.Contains(got, `needs{what="certificate:broker"} 2`) {
		t.Errorf("the figures lack the need:\n%s", got)
	}
	if got := g.hub(1, "status"); !strings.Contains(got, "no store gets through") {
		t.Errorf("status: %s", got)
	}
	untilLong(t, "the mail", func() bool { return len(m.Mails()) > 0 })
	if got := m.Mails()[0]; !strings.Contains(strings.ReplaceAll(got, "=\r\n", ""), "The certificate of the broker ends in 5 days") {
		t.Errorf("the mail: %s", got)
	}
	renew(80 * 24 * time.Hour)
	if got := g.hub(0, "status"); strings.Contains(got, "certificate") {
		t.Errorf("status after the renewal: %s", got)
	}
	if n := len(m.Mails()); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url) //nolint:noctx // of a test
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

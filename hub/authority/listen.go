package authority

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/enrol"
)

// renewBefore is how long before its end the hub's own certificate is made anew.
const renewBefore = 30 * 24 * time.Hour

// Listener is the TLS of an address where stores come in. other, when it is not nil, is a certificate of another authority that is shown to
// whoever asks for another name than the hub's own, such as a till's PC that still comes with a password.
func (a *Authority) Listener(other *tls.Certificate, now func() time.Time) *tls.Config {
	m := &minted{authority: a, now: now}
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientCAs: a.Pool(), GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if other != nil && h.ServerName != enrol.ServerName {
			return other, nil
		}
		return m.get()
	}}
}

// minted keeps the hub's own certificate while it is fresh.
type minted struct {
	authority *Authority
	now       func() time.Time

	mu   sync.Mutex
	cert *tls.Certificate
	till time.Time
}

func (m *minted) get() (*tls.Certificate, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if m.cert != nil && now.Before(m.till) {
		return m.cert, nil
	}
	key, der, err := m.authority.server(now)
	if err != nil {
		return nil, err
	}
	m.cert, m.till = &tls.Certificate{Certificate: [][]byte{der, m.authority.cert.Raw}, PrivateKey: key}, now.Add(serverLife-renewBefore)
	return m.cert, nil
}

// Package enrol_test is the whole way to a certificate and back, with the hub's store and door and the agent's identity on real sockets, and
// with those who would like one that is not theirs.
package enrol_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/identity"
	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/enrol"
	"github.com/tillpost/tillpost/hub/store"
	wire "github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/retail"
)

// centre is a hub's door with its database.
type centre struct {
	dir   string
	store *store.Store
	ca    *authority.Authority
	door  *enrol.Server
	url   string
	log   *safeBuffer
	ahead atomic.Int64 // nanoseconds that the hub's clock is ahead
	lose  atomic.Int32 // so many answers are lost after the hub's work
	heard atomic.Int32 // questions
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newCentre(t *testing.T) *centre {
	t.Helper()
	c := &centre{dir: t.TempDir(), log: &safeBuffer{}}
	c.open(t)
	return c
}

func (c *centre) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// open begins the hub's life, or goes on with it.
func (c *centre) open(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	var err error
	if c.store, err = store.Open(ctx, c.dir); err != nil {
		t.Fatal(err)
	}
	c.store.Now = c.now
	if c.ca, err = c.store.Authority(ctx); err != nil {
		t.Fatal(err)
	}
	hub, err := c.store.HubID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.door = &enrol.Server{Authority: c.ca, Book: c.store, Life: 90 * 24 * time.Hour, Grant: wire.Grant{Hub: hub, Broker: "mqtts://:8883", ServerName: wire.ServerName},
		Log: slog.New(slog.NewJSONHandler(c.log, nil)), Now: c.now}
	h := c.door.Handler()
	c.url = serve(t, c.door.TLS(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.heard.Add(1)
		if c.lose.Add(-1) >= 0 {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		h.ServeHTTP(w, r)
	}))
	s := c.store
	t.Cleanup(func() { s.Close() })
}

func serve(t *testing.T, secure *tls.Config, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(tls.NewListener(l, secure)) }()
	t.Cleanup(func() { s.Close() })
	return "https://" + l.Addr().String()
}

// device registers one.
func (c *centre) device(t *testing.T, d retail.DeviceID) {
	t.Helper()
	c.tx(t, func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), d, "", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), d, "S1", time.Unix(0, 0), "test")
	})
}

func (c *centre) tx(t *testing.T, f func(*store.Tx) error) {
	t.Helper()
	if err := c.store.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (c *centre) code(t *testing.T, d retail.DeviceID, replace bool) (code wire.Code) {
	t.Helper()
	c.tx(t, func(tx *store.Tx) (err error) {
		code, err = tx.MakeCode(t.Context(), d, tx.Now.Add(time.Hour), replace, "test", "")
		return err
	})
	return code
}

// pc is a store's PC with nothing on it.
func pc(t *testing.T) identity.Store { return identity.Store{Dir: t.TempDir()} }

func (c *centre) enrol(ctx context.Context, p identity.Store, code wire.Code) (identity.Identity, error) {
	id, _, err := p.Enrol(ctx, identity.Options{Hub: c.url, Code: string(code)})
	return id, err
}

func (c *centre) mustEnrol(t *testing.T, p identity.Store, code wire.Code) identity.Identity {
	t.Helper()
	id, err := c.enrol(t.Context(), p, code)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// shown is what the broker's door makes of an identity's certificate.
func (c *centre) shown(t *testing.T, id identity.Identity) authority.Certificate {
	t.Helper()
	b, _ := pem.Decode([]byte(id.Cert))
	x, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ca.Verify([]*x509.Certificate{x}, c.now(), enrol.Lapsed)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (c *centre) admit(t *testing.T, id identity.Identity) error {
	t.Helper()
	return c.store.Admit(t.Context(), c.shown(t, id))
}

// open cases of a cause about a device.
func (c *centre) hasCase(t *testing.T, cause cases.Cause, d string) bool {
	t.Helper()
	list, err := c.store.Cases(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if k.Cause == cause && k.Subject == d && k.State == cases.Open {
			return true
		}
	}
	return false
}

// holds tells whether any file below dir holds text.
func holds(t *testing.T, dir, text string) (where string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), text) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

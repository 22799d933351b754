//go:build linux

// Package crowd_test has as many stores' PCs on one built hub as a fleet has: each an agent's own line, with a certificate of its own, that says
// what an agent says when it comes. See DESIGN.md.
package crowd_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/forward"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/store"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/shared/topic"
	"github.com/tillpost/tillpost/test/port"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pc is one store's PC as its hub sees it.
type pc struct {
	id    retail.DeviceID
	cert  tls.Certificate
	ca    *x509.CertPool
	hub   *hub
	heads atomic.Int64
	word  atomic.Int64 // version of the newest
}

// Connected says hello on each stream, as an agent does.
func (p *pc) Connected(l forward.Link) {
	for _, s := range envelope.Streams {
		b, err := json.Marshal(envelope.Hello{Nonce: "n", Device: p.id, Stream: s, Epoch: envelope.NewEpoch()})
		if err == nil {
			_ = l.Publish(context.Background(), topic.Hello(p.id, s), b)
		}
	}
}

// Disconnected implements uplink.Events.
func (p *pc) Disconnected() {}

// Head implements uplink.Events.
func (p *pc) Head(envelope.Head) { p.heads.Add(1) }

func (p *pc) desired(sealed []byte) {
	if m, err := wire.Open(sealed, p.hub.ca.PEM(), p.hub.id, p.id); err == nil {
		p.word.Store(m.Version)
	}
}

func (p *pc) run(ctx context.Context, t *testing.T) {
	u, err := uplink.New(uplink.Options{URL: "mqtts://" + p.hub.broker, Device: p.id, Version: "1.4.0", Sources: "filedrop", Desired: p.desired, Log: slog.New(slog.DiscardHandler),
		Secure: func() (*tls.Config, error) {
			return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: enrol.ServerName, RootCAs: p.ca, Certificates: []tls.Certificate{p.cert}}, nil
		}}, p)
	if err != nil {
		t.Error(err)
		return
	}
	_ = u.Run(ctx)
}

// hub is the built program with its store.
type hub struct {
	t                  *testing.T
	dir, program, conf string
	broker, enrol, web string
	id                 envelope.HubID
	ca                 *authority.Authority
	cmd                *exec.Cmd
	log                string
	pcs                []*pc
}

// newHub registers n PCs, each with a location and a certificate of its own, before the hub starts.
func newHub(t *testing.T, n int) *hub {
	t.Helper()
	h := &hub{t: t, dir: t.TempDir(), broker: port.Free(t), enrol: port.Free(t), web: port.Free(t)}
	h.program, h.conf, h.log = filepath.Join(h.dir, "hub"), filepath.Join(h.dir, "hub.toml"), filepath.Join(h.dir, "hub.log")
	if out, err := exec.Command("go", "build", "-o", h.program, "github.com/tillpost/tillpost/hub").CombinedOutput(); err != nil {
		t.Fatalf("build the hub: %v\n%s", err, out)
	}
	var places strings.Builder
	for i := range n {
		fmt.Fprintf(&places, "[[location]]\ncode='S%d'\nname='Store %d'\nzone='America/Chicago'\ncutoff='04:00'\ncurrency='USD'\ntills=['T1']\n", i, i)
	}
	data := filepath.Join(h.dir, "data")
	must(t, os.MkdirAll(data, 0o700))
	must(t, os.WriteFile(h.conf, fmt.Appendf(nil, "data_dir=%q\n[web]\nlisten=%q\n[broker]\nlisten=%q\n[enrol]\nlisten=%q\n%s", data, h.web, h.broker, h.enrol, places.String()), 0o600))
	s, err := store.Open(t.Context(), data)
	must(t, err)
	defer s.Close()
	h.ca, err = s.Authority(t.Context())
	must(t, err)
	h.id, err = s.HubID(t.Context())
	must(t, err)
	pool := h.ca.Pool()
	for i := range n {
		p := &pc{id: retail.DeviceID(fmt.Sprintf("pc-%05d", i)), ca: pool, hub: h}
		h.enrolled(s, p, retail.LocationCode("S"+strconv.Itoa(i)))
		h.pcs = append(h.pcs, p)
	}
	must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.SetLayer(t.Context(), desired.Key{Scope: desired.Fleet}, "log_level = 'info'\n", "test", "each PC has a word")
		return err
	}))
	return h
}

func (h *hub) enrolled(s *store.Store, p *pc, at retail.LocationCode) {
	h.t.Helper()
	ctx := h.t.Context()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(h.t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	must(h.t, err)
	ask, err := authority.ReadRequest(der)
	must(h.t, err)
	var code enrol.Code
	must(h.t, s.InTx(ctx, func(tx *store.Tx) (err error) {
		if err = tx.AddDevice(ctx, p.id, "", "test"); err == nil {
			err = tx.Assign(ctx, p.id, at, time.Unix(0, 0), "test")
		}
		if err == nil {
			code, err = tx.MakeCode(ctx, p.id, time.Now().Add(time.Hour), false, "test", "")
		}
		return err
	}))
	c, err := s.Redeem(ctx, code.ID(), enrol.Ask{}, ask.Key, "test", func(d retail.DeviceID) (authority.Certificate, error) {
		return h.ca.Issue(ask, d, time.Now(), 90*24*time.Hour)
	})
	must(h.t, err)
	p.cert = tls.Certificate{Certificate: [][]byte{c.DER}, PrivateKey: key}
}

func (h *hub) start() {
	h.t.Helper()
	log, err := os.OpenFile(h.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(h.t, err)
	defer log.Close()
	h.cmd = exec.Command(h.program, "run", "--config", h.conf)
	h.cmd.Stdout, h.cmd.Stderr, h.cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	h.cmd.Env = append(os.Environ(), "GODEBUG=gctrace=1")
	must(h.t, h.cmd.Start())
	h.until("the hub to listen", 2*time.Minute, func() bool {
		c, err := net.Dial("tcp", h.broker)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (h *hub) stop() {
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	_ = h.cmd.Wait()
}

func (h *hub) until(what string, within time.Duration, ok func() bool) time.Duration {
	h.t.Helper()
	for began := time.Now(); ; <-time.After(100 * time.Millisecond) {
		if ok() {
			return time.Since(began)
		}
		if time.Since(began) > within {
			h.t.Fatalf("waited %s in vain for %s", within, what)
		}
	}
}

// resident is what the hub has in memory, in bytes.
func (h *hub) resident(name string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	must(h.t, err)
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == name+":" {
			v, err := strconv.ParseInt(f[1], 10, 64)
			must(h.t, err)
			return v << 10
		}
	}
	return 0
}

func (h *hub) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.cmd.Process.Pid))
	must(h.t, err)
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on every Linux
}

// heap is the last thing that the collector said of it.
func (h *hub) heap() string {
	b, _ := os.ReadFile(h.log)
	last := ""
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if strings.HasPrefix(s.Text(), "gc ") {
			last = s.Text()
		}
	}
	if _, rest, ok := strings.Cut(last, " ms cpu, "); ok {
		return rest
	}
	return last
}

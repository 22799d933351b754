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
	"sync"
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
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pc is one store's PC as its hub sees it.
type pc struct {
	id      retail.DeviceID
	cert    tls.Certificate
	ca      *x509.CertPool
	hub     *hub
	heads   atomic.Int64
	word    atomic.Int64 // version of the newest
	greeted atomic.Int64
	version atomic.Value // string
}

// Connected says hello on each stream, as an agent does.
func (p *pc) Connected(l forward.Link) {
	p.greeted.Add(1)
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
	h := &hub{t: t, dir: t.TempDir(), broker: free(t), enrol: free(t), web: free(t)}
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

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
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

// TestACrowd has TILLPOST_CROWD PCs come, stay, and come back after the hub was away, and says what it costs the hub (make bench-crowd).
func TestACrowd(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("TILLPOST_CROWD"))
	if err != nil || n < 40 {
		t.Skip("a fleet on one hub: make bench-crowd, or TILLPOST_CROWD=5000")
	}
	var files syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
	if files.Cur < uint64(n)+200 {
		t.Logf("%d files may be open: %d PCs", files.Cur, files.Cur-200)
		n = int(files.Cur) - 200
	}
	began := time.Now()
	h := newHub(t, n)
	t.Logf("%.0f s: %d PCs are registered", time.Since(began).Seconds(), n)
	h.start()
	defer h.stop()
	time.Sleep(5 * time.Second)
	empty := h.resident("VmRSS")
	t.Logf("nobody connected: %d MB resident; %s", empty>>20, h.heap())
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	seen := func(part []*pc, f func(p *pc) bool) func() bool {
		return func() bool {
			for _, p := range part {
				if !f(p) {
					return false
				}
			}
			return true
		}
	}
	all := func(p *pc) bool { return p.heads.Load() >= int64(len(envelope.Streams)) && p.word.Load() > 0 }
	for from, part := range [][2]int{{0, n / 8}, {n / 8, n / 4}, {n / 4, n / 2}, {n / 2, n}} {
		_ = from
		began, cpu := time.Now(), h.cpu()
		for _, p := range h.pcs[part[0]:part[1]] {
			wg.Go(func() { p.run(ctx, t) })
			time.Sleep(2 * time.Millisecond)
		}
		h.until(fmt.Sprintf("PCs %d to %d to hear heads and their words", part[0], part[1]), 10*time.Minute, seen(h.pcs[part[0]:part[1]], all))
		took, used := time.Since(began), h.cpu()-cpu
		time.Sleep(10 * time.Second)
		t.Logf("%5d PCs: %4d MB resident, %4d KB a PC; came in %.0f s, %.1f ms of processor each; %s", part[1], h.resident("VmRSS")>>20, (h.resident("VmRSS")-empty)>>10/int64(part[1]),
			took.Seconds(), used.Seconds()*1000/float64(part[1]-part[0]), h.heap())
	}
	h.rests(n, empty, "at rest")
	h.asks(h.pcs[n/2])
	for _, p := range h.pcs {
		p.heads.Store(0)
	}
	h.stop()
	time.Sleep(2 * time.Second)
	began = time.Now()
	h.start()
	h.until("everybody to be back", 15*time.Minute, seen(h.pcs, all))
	t.Logf("the hub started anew: %d PCs are back after %.0f s, %.1f ms of processor each; %d MB resident, %d MB at most; %s", n, time.Since(began).Seconds(), h.cpu().Seconds()*1000/float64(n), h.resident("VmRSS")>>20, h.resident("VmHWM")>>20, h.heap())
	time.Sleep(2 * time.Minute)
	h.rests(n, empty, "two minutes later")
}

// asks gives one PC a command and says when it hears of it, and what that costs the hub.
func (h *hub) asks(p *pc) {
	was, cpu, began := p.word.Load(), h.cpu(), time.Now()
	if out, err := exec.Command(h.program, "device", "log-level", string(p.id), "debug", "--for", "1m", "--config", h.conf).CombinedOutput(); err != nil {
		h.t.Fatalf("%v\n%s", err, out)
	}
	h.until("the PC to hear its command", time.Minute, func() bool { return p.word.Load() > was })
	took := time.Since(began)
	time.Sleep(5 * time.Second)
	h.t.Logf("a command is at its PC after %.1f s; it costs the hub %.2f s of processor with what it does beside it in 5 s", took.Seconds(), (h.cpu() - cpu).Seconds())
}

// rests says what the hub needs while nothing happens, and how long a person waits for the fleet.
func (h *hub) rests(n int, empty int64, when string) {
	cpu, began := h.cpu(), time.Now()
	time.Sleep(time.Minute)
	used := h.cpu() - cpu
	h.t.Logf("%s: %d MB resident, %d KB a PC; %.1f %% of a processor; %s", when, h.resident("VmRSS")>>20, (h.resident("VmRSS")-empty)>>10/int64(n), 100*used.Seconds()/time.Since(began).Seconds(), h.heap())
	began = time.Now()
	out, err := exec.Command(h.program, "rollout", "list", "--json", "--config", h.conf).Output()
	must(h.t, err)
	h.t.Logf("hub rollout list: %d KB in %.1f s", len(out)>>10, time.Since(began).Seconds())
}

package e2e_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// webProxy is a store's proxy: it lets CONNECT through to names that only it knows, and may ask for a login.
type webProxy struct {
	url   string
	names map[string]string // host:port as the PC says it → where it is

	mu    sync.Mutex
	login string
	asked []string // "CONNECT host:port status"
}

func startProxy(t *testing.T, names map[string]string) *webProxy {
	t.Helper()
	p := &webProxy{names: names}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.url = "http://" + l.Addr().String()
	s := &http.Server{Handler: p, ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return p
}

func (p *webProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	to, known := p.names[r.Host]
	status := http.StatusOK
	switch {
	case p.login != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.login)):
		status = http.StatusProxyAuthRequired
	case r.Method != http.MethodConnect || !known:
		status = http.StatusForbidden
	}
	p.asked = append(p.asked, fmt.Sprintf("%s %s %d", r.Method, r.Host, status))
	p.mu.Unlock()
	if status != http.StatusOK {
		w.WriteHeader(status)
		return
	}
	out, err := (&net.Dialer{}).DialContext(context.WithoutCancel(r.Context()), "tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	_, _ = io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(out, in); out.Close() }()
	_, _ = io.Copy(in, out)
}

func (p *webProxy) wants(login string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.login = login
}

func (p *webProxy) saw(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(strings.Join(p.asked, "\n")+"\n", what+"\n")
}

// TestAStoreBehindAProxy: the PC can reach nothing but its proxy, which alone knows where head office is. It enrols, sells and renews through it;
// a login that the proxy asks for is named, and a proxy that refuses says what to have allowed.
func TestAStoreBehindAProxy(t *testing.T) {
	if testing.Short() {
		t.Skip("builds binaries; left out of short runs")
	}
	t.Parallel()
	c := newCertified(t, "2160h")
	_, enrolPort, _ := net.SplitHostPort(c.addrs["enrol"])
	_, brokerPort, _ := net.SplitHostPort(c.addrs["broker"])
	hub, broker := "head-office.invalid:"+enrolPort, "head-office.invalid:"+brokerPort
	p := startProxy(t, map[string]string{hub: c.addrs["enrol"], broker: c.addrs["broker"]})
	code := c.hub(t, "device", "code", "S1")
	enrol := func(more ...string) (string, int) {
		out, rc, _ := c.agent(t, "", append([]string{"enrol", "--hub", "https://" + hub, "--code", code}, more...)...)
		return out, rc
	}
	if out, rc := enrol(); rc == 0 || !strings.Contains(out, "--proxy") {
		t.Fatalf("without the proxy: %d %s", rc, out)
	}
	p.wants("till:secret")
	if out, rc := enrol("--proxy", p.url); rc == 0 || !strings.Contains(out, "proxy_login_file") {
		t.Fatalf("without the login: %d %s", rc, out)
	}
	if out, rc := enrol("--proxy", "http://till:secret@127.0.0.1:1"); rc == 0 || !strings.Contains(out, "does not belong into the address") {
		t.Fatalf("a password in the address: %d %s", rc, out)
	}
	settings, err := os.ReadFile(c.at("agent.toml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.at("login"), "till:secret\n")
	writeFile(t, c.at("agent.toml"), "%s", strings.Replace(string(settings), "[hub]\n", fmt.Sprintf("[hub]\nproxy=%q\nproxy_login_file=%q\n", p.url, c.at("login")), 1))
	if out, rc := enrol(); rc != 0 {
		t.Fatalf("with proxy and login in the settings: %d %s", rc, out)
	}
	if p.saw("CONNECT "+hub+" 200") != 1 {
		t.Errorf("the proxy was asked: %v", p.asked)
	}
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "one")
	c.arrives(t, "one")
	if p.saw("CONNECT "+broker+" 200") == 0 {
		t.Errorf("tickets did not come by the proxy: %v", p.asked)
	}
	if out, rc, _ := c.agent(t, "", "renew"); rc != 0 {
		t.Errorf("renewal: %d %s", rc, out)
	}
	if p.saw("CONNECT "+hub+" 200") != 2 {
		t.Errorf("the renewal did not go by the proxy: %v", p.asked)
	}
	// Without a login the address alone is remembered with the identity; settings need not name it.
	c.kill(t, c.programs["agent"])
	p.wants("")
	writeFile(t, c.at("agent.toml"), "%s", settings)
	code = c.hub(t, "device", "replace", "pc-s1")
	if out, rc := enrol("--proxy", p.url); rc != 0 {
		t.Fatalf("enrol again: %d %s", rc, out)
	}
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "two")
	c.arrives(t, "one", "two")
	// The proxy lets it through no more: tickets wait, and the doctor says why.
	c.kill(t, c.programs["agent"])
	p.mu.Lock()
	delete(p.names, broker)
	p.mu.Unlock()
	c.start(t, c.programs["agent"], "")
	c.ticket(t, "three")
	if out, rc, _ := c.agent(t, "", "doctor"); rc == 0 || !strings.Contains(out, "have it allowed there, for CONNECT") {
		t.Errorf("the doctor: %d %s", rc, out)
	}
	p.mu.Lock()
	p.names[broker] = c.addrs["broker"]
	p.mu.Unlock()
	c.arrives(t, "one", "three", "two") // the ledger's order is by name
}

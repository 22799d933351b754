//go:build linux

package service_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
	"github.com/tillpost/tillpost/test/rig"
)

// ask reads a page of a running program; host is what the browser says.
func ask(t *testing.T, addr, path, host string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// figure reads one figure of a scrape, -1 = it is not there.
func figure(t *testing.T, addr, name string) int {
	t.Helper()
	_, body := ask(t, addr, "/metrics", "")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatalf("%s", line)
			}
			return n
		}
	}
	return -1
}

const location = "[[location]]\ncode='S1'\nname='One'\nzone='America/New_York'\ncutoff='04:00'\ncurrency='USD'\ntills=['T1']\n"

// TestFigures runs a store and a hub, sells, and reads what both tell of it; then nobody sells, and the store's disk is left in peace.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("runs built binaries; left out of short runs")
	}
	page, hubFigures, door := port.Free(t), port.Free(t), port.Free(t)
	r := rig.New(t, location+fmt.Sprintf("[metrics]\nlisten=%q\n", hubFigures))
	drop := filepath.Dir(r.Write("drop/readme.txt", "x"))
	settings := r.Agent("pc", fmt.Sprintf("[status]\nlisten=%q\n[source.localapi]\nlisten=%q\ntoken_file=%q\n[[source.filedrop]]\nname='drop'\ndir=%q\npattern='*.csv'\nprofile='supermarket'\nlocation='S1'\n",
		page, door, r.Write("till.token", "till\n"), drop))
	begun := time.Now()
	r.Start("agent", r.At("agent"), "run", "--config", settings)
	until(t, "an open door", func() bool { return sell(t.Context(), door, "first") == http.StatusCreated })
	until(t, "the first confirmation", func() bool { return figure(t, page, `tillpost_agent_confirmed_total{stream="sales"}`) >= 1 })
	t.Logf("from start to the first confirmed ticket: %s", time.Since(begun).Round(time.Millisecond))
	for i := range 20 {
		if sell(t.Context(), door, fmt.Sprintf("t%d", i)) != http.StatusCreated {
			t.Fatal("a ticket was not taken")
		}
	}
	until(t, "everything to be confirmed", func() bool {
		return figure(t, page, `tillpost_agent_backlog_records{stream="sales"}`) == 0 && figure(t, page, `tillpost_agent_confirmed_total{stream="sales"}`) >= 21 &&
			figure(t, page, "tillpost_agent_connected") == 1
	})
	for name, least := range map[string]int{`tillpost_agent_stage_total{stage="buffer",result="out"}`: 21, `tillpost_agent_stage_total{stage="forward",result="out"}`: 1,
		`tillpost_agent_stage_total{stage="uplink",result="out"}`: 1, "tillpost_agent_disk_free_bytes": 1, `tillpost_agent_stage_total{stage="buffer",result="refused"}`: 0} {
		if n := figure(t, page, name); n < least {
			t.Errorf("agent: %s is %d, want %d or more", name, n, least)
		}
	}
	for name, least := range map[string]int{`tillpost_hub_stage_total{stage="ingest",result="out"}`: 21, "tillpost_hub_devices_online": 1, `tillpost_hub_lane{name="odoo",state="closed"}`: 1,
		`tillpost_hub_stage_total{stage="odoo",result="in"}`: 0, "tillpost_hub_cases_open": 0} {
		if n := figure(t, hubFigures, name); n < least {
			t.Errorf("hub: %s is %d, want %d or more", name, n, least)
		}
	}
	if in, out := figure(t, hubFigures, `tillpost_hub_stage_total{stage="ingest",result="in"}`), figure(t, hubFigures, `tillpost_hub_stage_total{stage="ingest",result="out"}`); in < out {
		t.Errorf("hub: %d records came in and %d went out", in, out)
	}
	until(t, "store-days by state", func() bool {
		_, body := ask(t, hubFigures, "/metrics", "")
		return strings.Contains(body, `tillpost_hub_days{state="`)
	})
	for _, addr := range []string{page, hubFigures} {
		if code, body := ask(t, addr, "/healthz", ""); code != http.StatusOK || !strings.Contains(body, `"alive":true`) {
			t.Errorf("/healthz: %d %s", code, body)
		}
	}
	strangers(t, page, hubFigures)

	before := figure(t, page, "tillpost_agent_commits_total")
	const idle = 10
	time.Sleep(idle * time.Second) // nothing is waited for: it is the idleness that is looked at
	if n := figure(t, page, "tillpost_agent_commits_total") - before; n > idle {
		t.Errorf("%d commits in %d s in which nobody sold", n, idle)
	}
}

// strangers are refused: a name that was made to mean this machine, and this machine's own address in the network.
func strangers(t *testing.T, addrs ...string) {
	t.Helper()
	for _, addr := range addrs {
		_, port, _ := net.SplitHostPort(addr)
		for _, path := range []string{"/", "/metrics", "/healthz"} {
			for _, host := range []string{"evil.example:" + port, "127.0.0.1.evil.example", "192.168.1.5:" + port} {
				if code, body := ask(t, addr, path, host); code != http.StatusMisdirectedRequest || strings.Contains(body, "tillpost_") {
					t.Errorf("%s%s asked for as %s: %d %s", addr, path, host, code, body)
				}
			}
		}
		as, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range as {
			ip, ok := a.(*net.IPNet)
			if !ok || ip.IP.IsLoopback() || ip.IP.IsLinkLocalUnicast() {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(ip.IP.String(), port))
			cancel()
			if err == nil {
				c.Close()
				t.Errorf("%s answers in the network, at %s", addr, ip.IP)
			}
		}
	}
}

// TestACrashIsTold: an agent that ends by a fault of its own says so at its next start, to the manager's status and to head office, and keeps a
// report without data.
func TestACrashIsTold(t *testing.T) {
	page, door := port.Free(t), port.Free(t)
	file, data := agentTOML(t, port.Free(t), door, "")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "%s[status]\nlisten=%q\n", b, page)
	p := start(t, binary(t, "agent"), nil, "run", "--config", file)
	until(t, "an open door", func() bool { return sell(t.Context(), door, "secret-ticket") == http.StatusCreated })
	if err := p.cmd.Process.Signal(syscall.SIGABRT); err != nil { // what systemd's watchdog sends
		t.Fatal(err)
	}
	if err := <-p.done; err == nil {
		t.Fatal("it ended well")
	}
	p.done <- nil
	start(t, binary(t, "agent"), nil, "run", "--config", file)
	until(t, "the crash to be told", func() bool {
		code, body := ask(t, page, "/healthz", "")
		return code == http.StatusOK && strings.Contains(body, `"crashed"`)
	})
	if code, body := ask(t, page, "/?lang=en", ""); code != http.StatusOK || !strings.Contains(body, "Everything is fine") || !strings.Contains(body, "has started again") {
		t.Errorf("the page: %d\n%s", code, body)
	}
	reports, err := filepath.Glob(filepath.Join(data, "crash", "crash-*.txt"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("reports: %v %v", reports, err)
	}
	text, err := os.ReadFile(reports[0])
	if err != nil || !strings.Contains(string(text), "SIGABRT") || strings.Contains(string(text), "secret-ticket") || strings.Contains(string(text), data) {
		t.Errorf("%v\n%s", err, text)
	}
}

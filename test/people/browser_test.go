package people_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tillpost/tillpost/test/port"
)

// TestPagesInABrowser signs in with a real browser, looks at a store-day and holds it with its button: without a script, as the pages are.
func TestPagesInABrowser(t *testing.T) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no chromium or chrome on this machine: the pages are not tried in a browser")
	}
	g := newRig(t)
	g.hubSettings("info", postingTOML+"auto_approve = false\n[[location]]\ncode = 'S1'\nname = 'First Street'\nzone = 'UTC'\ncutoff = '00:00'\ncurrency = 'USD'\ntills = ['T1']\n")
	g.startHub()
	g.hubIn("correct horse 9\n", 0, "user", "add", "anna")
	g.startAgent()
	g.hub(0, "odoo", "setup")
	day := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02")
	g.sell("A-1", "S1", day+"T10:00:00Z", "cash")
	until(t, "the day", func() bool { return strings.Contains(g.hub(0, "days"), "waits for a person's approval") })
	b := openBrowser(t, program)
	b.visit("http://" + g.web + "/")
	b.until("the sign-in form", `document.querySelector('input[name=password]') !== null`)
	b.run(`document.querySelector('input[name=name]').value='anna';document.querySelector('input[name=password]').value='correct horse 9';document.querySelector('main button').click()`)
	b.until("the list of store-days", `document.querySelector('h1')?.textContent === 'Store-days' && document.body.innerText.includes('First Street')`)
	if wide := b.text(`String(document.documentElement.scrollWidth <= window.innerWidth)`); wide != "true" {
		t.Error("the list does not fit its window")
	}
	if ink := b.text(`getComputedStyle(document.querySelector('.card')).borderRadius`); ink != "8px" {
		t.Errorf("the style sheet is not there: radius %q", ink)
	}
	b.run(`document.querySelector('td.lead a').click()`)
	b.until("the day's document", `document.body.innerText.includes('Preview') && document.body.innerText.includes('10.00')`)
	b.run(`document.querySelector('input[name=reason]').value='looking at it';document.querySelector('button[value=hold]').click()`)
	b.until("what was done", `document.querySelector('[role=status]')?.textContent.includes('held') && document.body.innerText.includes('on hold')`)
	if got := g.hub(0, "day", "S1", day); !strings.Contains(got, "held") {
		t.Errorf("the day is not held: %s", got)
	}
	b.run(`document.querySelector('button[value=release]').click()`)
	b.until("the release", `document.querySelector('button[value=hold]') !== null`)
	b.run(`document.querySelector('input[name=reason]').value='counted';document.querySelector('button[value=approve]').click()`)
	until(t, "the approved day in Odoo", func() bool { return strings.Contains(g.hub(0, "days"), "verified") })
	b.visit("http://" + g.web + "/find?q=A-1")
	b.until("the ticket with its place in Odoo", `document.body.innerText.includes('Its place in Odoo') && document.body.innerText.includes('read-back')`)
}

// browser is a headless one, driven by its own debugging protocol.
type browser struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

func openBrowser(t *testing.T, program string) *browser {
	t.Helper()
	addr := port.Free(t)
	_, port, _ := net.SplitHostPort(addr)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--window-size=1200,900",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-port="+port, "about:blank")
	if err := cmd.Start(); err != nil {
		t.Skipf("the browser does not start: %v", err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	until(t, "the browser", func() bool { return listens(addr) })
	var pages []struct {
		Type string `json:"type"`
		URL  string `json:"webSocketDebuggerUrl"`
	}
	until(t, "the browser's page", func() bool {
		resp, err := http.Get("http://" + addr + "/json/list")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && json.Unmarshal(body, &pages) == nil && len(pages) > 0
	})
	for _, p := range pages {
		if p.Type != "page" {
			continue
		}
		conn, resp, err := websocket.DefaultDialer.DialContext(ctx, p.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			resp.Body.Close()
		}
		t.Cleanup(func() { conn.Close() })
		return &browser{t: t, conn: conn}
	}
	t.Fatal("the browser has no page")
	return nil
}

// call asks the browser and waits for its answer.
func (b *browser) call(method string, params map[string]any) map[string]any {
	b.t.Helper()
	b.id++
	if err := b.conn.WriteJSON(map[string]any{"id": b.id, "method": method, "params": params}); err != nil {
		b.t.Fatal(err)
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		var m struct {
			ID     int            `json:"id"`
			Result map[string]any `json:"result"`
			Error  map[string]any `json:"error"`
		}
		if err := b.conn.ReadJSON(&m); err != nil {
			b.t.Fatal(err)
		}
		if m.ID == b.id {
			if m.Error != nil && !strings.Contains(fmt.Sprint(m.Error), "context") { // the page went away under the question
				b.t.Fatalf("%s: %v", method, m.Error)
			}
			return m.Result
		}
	}
}

func (b *browser) visit(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url})
}

func (b *browser) run(script string) {
	b.t.Helper()
	b.call("Runtime.evaluate", map[string]any{"expression": script})
}

// text is what an expression gives.
func (b *browser) text(expression string) string {
	b.t.Helper()
	r, _ := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})["result"].(map[string]any)
	return fmt.Sprint(r["value"])
}

func (b *browser) until(what, condition string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); b.text(condition) != "true"; {
		if time.Now().After(end) {
			b.t.Fatalf("%s did not come; the page says:\n%s", what, b.text(`document.body?.innerText`))
		}
		<-time.After(50 * time.Millisecond)
	}
}

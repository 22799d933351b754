package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// watch is an output that can be read while it grows.
type watch struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *watch) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *watch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// TestDemoGoesOn: without ONCE the day is compared, then the tills go on, the first page shows what they say of themselves, and Ctrl-C is
// no failure.
func TestDemoGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("runs three stores and a hub; left out of short runs")
	}
	for _, name := range []string{"ONCE", "ODOO_URL", "DEMO_BREAK"} {
		t.Setenv(name, "")
	}
	t.Setenv("TMPDIR", t.TempDir())
	ctx, ctrlC := context.WithCancel(t.Context())
	var out watch
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, &out) }()
	until(t, ended, func() bool { return strings.Contains(out.String(), "The tills go on selling") })
	v := signIn(t, out.String())
	page := v.get(t, "/")
	for _, want := range []string{"New York, Broadway", "Chicago, State St.", "Los Angeles, Melrose", "PAX A920", "Register 9", "verified"} {
		if !strings.Contains(page, want) {
			t.Errorf("the first page does not show %q", want)
		}
	}
	// Today's facts come now, with the time at which they were told: the hub hears its stores still.
	until(t, ended, func() bool { return strings.Contains(v.get(t, "/"), "heard just now") })
	ctrlC()
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-C ends with %v", err)
	}
}

func until(t *testing.T, ended <-chan error, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); {
		select {
		case err := <-ended:
			t.Fatalf("the demo ended: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// visitor is a signed-in browser.
type visitor struct {
	client *http.Client
	base   string
}

func signIn(t *testing.T, out string) visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base := regexp.MustCompile(`Its pages: (\S+)`).FindStringSubmatch(out)
	secret := regexp.MustCompile(`Sign in as demo with (\S+)`).FindStringSubmatch(out)
	if base == nil || secret == nil {
		t.Fatalf("no address and no password in %s", out)
	}
	v := visitor{&http.Client{Jar: jar, Timeout: 20 * time.Second}, base[1]}
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(v.get(t, "/login"))
	if token == nil {
		t.Fatal("the login page has no token")
	}
	resp, err := v.client.PostForm(v.base+"/login", url.Values{"name": {"demo"}, "password": {secret[1]}, "token": {token[1]}, "next": {"/"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("sign in: %s", resp.Status)
	}
	return v
}

func (v visitor) get(t *testing.T, path string) string {
	t.Helper()
	resp, err := v.client.Get(v.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

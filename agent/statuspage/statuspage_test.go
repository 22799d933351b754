package statuspage

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/loopback"
)

var now = time.Date(2026, 11, 26, 14, 32, 0, 0, time.Local)

func fine() Facts {
	return Facts{Device: "store-17", Version: "v1.2.0", Running: true, Connected: true, Heard: now.Add(-time.Minute), LastTicket: now.Add(-2 * time.Minute), DiskFree: 120 << 30}
}

func sick() Facts {
	f := fine()
	f.Connected, f.Waiting, f.Oldest = false, 12, now.Add(-3*time.Hour)
	f.Sources = []Source{{Name: "possql/cre", State: "refused", Since: now.Add(-time.Hour), Reason: "login failed for user 'tillpost'"}}
	f.Problems = []health.Status{{Code: "source:drop", Title: "x", Severity: "high", Detail: `open C:\drop: access is denied`, Since: now.Add(-time.Hour)}, {Code: "no_line", Severity: "medium", Since: now.Add(-3 * time.Hour)}}
	return f
}

// What is seen at a glance, in each language, and the one next step.
func TestTell(t *testing.T) {
	stopped := fine()
	stopped.Running = false
	sending, offline := fine(), fine()
	sending.Waiting, offline.Waiting, offline.Connected = 3, 3, false
	for name, c := range map[string]struct {
		f        Facts
		mood     Mood
		headline string
		next     string
		es       string
	}{
		"fine":    {fine(), Good, "Everything is fine", "", "Todo está bien"},
		"sending": {sending, Good, "Everything is fine", "", "en camino"},
		"offline": {offline, Good, "Everything is fine", "", "se guarda aquí"},
		"sick":    {sick(), Attention, "This needs attention", "Check that the folder below exists", "Compruebe que la carpeta"},
		"stopped": {stopped, Stopped, "Tillpost is not running on this PC", "Restart this PC", "Reinicie este equipo"},
	} {
		t.Run(name, func(t *testing.T) {
			v := Tell(c.f, words.English, now)
			if v.Mood != c.mood || v.Headline != c.headline {
				t.Errorf("%s %q", v.Mood, v.Headline)
			}
			if (v.Next == nil) != (c.next == "") || v.Next != nil && !strings.HasPrefix(v.Next.Do, c.next) {
				t.Errorf("next: %+v", v.Next)
			}
			var en, es strings.Builder
			v.Text(&en)
			Tell(c.f, words.Spanish, now).Text(&es)
			if !strings.Contains(es.String(), c.es) {
				t.Errorf("no %q in\n%s", c.es, &es)
			}
			if strings.Contains(en.String()+es.String(), "say.") || strings.Contains(en.String()+es.String(), "fact.") || strings.Contains(en.String()+es.String(), "condition.") {
				t.Errorf("a sentence is missing:\n%s%s", &en, &es)
			}
		})
	}
	if v := Tell(sick(), words.English, now); len(v.Also) != 1 || v.Also[0].Since == "" || !strings.Contains(v.Next.Detail, "access is denied") {
		t.Errorf("%+v", v)
	}
}

// A condition that the catalogue does not have yet is said in its own words.
func TestAConditionOfTomorrow(t *testing.T) {
	f := fine()
	f.Problems = []health.Status{{Code: "new", Title: "Something new", Meaning: "It means this.", Do: "Do that."}}
	if v := Tell(f, words.Spanish, now); v.Next.Title != "Something new" || v.Next.Do != "Do that." {
		t.Errorf("%+v", v.Next)
	}
}

func get(h http.Handler, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8751/", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func shown(f Facts) http.Handler {
	return loopback.Only(Handler(func(context.Context) Facts { return f }))
}

func TestThePage(t *testing.T) {
	w := get(shown(sick()), func(r *http.Request) { r.Header.Set("Accept-Language", "es-MX,en;q=0.5") })
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(body, `lang="es"`) || !strings.Contains(body, "Compruebe que la carpeta") || !strings.Contains(body, "/?lang=en") {
		t.Errorf("%d\n%s", w.Code, body)
	}
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", w.Header())
	}
	if w := get(shown(fine()), func(r *http.Request) { r.URL.RawQuery = "lang=en" }); !strings.Contains(w.Body.String(), "Everything is fine") || strings.Contains(w.Body.String(), "What to do now") {
		t.Errorf("fine:\n%s", w.Body)
	}
	if w := get(shown(fine()), func(r *http.Request) { r.URL.Path = "/etc" }); w.Code != http.StatusNotFound {
		t.Errorf("another path: %d", w.Code)
	}
}

// Another host, a name that was made to mean this PC, another page, and whoever wants to change something are refused, and learn nothing.
func TestOnlyThisPC(t *testing.T) {
	h := shown(sick())
	for name, c := range map[string]struct {
		code   int
		change func(*http.Request)
	}{
		"localhost":             {200, func(r *http.Request) { r.Host = "localhost:8751" }},
		"IPv6":                  {200, func(r *http.Request) { r.Host, r.RemoteAddr = "[::1]:8751", "[::1]:50000" }},
		"a link was followed":   {200, func(r *http.Request) { fetch(r, "cross-site", "navigate", "document") }},
		"typed by hand":         {200, func(r *http.Request) { fetch(r, "none", "navigate", "document") }},
		"another host":          {403, func(r *http.Request) { r.RemoteAddr = "192.168.1.9:50000" }},
		"rebinding":             {421, func(r *http.Request) { r.Host = "evil.example:8751" }},
		"rebinding, ours in it": {421, func(r *http.Request) { r.Host = "127.0.0.1.evil.example:8751" }},
		"rebinding, a dot":      {421, func(r *http.Request) { r.Host = "localhost.evil.example" }},
		"this PC's LAN address": {421, func(r *http.Request) { r.Host = "192.168.1.5:8751" }},
		"no host":               {421, func(r *http.Request) { r.Host = "" }},
		"zero":                  {421, func(r *http.Request) { r.Host = "0.0.0.0:8751" }},
		"a frame":               {403, func(r *http.Request) { fetch(r, "cross-site", "navigate", "iframe") }},
		"another page's script": {403, func(r *http.Request) { fetch(r, "cross-site", "no-cors", "script") }},
		"another page's fetch":  {403, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }},
		"another port's fetch":  {403, func(r *http.Request) { fetch(r, "same-site", "cors", "empty") }},
		"a change":              {405, func(r *http.Request) { r.Method = http.MethodPost }},
	} {
		w := get(h, c.change)
		if w.Code != c.code {
			t.Errorf("%s: %d, want %d", name, w.Code, c.code)
		}
		if c.code != 200 && (strings.Contains(w.Body.String(), "store-17") || strings.Contains(w.Body.String(), "denied")) {
			t.Errorf("%s learns: %s", name, w.Body)
		}
	}
}

func fetch(r *http.Request, site, mode, dest string) {
	r.Header.Set("Sec-Fetch-Site", site)
	r.Header.Set("Sec-Fetch-Mode", mode)
	r.Header.Set("Sec-Fetch-Dest", dest)
}

// Words of others become neither markup nor lines of ours nor orders to a terminal.
func TestWordsOfOthersStayWords(t *testing.T) {
	evil := "x<script>alert(1)</script>\r\nEverything is fine.\x1b[2J\u2028\u0085"
	f := fine()
	f.Sources = []Source{{Name: "drop", State: "open", Reason: evil}}
	f.Problems = []health.Status{{Code: "source:drop", Detail: evil, Since: now}}
	if body := get(shown(f), nil).Body.String(); strings.Contains(body, "<script>") || strings.ContainsAny(body, "\x1b\u2028") {
		t.Errorf("on the page:\n%s", body)
	}
	var b strings.Builder
	Tell(f, words.English, now).Text(&b)
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "Everything is fine") || strings.ContainsAny(line, "\x1b\r\u2028\u0085") {
			t.Errorf("a line of another: %q", line)
		}
	}
}

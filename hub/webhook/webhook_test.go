package webhook

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func post(r *Receiver, method, path, body string) int {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code
}

func TestOnlyItsOwnPathsAreTaken(t *testing.T) {
	woken := 0
	r := New("secret", []string{"acme", "zeta"}, func(string) { woken++ }, slog.New(slog.DiscardHandler))
	good := r.Path("acme", Sales)
	for _, c := range []struct {
		name, method, path string
		status             int
	}{
		{"a sale", http.MethodPost, good, 204},
		{"an item", http.MethodPost, r.Path("acme", "item_updated"), 204},
		{"read", http.MethodGet, good, 404},
		{"another event's secret", http.MethodPost, strings.Replace(good, Sales, "item_updated", 1), 404},
		{"another tenant's secret", http.MethodPost, strings.Replace(good, "acme", "zeta", 1), 404},
		{"a tenant that is not ours", http.MethodPost, New("secret", nil, nil, nil).Path("other", Sales), 404},
		{"another hub's secret", http.MethodPost, New("x", nil, nil, nil).Path("acme", Sales), 404},
		{"no secret", http.MethodPost, "/hooks/retail/acme/" + Sales + "/", 404},
		{"something else", http.MethodPost, "/hooks/", 404},
		{"climbing", http.MethodPost, "/hooks/retail/acme/../" + Sales, 404},
	} {
		if got := post(r, c.method, c.path, `{"id":1}`); got != c.status {
			t.Errorf("%s: got %d, want %d", c.name, got, c.status)
		}
	}
	if woken != 1 || r.Taken.Load() != 2 || r.Strange.Load() != 8 {
		t.Errorf("woken %d times, %d taken, %d strange", woken, r.Taken.Load(), r.Strange.Load())
	}
}

// A flood wakes once a second, and the last of it is not forgotten.
func TestAFloodWakesOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var woken []time.Time
		r := New("s", []string{"acme"}, func(string) { woken = append(woken, time.Now()) }, slog.New(slog.DiscardHandler))
		for range 300 {
			post(r, http.MethodPost, r.Path("acme", Sales), "not even JSON")
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(woken) < 3 || len(woken) > 5 {
			t.Errorf("woken %d times in 3 s", len(woken))
		}
		for i := 1; i < len(woken); i++ {
			if d := woken[i].Sub(woken[i-1]); d < atMost {
				t.Errorf("woken again after %s", d)
			}
		}
	})
}

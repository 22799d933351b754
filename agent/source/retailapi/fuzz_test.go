package retailapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
)

// Whatever a page holds, it is taken or refused with code invalid; nothing is half taken, and what is taken is known afterwards.
func FuzzPage(f *testing.F) {
	for _, s := range []string{`{"results":[{"id":1,"updated_at":"2026-01-01T00:00:00Z","lines":[],"payments":[],"source_location_id":5,"status":"complete"}]}`,
		`{"results":[{"id":1,"updated_at":"2026-01-01T00:00:00Z","status":"incomplete"}]}`, `{"total":9,"results":[null]}`, `{"results":[{"id":"x"}]}`, `[]`,
		`{"results":[{"id":9e99,"updated_at":""}]}`, `{"results":[{"id":1,"updated_at":"2026-01-01T00:00:00Z","voided?":true,"lines":{},"payments":7}]}`} {
		f.Add([]byte(s))
	}
	x, err := openIndex(f.Context(), f.TempDir()+"/x.db")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = x.close() })
	f.Fuzz(func(t *testing.T, body []byte) {
		var p page
		if json.Unmarshal(body, &p) != nil {
			return
		}
		s := New("acme", Options{Tenant: "acme", URL: "http://127.0.0.1:1", Currency: "USD", Token: func() (string, error) { return "t", nil }, HTTP: &http.Client{Transport: nothing{}}, Log: slog.New(slog.DiscardHandler)})
		s.x, s.can = x, &abilities{Include: true, Rows: 200, IDs: 5000}
		s.plan.begin(time.Now(), *s.can)
		s.reg = registry{places: map[string]spot{"5": {Code: "S1"}}, tenders: map[string]string{}, categories: map[string]string{}, refreshed: time.Now()}
		b, _, err := s.take(t.Context(), tickets, p.Results, &cursor{})
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unavailable) {
				t.Fatalf("it fails with %v", err)
			}
			return
		}
		if len(b.drafts) != len(b.then.seen) {
			t.Fatalf("%d drafts, %d of them known", len(b.drafts), len(b.then.seen))
		}
		for i, d := range b.drafts {
			if d.Stream != envelope.Sales || d.Key == "" || !json.Valid(d.Body) || b.then.seen[i].updated <= 0 {
				t.Fatalf("a draft %+v of %s", d, body)
			}
		}
	})
}

// nothing answers every request with an empty page: a page whose records lack their lines asks for them.
type nothing struct{}

func (nothing) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: noBody(`{"total":0,"results":[]}`), Request: r}, nil
}

func noBody(s string) *body { return &body{strings.NewReader(s)} }

type body struct{ *strings.Reader }

func (*body) Close() error { return nil }

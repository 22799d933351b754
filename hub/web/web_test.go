package web_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ingest"
	"github.com/tillpost/tillpost/hub/meaning"
	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/hub/web"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/mode"
	"github.com/tillpost/tillpost/shared/retail"
)

const evil = `<script>alert("x")</script>`

// site is the pages on a real database with one store-day.
type site struct {
	*store.Store
	url    string
	client *http.Client
	pcs    *pcs
}

func newSite(t *testing.T) *site {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	reader := meaning.Reader{Calendar: func(retail.LocationCode) retail.Calendar {
		return retail.Calendar{{Trading: retail.Trading{Zone: time.UTC}}}
	}}
	clerk := store.Clerk{Store: s, Mean: reader.Mean, Done: func() {}}
	finder := &finderOf{&site{Store: s}}
	d := &pcs{}
	h, err := web.New(web.Parts{Days: s, Desk: decider{s}, Review: s, Shadow: shadowOf{}, Tickets: clerk, Finder: finder, Payments: s, Settlement: clearings{s}, Cases: clerk, Mapping: s, Registry: clerk, Devices: d, Wishes: wishes{s}, Fleet: fleets{s}, Users: s, Statuses: s, Sessions: s.Sessions(), Restored: func(context.Context) (time.Time, error) { return d.restored, nil }, Upkeep: func() []upkeep.Need { return d.needs }, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	jar, _ := cookiejar.New(nil)
	w := &site{Store: s, url: srv.URL, client: &http.Client{Jar: jar}, pcs: d}
	for name, role := range map[string]view.Role{"ann": view.Finance, "store": view.Store, "eve": view.Auditor, "ida": view.IT} {
		u := view.User{Name: name, Role: role, Hash: password.Hash("correct horse 9")}
		if role == view.Store {
			u.Locations = []retail.LocationCode{"S2"}
		}
		if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.AddUser(t.Context(), u, "test") }); err != nil {
			t.Fatal(err)
		}
	}
	w.sell(t, reader)
	return w
}

// sell commits a ticket whose texts try to be a script, and rolls it up.
func (w *site) sell(t *testing.T, reader meaning.Reader) {
	t.Helper()
	if err := w.PutLocation(t.Context(), view.LocationForm{Code: "S1", Name: evil, Zone: "UTC", Cutoff: "00:00", Currency: "USD"}, "test"); err != nil {
		t.Fatal(err)
	}
	body := `{"id":"1","number":"A-1","location":"S1","till":"T1","at":"2026-11-20T10:00:00Z","kind":"sale","currency":"USD","lines":[{"kind":"item","category":"<script>alert(\"x\")</script>","description":"<b>","amount":"1234.50"}],"tenders":[{"type":"cash","amount":"1234.50"}]}`
	e := envelope.Envelope{Device: "d", Stream: envelope.Sales, Pos: envelope.Position{Epoch: envelope.NewEpoch(), Seq: 1}, Location: "S1", Kind: decode.Ticket, Key: "1", ContentType: "application/json",
		At: time.Date(2026, 11, 20, 10, 0, 1, 0, time.UTC), Part: 1, Parts: 1, Body: []byte(body)}.Seal(envelope.Sum{})
	if err := w.Commit(t.Context(), []ingest.Advance{{Envs: []ingest.Accepted{{Env: &e, Meaning: reader.Mean(&e)}}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.SetBooks(t.Context(), rollup.Books{Journal: "TPOS", Suspense: "999"}, "test"); err != nil {
		t.Fatal(err)
	}
	r := roll.Roller{Store: w.Store, Log: slog.New(slog.DiscardHandler)}
	for {
		worked, _, err := r.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
}

func (w *site) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := w.client.Get(w.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%s has no content policy", path)
	}
	return resp.StatusCode, string(b)
}

func (w *site) post(t *testing.T, path string, form url.Values) (int, string) {
	t.Helper()
	resp, err := w.client.PostForm(w.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

var hidden = regexp.MustCompile(`name="(token|csrf)" value="([^"]*)"`)

func (w *site) signIn(t *testing.T, name, pw string) (int, string) {
	t.Helper()
	_, page := w.get(t, "/login")
	m := hidden.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no token in %s", page)
	}
	return w.post(t, "/login", url.Values{"token": {m[2]}, "name": {name}, "password": {pw}})
}

func (w *site) csrf(t *testing.T) string {
	t.Helper()
	_, page := w.get(t, "/password")
	return hidden.FindStringSubmatch(page)[2]
}

func TestNobodySeesAnythingWithoutSigningIn(t *testing.T) {
	w := newSite(t)
	for _, p := range []string{"/", "/cases", "/day?location=S1&date=2026-11-20", "/ticket/1", "/days.csv", "/locations"} {
		if _, page := w.get(t, p); !strings.Contains(page, `action="/login"`) || strings.Contains(page, "1,234.50") {
			t.Errorf("%s shows %s", p, page)
		}
	}
	if code, page := w.signIn(t, "ann", "wrong"); code != http.StatusUnauthorized || !strings.Contains(page, "wrong") {
		t.Errorf("a wrong password gave %d", code)
	}
}

func TestPagesShowTheDayAndRunNoScript(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	for path, want := range map[string]string{
		"/": "1,234.50", "/day?location=S1&date=2026-11-20": "Preview", "/day/tickets?location=S1&date=2026-11-20&measure=tender%3Acash": "A-1", "/ticket/1": "1,234.50",
		"/find?q=A-1": "Ticket A-1", "/cases": "A till nobody has confirmed", "/locations": "S1", "/location?code=S1": "T1", "/days.csv": "1234.50",
	} {
		code, page := w.get(t, path)
		if code != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: %d, %q is missing in %s", path, code, want, page)
		}
		if path != "/days.csv" && strings.Contains(page, "<script") {
			t.Errorf("%s lets a script through", path)
		}
	}
	if code, _ := w.get(t, "/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown page gave %d", code)
	}
}

func TestPostsNeedTokenAndRole(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	hold := url.Values{"location": {"S1"}, "date": {"2026-11-20"}, "what": {"hold"}, "reason": {"looking"}}
	if code, _ := w.post(t, "/day/decide", hold); code != http.StatusForbidden {
		t.Errorf("a POST without token gave %d", code)
	}
	hold.Set("csrf", w.csrf(t))
	if code, page := w.post(t, "/day/decide", hold); code != http.StatusOK || !strings.Contains(page, "on hold") {
		t.Errorf("hold gave %d %s", code, page)
	}
	d, err := w.DayDetail(context.Background(), rollup.DayKey{Location: "S1", Day: "2026-11-20"})
	if err != nil || !d.Hold || d.Steps[len(d.Steps)-1].Who != "ann" || d.Steps[len(d.Steps)-1].Reason != "looking" {
		t.Errorf("hold is not audited: %+v %v", d.Steps, err)
	}
	w.signIn(t, "eve", "correct horse 9")
	hold.Set("csrf", w.csrf(t))
	if code, _ := w.post(t, "/day/decide", hold); code != http.StatusForbidden {
		t.Errorf("an auditor decided: %d", code)
	}
}

func TestAStoreSeesOnlyItself(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "store", "correct horse 9")
	if _, page := w.get(t, "/"); strings.Contains(page, "1,234.50") {
		t.Error("another store's day is on the first page")
	}
	for _, p := range []string{"/day?location=S1&date=2026-11-20", "/ticket/1", "/day/tickets?location=S1&date=2026-11-20", "/location?code=S1"} {
		if code, _ := w.get(t, p); code != http.StatusNotFound {
			t.Errorf("%s gave %d", p, code)
		}
	}
}

func TestACaseIsDecidedByItsButton(t *testing.T) {
	w := newSite(t)
	w.signIn(t, "ann", "correct horse 9")
	id := cases.ID(cases.UnknownTill, "S1/T1")
	code, page := w.post(t, "/case", url.Values{"id": {id}, "what": {"confirm"}, "csrf": {w.csrf(t)}})
	if code != http.StatusOK || !strings.Contains(page, "Done:") {
		t.Fatalf("confirm gave %d %s", code, page)
	}
	c, err := w.CaseView(t.Context(), id)
	if err != nil || c.State != cases.Closed || c.Steps[len(c.Steps)-1].Who != "ann" {
		t.Errorf("the case is %+v %v", c, err)
	}
}

func TestConnectionsAreShown(t *testing.T) {
	w := newSite(t)
	err := w.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddDevice(t.Context(), "d", "x", "test"); err != nil {
			return err
		}
		return tx.Assign(t.Context(), "d", "S1", time.Unix(0, 0), "test")
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	told, err := json.Marshal([]breaker.Status{{Name: "terminal/front", State: breaker.Open, Reason: "no <b>route</b>", Since: at, Mode: mode.Production}})
	if err != nil {
		t.Fatal(err)
	}
	e := envelope.Envelope{Device: "d", Stream: envelope.State, Pos: envelope.Position{Epoch: envelope.NewEpoch(), Seq: 1}, Kind: decode.Connections, Key: "connections", ContentType: "application/json",
		At: at, Part: 1, Parts: 1, Body: told}.Seal(envelope.Sum{})
	if err := w.Commit(t.Context(), []ingest.Advance{{Envs: []ingest.Accepted{{Env: &e}}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.SetConnection(t.Context(), breaker.Status{Name: "odoo", State: breaker.Refused, Reason: "the key has expired", Since: at}); err != nil {
		t.Fatal(err)
	}
	w.signIn(t, "ann", "correct horse 9")
	for path, want := range map[string][]string{"/": {"refused", "the key has expired", "none is lost"}, "/locations": {"terminal/front", "rests"},
		"/location?code=S1": {"terminal/front", "no &lt;b&gt;route", "production"}, "/cases": {"A system refuses us"}} {
		_, page := w.get(t, path)
		for _, s := range want {
			if !strings.Contains(page, s) {
				t.Errorf("%s: %q is missing in %s", path, s, page)
			}
		}
	}
}

// decider decides on days without asking Odoo what is matched.
type decider struct{ *store.Store }

func (c decider) Reverse(ctx context.Context, k rollup.DayKey, who, reason string) error {
	return c.ReverseDay(ctx, k, nil, who, reason)
}

// clearings counts every day as a banking day.
type clearings struct{ *store.Store }

func (c clearings) OpenClearings(ctx context.Context) ([]view.Clearing, error) {
	return c.Clearings(ctx, "2026-11-30", func(retail.BusinessDate) bool { return true })
}

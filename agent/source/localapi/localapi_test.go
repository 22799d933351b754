package localapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/localapi"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

type sink struct {
	drafts []source.Draft
	err    error
	on     func() // what else an append does; nil = nothing
}

func (s *sink) Append(_ context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	if s.on != nil {
		s.on()
	}
	if s.err == nil {
		s.drafts = append(s.drafts, ds...)
	}
	return s.err
}

const good = `{"id":"1","number":"1","location":"S1","till":"T1","at":"2026-11-23T10:00:00Z","kind":"sale","currency":"USD",
 "lines":[{"kind":"item","category":"Food","amount":"2.00"}],"tenders":[{"type":"cash","amount":2.00}]}`

// ask has one request answered, without a socket.
func ask(a *localapi.API, method, path, kind, token string, body []byte) (code int, says string) {
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI("http://127.0.0.1/v1/x")
	ctx.URI().SetPath(path)
	ctx.Request.Header.SetContentType(kind)
	if token != "" {
		ctx.Request.Header.Set("Authorization", "Bearer "+token)
	}
	ctx.Request.SetBodyRaw(body)
	a.Handle(&ctx)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

// TestWaysIn: what may be asked how.
func TestWaysIn(t *testing.T) {
	a := &localapi.API{Token: "t", Sink: &sink{}, Now: time.Now, Status: func(context.Context) any { return "fine" }}
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/v1/status", 200}, {"POST", "/v1/status", 404}, {"GET", "/v1/tickets", 405}, {"PUT", "/v1/tickets", 405}, {"POST", "/tickets", 404}, {"POST", "/v2/tickets", 404}, {"GET", "/", 404}, {"POST", "/v1/tickets/1", 404}} {
		if code, says := ask(a, c.method, c.path, "", "t", []byte(good)); code != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, code, says, c.want)
		}
	}
}

func TestDoor(t *testing.T) {
	one := strings.ReplaceAll(good, "\n", "")
	for _, c := range []struct {
		name, path, token, kind, body string
		broken                        error
		status, kept                  int
		says                          string
	}{
		{"a ticket", "tickets", "t", "", good, nil, 201, 1, `"kept":1`},
		{"many tickets", "tickets", "t", "application/x-ndjson", one + "\n\n" + one + "\n", nil, 201, 2, `"kept":2`},
		{"one line as long as a request may be", "tickets", "t", "application/x-ndjson", one + strings.Repeat(" ", 16<<20-len(one)), nil, 201, 1, `"kept":1`},
		{"no token", "tickets", "", "", good, nil, 401, 0, "token"},
		{"not JSON", "tickets", "t", "", "hello", nil, 400, 0, "not a JSON object"},
		{"a list", "tickets", "t", "", "[]", nil, 400, 0, "not a JSON object"},
		{"one of two is broken", "tickets", "t", "application/x-ndjson", one + "\n{", nil, 400, 0, "record 2"},
		{"unbalanced", "tickets", "t", "", strings.Replace(good, `"2.00"`, `"3.00"`, 1), nil, 202, 1, "case"},
		{"amount of another type", "tickets", "t", "", strings.Replace(good, `"2.00"`, `{}`, 1), nil, 202, 1, "case"},
		{"an amount twice", "tickets", "t", "", strings.Replace(good, `"2.00"`, `"3.00","amount":"2.00"`, 1), nil, 202, 1, "stands twice"},
		{"lines twice", "tickets", "t", "", strings.Replace(good, `"lines"`, `"Lines":[],"lines"`, 1), nil, 202, 1, "stands twice"},
		{"foreign location", "tickets", "t", "", strings.Replace(good, "S1", "S9", 1), nil, 400, 0, "S9"},
		{"disk full", "tickets", "t", "", good, fault.New(fault.Unavailable, "append", errors.New("full")), 503, 0, "send it again"},
		{"unknown thing", "coupons", "t", "", good, nil, 404, 0, "no such thing"},
		{"a terminal", "terminals", "t", "", `{"location":"S1","till":"T1","status":"ok"}`, nil, 201, 1, ""},
		{"a mark of the year 2099", "read_to", "t", "", `{"location":"S1","through":"2099-01-01T00:00:00Z"}`, nil, 202, 1, "2099"},
		{"a total of no day", "control", "t", "", `{"location":"S1","day":"nope"}`, nil, 202, 1, "is not a date"},
		{"a payment that is none", "payments", "t", "", `{"location":"S1"}`, nil, 202, 1, "no usable id"},
		{"a drawer event that is none", "drawer", "t", "", `{"location":"S1"}`, nil, 202, 1, "unknown"},
		{"a list of tickets", "tickets", "t", "", "[" + good + "]", nil, 400, 0, "one a line with Content-Type: application/x-ndjson"},
		{"a location", "locations", "t", "", `{"code":"S1","zone":"America/Chicago"}`, nil, 201, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sink{err: c.broken}
			a := &localapi.API{Token: "t", Locations: []retail.LocationCode{"S1"}, Sink: s, Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
			code, says := ask(a, http.MethodPost, "/v1/"+c.path, c.kind, c.token, []byte(c.body))
			if code != c.status || len(s.drafts) != c.kept || !strings.Contains(says, c.says) {
				t.Errorf("got %d, kept %d: %s", code, len(s.drafts), says)
			}
		})
	}
}

// TestATillThatDoesNotWriteUTF8: its letters are those of Windows, and two numbers that differ in one of them stay two.
func TestATillThatDoesNotWriteUTF8(t *testing.T) {
	s := &sink{}
	a := &localapi.API{Token: "t", Sink: s, Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
	for _, id := range []string{"\xc9-1", "\xc8-1", "\xef\xbb\xbf"} {
		body := strings.Replace(good, `"id":"1"`, `"id":"`+id+`"`, 1)
		if id == "\xef\xbb\xbf" {
			body = id + good
		}
		if code, says := ask(a, http.MethodPost, "/v1/tickets", "", "t", []byte(body)); code != http.StatusCreated {
			t.Errorf("%q: %d %s", id, code, says)
		}
	}
	if len(s.drafts) != 3 || s.drafts[0].Key != "É-1" || s.drafts[1].Key != "È-1" || s.drafts[2].Key != "1" {
		t.Errorf("kept: %+v", s.drafts)
	}
}

// Whatever a till sends, the door answers with one of its own words: kept and durable, or refused and nothing kept.
func FuzzDoor(f *testing.F) {
	one := strings.ReplaceAll(good, "\n", "")
	for _, s := range []string{good, one + "\n" + one, "{", "null", "[]", `{"id":1,"location":2}`, `{"id":"1","location":"S9"}`, "\xff", `{"location":"S1"}` + "\n\n{}"} {
		f.Add("tickets", "application/x-ndjson", []byte(s))
		f.Add("locations", "application/json", []byte(s))
	}
	f.Fuzz(func(t *testing.T, what, kind string, body []byte) {
		s := &sink{}
		a := &localapi.API{Token: "t", Locations: []retail.LocationCode{"S1"}, Sink: s, Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
		code, says := ask(a, http.MethodPost, "/v1/"+what, kind, "t", body)
		kept := code == http.StatusCreated || code == http.StatusAccepted
		if kept != strings.Contains(says, `"kept":`) || !kept && len(s.drafts) > 0 {
			t.Fatalf("%d with %d records kept: %s", code, len(s.drafts), says)
		}
		for _, d := range s.drafts {
			if d.Location != "S1" {
				t.Fatalf("a record of %q was kept", d.Location)
			}
		}
	})
}

// Package retail_test holds what the source of Heartland Retail rests on, asked of the fake account and, where RETAIL_URL and RETAIL_TOKEN
// name one, of a real account. It only reads.
package retail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source/retailapi"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/test/fake/heartland"
	rig "github.com/tillpost/tillpost/test/retail"
)

// account is one under test.
type account struct{ url, token string }

// accounts are the fake and, when it is there, a real one.
func accounts(t *testing.T, f func(t *testing.T, a account)) {
	t.Run("fake", func(t *testing.T) {
		h := heartland.New(heartland.Options{Token: "t", Places: []heartland.Place{{Code: "1", Name: "One", Zone: "America/New_York", Stations: 2}}})
		h.Set(func(x *heartland.Trouble) { x.PerSecond = 50 })
		dice := rand.New(rand.NewPCG(1, 1))
		for range 30 {
			id := h.Sell(h.Quick("1", dice))
			if id%7 == 0 {
				h.Void(id)
			}
		}
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		f(t, account{srv.URL + "/api", "t"})
	})
	t.Run("real", func(t *testing.T) {
		a := account{strings.TrimSuffix(os.Getenv("RETAIL_URL"), "/"), os.Getenv("RETAIL_TOKEN")}
		if a.url == "" || a.token == "" {
			t.Skip("no account: set RETAIL_URL (https://acme.retail.heartland.us/api) and RETAIL_TOKEN")
		}
		f(t, a)
	})
}

// get asks as a bare client does, slowly.
func (a account) get(t *testing.T, path string, q url.Values) (int, map[string]any) {
	t.Helper()
	<-time.After(50 * time.Millisecond) // a real account bears no more
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+path+"?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	_ = d.Decode(&m)
	return resp.StatusCode, m
}

func filter(field, op string, v any) url.Values {
	b, _ := json.Marshal(map[string]any{field: map[string]any{op: v}})
	return url.Values{"_filter": {string(b)}}
}

func rows(m map[string]any) (out []map[string]any) {
	list, _ := m["results"].([]any)
	for _, r := range list {
		x, _ := r.(map[string]any)
		out = append(out, x)
	}
	return out
}

// What people reported of the API, and the source takes for granted.
func TestWhatTheSourceRestsOn(t *testing.T) {
	accounts(t, func(t *testing.T, a account) {
		since := time.Now().UTC().AddDate(0, 0, -2).Format("2006-01-02T15:04:05")
		q := filter("local_completed_at", "$gte", since)
		q["sort[]"], q["_include[]"], q["per_page"] = []string{"id"}, []string{"lines", "payments"}, []string{"5"}
		status, m := a.get(t, "/sales/tickets", q)
		list := rows(m)
		if status != 200 || m["total"] == nil || m["pages"] == nil || len(list) == 0 || len(list) > 5 {
			t.Fatalf("a page of tickets of the last two days: %d, %d rows of %v", status, len(list), m["total"])
		}
		for _, r := range list {
			for _, f := range []string{"id", "updated_at", "source_location_id", "status", "lines", "payments"} {
				if _, ok := r[f]; !ok {
					t.Errorf("a ticket has no %s", f)
				}
			}
		}
		last, _ := list[len(list)-1]["id"].(json.Number).Int64()
		q = filter("id", "$gt", last)
		q["sort[]"], q["_only[]"], q["per_page"] = []string{"id"}, []string{"id"}, []string{"3"}
		_, m = a.get(t, "/sales/tickets", q)
		for _, r := range rows(m) {
			if id, _ := r["id"].(json.Number).Int64(); id <= last {
				t.Errorf("the page after %d holds %d", last, id)
			}
			if len(r) > 2 {
				t.Errorf("_only[]=id gives %d fields", len(r))
			}
		}
		_, m = a.get(t, "/sales/tickets", filter("id", "$in", []int64{last}))
		if got := rows(m); len(got) != 1 {
			t.Errorf("$in one id gives %d rows", len(got))
		}
		_, m = a.get(t, "/locations", url.Values{"_include[]": {"stations"}})
		if got := rows(m); len(got) == 0 || got[0]["public_id"] == nil || got[0]["stations"] == nil {
			t.Errorf("locations: %v", m)
		}
		if status, _ := (account{a.url, "wrong"}).get(t, "/system/whoami", nil); status != 401 {
			t.Errorf("a wrong token is answered %d", status)
		}
	})
}

// The source itself: connects, says what it chose, reads two days, and refuses nothing.
func TestTheSourceReads(t *testing.T) {
	accounts(t, func(t *testing.T, a account) {
		books := rig.NewBooks(time.UTC)
		r := &rig.Rig{Books: books, Log: slog.New(slog.DiscardHandler)}
		r.Start(t.Context(), retailapi.Options{Tenant: "contract", URL: a.url, Token: func() (string, error) { return a.token, nil }, Currency: "USD", Zone: "UTC",
			Since: "", Dir: t.TempDir(), HTTP: http.DefaultClient, Log: r.Log})
		defer r.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for ctx.Err() == nil && (r.Source.Status().Behind.IsZero() || books.MarksOf() < 1) {
			<-time.After(100 * time.Millisecond)
		}
		st := r.Source.Status()
		t.Log(strings.Join(st.Text(), "\n"))
		if st.Connection.State != breaker.Closed || len(st.Chosen) == 0 || st.Behind.IsZero() {
			t.Errorf("it says %+v", st)
		}
		if refused := books.RefusedOf(); len(refused) > 0 {
			t.Errorf("%d records were not understood, such as %s", len(refused), fmt.Sprint(refused[:min(3, len(refused))]))
		}
		if slices.ContainsFunc(st.Chosen, func(s string) bool { return strings.Contains(s, "api_v2") }) {
			t.Log("the account has the newer POS switched on: find out whether its sales are in /sales/tickets")
		}
	})
}

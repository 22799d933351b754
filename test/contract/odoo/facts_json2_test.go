package odoo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/hub/odoo"
	fake "github.com/tillpost/tillpost/test/fake/odoo"
)

// jsonLab calls JSON-2 in the raw.
type jsonLab struct {
	t   *testing.T
	s   server
	key string
	db  string
	l   *lab
}

// post words an answer: "200 VALUE", or the status with the exception's name and the first line of its message.
func (j jsonLab) post(call, body string) string { return j.send("application/json", call, body) }

func (j jsonLab) send(kind, call, body string) string {
	j.t.Helper()
	req, err := http.NewRequestWithContext(j.t.Context(), http.MethodPost, j.s.cfg.URL+"/json/2/"+call, strings.NewReader(body))
	if err != nil {
		j.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if j.key != "" {
		req.Header.Set("Authorization", "bearer "+j.key)
	}
	req.Header.Set("X-Odoo-Database", j.db)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		j.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		j.t.Fatal(err)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return fmt.Sprint(resp.StatusCode, " ", strings.SplitN(resp.Header.Get("Content-Type"), ";", 2)[0])
	}
	if resp.StatusCode == http.StatusOK {
		return "200 " + string(bytes.TrimSpace(b))
	}
	var e struct{ Name, Message, Debug string }
	if err := json.Unmarshal(b, &e); err != nil || e.Debug == "" {
		j.t.Errorf("an error without its traceback: %s %v", b, err)
	}
	first, _, _ := strings.Cut(e.Message, "\n")
	return fmt.Sprintf("%d %s %s", resp.StatusCode, e.Name, first)
}

// TestFactsOfJSON2 is what the other transport does, on the fake and on a real 19.
func TestFactsOfJSON2(t *testing.T) {
	eachOver(t, odoo.JSON2, func(t *testing.T, s server) {
		l := newLab(t, s)
		key, _ := s.cfg.Key()
		draft := func() int64 { return l.entry(l.key(), l.day, l.pair("1.00")...) }
		for _, f := range []struct {
			name, want string
			run        func(j jsonLab) string
		}{
			{"a key says whose it is", fmt.Sprintf("200 uid %d", l.me.uid), func(j jsonLab) string {
				var m map[string]any
				got := j.post("res.users/context_get", "{}")
				_ = json.Unmarshal([]byte(strings.TrimPrefix(got, "200 ")), &m)
				return fmt.Sprintf("200 uid %v", m["uid"])
			}},
			{"a wrong key", "401 werkzeug.exceptions.Unauthorized Invalid apikey", func(j jsonLab) string { j.key = "wrong"; return j.post("res.users/context_get", "{}") }},
			{"no key", "401 werkzeug.exceptions.Unauthorized User not authenticated, use an API Key with a Bearer Authorization header.", func(j jsonLab) string { j.key = ""; return j.post("res.users/context_get", "{}") }},
			{"another database is a page", "404 text/html", func(j jsonLab) string { j.db = "no_such_db"; return j.post("res.users/context_get", "{}") }},
			{"another content type is a page", "415 text/html", func(j jsonLab) string { return j.send("text/xml", "res.users/context_get", "{}") }},
			{"a body that is no JSON", "400 werkzeug.exceptions.BadRequest", func(j jsonLab) string {
				return strings.Join(strings.Fields(j.post("res.users/context_get", "{x"))[:2], " ")
			}},
			{"an unknown model", "404 werkzeug.exceptions.NotFound the model 'no.such' does not exist", func(j jsonLab) string { return j.post("no.such/read", `{"ids":[1]}`) }},
			{"an unknown method", "404 werkzeug.exceptions.NotFound The method 'res.partner.no_such' does not exist", func(j jsonLab) string { return j.post("res.partner/no_such", "{}") }},
			{"a private method", "403 odoo.exceptions.AccessError", func(j jsonLab) string {
				return strings.Join(strings.Fields(j.post("res.partner/_write", `{"ids":[1]}`))[:2], " ")
			}},
			{"an argument too many", "422 werkzeug.exceptions.UnprocessableEntity got an unexpected keyword argument 'nope'", func(j jsonLab) string {
				return j.post("account.move/load", `{"fields":["id"],"data":[],"nope":1}`)
			}},
			{"an argument too few", "422 werkzeug.exceptions.UnprocessableEntity missing a required argument: 'data'", func(j jsonLab) string { return j.post("account.move/load", `{"fields":["id"]}`) }},
			{"ids where none belong", "422 werkzeug.exceptions.UnprocessableEntity cannot call account.move.load with ids", func(j jsonLab) string {
				return j.post("account.move/load", `{"ids":[1],"fields":["id"],"data":[]}`)
			}},
			{"a method on records that is given none does nothing and says all is well", "200 false", func(j jsonLab) string { return j.post("account.move/action_post", "{}") }},
			{"posting says false", "200 false", func(j jsonLab) string {
				return j.post("account.move/action_post", fmt.Sprintf(`{"ids":[%d]}`, draft()))
			}},
			{"a method that returns None says null and has committed", "200 null, then draft", func(j jsonLab) string {
				n := draft()
				j.post("account.move/action_post", fmt.Sprintf(`{"ids":[%d]}`, n))
				return fmt.Sprint(j.post("account.move/button_draft", fmt.Sprintf(`{"ids":[%d]}`, n)), ", then ", l.field(n, "state"))
			}},
			{"posting twice", "422 odoo.exceptions.UserError", func(j jsonLab) string {
				n := draft()
				j.post("account.move/action_post", fmt.Sprintf(`{"ids":[%d]}`, n))
				return strings.Join(strings.Fields(j.post("account.move/action_post", fmt.Sprintf(`{"ids":[%d]}`, n)))[:2], " ")
			}},
			{"a record that is gone", "404 odoo.exceptions.MissingError Record does not exist or has been deleted.", func(j jsonLab) string {
				return j.post("res.partner/write", `{"ids":[99999999],"vals":{"name":"x"}}`)
			}},
			{"or is read", "200 []", func(j jsonLab) string { return j.post("res.partner/read", `{"ids":[99999999],"fields":["name"]}`) }},
			{"an unknown field", "500 builtins.ValueError", func(j jsonLab) string {
				return strings.Join(strings.Fields(j.post("account.move/search_read", `{"domain":[],"fields":["no_such"],"limit":1}`))[:2], " ")
			}},
			{"a company that is not his", "403 odoo.exceptions.AccessError Access to unauthorized or invalid companies.", func(j jsonLab) string {
				return j.post("account.journal/search_read", `{"domain":[],"fields":["name"],"context":{"allowed_company_ids":[99999]}}`)
			}},
			{"create of one says a list", "200 [n]", func(j jsonLab) string {
				var n []int64
				if json.Unmarshal([]byte(strings.TrimPrefix(j.post("res.partner/create", `{"vals_list":{"name":"Fact"}}`), "200 ")), &n) != nil || len(n) != 1 {
					return "something else"
				}
				return "200 [n]"
			}},
			{"a whole amount keeps its point", `200 [{"id": n, "balance": 1.0}]`, func(j jsonLab) string {
				n := draft()
				got := j.post("account.move.line/search_read", fmt.Sprintf(`{"domain":[["move_id","=",%d]],"fields":["balance"]}`, n))
				if strings.Contains(got, `"balance": 1.0`) || strings.Contains(got, `"balance":1.0`) {
					return `200 [{"id": n, "balance": 1.0}]`
				}
				return got
			}},
		} {
			t.Run(f.name, func(t *testing.T) {
				l = l.in(t)
				if got := f.run(jsonLab{t, s, key, s.cfg.Database, l}); got != f.want {
					t.Errorf("\n got %s\nwant %s", got, f.want)
				}
			})
		}
	})
}

func TestTheTransportIsChosenByTheVersion(t *testing.T) {
	for _, c := range []struct {
		name string
		o    fake.Options
		way  odoo.Transport
		key  string
		want string // the path of the calls
	}{
		{"18 has no other", fake.Options{Version: 18}, odoo.Auto, "key", "/xmlrpc/2/object"},
		{"19 by itself", fake.Options{Version: 19}, odoo.Auto, "key", "/json/2/"},
		{"19 when nothing is said", fake.Options{Version: 19}, "", "key", "/json/2/"},
		{"19 as told", fake.Options{Version: 19}, odoo.XMLRPC, "key", "/xmlrpc/2/object"},
		{"19 as told", fake.Options{Version: 19}, odoo.JSON2, "key", "/json/2/"},
		{"19 without XML-RPC", fake.Options{Version: 19, NoXML: true}, odoo.Auto, "key", "/json/2/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, p := serve(t, c.o).over(c.way).behind(t)
			if _, err := at.setup(t); err != nil {
				t.Fatal(err)
			}
			other := map[string]string{"/json/2/": "/xmlrpc/2/object", "/xmlrpc/2/object": "/json/2/"}[c.want]
			if n := p.paths(c.want); n == 0 || p.paths(other) > 0 {
				t.Errorf("%d calls went to %s, %d to %s", n, c.want, p.paths(other), other)
			}
		})
	}
}

func TestAPasswordStillOpens19AndAForeignKeyDoesNot(t *testing.T) {
	s := newFake(t, 19)
	s.cfg.User, s.cfg.Key = "admin", func() (string, error) { return "admin", nil }
	at, p := s.over(odoo.Auto).behind(t)
	if _, _, err := at.client(t).Login(t.Context()); err != nil || p.paths("/xmlrpc/2/common") == 0 {
		t.Errorf("a password that opened 19 before does not: %v", err)
	}
	if _, _, err := s.over(odoo.JSON2).client(t).Login(t.Context()); odoo.KindOf(err) != odoo.Denied || !strings.Contains(err.Error(), "API key") {
		t.Errorf("a password over JSON-2: %v", err)
	}
	s.cfg.Key = func() (string, error) { return "key", nil } // the integration user's
	for _, way := range []odoo.Transport{odoo.Auto, odoo.JSON2, odoo.XMLRPC} {
		if _, _, err := s.over(way).client(t).Login(t.Context()); odoo.KindOf(err) != odoo.Denied {
			t.Errorf("%s: another user's key was taken: %v", way, err)
		}
	}
	if _, err := newFake(t, 18).over(odoo.JSON2).client(t).Version(t.Context()); err == nil || !strings.Contains(err.Error(), "from 19 on") {
		t.Errorf("JSON-2 to 18: %v", err)
	}
}

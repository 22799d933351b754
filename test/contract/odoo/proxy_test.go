package odoo_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// spoil is what the way to Odoo does to one call.
type spoil int

const (
	pass      spoil = iota
	lose            // Odoo does it and commits; the answer never comes
	unsent          // the call never reaches Odoo
	hang            // Odoo does it; the answer does not come while the caller waits
	half            // Odoo does it; the answer breaks off in the middle
	page            // a web page with status 200: a wrong address, a login page
	down            // maintenance: 503
	gateway         // a proxy without its Odoo: 502
	elsewhere       // a redirect
	busy            // another transaction was there first: what load says then, word for word
	crash           // Odoo breaks on it and undoes it
)

// proxy stands before any Odoo, fake or real, and makes the trouble that lies on the way.
type proxy struct {
	target string

	mu    sync.Mutex
	rule  func(call string) spoil
	wall  string   // a body with this text does not get through, as a firewall before Odoo does it
	calls []string // "account.move.load", "common.version", in order
	asked []string // their addresses
}

// behind puts a proxy before s; rule decides on each call, nil = all pass.
func (s server) behind(t *testing.T) (server, *proxy) {
	t.Helper()
	p := &proxy{target: s.cfg.URL}
	h := httptest.NewServer(p)
	t.Cleanup(h.Close)
	s.cfg.URL = h.URL
	return s, p
}

// set changes the rule and forgets the calls so far.
func (p *proxy) set(rule func(call string) spoil) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rule, p.calls = rule, nil
}

// always is a rule for every call.
func always(s spoil) func(string) spoil { return func(string) spoil { return s } }

// only is a rule for calls of one method.
func only(method string, s spoil) func(string) spoil {
	return func(call string) spoil {
		if call == method {
			return s
		}
		return pass
	}
}

// nth is a rule for the nth call from now on, counted from 1.
func nth(n int, s spoil) func(string) spoil {
	i := 0
	return func(string) spoil {
		if i++; i == n {
			return s
		}
		return pass
	}
}

func (p *proxy) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}

// paths counts the calls to addresses that begin so.
func (p *proxy) paths(begin string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		if strings.HasPrefix(a, begin) {
			n++
		}
	}
	return n
}

var texts = regexp.MustCompile(`<string>([^<]*)</string>`)

// name tells what a body calls: the first four texts of execute_kw are database, key, model, method;
// JSON-2 has them in its address.
func name(path string, body []byte) string {
	if strings.HasSuffix(path, "/common") || strings.HasSuffix(path, "/version") || strings.HasSuffix(path, "/context_get") {
		return "common"
	}
	if call, ok := strings.CutPrefix(path, "/json/2/"); ok {
		return strings.ReplaceAll(call, "/", ".")
	}
	if m := texts.FindAllSubmatch(body, 4); len(m) == 4 {
		return string(m[2][1]) + "." + string(m[3][1])
	}
	return "?"
}

func (p *proxy) decide(path, call string) spoil {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls, p.asked = append(p.calls, call), append(p.asked, path)
	if p.rule == nil {
		return pass
	}
	return p.rule(call)
}

const maintenance = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><h1>We will be back soon</h1></body></html>"

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if p.wall != "" && bytes.Contains(body, []byte(p.wall)) {
		http.Error(w, "<html><h1>403 Forbidden</h1></html>", http.StatusForbidden)
		return
	}
	switch s := p.decide(r.URL.Path, name(r.URL.Path, body)); s {
	case pass:
		a := p.ask(r, body)
		w.Header().Set("Content-Type", a.Header.Get("Content-Type"))
		w.WriteHeader(a.StatusCode)
		_, _ = w.Write(a.body)
	case lose:
		p.ask(r, body)
		panic(http.ErrAbortHandler)
	case unsent:
		panic(http.ErrAbortHandler)
	case hang:
		p.ask(r, body)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case half:
		a := p.ask(r, body)
		w.Header().Set("Content-Type", a.Header.Get("Content-Type"))
		_, _ = w.Write(a.body[:len(a.body)/2])
	case page:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, maintenance)
	case down, gateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(map[spoil]int{down: http.StatusServiceUnavailable, gateway: http.StatusBadGateway}[s])
		_, _ = io.WriteString(w, maintenance)
	case elsewhere:
		http.Redirect(w, r, "https://www.example.com/", http.StatusMovedPermanently)
	case busy, crash:
		if strings.HasPrefix(r.URL.Path, "/json/") {
			sayJSON(w, s)
			return
		}
		sayXML(w, s)
	}
}

// sayJSON and sayXML word what is no trouble of the way but of Odoo.
func sayJSON(w http.ResponseWriter, s spoil) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if s == busy {
		_, _ = io.WriteString(w, `{"ids": false, "messages": [{"type": "error", "message": "could not serialize access due to concurrent update\n"}], "nextrow": 0}`)
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `{"name": "builtins.ZeroDivisionError", "message": "float division by zero", "arguments": ["float division by zero"], "context": {}, "debug": "Traceback (most recent call last):\nZeroDivisionError: float division by zero\n"}`)
}

func sayXML(w http.ResponseWriter, s spoil) {
	switch s {
	case busy:
		say(w, `<params><param><value><struct><member><name>ids</name><value><boolean>0</boolean></value></member><member><name>messages</name><value><array><data><value><struct>`+
			`<member><name>type</name><value><string>error</string></value></member><member><name>message</name><value><string>could not serialize access due to concurrent update`+"\n"+
			`</string></value></member></struct></value></data></array></value></member></struct></value></param></params>`)
	case crash:
		say(w, `<fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member><member><name>faultString</name><value><string>Traceback (most recent call last):`+"\n"+
			`ZeroDivisionError: float division by zero`+"\n"+`</string></value></member></struct></value></fault>`)
	}
}

func say(w http.ResponseWriter, what string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, "<?xml version='1.0'?>\n<methodResponse>"+what+"</methodResponse>")
}

type reply struct {
	*http.Response
	body []byte
}

// ask passes a call on. Odoo finishes what it has begun, whether or not the caller is still there.
func (p *proxy) ask(r *http.Request, body []byte) reply {
	req, err := http.NewRequest(r.Method, p.target+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, h := range []string{"Content-Type", "Authorization", "X-Odoo-Database"} {
		if v := r.Header.Get(h); v != "" {
			req.Header.Set(h, v)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return reply{resp, b}
}

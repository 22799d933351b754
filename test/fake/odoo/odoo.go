// Package odoo is an Odoo that behaves as the real one was measured to: external ids that are claimed once, serialization errors that load
// swallows, methods that commit and then fault because they return None, dates that move under lock dates, taxes that add lines of their
// own, and the differences of 17, 18 and 19. It keeps its books in memory or in a file that survives a kill.
package odoo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/failpoint"
)

// Options of a server.
type Options struct {
	Version    int    // 17, 18 or 19
	Database   string // "" = "odoo"
	User       string // "" = "tillpost"
	Key        string // "" = "key"
	State      string // file, "" = memory only
	NoAnalytic bool   // analytic accounting is off at the start, as on a new database
	KeyEnds    string // of the user's API key from 18 on: "2027-02-22 19:21:18", "never", "" = in 90 days, which is the most that Odoo gives
	NoXML      bool   // an Odoo to come, which speaks JSON-2 alone
	Second     string // name of a second company, with a chart of its own, "" = none
	Stock      bool   // the stock app is installed, with one warehouse
	Neutral    bool   // a neutralised copy: its pages carry the banner
}

// record is one row of a model.
type record map[string]any

// books is everything that a transaction may change.
type books struct {
	Next    int64                       `json:"next"`
	Models  map[string]map[int64]record `json:"models"`
	XMLIDs  map[string]xref             `json:"xmlids"`
	Numbers map[string]int              `json:"numbers"`
	Grants  map[string]bool             `json:"grants"`
}

// Server is an http.Handler. It is safe for concurrent use.
type Server struct {
	Options
	mu      sync.Mutex
	b       books
	trouble Trouble
	calls   map[string]int
	rewrote int               // posted entries that were written to
	undo    []func()          // of the running call, in order
	lines   map[int64][]int64 // items of an entry

	uid      int64          // who makes the running call
	company  int64          // in whose books, 0 = 1
	commits  int            // transactions so far
	snapshot int            // commits that the running call can see
	claimed  map[string]int // external ids → the transaction that claimed them
}

// fault is an exception that reaches the wire.
type fault struct {
	code  int
	words string
}

func (f fault) Error() string { return f.words }

// trace is a fault 1: a traceback whose last line tells what it was.
func trace(last string) fault {
	return fault{1, "Traceback (most recent call last):\n  File \"/usr/lib/python3/dist-packages/odoo/http.py\", line 1, in dispatch\n" + last + "\n"}
}

// New makes a server with a US company, or opens the one in o.State.
func New(o Options) (*Server, error) {
	for _, d := range []struct {
		p *string
		v string
	}{{&o.Database, "odoo"}, {&o.User, "tillpost"}, {&o.Key, "key"}} {
		if *d.p == "" {
			*d.p = d.v
		}
	}
	if o.Version == 0 {
		o.Version = 18
	}
	s := &Server{Options: o, calls: map[string]int{}, lines: map[int64][]int64{}, claimed: map[string]int{}}
	if o.State != "" {
		data, err := os.ReadFile(o.State)
		if err == nil {
			return s, s.thaw(data)
		}
		if !os.IsNotExist(err) {
			return nil, err
		}
	}
	s.seed()
	return s, s.save()
}

// thaw reads a state file. JSON knows no integers: they are floats afterwards and are made integers again.
func (s *Server) thaw(data []byte) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&s.b); err != nil {
		return err
	}
	for _, m := range s.b.Models {
		for _, r := range m {
			for k, v := range r {
				r[k] = native(v)
				if n, whole := r[k].(int64); whole && (k == "balance" || k == "price_unit" || k == "quantity" || k == "amount" || k == "factor_percent") {
					r[k] = float64(n)
				}
			}
		}
	}
	for id, l := range s.b.Models["account.move.line"] {
		move, _ := l["move_id"].(int64)
		s.lines[move] = append(s.lines[move], id)
	}
	return nil
}

func native(v any) any {
	switch x := v.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = native(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = native(x[k])
		}
	}
	return v
}

// save makes what was committed survive a kill: a new file, synced, in place of the old one.
func (s *Server) save() error {
	if s.State == "" {
		return nil
	}
	data, err := json.Marshal(s.b)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.State), ".odoo-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), s.State)
}

// ServeHTTP answers /xmlrpc/2/common and /xmlrpc/2/object, from 19 on /json/2/, and /fake/ for those who make trouble.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/fake/") {
		s.control(w, r)
		return
	}
	t, sees := s.Now(), s.begin()
	if t.Slow > 0 {
		select {
		case <-time.After(t.Slow):
		case <-r.Context().Done():
			return
		}
	}
	if !t.HTML && r.URL.Path == "/web/login" {
		s.loginPage(w)
		return
	}
	if json2 := strings.HasPrefix(r.URL.Path, "/json/") || r.URL.Path == "/web/version"; json2 && !t.HTML {
		if s.Version < 19 {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n")
			return
		}
		s.serveJSON(w, r, sees)
		return
	}
	if t.HTML || s.NoXML || !strings.HasPrefix(r.URL.Path, "/xmlrpc/2/") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if t.Status != 0 {
			w.WriteHeader(t.Status)
		} else if s.NoXML && !t.HTML {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return
	}
	answer := s.answer(strings.TrimPrefix(r.URL.Path, "/xmlrpc/2/"), body, sees)
	if s.cut() { // committed, and the client never hears of it
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Connection", "close")
	_, _ = io.WriteString(w, answer)
}

// begin is the moment at which a transaction of REPEATABLE READ takes its view of the data: when the call arrives.
func (s *Server) begin() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commits
}

func (s *Server) answer(service string, body []byte, sees int) string {
	method, params, err := decode(body)
	if err != nil {
		return faultBody(1, trace("xml.parsers.expat.ExpatError: not well-formed (invalid token): "+err.Error()).words)
	}
	v, err := s.dispatch(service, method, params, sees)
	if err == nil {
		var text string
		if text, err = encode(v); err == nil {
			return text
		}
		err = trace(err.Error())
	}
	f, ok := err.(fault)
	if !ok {
		f = trace(err.Error())
	}
	return faultBody(f.code, f.words)
}

func (s *Server) dispatch(service, method string, p []any, sees int) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = sees
	switch {
	case service == "common" && method == "version":
		return map[string]any{"server_version": fmt.Sprintf("%d.0", s.Version), "server_version_info": []any{int64(s.Version), int64(0), int64(0), "final", int64(0), ""},
			"server_serie": fmt.Sprintf("%d.0", s.Version), "protocol_version": int64(1)}, nil
	case service == "common" && method == "authenticate" && len(p) >= 3:
		if p[0] != s.Database {
			return nil, trace(fmt.Sprintf("psycopg2.OperationalError: connection to server failed: FATAL:  database \"%v\" does not exist", p[0]))
		}
		if uid, ok := s.login(p[1], p[2]); ok {
			return uid, nil
		}
		return false, nil
	case service == "object" && method == "execute_kw" && len(p) >= 6:
		uid, _ := p[1].(int64)
		if !s.opens(uid, p[2]) {
			return nil, fault{3, "Access Denied"}
		}
		s.uid = uid
		kw := map[string]any{}
		if len(p) > 6 {
			kw, _ = p[6].(map[string]any)
		}
		model, _ := p[3].(string)
		name, _ := p[4].(string)
		args, _ := p[5].([]any)
		return s.execute(model, name, args, kw)
	}
	return nil, trace("NameError: no such service or method")
}

// execute runs one call as one transaction: what it changed is undone when it fails.
func (s *Server) execute(model, method string, args []any, kw map[string]any) (any, error) {
	s.calls[model+"."+method]++
	s.undo = s.undo[:0]
	v, changed, err := s.run(model, method, args, kw)
	if err != nil {
		s.rollback(0)
		return nil, err
	}
	if changed {
		failpoint.Hit("odoo.commit.before")
		s.commits++
		if err := s.save(); err != nil {
			panic(err) // a fake without its disk proves nothing
		}
		failpoint.Hit("odoo.commit.after") // committed, and nobody hears of it
	}
	return v, nil
}

// rollback undoes what the running call did since its step number to.
func (s *Server) rollback(to int) {
	for i := len(s.undo) - 1; i >= to; i-- {
		s.undo[i]()
	}
	s.undo = s.undo[:to]
}

// with is a copy of r with some values set.
func (r record) with(values record) record {
	out := make(record, len(r)+len(values))
	for k, v := range r {
		out[k] = v
	}
	for k, v := range values {
		out[k] = v
	}
	return out
}

// loginPage is the login page, with the banner of a database that was neutralised.
func (s *Server) loginPage(w http.ResponseWriter) {
	banner := ""
	if s.Neutral {
		banner = `<span id="oe_neutralize_banner">Database neutralized for testing: no emails sent, etc.</span>`
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><body>"+banner+"<form class=\"oe_login_form\"></form></body></html>")
}

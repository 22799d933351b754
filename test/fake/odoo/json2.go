package odoo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// parameters are what the methods of the fake are called with by name: those before the first "?" have to be there, ids are no parameter.
var parameters = map[string]string{
	"search_read": "?domain fields offset limit order load", "read": "?fields load", "create": "vals_list", "write": "vals", "load": "fields data", "has_access": "operation", "fields_get": "allfields attributes",
	"check_access_rights": "operation ?raise_exception", "get_param": "key ?default", "check_object_reference": "module xml_id ?raise_on_access_error",
	"context_get": "", "action_post": "", "action_draft": "", "button_draft": "", "button_cancel": "", "unlink": "", "execute": "", "action_revoke": "", "reconcile": "",
}

// onModel are the methods that take no ids.
var onModel = []string{"search_read", "create", "load", "check_access_rights", "fields_get", "get_param", "check_object_reference", "context_get"}

// httpFault is an error of JSON-2: a status and an exception's name.
type httpFault struct {
	status        int
	name, message string
}

func (f httpFault) Error() string { return f.message }

// serveJSON answers /json/version and /json/2/MODEL/METHOD, which 19 is the first to have.
func (s *Server) serveJSON(w http.ResponseWriter, r *http.Request, sees int) {
	path, _ := strings.CutPrefix(r.URL.Path, "/json/")
	if path == "version" || r.URL.Path == "/web/version" {
		v := map[string]any{"version": fmt.Sprintf("%d.0", s.Version), "version_info": []any{int64(s.Version), int64(0), int64(0), "final", int64(0), ""}}
		s.say(w, http.StatusOK, v)
		return
	}
	if db := r.Header.Get("X-Odoo-Database"); db != "" && db != s.Database {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n")
		return
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnsupportedMediaType)
		_, _ = io.WriteString(w, "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n<h1>Unsupported Media Type</h1>\n")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		return
	}
	v, err := s.jsonCall(r, path, body, sees)
	if s.cut() {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		f := asHTTP(err)
		s.say(w, f.status, map[string]any{"name": f.name, "message": f.message, "arguments": []any{f.message}, "context": map[string]any{},
			"debug": "Traceback (most recent call last):\n" + f.name + ": " + f.message + "\n"})
		return
	}
	s.say(w, http.StatusOK, v)
}

func (s *Server) say(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(pythonic(v))
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// jsonCall runs one call as one transaction, like the other transport.
func (s *Server) jsonCall(r *http.Request, path string, body []byte, sees int) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = sees
	model, method, ok := strings.Cut(strings.TrimPrefix(path, "2/"), "/")
	if !ok || !strings.HasPrefix(path, "2/") || r.Method != http.MethodPost {
		return nil, httpFault{http.StatusNotFound, "werkzeug.exceptions.NotFound", "Did you mean POST /json/2/<model>/<method>?"}
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "bearer ")
	uid, ok := s.keyOf(key)
	switch {
	case key == "":
		return nil, httpFault{http.StatusUnauthorized, "werkzeug.exceptions.Unauthorized", "User not authenticated, use an API Key with a Bearer Authorization header."}
	case !ok:
		return nil, httpFault{http.StatusUnauthorized, "werkzeug.exceptions.Unauthorized", "Invalid apikey"}
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var in map[string]any
	if err := d.Decode(&in); err != nil {
		return nil, httpFault{http.StatusBadRequest, "werkzeug.exceptions.BadRequest", "could not parse the body as json: " + err.Error()}
	}
	named, _ := native(in).(map[string]any)
	s.uid = uid
	args, kw, err := s.arguments(model, method, named)
	if err != nil {
		return nil, err
	}
	if method == "context_get" {
		return map[string]any{"lang": "en_US", "tz": false, "uid": uid}, nil
	}
	v, err := s.execute(model, method, args, kw)
	if n, one := v.(int64); one && method == "create" {
		v = []any{n}
	}
	return v, err
}

// keyOf finds whose API key it is; a password is none.
func (s *Server) keyOf(key string) (int64, bool) {
	for id, u := range s.b.Models["res.users"] {
		if k, _ := u["key"].(string); k != "" && k == key {
			return id, s.opens(id, key)
		}
	}
	return 0, false
}

// arguments turns names into the positions that the fake's methods know, and refuses what Python would.
func (s *Server) arguments(model, method string, named map[string]any) (args []any, kw map[string]any, err error) {
	params, known := parameters[method]
	switch {
	case !models[model] && s.b.Models[model] == nil:
		return nil, nil, httpFault{http.StatusNotFound, "werkzeug.exceptions.NotFound", fmt.Sprintf("the model '%s' does not exist", model)}
	case strings.HasPrefix(method, "_"):
		return nil, nil, fault{4, fmt.Sprintf("Private methods (such as '%s.%s') cannot be called remotely.", model, method)}
	case !known:
		return nil, nil, httpFault{http.StatusNotFound, "werkzeug.exceptions.NotFound", fmt.Sprintf("The method '%s.%s' does not exist", model, method)}
	}
	unprocessable := func(words string) error {
		return httpFault{http.StatusUnprocessableEntity, "werkzeug.exceptions.UnprocessableEntity", words}
	}
	ids, has := named["ids"]
	if has && slices.Contains(onModel, method) {
		return nil, nil, unprocessable(fmt.Sprintf("cannot call %s.%s with ids", model, method))
	}
	if !slices.Contains(onModel, method) {
		if ids == nil {
			ids = []any{} // no record at all: the method runs, and nothing happens
		}
		args = append(args, ids)
	}
	kw = map[string]any{}
	if c, ok := named["context"]; ok {
		kw["context"] = c
	}
	need, optional := true, []string{}
	for _, p := range strings.Fields(params) {
		p, opt := strings.CutPrefix(p, "?")
		need = need && !opt
		if !need {
			optional = append(optional, p)
			continue
		}
		v, ok := named[p]
		if !ok {
			return nil, nil, unprocessable(fmt.Sprintf("missing a required argument: '%s'", p))
		}
		args = append(args, v)
	}
	for k, v := range named {
		if slices.Contains(optional, k) {
			kw[k] = v
		} else if k != "ids" && k != "context" && !slices.Contains(strings.Fields(params), k) {
			return nil, nil, unprocessable(fmt.Sprintf("got an unexpected keyword argument '%s'", k))
		}
	}
	return args, kw, nil
}

// asHTTP words a fault of the other transport as JSON-2 does.
func asHTTP(err error) httpFault {
	var f fault
	switch x := err.(type) {
	case httpFault:
		return x
	case fault:
		f = x
	default:
		f = trace(err.Error())
	}
	switch {
	case f.code == 4:
		return httpFault{http.StatusForbidden, "odoo.exceptions.AccessError", f.words}
	case f.code == 3:
		return httpFault{http.StatusUnauthorized, "werkzeug.exceptions.Unauthorized", "Invalid apikey"}
	case f.code == 2 && strings.HasPrefix(f.words, "Record does not exist"):
		return httpFault{http.StatusNotFound, "odoo.exceptions.MissingError", f.words}
	case f.code == 2 && strings.Contains(f.words, "The operation cannot be completed"):
		return httpFault{http.StatusUnprocessableEntity, "odoo.exceptions.ValidationError", f.words}
	case f.code == 2:
		return httpFault{http.StatusUnprocessableEntity, "odoo.exceptions.UserError", f.words}
	}
	words := strings.TrimSpace(f.words)
	class, message, _ := strings.Cut(words[strings.LastIndexByte(words, '\n')+1:], ": ")
	if !strings.Contains(class, ".") {
		class = "builtins." + class
	}
	return httpFault{http.StatusInternalServerError, class, message}
}

// pythonic writes doubles as Python's json does: always with a point.
func pythonic(v any) any {
	switch x := v.(type) {
	case float64:
		return json.RawMessage(python(x))
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = pythonic(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = pythonic(x[k])
		}
		return out
	}
	return v
}

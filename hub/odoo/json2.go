package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// jsonWay speaks JSON-2: POST /json/2/MODEL/METHOD with the arguments by name, the API key as bearer, and errors as HTTP status and JSON.
// A misspelt argument is an error to Odoo (422); missing ids are none, see named.
type jsonWay struct{ c *Client }

// names are the parameters, by position, of the methods that are called with more than ids. "ids" stands for the records.
var names = map[string][]string{
	"search_read":            {"domain", "fields", "offset", "limit", "order"},
	"search":                 {"domain", "offset", "limit", "order"},
	"search_count":           {"domain"},
	"read":                   {"ids", "fields", "load"},
	"create":                 {"vals_list"},
	"write":                  {"ids", "vals"},
	"load":                   {"fields", "data"},
	"has_access":             {"ids", "operation"},
	"check_access_rights":    {"operation", "raise_exception"},
	"get_param":              {"key", "default"},
	"check_object_reference": {"module", "xml_id", "raise_on_access_error"},
	"fields_get":             {"allfields", "attributes"},
}

// named lays arguments out by name. A method that is not listed works on records and on nothing else: without ids Odoo would run it on no
// record at all, answer 200, and nothing would have happened.
func named(method string, args []any, kw map[string]any) (map[string]any, error) {
	params, listed := names[method]
	if !listed {
		if len(args) != 1 {
			return nil, fmt.Errorf("BUG: %s is called with %d arguments that have no names here", method, len(args))
		}
		if _, ok := args[0].([]int64); !ok {
			return nil, fmt.Errorf("BUG: %s is called with a %T in the place of ids", method, args[0])
		}
		params = []string{"ids"}
	}
	if len(args) > len(params) {
		return nil, fmt.Errorf("BUG: %s is called with %d arguments, it has names for %d", method, len(args), len(params))
	}
	out := make(map[string]any, len(kw)+len(args))
	for k, v := range kw {
		out[k] = v
	}
	for i, v := range args {
		if _, twice := out[params[i]]; twice {
			return nil, fmt.Errorf("BUG: %s is given %s twice", method, params[i])
		}
		out[params[i]] = v
	}
	return out, nil
}

func (w jsonWay) call(ctx context.Context, most time.Duration, s session, model, method string, args []any, kw map[string]any) (any, error) {
	body, err := named(method, args, kw)
	if err != nil {
		return nil, &Error{Kind: Broken, Text: err.Error(), Err: err}
	}
	return w.post(ctx, most, s.key, model, method, body)
}

// login asks whose key it is. It must be the settings' user: with another's key entries would be made in that one's name.
func (w jsonWay) login(ctx context.Context, key string) (int64, error) {
	got, err := w.post(ctx, helloPatience, key, "res.users", "context_get", map[string]any{})
	if err != nil {
		return 0, err
	}
	m, _ := got.(map[string]any)
	uid := id(m["uid"])
	if uid == 0 {
		return 0, &Error{Kind: Denied, Text: "Odoo does not say whose the API key is"}
	}
	got, err = w.post(ctx, helloPatience, key, "res.users", "read", map[string]any{"ids": []int64{uid}, "fields": []string{"login"}})
	if err != nil {
		return 0, err
	}
	me, err := rows(got)
	if err != nil || len(me) != 1 || text(me[0]["login"]) != w.c.cfg.User {
		return 0, &Error{Kind: Denied, Text: fmt.Sprintf("the API key is not user %s's", w.c.cfg.User)}
	}
	return uid, nil
}

func (w jsonWay) post(ctx context.Context, most time.Duration, key, model, method string, body map[string]any) (any, error) {
	if strings.ContainsAny(key, "\r\n") {
		return nil, &Error{Kind: Denied, Text: "the API key holds a line break"}
	}
	resp, answer, err := w.c.exchange(ctx, most, func(ctx context.Context) (*http.Request, error) {
		clean, err := sendable(body) // texts as on the other way, so that what is read back is what was sent
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", method, err)
		}
		b, err := json.Marshal(clean)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", method, err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.c.cfg.URL+"/json/2/"+model+"/"+method, bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
		req.Header.Set("Authorization", "bearer "+key)
		req.Header.Set("X-Odoo-Database", w.c.cfg.Database)
		return req, nil
	})
	if err != nil {
		return nil, err
	}
	if err := acceptable(resp, answer, "json"); err != nil {
		return nil, err
	}
	v, err := jsonAnswer(resp.StatusCode, answer)
	if KindOf(err) == Denied {
		err = &Error{Kind: Denied, Text: fmt.Sprintf("Odoo refuses the API key of user %s (%s)", w.c.cfg.User, err.(*Error).Text)}
	}
	return v, err
}

// jsonAnswer reads a result, or an error with its status.
func jsonAnswer(status int, body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, garbled(err, body)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, garbled(errors.New("something follows it"), body)
	}
	if status == http.StatusOK {
		return native(v)
	}
	m, _ := v.(map[string]any)
	return nil, refusal(status, text(m["name"]), text(m["message"]), text(m["debug"]))
}

// webVersion reads the version where JSON-2 has it.
func (c *Client) webVersion(ctx context.Context) (v Version, err error) {
	resp, body, err := c.exchange(ctx, helloPatience, func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, c.cfg.URL+"/json/version", nil)
	})
	if err != nil {
		return v, err
	}
	if err := acceptable(resp, body, "json"); err != nil {
		if errors.Is(err, errNoPage) {
			return v, &Error{Kind: Away, Text: "the address knows no JSON-2: Odoo has it from 19 on; set transport to auto, or correct the url"}
		}
		return v, err
	}
	got, err := jsonAnswer(resp.StatusCode, body)
	if err != nil {
		return v, err
	}
	m, _ := got.(map[string]any)
	v.Text = text(m["version"])
	if info, _ := m["version_info"].([]any); len(info) > 0 {
		v.Major = major(info[0])
	}
	if v.Text == "" {
		return v, &Error{Kind: Away, Text: "what answers there is no Odoo: " + glimpse(body)}
	}
	return v, nil
}

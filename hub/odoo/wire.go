package odoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kolo/xmlrpc"
)

// maxDepth bounds the nesting of an answer: the codec recurses, and Go cannot recover from a stack that is used up. Ours have about 12.
const maxDepth = 120

// xmlWay speaks XML-RPC, the only way to 17 and 18.
type xmlWay struct{ c *Client }

func (w xmlWay) login(ctx context.Context, key string) (int64, error) {
	cfg := w.c.cfg
	got, err := w.send(ctx, helloPatience, "common", "authenticate", cfg.Database, cfg.User, key, map[string]any{})
	if err != nil {
		return 0, err
	}
	uid, ok := got.(int64)
	if !ok || uid == 0 {
		return 0, &Error{Kind: Denied, Text: fmt.Sprintf("Odoo refuses user %s or the API key", cfg.User)}
	}
	return uid, nil
}

// call answers nil for a method that returns None: Odoo says that with a fault after the call was committed.
func (w xmlWay) call(ctx context.Context, most time.Duration, s session, model, method string, args []any, kw map[string]any) (any, error) {
	return w.send(ctx, most, "object", "execute_kw", w.c.cfg.Database, s.uid, s.key, model, method, args, kw)
}

func (w xmlWay) send(ctx context.Context, most time.Duration, service, method string, args ...any) (any, error) {
	resp, body, err := w.c.exchange(ctx, most, func(ctx context.Context) (*http.Request, error) {
		return request(ctx, w.c.cfg.URL+"/xmlrpc/2/"+service, method, args)
	})
	if err != nil {
		return nil, err
	}
	if err := acceptable(resp, body, "xml"); err != nil {
		return nil, err
	}
	return answer(body)
}

func (c *Client) xmlVersion(ctx context.Context) (v Version, err error) {
	got, err := xmlWay{c}.send(ctx, helloPatience, "common", "version")
	if err != nil {
		return v, err
	}
	m, _ := got.(map[string]any)
	v.Text = text(m["server_version"])
	if info, _ := m["server_version_info"].([]any); len(info) > 0 {
		v.Major = major(info[0])
	}
	return v, nil
}

// request encodes a call. The codec panics on values it does not know and writes nil as nothing at all, so both are refused before.
func request(ctx context.Context, url, method string, args []any) (req *http.Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("encode %s: %v", method, p)
		}
	}()
	clean, err := sendable(args)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", method, err)
	}
	if req, err = xmlrpc.NewRequest(url, method, clean); err != nil {
		return nil, fmt.Errorf("encode %s: %w", method, err)
	}
	return req.WithContext(ctx), nil
}

// sendable copies v with texts that XML 1.0 allows and refuses what the codec writes wrongly.
func sendable(v any) (any, error) {
	switch x := v.(type) {
	case string:
		return xmlText(x), nil
	case bool, int, int64:
		return x, nil
	case []int64:
		out := make([]any, len(x))
		for i, n := range x {
			out[i] = n
		}
		return out, nil
	case []string:
		out := make([]any, len(x))
		for i, s := range x {
			out[i] = xmlText(s)
		}
		return out, nil
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			c, err := sendable(e)
			if err != nil {
				return nil, err
			}
			out[i] = c
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			if strings.ContainsAny(k, "<>&") || k == "" {
				return nil, fmt.Errorf("the key %q would break the request", k)
			}
			c, err := sendable(e)
			if err != nil {
				return nil, err
			}
			out[k] = c
		}
		return out, nil
	}
	return nil, fmt.Errorf("a %T cannot be sent: money goes as text, absence as false", v)
}

// xmlText leaves out what XML 1.0 forbids: Odoo's parser refuses the whole request for one such character.
func xmlText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000:
			return r
		}
		return -1
	}, s)
}

// answer decodes a response: integers are int64, empty text is nil. A fault is an *Error, but for the one that means success.
func answer(body []byte) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, garbled(fmt.Errorf("%v", p), body)
		}
	}()
	if err := plain(body); err != nil {
		return nil, garbled(err, body)
	}
	resp := xmlrpc.Response(body)
	if err := resp.Err(); err != nil {
		var f xmlrpc.FaultError
		if !errors.As(err, &f) {
			return nil, garbled(err, body)
		}
		return nil, classify(f.Code, f.String)
	}
	if err := resp.Unmarshal(&v); err != nil {
		return nil, garbled(err, body)
	}
	return v, nil
}

// garbled is an answer that cannot be read: cut off, or not Odoo's at all. Whether the call was committed is not known.
func garbled(err error, body []byte) error {
	why := strings.ToValidUTF8(err.Error(), "\uFFFD") // it may quote the answer
	return &Error{Kind: Away, Text: fmt.Sprintf("the answer cannot be read (%s): %s", why, glimpse(body)), Err: err}
}

// plain refuses XML that Odoo never sends and that the codec misreads: comments, CDATA, a DTD, instructions, deep nesting.
func plain(body []byte) error {
	if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte("<?xml")) {
		body = body[5:]
	}
	depth := 0
	for {
		i := bytes.IndexByte(body, '<')
		if i < 0 || i+1 >= len(body) {
			return nil
		}
		body = body[i+1:]
		switch body[0] {
		case '!', '?':
			return errors.New("comments, CDATA and instructions are no part of an answer")
		case '/':
			depth--
			continue
		}
		if end := bytes.IndexByte(body, '>'); end > 0 && body[end-1] == '/' {
			continue
		}
		if depth++; depth > maxDepth {
			return fmt.Errorf("it is nested deeper than %d", maxDepth)
		}
	}
}

// glimpse is the beginning of a page as one line, for a person who wonders what answered.
func glimpse(body []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 300)]), "")), " ")
	return strconv.Quote(s[:min(len(s), 120)])
}

package identity

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
)

// dial makes a line to the hub, through the proxy where there is one.
func (s Store) dial(ctx context.Context, hub *url.URL, conf *tls.Config) (*tls.Conn, error) {
	c, err := s.Proxy.Dial(ctx, hub.Host)
	if err != nil {
		return nil, unreachable(hub, err)
	}
	t := tls.Client(c, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, unreachable(hub, err)
	}
	return t, nil
}

// post asks on a connection and reads the answer.
func post(ctx context.Context, c net.Conn, hub *url.URL, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fault.New(fault.Internal, "ask the hub", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hub.String()+path, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Internal, "ask the hub", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	if err := req.Write(c); err != nil {
		return unreachable(hub, err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), req)
	if err != nil {
		return unreachable(hub, err)
	}
	defer resp.Body.Close()
	return read(resp, hub, answer)
}

func read(resp *http.Response, hub *url.URL, answer any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, enrol.MaxBody))
	if err != nil {
		return unreachable(hub, err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, answer); err != nil {
			return fault.New(fault.Invalid, "read the answer of "+hub.Host+"; is it a Tillpost hub of this agent's version?", err)
		}
		return nil
	}
	var r enrol.Refusal
	if err := json.Unmarshal(body, &r); err != nil || r.Error == "" {
		return fault.Msg(fault.Unavailable, "ask "+hub.Host, fmt.Sprintf("it answers %s and is no Tillpost hub, or one behind a proxy; check the address and the port (%s)", resp.Status, enrol.DefaultPort))
	}
	switch r.Code {
	case fault.Invalid, fault.Conflict, fault.NotFound, fault.Unavailable:
	default:
		r.Code = fault.Unavailable
	}
	return fault.Msg(r.Code, "the hub at "+hub.Host+" says", printable(r.Error))
}

func unreachable(hub *url.URL, err error) error {
	return fault.New(fault.Unavailable, "cannot reach the hub at "+hub.Host+": check its address, this PC's internet connection and firewall, and name the store's web proxy with --proxy if it has one; then do the same again; a code is still good", err)
}

// printable is a stranger's text, short and on one line: until the hub has proven itself, anybody may have written it.
func printable(s string) string {
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if r := []rune(out); len(r) > 500 {
		out = string(r[:500]) + "…"
	}
	return out
}

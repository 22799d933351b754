package gpapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/gpapi"
)

const (
	timeout   = time.Minute
	pageSize  = 500 // rows; the API allows a thousand
	pagesMost = 400 // of one question
	spare     = time.Minute
)

// places are the collections' paths. Every request but that for a token is a GET of one of them: there is no other in this package.
var places = map[gpapi.What]string{gpapi.Deposits: "/settlement/deposits", gpapi.Transactions: "/settlement/transactions", gpapi.Disputes: "/disputes",
	gpapi.SettledDisputes: "/settlement/disputes", gpapi.Fees: "/settlement/reports/monthly-fees"}

// client holds the token.
type client struct {
	o     Options
	http  *http.Client
	token string
	until time.Time
}

func newClient(o Options) *client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 15 * time.Second,
		IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 1, MaxResponseHeaderBytes: 64 << 10}
	return &client{o: o, http: &http.Client{Transport: t, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// all reads every page of a question. Errors: unavailable, a refusal, or invalid for what the API does not understand.
func (c *client) all(ctx context.Context, w gpapi.What, q url.Values) (rows []json.RawMessage, err error) {
	q.Set("account_name", c.o.Account)
	q.Set("page_size", strconv.Itoa(pageSize))
	q.Set("order", "ASC")
	for page := 1; page <= pagesMost; page++ {
		q.Set("page", strconv.Itoa(page))
		body, err := c.get(ctx, w, q)
		if err != nil {
			return nil, err
		}
		p, err := gpapi.ParsePage(w, body)
		if err != nil {
			return nil, fault.New(fault.Unavailable, "read "+string(w), fmt.Errorf("what came back is no answer of GP-API: %w", err))
		}
		rows = append(rows, p.Rows...)
		if len(p.Rows) < pageSize {
			return rows, nil
		}
	}
	return nil, fault.Msg(fault.Invalid, "read "+string(w), fmt.Sprintf("the answer has more than %d pages", pagesMost))
}

// get asks once, with a token that holds; one that the API has forgotten is bought anew.
func (c *client) get(ctx context.Context, w gpapi.What, q url.Values) ([]byte, error) {
	for again := false; ; again = true {
		if err := c.enter(ctx); err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.o.URL+places[w]+"?"+q.Encode(), nil)
		if err != nil {
			return nil, fault.New(fault.Invalid, "ask "+string(w), err)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		status, body, err := c.send(req)
		if err != nil {
			return nil, err
		}
		if status == http.StatusUnauthorized && !again {
			c.token = ""
			continue
		}
		return body, judge("ask "+string(w), status, body)
	}
}

// enter buys a token. The key itself never travels: SHA-512 of a nonce and the key does.
func (c *client) enter(ctx context.Context) error {
	if c.token != "" && c.o.Now().Before(c.until) {
		return nil
	}
	id, key, err := c.o.Credentials()
	if err != nil {
		return err
	}
	nonce := rand.Text()
	sum := sha512.Sum512([]byte(nonce + string(key)))
	body, err := json.Marshal(map[string]string{"app_id": id, "nonce": nonce, "secret": hex.EncodeToString(sum[:]), "grant_type": "client_credentials"})
	if err != nil {
		return fault.New(fault.Internal, "ask for a token", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL+"/accesstoken", bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "ask for a token", err)
	}
	req.Header.Set("Content-Type", "application/json")
	status, body, err := c.send(req)
	if err != nil {
		return err
	}
	if err := judge("ask for a token", status, body); err != nil {
		return err
	}
	var t struct {
		Token   string `json:"token"`
		Seconds int64  `json:"seconds_to_expire"`
	}
	if err := json.Unmarshal(body, &t); err != nil || t.Token == "" {
		return fault.Msg(fault.Unavailable, "ask for a token", "what came back is no token of GP-API")
	}
	c.token, c.until = t.Token, c.o.Now().Add(max(time.Duration(t.Seconds)*time.Second-spare, spare))
	return nil
}

func (c *client) send(req *http.Request) (int, []byte, error) {
	req.Header.Set("X-GP-Version", gpapi.Version)
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address has the question in it
		}
		return 0, nil, fault.New(fault.Unavailable, "reach GP-API", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, gpapi.MaxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, fault.New(fault.Unavailable, "read GP-API", err)
	case len(body) > gpapi.MaxAnswer:
		return 0, nil, fault.Msg(fault.Unavailable, "read GP-API", fmt.Sprintf("the answer is over %d MB", gpapi.MaxAnswer>>20))
	}
	return resp.StatusCode, body, nil
}

// judge reads the API's own words for what is wrong.
func judge(op string, status int, body []byte) error {
	var e struct {
		Code   string `json:"error_code"`
		Detail string `json:"detailed_error_description"`
	}
	_ = json.Unmarshal(body, &e) // what is no JSON has a status all the same
	said := fmt.Sprintf("GP-API answers HTTP %d %.60s %.200q", status, e.Code, e.Detail)
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return breaker.Refuse(fault.Msg(fault.Invalid, op, said+": deposits wait there and none is lost; put a valid key into the key file, or ask Global Payments for the right to settlement reports"))
	case status == http.StatusTooManyRequests, status >= 500, status < 400:
		return fault.Msg(fault.Unavailable, op, said+"; it is asked again")
	}
	return fault.Msg(fault.Invalid, op, said+": call support with these words")
}

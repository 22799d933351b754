package retailapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
)

const (
	spacing    = 300 * time.Millisecond // between two requests: 3.3 a second, below the 4 that the vendor is believed to bear
	answerIn   = 90 * time.Second       // a page of 200 tickets takes seconds, a sick server minutes
	maxAnswer  = 24 << 20               // a page of 200 tickets has about half a megabyte, one of 5,000 ids a quarter
	holdFirst  = 5 * time.Second        // after a 429 without Retry-After
	holdMost   = 10 * time.Minute       // a longer Retry-After is not believed
	maxMessage = 300                    // of the vendor's own words in an error
)

// errTooLarge: an answer was cut at maxAnswer. Ask for less.
var errTooLarge = errors.New("the answer is larger than any page should be")

// answerError is what the API says instead of a result.
type answerError struct {
	Status  int
	Code    string `json:"error"`
	Message string `json:"message"`
}

func (e *answerError) Error() string {
	text := fmt.Sprintf("it answers %d %s %s", e.Status, e.Code, e.Message)
	return strings.TrimSpace(text[:min(len(text), maxMessage)])
}

// answered reports whether err is the API's own answer of that status.
func answered(err error, status int) bool {
	var a *answerError
	return errors.As(err, &a) && a.Status == status
}

// client asks one account, one request at a time, never faster than spacing.
type client struct {
	base    string // …/api
	token   func() (string, error)
	http    *http.Client
	breaker *breaker.Breaker

	spaced time.Duration // longer than spacing, where somebody else reads the account at the same time

	mu    sync.Mutex // one request at a time
	next  time.Time  // not before
	hold  time.Time  // the server asked for rest until then
	tries int        // 429 in a row

	state    sync.Mutex // what status reads meanwhile
	requests int64
	skew     time.Duration // server's clock minus ours
	skewed   bool          // it was measured
}

// now is the server's time, as far as its answers have told.
func (c *client) now() time.Time {
	c.state.Lock()
	defer c.state.Unlock()
	return time.Now().Add(c.skew)
}

// resting tells until when the server wants no request.
func (c *client) resting() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hold, time.Now().Before(c.hold)
}

// get asks for path and reads the JSON answer into v. Codes: unavailable for everything that passes; invalid for an answer that stays, with
// an *answerError in it where the API gave one; a refusal of the breaker when the token is not accepted.
func (c *client) get(ctx context.Context, path string, q url.Values, v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := time.Until(c.hold); wait > 0 {
		return fault.Msg(fault.Unavailable, "ask Heartland Retail", "it asked to be left alone until "+c.hold.Format(time.TimeOnly))
	}
	if err := pause(ctx, time.Until(c.next)); err != nil {
		return err
	}
	c.next = time.Now().Add(max(spacing, c.spaced))
	var later error // 429: the server is there and answers, so it is no failure of the connection
	err := c.breaker.Do(ctx, func(ctx context.Context) error {
		err := c.ask(ctx, path, q, v)
		if answered(err, http.StatusTooManyRequests) {
			later = err
			return nil
		}
		return err
	})
	if later != nil {
		return later
	}
	if err == nil {
		c.tries = 0
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (c *client) ask(ctx context.Context, path string, q url.Values, v any) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	token, err := c.token()
	if err != nil {
		return breaker.Refuse(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path+"?"+q.Encode(), nil)
	if err != nil {
		return fault.New(fault.Internal, "ask Heartland Retail", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	sent := time.Now()
	c.state.Lock()
	c.requests++
	c.state.Unlock()
	resp, err := c.http.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "reach Heartland Retail", withoutURL(err))
	}
	defer resp.Body.Close()
	c.clock(resp.Header.Get("Date"), sent)
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fault.New(fault.Unavailable, "read the answer of Heartland Retail", err)
	case len(body) > maxAnswer:
		return fault.New(fault.Invalid, "read "+path, fmt.Errorf("%w: it was cut at %d MB", errTooLarge, maxAnswer>>20))
	case resp.StatusCode/100 != 2:
		return c.refused(path, resp, body)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fault.New(fault.Unavailable, "read the answer to "+path, err) // a proxy's page, or a line that broke: asked again
	}
	return nil
}

// withoutURL takes the address out of a transport error: it repeats a long query and says nothing new.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refused says what an error status means.
func (c *client) refused(path string, resp *http.Response, body []byte) error {
	a := &answerError{Status: resp.StatusCode}
	_ = json.Unmarshal(body, a)
	a.Status = resp.StatusCode
	op := "ask " + path
	switch {
	case a.Status == http.StatusUnauthorized:
		return breaker.Refuse(fault.New(fault.Invalid, op, fmt.Errorf("%w. The token is not accepted: it was revoked, or its user is gone. No ticket is lost; make a new token in Heartland Retail (My Account, API Tokens) and put it into the token file", a)))
	case a.Status == http.StatusTooManyRequests:
		c.rest(resp.Header.Get("Retry-After"))
		return fault.New(fault.Unavailable, op, a)
	case a.Status >= 500 || a.Status == http.StatusRequestTimeout:
		return fault.New(fault.Unavailable, op, a)
	}
	return fault.New(fault.Invalid, op, a)
}

// rest obeys Retry-After, with jitter so that two agents by mistake do not come back together.
func (c *client) rest(after string) {
	wait := holdFirst << min(c.tries, 6)
	if n, err := strconv.Atoi(after); err == nil && n >= 0 {
		wait = max(time.Duration(n)*time.Second, time.Second)
	} else if at, err := http.ParseTime(after); err == nil {
		wait = max(at.Sub(c.now()), time.Second)
	}
	c.tries++
	wait = min(wait, holdMost)
	c.hold = time.Now().Add(wait + rand.N(wait/4+time.Second))
}

// clock compares the server's clock with ours; half a second's resolution is all that Date gives.
func (c *client) clock(date string, sent time.Time) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	now := time.Now()
	d := at.Add(500 * time.Millisecond).Sub(sent.Add(now.Sub(sent) / 2))
	c.state.Lock()
	defer c.state.Unlock()
	if !c.skewed || (d-c.skew).Abs() > 2*time.Second {
		c.skew, c.skewed = d, true
	}
}

// page is one answer of a collection.
type page struct {
	Total   int               `json:"total"`
	Pages   int               `json:"pages"`
	Results []json.RawMessage `json:"results"`
}

// more reports whether rows follow behind page n, asked for with so many rows: the server may give fewer than that, and some do not tell the
// total.
func (p page) more(n, rows int) bool {
	if p.Total > 0 {
		return len(p.Results) > 0 && p.Total > max(n, 1)*len(p.Results)
	}
	return len(p.Results) >= rows
}

// list asks for one page of a collection.
func (c *client) list(ctx context.Context, path string, q query) (p page, err error) {
	err = c.get(ctx, path, q.values(), &p)
	return p, err
}

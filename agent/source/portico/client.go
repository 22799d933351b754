package portico

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/portico"
)

const (
	path    = "/Hps.Exchange.PosGateway/PosGatewayService.asmx"
	timeout = 2 * time.Minute // a search over a busy day takes the gateway most of a minute
)

// Outcomes that a caller decides on.
var (
	errNarrow  = errors.New("the question was too large for the gateway")
	errMissing = errors.New("the gateway does not know it")
)

// client sends one request at a time.
type client struct {
	o    Options
	http *http.Client
	told time.Time // the gateway's time in its last answer
	here time.Time // and this PC's then
	last time.Time // when the last request ended
}

func newClient(o Options) *client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, IdleConnTimeout: 90 * time.Second,
		MaxIdleConnsPerHost: 1, TLSHandshakeTimeout: 15 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	return &client{o: o, http: &http.Client{Transport: t, Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a key is not carried elsewhere
	}}}
}

// now is the gateway's time: a PC whose clock is nine minutes off must not ask for the wrong minutes. Between two answers it goes on by the
// time that passes, whatever somebody sets the clock to.
func (c *client) now() time.Time {
	now := c.o.Now()
	if c.told.IsZero() {
		return now.UTC()
	}
	return c.told.Add(now.Sub(c.here)).UTC()
}

// do asks once. Errors: unavailable when the gateway is away or answers garbage; a refusal for key or rights; errNarrow, errMissing; invalid
// for everything that a program did wrong.
func (c *client) do(ctx context.Context, r request, cred Credentials) (a portico.Answer, err error) {
	if err := c.breathe(ctx); err != nil {
		return a, err
	}
	defer func() { c.last = c.o.Now() }()
	body, err := r.encode(cred, sender{c.o.DeveloperID, c.o.VersionNbr})
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL+path, bytes.NewReader(body))
	if err != nil {
		return a, fault.New(fault.Invalid, "ask "+r.String(), err)
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := c.http.Do(req)
	if err != nil {
		return a, fault.New(fault.Unavailable, "reach the payment gateway", err)
	}
	defer resp.Body.Close()
	c.clock(resp.Header.Get("Date"))
	answer, err := io.ReadAll(io.LimitReader(resp.Body, portico.MaxAnswer+1))
	if err != nil {
		return a, fault.New(fault.Unavailable, "read "+r.String(), err)
	}
	return c.judge(r, resp.StatusCode, answer)
}

// breathe keeps the pause between two requests.
func (c *client) breathe(ctx context.Context) error {
	wait := c.o.Pause - c.o.Now().Sub(c.last)
	if c.last.IsZero() || wait <= 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(wait, c.o.Pause)):
		return nil
	}
}

func (c *client) clock(date string) {
	now := c.o.Now()
	t, err := http.ParseTime(date)
	if err != nil {
		t = now
	}
	if d := t.Sub(now); d < 2*time.Second && d > -2*time.Second { // Date has whole seconds
		t = now
	}
	c.told, c.here = t.UTC(), now
}

func (c *client) judge(r request, status int, body []byte) (a portico.Answer, err error) {
	op := "ask " + r.String()
	switch {
	case status == http.StatusUnauthorized:
		return a, breaker.Refuse(fault.Msg(fault.Invalid, op, "the payment gateway refuses the credentials (HTTP 401): payments wait there and none is lost; put a valid key into the key file"))
	case status != http.StatusOK && status != http.StatusNoContent:
		return a, fault.Msg(fault.Unavailable, op, fmt.Sprintf("the payment gateway answers with HTTP status %d; it is asked again", status))
	}
	a, err = portico.ParseAnswer(body)
	switch {
	case errors.Is(err, portico.ErrTooLarge):
		return a, fault.New(fault.Invalid, op, fmt.Errorf("%w: %w", errNarrow, err))
	case err != nil: // a sign-in page, a proxy's word, a cut line
		return a, fault.New(fault.Unavailable, op, fmt.Errorf("what came back is no answer of the payment gateway: %w", err))
	}
	said := fmt.Sprintf("the payment gateway answers code %d, %s (%.200q)", a.Code, portico.Text(a.Code), a.Text)
	switch a.Outcome {
	case portico.Done, portico.Empty:
		return a, nil
	case portico.Retry:
		return a, fault.Msg(fault.Unavailable, op, said+"; it is asked again")
	case portico.Narrow:
		return a, fault.New(fault.Invalid, op, fmt.Errorf("%w: %s", errNarrow, said))
	case portico.Missing:
		return a, fault.New(fault.NotFound, op, fmt.Errorf("%w: %s", errMissing, said))
	case portico.Refused:
		return a, breaker.Refuse(fault.Msg(fault.Invalid, op, said+": payments wait there and none is lost; put a valid key into the key file, or ask Heartland for its rights"))
	}
	return a, fault.Msg(fault.Invalid, op, said+": this is a fault of Tillpost or of the merchant's set-up; call support with these words")
}

package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// Hook posts notices as JSON to an address, signed with a shared secret.
type Hook struct {
	URL    string
	Secret func() (string, error)
	Base   string
	Client *http.Client // nil = one that follows no redirect
}

// Headers of a hook. The signature is HMAC-SHA256 over the time, a point and the body, in hexadecimal: who knows the secret knows that the
// message is the hub's, and by the time that it is not an old one.
const (
	SignatureHeader = "Tillpost-Signature"
	TimeHeader      = "Tillpost-Time"
	IDHeader        = "Idempotency-Key"
)

// hookBody is what a hook posts.
type hookBody struct {
	ID       string    `json:"id"`
	Kind     Kind      `json:"kind"`
	Cause    string    `json:"cause"`
	Title    string    `json:"title"`
	Means    string    `json:"means"`
	Do       string    `json:"do,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Location string    `json:"location,omitempty"`
	Day      string    `json:"day,omitempty"`
	Amount   string    `json:"amount,omitempty"`
	Since    time.Time `json:"since"`
	Link     string    `json:"link"`
}

// Name implements Channel.
func (h Hook) Name() string { return "webhook" }

// Send implements Channel.
func (h Hook) Send(ctx context.Context, n Notice) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	b := hookBody{ID: n.ID, Kind: n.Kind, Cause: n.Key, Title: n.Title, Means: n.Means, Do: n.Do, Detail: n.Detail, Location: string(n.Location), Day: string(n.Day), Since: n.Since.UTC(), Link: h.Base + n.Page}
	if n.Amount.Currency != "" {
		b.Amount = n.Amount.String()
	}
	body, err := json.Marshal(b)
	if err != nil {
		return fault.New(fault.Internal, "send webhook", err)
	}
	secret, err := h.Secret()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "send webhook", err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(TimeHeader, at)
	req.Header.Set(SignatureHeader, Sign(secret, at, body))
	req.Header.Set(IDHeader, n.ID)
	c := h.Client
	if c == nil {
		c = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := c.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "send webhook", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode/100 != 2 {
		return fault.Msg(fault.Unavailable, "send webhook", fmt.Sprintf("the other side answers %s", resp.Status))
	}
	return nil
}

// Sign is a body's signature at a time; a receiver computes it anew and compares.
func Sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Package localapi is the door for a till that pushes: loopback HTTP with a token. A till is told "201 Created" only when its record is
// durable on this PC.
package localapi

import (
	"bufio"
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Name is the source's name in the buffer and in marks.
const Name = "localapi"

// maxBody bounds a request: ten thousand tickets of a kilobyte.
const maxBody = 16 << 20

// API takes records over HTTP. It is safe for concurrent use.
type API struct {
	Token     string
	Locations []retail.LocationCode // whose records are taken; none = any
	Sink      source.Sink
	Status    func(ctx context.Context) any // what GET /v1/status answers
	Now       func() time.Time
}

// kinds says what each path takes, and whether it is a sale or the state of a thing.
var kinds = map[string]struct {
	kind   envelope.Kind
	stream envelope.Stream
}{
	"tickets": {decode.Ticket, envelope.Sales}, "drawer": {decode.Drawer, envelope.Sales}, "payments": {decode.Payment, envelope.Sales},
	"batches": {decode.Batch, envelope.Sales}, "read_to": {decode.ReadTo, envelope.Sales}, "control": {decode.Control, envelope.Sales},
	"terminals": {decode.Terminal, envelope.State}, "locations": {decode.Location, envelope.State},
}

// Handler serves POST /v1/{tickets,drawer,payments,batches,read_to,control,terminals,locations}, each one JSON object or NDJSON
// (Content-Type application/x-ndjson), and GET /v1/status.
//
// What is not JSON, names a foreign location or has no token is refused and not kept: the till must know. JSON that does not read as what
// it should be is kept, goes to the hub and becomes a case there; the answer is then 202 with a warning.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, a.Status(r.Context())) })
	mux.HandleFunc("POST /v1/{what}", a.take)
	return a.guard(mux)
}

func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.knows(r.Header.Get("Authorization")) {
			refuse(w, http.StatusUnauthorized, noToken)
			return
		}
		if r.Header.Get("Origin") != "" {
			refuse(w, http.StatusForbidden, "web pages may not hand in records")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knows says whether a request's Authorization header holds the token.
func (a *API) knows(header string) bool {
	return subtle.ConstantTimeCompare([]byte(header), []byte("Bearer "+a.Token)) == 1
}

// result is what a till is told. Kept is how many records are durable now.
type result struct {
	Kept     int      `json:"kept"`
	Warnings []string `json:"warnings,omitempty"`
}

func (a *API) take(w http.ResponseWriter, r *http.Request) {
	k, ok := kinds[r.PathValue("what")]
	if !ok {
		refuse(w, http.StatusNotFound, "there is no such thing as "+r.URL.Path)
		return
	}
	body, err := whole(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
		return
	}
	objects := [][]byte{body}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-ndjson") {
		objects = lines(body)
	}
	var res result
	drafts := make([]source.Draft, 0, len(objects))
	for n, o := range objects {
		d, warning, err := a.draft(k.kind, k.stream, o)
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("record %d: %v; nothing of this request was kept", n+1, err))
			return
		}
		if warning != "" {
			res.Warnings = append(res.Warnings, fmt.Sprintf("record %d was kept and goes to head office as a case: %s", n+1, warning))
		}
		drafts = append(drafts, d)
	}
	if err := a.Sink.Append(r.Context(), Name, "", drafts); err != nil {
		status := http.StatusInternalServerError
		if fault.Retryable(err) {
			status = http.StatusServiceUnavailable
		}
		refuse(w, status, "nothing was kept; send it again: "+err.Error())
		return
	}
	res.Kept = len(drafts)
	if len(res.Warnings) > 0 {
		answer(w, http.StatusAccepted, res)
		return
	}
	answer(w, http.StatusCreated, res)
}

// draft makes a record ready for the buffer. An error refuses it; a warning keeps it all the same.
func (a *API) draft(kind envelope.Kind, stream envelope.Stream, body []byte) (source.Draft, string, error) {
	body = bytes.TrimSpace(body)
	d := source.Draft{Stream: stream, Kind: kind, ContentType: "application/json", At: a.Now(), Body: body}
	rec, wrong := decode.Decoder{}.Decode(kind, d.ContentType, body)
	if t, ok := rec.(retail.Ticket); ok && wrong == nil { // it is what it should be: there is no need to look for its name once more
		d.Key, d.Location = t.Key.ID, t.Location
		wrong = t.Validate(d.At)
	} else if err := name(&d); err != nil {
		return source.Draft{}, "", err
	}
	if len(a.Locations) > 0 && !slices.Contains(a.Locations, d.Location) {
		return source.Draft{}, "", fmt.Errorf("this PC takes no records of location %q", d.Location)
	}
	if wrong != nil {
		return d, wrong.Error(), nil
	}
	return d, "", nil
}

// name finds the key and the location of any JSON object, whether or not it is what it should be.
func name(d *source.Draft) error {
	var head struct {
		ID       string          `json:"id"`
		Location json.RawMessage `json:"location"`
		Code     string          `json:"code"`
	}
	if err := json.Unmarshal(d.Body, &head); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) || len(d.Body) == 0 || d.Body[0] != '{' {
			return fmt.Errorf("it is not a JSON object: %w", err)
		}
	}
	var at string
	_ = json.Unmarshal(head.Location, &at) // a location that is no text is the warning's business
	if d.Kind == decode.Location {
		at = head.Code
	}
	d.Key, d.Location = head.ID, retail.LocationCode(at)
	return nil
}

// whole reads a body, at once when it says how long it is.
func whole(r io.Reader, long int64) ([]byte, error) {
	var b bytes.Buffer
	if long > 0 && long <= maxBody {
		b.Grow(int(long) + bytes.MinRead)
	}
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

func lines(body []byte) (out [][]byte) {
	s := bufio.NewScanner(bytes.NewReader(body))
	s.Buffer(nil, maxBody)
	for s.Scan() {
		if l := bytes.TrimSpace(s.Bytes()); len(l) > 0 {
			out = append(out, bytes.Clone(l))
		}
	}
	return out
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

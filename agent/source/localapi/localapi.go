// Package localapi is the door for a till that pushes: loopback HTTP with a token. A till is told "201 Created" only when its record is
// durable on this PC.
package localapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
	"golang.org/x/text/encoding/charmap"

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

// Handle answers POST /v1/{tickets,drawer,payments,batches,read_to,control,terminals,locations}, each one JSON object or NDJSON
// (Content-Type application/x-ndjson), and GET /v1/status.
//
// What is not JSON, names a foreign location or has no token is refused and not kept: the till must know. JSON that does not read as what
// it should be is kept, goes to the hub and becomes a case there; the answer is then 202 with a warning.
func (a *API) Handle(ctx *fasthttp.RequestCtx) {
	head := &ctx.Request.Header
	what, below := strings.CutPrefix(string(ctx.Path()), "/v1/")
	k, known := kinds[what]
	switch {
	case !a.knows(string(head.Peek("Authorization"))):
		refuse(ctx, http.StatusUnauthorized, noToken)
	case len(head.Peek("Origin")) > 0:
		refuse(ctx, http.StatusForbidden, "web pages may not hand in records")
	case below && what == "status" && ctx.IsGet():
		answer(ctx, http.StatusOK, a.Status(context.Background()))
	case !below || !known:
		refuse(ctx, http.StatusNotFound, fmt.Sprintf("there is no such thing as %q", ctx.Path()))
	case !ctx.IsPost():
		refuse(ctx, http.StatusMethodNotAllowed, "records are handed in with POST")
	default:
		a.take(ctx, k.kind, k.stream)
	}
}

// knows says whether a request's Authorization header holds the token.
func (a *API) knows(header string) bool {
	return subtle.ConstantTimeCompare([]byte(header), []byte("Bearer "+a.Token)) == 1
}

// readable is a body as UTF-8, without the mark that some libraries write before it. A byte that is none is read as Windows-1252, as in files: with
// one sign for all of them, two tickets' numbers could become one.
func readable(body []byte) []byte {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if utf8.Valid(body) {
		return body
	}
	out := make([]byte, 0, len(body)+len(body)/8)
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(body[0])
		}
		out, body = utf8.AppendRune(out, r), body[n:]
	}
	return out
}

// result is what a till is told. Kept is how many records are durable now.
type result struct {
	Kept     int      `json:"kept"`
	Warnings []string `json:"warnings,omitempty"`
}

func (a *API) take(ctx *fasthttp.RequestCtx, kind envelope.Kind, stream envelope.Stream) {
	body := readable(bytes.Clone(ctx.PostBody())) // fasthttp's memory is the next request's
	objects := [][]byte{body}
	if bytes.HasPrefix(ctx.Request.Header.ContentType(), []byte("application/x-ndjson")) {
		objects = lines(body)
	}
	var res result
	drafts := make([]source.Draft, 0, len(objects))
	for n, o := range objects {
		d, warning, err := a.draft(kind, stream, o)
		if err != nil {
			refuse(ctx, http.StatusBadRequest, fmt.Sprintf("record %d: %v; nothing of this request was kept", n+1, err))
			return
		}
		if warning != "" {
			res.Warnings = append(res.Warnings, fmt.Sprintf("record %d was kept and goes to head office as a case: %s", n+1, warning))
		}
		drafts = append(drafts, d)
	}
	// A ticket that was read is kept, whether or not its till still listens, and while the door closes.
	if err := a.Sink.Append(context.Background(), Name, "", drafts); err != nil {
		status := http.StatusInternalServerError
		if fault.Retryable(err) {
			status = http.StatusServiceUnavailable
		}
		refuse(ctx, status, "nothing was kept; send it again: "+err.Error())
		return
	}
	res.Kept = len(drafts)
	if len(res.Warnings) > 0 {
		answer(ctx, http.StatusAccepted, res)
		return
	}
	answer(ctx, http.StatusCreated, res)
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
	} else if v, ok := rec.(interface{ Validate(now time.Time) error }); ok && wrong == nil {
		wrong = v.Validate(d.At)
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
		Key      struct {
			ID string `json:"id"`
		} `json:"key"` // of what has a key of several parts
	}
	if err := json.Unmarshal(d.Body, &head); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) || len(d.Body) == 0 || d.Body[0] != '{' {
			return fmt.Errorf("it is not a JSON object: %w. Send one object, or one a line with Content-Type: application/x-ndjson", retail.Worded(err))
		}
	}
	var at string
	_ = json.Unmarshal(head.Location, &at) // a location that is no text is the warning's business
	if d.Kind == decode.Location {
		at = head.Code
	}
	d.Key, d.Location = cmp.Or(head.ID, head.Key.ID), retail.LocationCode(at)
	return nil
}

func lines(body []byte) (out [][]byte) {
	for l := range bytes.Lines(body) {
		if l = bytes.TrimSpace(l); len(l) > 0 {
			out = append(out, l)
		}
	}
	return out
}

func answer(ctx *fasthttp.RequestCtx, status int, v any) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	_ = json.NewEncoder(ctx).Encode(v) // into memory
}

func refuse(ctx *fasthttp.RequestCtx, status int, text string) {
	answer(ctx, status, map[string]string{"error": text})
}

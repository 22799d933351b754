package localapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"
)

const (
	maxHead   = 64 << 10        // bytes of a request's head
	mayTake   = time.Minute     // for a request that has begun, so that nobody holds a connection by saying nothing
	mayRest   = 24 * time.Hour  // between two requests: a till may keep its connection over night
	lastWords = 2 * time.Second // for requests under way when the door closes
)

// Serve lets tills in on l until ctx ends; requests under way are answered still. It closes l. The error is that of l.
//
// It is fasthttp's server: net/http's reads on in another goroutine while a request is answered, to notice that its client went away, and on a PC
// with two cores that wakes further threads for each ticket (DESIGN.md).
func (a *API) Serve(ctx context.Context, l net.Listener, log *slog.Logger) error {
	d := door{a.Handler(), log}
	s := &fasthttp.Server{
		Handler: d.answer, HeaderReceived: a.room, ErrorHandler: a.tooMuch, Logger: quiet{},
		ReadBufferSize: maxHead, ReadTimeout: mayTake, IdleTimeout: mayRest, MaxRequestBodySize: maxBody,
		NoDefaultServerHeader: true, CloseOnShutdown: true,
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
		defer cancel()
		_ = s.ShutdownWithContext(last) // who is not done by then is not told that anything was kept
	})
	err := s.Serve(lingering{l})
	if !stop() {
		<-done
		return nil
	}
	return err
}

// room is how much a request may send: next to nothing without the token.
func (a *API) room(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if !a.knows(string(h.Peek("Authorization"))) {
		return fasthttp.RequestConfig{MaxRequestBodySize: 1}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: maxBody}
}

// tooMuch answers what does not get as far as a handler.
func (a *API) tooMuch(ctx *fasthttp.RequestCtx, err error) {
	w := &reply{ctx: ctx}
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge) && !a.knows(string(ctx.Request.Header.Peek("Authorization"))):
		refuse(w, http.StatusUnauthorized, noToken)
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, tooLarge)
	case errors.As(err, &small):
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, "the request's head is too long; nothing of it was kept")
	default:
		refuse(w, http.StatusBadRequest, "this is no whole request; nothing of it was kept")
	}
}

// door answers requests by a handler of net/http.
type door struct {
	handler http.Handler
	log     *slog.Logger
}

func (d door) answer(ctx *fasthttp.RequestCtx) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("BUG: a request at the door for tills ended in a panic; nothing of it was kept, and the till was told so", "panic", p, "stack", string(debug.Stack()))
			ctx.Response.Reset()
			refuse(&reply{ctx: ctx}, http.StatusInternalServerError, "nothing was kept; send it again")
			ctx.SetConnectionClose()
		}
	}()
	var r http.Request
	if err := fasthttpadaptor.ConvertRequest(ctx, &r, true); err != nil {
		refuse(&reply{ctx: ctx}, http.StatusBadRequest, "this is no request: "+err.Error())
		return
	}
	d.handler.ServeHTTP(&reply{ctx: ctx}, &r)
}

// reply writes a handler's answer into fasthttp's.
type reply struct {
	ctx    *fasthttp.RequestCtx
	header http.Header
	said   bool
}

// Header implements http.ResponseWriter.
func (w *reply) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter; the first counts.
func (w *reply) WriteHeader(status int) {
	if w.said {
		return
	}
	w.said = true
	w.ctx.SetStatusCode(status)
	for name, values := range w.header {
		for _, v := range values {
			w.ctx.Response.Header.Add(name, v)
		}
	}
}

// Write implements http.ResponseWriter.
func (w *reply) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.ctx.Write(p)
}

// quiet keeps fasthttp's words of single connections out of the log: who stammers at the door is told so, and nobody else can do anything about it.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

var (
	noToken  = "the token is missing or wrong: send the header Authorization: Bearer <token>"
	tooLarge = fmt.Sprintf("the request is over %d MB or broke off; nothing of it was kept", maxBody>>20)
)

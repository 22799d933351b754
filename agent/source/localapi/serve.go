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
)

const (
	maxHead   = 16 << 10        // bytes of a request's head
	maxTills  = 4096            // connections at a time; one that is at rest costs a few kilobytes
	mayTake   = time.Minute     // for a request that has begun, so that nobody holds a connection by saying nothing
	mayRest   = 24 * time.Hour  // between two requests: a till may keep its connection over night
	lastWords = 2 * time.Second // for requests under way when the door closes
)

// Serve lets tills in on l until ctx ends; requests under way are answered still. It closes l. The error is that of l.
//
// It is fasthttp's server: net/http's reads on in another goroutine while a request is answered, to notice that its client went away, and on a PC
// with two cores that wakes further threads for each ticket (DESIGN.md).
func (a *API) Serve(ctx context.Context, l net.Listener, log *slog.Logger) error {
	s := &fasthttp.Server{
		Handler: a.caught(log), HeaderReceived: a.room, ErrorHandler: a.tooMuch, Logger: quiet{},
		ReadBufferSize: maxHead, ReadTimeout: mayTake, IdleTimeout: mayRest, MaxRequestBodySize: maxBody,
		Concurrency: maxTills, NoDefaultServerHeader: true, CloseOnShutdown: true,
		ReduceMemoryUsage:            true, // else each connection at rest keeps as much memory as its largest request took
		DisablePreParseMultipartForm: true, // no part of a body is laid down on the disk
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
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge) && len(ctx.Request.Header.Host()) == 0: // in chunks: fasthttp has forgotten whose it was
		refuse(ctx, http.StatusRequestEntityTooLarge, tooLarge+"; or "+noToken)
	case errors.Is(err, fasthttp.ErrBodyTooLarge) && !a.knows(string(ctx.Request.Header.Peek("Authorization"))):
		refuse(ctx, http.StatusUnauthorized, noToken)
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		refuse(ctx, http.StatusRequestEntityTooLarge, tooLarge)
	case errors.As(err, &small):
		refuse(ctx, http.StatusRequestHeaderFieldsTooLarge, "the request's head is too long; nothing of it was kept")
	default:
		refuse(ctx, http.StatusBadRequest, "this is no whole request; nothing of it was kept")
	}
}

// caught is Handle with an end to panics, which fasthttp itself lets through: one costs its connection alone.
func (a *API) caught(log *slog.Logger) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if p := recover(); p != nil {
				log.Error("BUG: a request at the door for tills ended in a panic; nothing of it was kept, and the till was told so", "panic", p, "stack", string(debug.Stack()))
				ctx.Response.Reset()
				refuse(ctx, http.StatusInternalServerError, "nothing was kept; send it again")
				ctx.SetConnectionClose()
			}
		}()
		a.Handle(ctx)
	}
}

// quiet keeps fasthttp's words of single connections out of the log: who stammers at the door is told so, and nobody else can do anything about it.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

var (
	noToken  = "the token is missing or wrong: send the header Authorization: Bearer <token>"
	tooLarge = fmt.Sprintf("the request is over %d MB or broke off; nothing of it was kept", maxBody>>20)
)

package loopback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// retry is how long a page whose port somebody else has waits for it.
const retry = time.Minute

// Serve serves h on an address of this machine, guarded by Only, until ctx ends. That the port is taken stops nothing else: it is tried again,
// and told hears of it the first time; when the page is open it hears nil.
func Serve(ctx context.Context, addr string, h http.Handler, told func(error)) error {
	for failed := false; ctx.Err() == nil; {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", addr)
		if err == nil {
			told(nil)
			return serveOn(ctx, l, Only(h))
		}
		if !failed && ctx.Err() == nil {
			failed = true
			told(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
	return nil
}

func serveOn(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if s.Shutdown(within) != nil {
			s.Close()
		}
	})
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

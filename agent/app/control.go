package app

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
)

// control tells the commands of this machine how to reach the running service: a port of this PC and a token, in a file that only the
// service's account and administrators can read.
type control struct {
	Addr  string `json:"addr"`
	Token string `json:"token"`
}

func controlFile(dir string) string { return filepath.Join(dir, "control.json") }

// serveControl answers status, buffer and import questions of the agent's own commands.
func (a *App) serveControl(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fault.New(fault.Internal, "open control port", err)
	}
	c := control{Addr: l.Addr().String(), Token: rand.Text()}
	b, err := json.Marshal(c)
	if err != nil {
		return fault.New(fault.Internal, "control", err)
	}
	if err := os.WriteFile(controlFile(a.Config.DataDir), b, 0o600); err != nil {
		return fault.New(fault.Internal, "write control.json", err)
	}
	defer os.Remove(controlFile(a.Config.DataDir))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) { answer(w, a.Status(r.Context()), nil) })
	mux.HandleFunc("GET /verify", func(w http.ResponseWriter, r *http.Request) {
		n, err := a.Buffer.Verify(r.Context())
		answer(w, verified{n}, err)
	})
	mux.HandleFunc("GET /export", func(w http.ResponseWriter, r *http.Request) { _ = a.Buffer.Export(r.Context(), w) })
	mux.HandleFunc("POST /retry", func(w http.ResponseWriter, r *http.Request) {
		var name string
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&name); err != nil {
			answer(w, nil, fault.New(fault.Invalid, "retry", err))
			return
		}
		answer(w, name, a.Retry(name))
	})
	mux.HandleFunc("POST /enrolled", func(w http.ResponseWriter, _ *http.Request) {
		a.reconnect()
		answer(w, true, nil)
	})
	mux.HandleFunc("POST /import", func(w http.ResponseWriter, r *http.Request) {
		var o ImportOptions
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&o); err != nil {
			answer(w, nil, fault.New(fault.Invalid, "import", err))
			return
		}
		rep, err := importFile(r.Context(), a.Config, a.Buffer, o)
		answer(w, rep, err)
	})
	mux.HandleFunc("POST /update", func(w http.ResponseWriter, r *http.Request) {
		var o updateOptions
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&o); err != nil {
			answer(w, nil, fault.New(fault.Invalid, "update", err))
			return
		}
		said, err := a.startUpdate(r.Context(), o)
		answer(w, said, err)
	})
	mux.HandleFunc("POST /replay", func(w http.ResponseWriter, r *http.Request) {
		var o replayed
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&o); err != nil {
			answer(w, nil, fault.New(fault.Invalid, "replay", err))
			return
		}
		n, err := a.replay(r.Context(), o.File)
		answer(w, replayed{n, o.File}, err)
	})
	return serveOn(ctx, l, guarded(c.Token, mux))
}

// verified is what `buffer verify` tells.
type verified struct {
	Rows int `json:"rows"`
}

// refusal is an error on the control port.
type refusal struct {
	Code  fault.Code `json:"code"`
	Error string     `json:"error"`
}

func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		v = refusal{fault.CodeOf(err), err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v)
}

func guarded(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "no right", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveDoor lets tills in until ctx ends.
func (a *App) serveDoor(ctx context.Context) error {
	l, err := net.Listen("tcp", a.Config.Source.LocalAPI.Listen)
	if err != nil {
		return fault.New(fault.Invalid, "listen", err)
	}
	return a.door.Serve(ctx, l, a.log)
}

// serveOn serves l until ctx ends.
func serveOn(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
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

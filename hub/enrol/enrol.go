// Package enrol is the hub's door for PCs that want a certificate (DESIGN D16): with a one-time code the first time, with the certificate
// they have afterwards. It checks proofs and carries; what a code is worth the database decides, in one transaction. See DESIGN.md.
package enrol

import (
	"context"
	"crypto/hmac"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/hub/authority"
	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/retail"
)

// Book is what the database does. Every method is one transaction.
type Book interface {
	// CodeKey is the key of a code that can be used, or was used not long ago. Code not_found.
	CodeKey(ctx context.Context, id string) (key []byte, err error)
	// CodeWrong counts a proof that did not fit.
	CodeWrong(ctx context.Context, id, from string) error
	// Redeem uses a code up for one key. Codes not_found, conflict.
	Redeem(ctx context.Context, id string, ask enrol.Ask, key authority.KeyID, from string, issue authority.Issuer) (authority.Certificate, error)
	// Renew gives the holder of old a certificate for another key. Code conflict.
	Renew(ctx context.Context, old authority.Certificate, key authority.KeyID, issue authority.Issuer) (authority.Certificate, error)
}

// Bundles keeps support bundles. Codes: conflict, not_found.
type Bundles interface {
	PutBundle(ctx context.Context, c authority.Certificate, command string, body []byte) error
}

// Lapsed is how long ago a certificate may have run out and still be renewed: a store that is closed for a season comes back by itself. The
// broker takes none that ran out, and one that was revoked is refused whatever its age.
const Lapsed = 365 * 24 * time.Hour

// Server is the door. All fields are required but for those that say so.
type Server struct {
	Authority *authority.Authority
	Book      Book
	Life      time.Duration // of a certificate
	Grant     enrol.Grant   // what every PC is told; device and certificate are filled in
	Locations func(context.Context, retail.DeviceID) string
	Bundles   Bundles // nil = none are taken
	// ReleaseRoot is the root of signed releases in force, "" = none; nil is none, too.
	ReleaseRoot func(context.Context) string
	Log         *slog.Logger
	Now         func() time.Time
}

// TLS is what the door's listener needs: the hub's own certificate, TLS 1.3 and nothing else, and whatever certificate a PC shows, which is
// checked here so that one that ran out can still be renewed.
func (s *Server) TLS() *tls.Config {
	c := s.Authority.Listener(nil, s.Now)
	c.MinVersion, c.ClientAuth, c.ClientCAs = tls.VersionTLS13, tls.RequestClientCert, nil
	return c
}

// Handler answers PCs.
func (s *Server) Handler() http.Handler {
	l := &limit{now: s.Now, wrong: map[string]*tries{}}
	turns := make(chan struct{}, 8) // signing and a commit each: a crowd waits its turn
	mux := http.NewServeMux()
	turn := func(f http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
				r.Body = http.MaxBytesReader(w, r.Body, enrol.MaxBody)
				f(w, r)
			case <-r.Context().Done():
			}
		}
	}
	mux.HandleFunc("POST "+enrol.PathEnrol, turn(func(w http.ResponseWriter, r *http.Request) { s.redeem(w, r, l) }))
	mux.HandleFunc("POST "+enrol.PathRenew, turn(s.renew))
	if s.Bundles != nil {
		mux.HandleFunc("POST "+enrol.PathBundle, s.bundle(make(chan struct{}, 2)))
	}
	return mux
}

// unknownCode is said of every code that cannot be used, so that nobody learns which numbers there are.
var unknownCode = fault.Msg(fault.NotFound, "enrol", "the hub knows no such code: it was mistyped, ran out, was used or was ended. Ask head office for a new one")

func (s *Server) redeem(w http.ResponseWriter, r *http.Request, l *limit) {
	from := addressOf(r.RemoteAddr)
	if wait := l.wait(from); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		refuse(w, http.StatusTooManyRequests, fault.Msg(fault.Unavailable, "enrol", fmt.Sprintf("too many wrong codes came from this address: wait %v", wait.Round(time.Second))))
		return
	}
	var q enrol.Redeem
	var ask enrol.Ask
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || !enrol.ValidID(q.Code) || json.Unmarshal(q.Ask, &ask) != nil {
		refuse(w, http.StatusBadRequest, fault.Msg(fault.Invalid, "enrol", "the question cannot be read: is the agent of this hub's version?"))
		return
	}
	channel, err := enrol.Channel(r.TLS)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	key, err := s.Book.CodeKey(r.Context(), q.Code)
	if err == nil && !hmac.Equal(q.Proof, enrol.AgentProof(key, channel, q.Ask)) {
		if l.counts() {
			s.Log.WarnContext(r.Context(), "a wrong one-time code", "code", q.Code, "address", from)
			if err := s.Book.CodeWrong(r.Context(), q.Code, from); err != nil {
				s.Log.ErrorContext(r.Context(), "cannot count a wrong code", "err", err)
			}
		}
		err = unknownCode
	}
	if err != nil {
		flood := false
		if fault.Is(err, fault.NotFound) {
			flood, err = l.failed(from), unknownCode
		}
		if !flood {
			s.complain(r.Context(), "enrol", err)
		}
		refuse(w, statusOf(err), err)
		return
	}
	l.good(from)
	ask.Host = guard.Text(printable(ask.Host))
	req, err := authority.ReadRequest(ask.CSR)
	if err == nil && ask.Hub != "" && ask.Hub != s.Grant.Hub {
		err = fault.Msg(fault.Conflict, "enrol", "this PC's tickets belong to hub "+printable(string(ask.Hub))+", this is hub "+string(s.Grant.Hub)+"; the code is still good. Enrol there, or with another data_dir")
	}
	var cert authority.Certificate
	if err == nil {
		cert, err = s.Book.Redeem(r.Context(), q.Code, ask, req.Key, from, s.issuer(req))
	}
	if err != nil {
		s.complain(r.Context(), "enrol", err)
		refuse(w, statusOf(err), err)
		return
	}
	s.Log.InfoContext(r.Context(), "a PC was enrolled", "device", cert.Device, "host", ask.Host, "address", from, "until", cert.Ends)
	grant := encode(s.grant(r.Context(), cert))
	failpoint.Hit("enrol.reply")
	write(w, http.StatusOK, enrol.Answer{Grant: grant, Proof: enrol.HubProof(key, channel, grant)})
}

// renew answers a PC that shows the certificate it has.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	var ask enrol.Ask
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		refuse(w, http.StatusBadRequest, fault.Msg(fault.Invalid, "renew", "the question cannot be read"))
		return
	}
	old, err := s.Authority.Verify(r.TLS.PeerCertificates, s.Now(), Lapsed)
	var req authority.Request
	if err == nil {
		req, err = authority.ReadRequest(ask.CSR)
	}
	var cert authority.Certificate
	if err == nil {
		cert, err = s.Book.Renew(r.Context(), old, req.Key, s.issuer(req))
	}
	if err != nil {
		s.complain(r.Context(), "renew", err)
		refuse(w, statusOf(err), err)
		return
	}
	s.Log.InfoContext(r.Context(), "a certificate was renewed", "device", cert.Device, "until", cert.Ends)
	failpoint.Hit("renew.reply")
	write(w, http.StatusOK, s.grant(r.Context(), cert))
}

func (s *Server) issuer(req authority.Request) authority.Issuer {
	return func(d retail.DeviceID) (authority.Certificate, error) {
		return s.Authority.Issue(req, d, s.Now(), s.Life)
	}
}

func (s *Server) grant(ctx context.Context, c authority.Certificate) enrol.Grant {
	g := s.Grant
	g.Device, g.Cert, g.CA = c.Device, authority.PEM(c.DER), s.Authority.PEM()
	if s.Locations != nil {
		g.Locations = s.Locations(ctx, c.Device)
	}
	if s.ReleaseRoot != nil {
		g.ReleaseRoot = s.ReleaseRoot(ctx)
	}
	return g
}

func (s *Server) complain(ctx context.Context, what string, err error) {
	level := slog.LevelWarn
	if c := fault.CodeOf(err); c == fault.Internal || c == fault.Unavailable {
		level = slog.LevelError
	}
	s.Log.Log(ctx, level, "a PC was refused a certificate", "what", what, "err", err)
}

func statusOf(err error) int {
	switch fault.CodeOf(err) {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.NotFound:
		return http.StatusForbidden
	case fault.Conflict:
		return http.StatusConflict
	}
	return http.StatusServiceUnavailable
}

// refuse tells a PC why. Of our own troubles it learns that they are ours.
func refuse(w http.ResponseWriter, status int, err error) {
	body := enrol.Refusal{Code: fault.CodeOf(err), Error: err.Error()}
	if status == http.StatusServiceUnavailable {
		body = enrol.Refusal{Code: fault.Unavailable, Error: "the hub cannot do it now; its log says why. Try again later: the code is still good"}
	}
	write(w, status, body)
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(v)) // a PC that went away asks again
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: encode: " + err.Error())
	}
	return b
}

// printable keeps a stranger's word from writing into a log or page what it likes.
func printable(s string) string {
	out := make([]rune, 0, 64)
	for _, r := range s {
		if len(out) == 64 {
			break
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}

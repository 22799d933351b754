package web

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
)

type loginPage struct{ Name, Next, Token, Wrong string }

// loginShow sends the form with a token that is also in a cookie: no session is kept for people who have not signed in.
func (s *site) loginShow(w http.ResponseWriter, r *http.Request) {
	s.loginForm(w, r, http.StatusOK, loginPage{Next: r.URL.Query().Get("next")})
}

func (s *site) loginForm(w http.ResponseWriter, r *http.Request, code int, p loginPage) {
	p.Token, p.Next = newToken(), localPath(p.Next)
	if c, err := r.Cookie(s.cookie("tillpost_login")); err == nil && len(c.Value) == len(p.Token) {
		p.Token = c.Value // another tab, or a browser that asks for an icon, must not make the form before it stale
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie("tillpost_login"), Value: p.Token, Path: "/", HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteStrictMode})
	s.render(w, r, nil, code, "login", "Sign in", p)
}

func (s *site) loginDo(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, nil, fault.Msg(fault.Invalid, "read form", "the form could not be read"))
		return
	}
	f := loginPage{Name: strings.ToLower(strings.TrimSpace(r.PostForm.Get("name"))), Next: r.PostForm.Get("next")}
	c, err := r.Cookie(s.cookie("tillpost_login"))
	if err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.PostForm.Get("token"))) != 1 {
		f.Wrong = "The form was too old. Please sign in again; cookies must be allowed for this address."
		s.loginForm(w, r, http.StatusForbidden, f)
		return
	}
	byName, byAddress := "name "+clip(f.Name, 64), addressKey(r.RemoteAddr)
	if wait := max(s.throttle.take(byName, freeByName), s.throttle.take(byAddress, freeByAddress)); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
		f.Wrong = fmt.Sprintf("Too many tries. Please wait %s and try again.", roughly(wait+time.Second))
		s.loginForm(w, r, http.StatusTooManyRequests, f)
		return
	}
	u, err := s.check(r, f.Name, r.PostForm.Get("password"))
	switch {
	case fault.Is(err, fault.NotFound):
		s.Log.WarnContext(r.Context(), "sign-in refused", "from", byAddress) // no name: people type passwords there
		f.Wrong = "Name or password is wrong."
		s.loginForm(w, r, http.StatusUnauthorized, f)
		return
	case err != nil:
		s.fail(w, r, nil, err)
		return
	}
	s.throttle.good(byName)
	s.throttle.good(byAddress)
	if err := s.letIn(r, u); err != nil {
		s.fail(w, r, nil, err)
		return
	}
	http.Redirect(w, r, localPath(f.Next), http.StatusSeeOther)
}

// check returns the user, or code not_found whatever was wrong; it takes as long for a name that nobody has.
func (s *site) check(r *http.Request, name, pw string) (view.User, error) {
	u, err := s.Users.User(r.Context(), name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return u, err
	}
	if !password.Matches(u.Hash, pw) || err != nil || u.Disabled {
		return view.User{}, fault.Msg(fault.NotFound, "sign in", "name or password is wrong")
	}
	return u, nil
}

// letIn begins a session under a token that nobody has seen before.
func (s *site) letIn(r *http.Request, u view.User) error {
	ctx := r.Context()
	if err := s.Users.SignedIn(ctx, u.Name, addressKey(r.RemoteAddr)); err != nil {
		return err
	}
	if err := s.session.RenewToken(ctx); err != nil {
		return fault.New(fault.Internal, "begin session", err)
	}
	s.session.Put(ctx, keyUser, u.Name)
	s.session.Put(ctx, keyStamp, u.Stamp)
	s.session.Put(ctx, keyCSRF, newToken())
	s.session.Put(ctx, keySeen, s.Now().Unix())
	return nil
}

func (s *site) logout(w http.ResponseWriter, r *http.Request, _ *visit) error {
	if err := s.session.Destroy(r.Context()); err != nil {
		return fault.New(fault.Unavailable, "sign out", err)
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// localPath is next when it is a path of ours, else the first page: a sign-in must not send people elsewhere.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") ||
		strings.HasPrefix(next, "/login") {
		return "/"
	}
	return next
}

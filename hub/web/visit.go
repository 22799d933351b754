package web

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// A session ends after a working day, and after an hour in which nobody touched it. seenEvery spares the database a write per page.
const (
	sessionLife = 12 * time.Hour
	sessionIdle = time.Hour
	seenEvery   = 5 * time.Minute
)

// What a session holds.
const (
	keyUser  = "user"
	keyStamp = "stamp"
	keyCSRF  = "csrf"
	keySeen  = "seen"
	keyFlash = "flash"
)

// Who may do what. Deciders move figures; helpers may also answer technical questions.
var (
	deciders = []view.Role{view.Admin, view.Finance}
	helpers  = []view.Role{view.Admin, view.Finance, view.IT}
	keepers  = []view.Role{view.Admin, view.IT} // of stores' PCs
)

// visit is one request of a user who is signed in.
type visit struct {
	user view.User
	csrf string
}

// handler is a page or action; its error becomes the error page.
type handler func(w http.ResponseWriter, r *http.Request, v *visit) error

func (v *visit) may(roles []view.Role) bool { return slices.Contains(roles, v.user.Role) }

// only is what lists are narrowed to: nil = everything.
func (v *visit) only() []retail.LocationCode {
	if len(v.user.Locations) == 0 {
		return nil
	}
	return v.user.Locations
}

// sees answers not_found, so that a store user cannot find out which other stores exist.
func (v *visit) sees(l retail.LocationCode) error {
	if only := v.only(); only != nil && !slices.Contains(only, l) {
		return errNoPage
	}
	return nil
}

func (s *site) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store, m.Lifetime, m.HashTokenInStore = s.Sessions, sessionLife, true
	m.Cookie.Name, m.Cookie.SameSite, m.Cookie.Secure, m.Cookie.Persist = s.cookie("tillpost"), http.SameSiteLaxMode, s.Secure, false
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, nil, err) }
	return m
}

// cookie adds the prefix by which a browser binds a cookie to this host and to TLS.
func (s *site) cookie(name string) string {
	if s.Secure {
		return "__Host-" + name
	}
	return name
}

// signedIn lets a user in who is signed in and, for a POST, has the role and sent the session's own token.
func (s *site) signedIn(may []view.Role, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.who(r)
		switch {
		case err != nil:
			s.fail(w, r, nil, err)
			return
		case v == nil:
			s.toLogin(w, r)
			return
		}
		if r.Method == http.MethodPost {
			if err := s.checkPost(r, v, may); err != nil {
				s.fail(w, r, v, err)
				return
			}
		}
		if err := h(w, r, v); err != nil {
			s.fail(w, r, v, err)
		}
	})
}

// who returns the visit, nil when nobody is signed in: no session, idle too long, or the user changed since.
func (s *site) who(r *http.Request) (*visit, error) {
	ctx, now := r.Context(), s.Now()
	name := s.session.GetString(ctx, keyUser)
	if name == "" {
		return nil, nil
	}
	seen := time.Unix(s.session.GetInt64(ctx, keySeen), 0)
	u, err := s.Users.User(ctx, name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if err != nil || u.Disabled || u.Stamp != s.session.GetInt64(ctx, keyStamp) || now.Sub(seen) > sessionIdle {
		return nil, s.session.Destroy(ctx)
	}
	if now.Sub(seen) > seenEvery {
		s.session.Put(ctx, keySeen, now.Unix())
	}
	return &visit{user: u, csrf: s.session.GetString(ctx, keyCSRF)}, nil
}

func (s *site) checkPost(r *http.Request, v *visit, may []view.Role) error {
	if err := r.ParseForm(); err != nil {
		return fault.Msg(fault.Invalid, "read form", "the form could not be read, or is larger than 2 MB; nothing was changed")
	}
	if v.csrf == "" || subtle.ConstantTimeCompare([]byte(r.PostForm.Get("csrf")), []byte(v.csrf)) != 1 {
		return errForged
	}
	if !v.may(may) {
		return errRole
	}
	return nil
}

func (s *site) toLogin(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// done says on the next page what was done, and goes there: a reload repeats nothing.
func (s *site) done(w http.ResponseWriter, r *http.Request, to, text string) error {
	s.session.Put(r.Context(), keyFlash, text)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func newToken() string { return rand.Text() }

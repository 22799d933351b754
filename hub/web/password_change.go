package web

import (
	"net/http"

	"github.com/tillpost/tillpost/hub/password"
	"github.com/tillpost/tillpost/shared/fault"
)

type passwordPage struct{ Wrong string }

func (s *site) passwordShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.render(w, r, v, http.StatusOK, "password", "Change password", passwordPage{})
}

// passwordChange ends every other session of the user and renews this one.
func (s *site) passwordChange(w http.ResponseWriter, r *http.Request, v *visit) error {
	again := func(why string) error {
		return s.render(w, r, v, http.StatusUnprocessableEntity, "password", "Change password", passwordPage{why})
	}
	if wait := s.throttle.take("name "+v.user.Name, freeByName); wait > 0 {
		return again("Too many tries. Please wait " + roughly(wait) + ".")
	}
	old, fresh := r.PostForm.Get("old"), r.PostForm.Get("new")
	if !password.Matches(v.user.Hash, old) {
		return again("The present password is wrong.")
	}
	s.throttle.good("name " + v.user.Name)
	if fresh != r.PostForm.Get("again") {
		return again("The new password was not written the same twice.")
	}
	if err := password.Check(v.user.Name, fresh); err != nil {
		return again(sentence(err))
	}
	if err := s.Users.ChangePassword(r.Context(), v.user.Name, password.Hash(fresh), v.user.Name); err != nil {
		return err
	}
	u, err := s.Users.User(r.Context(), v.user.Name)
	if err != nil {
		return err
	}
	if err := s.session.RenewToken(r.Context()); err != nil {
		return fault.New(fault.Internal, "renew session", err)
	}
	s.session.Put(r.Context(), keyStamp, u.Stamp)
	return s.done(w, r, "/", "The password is changed. Other places where you were signed in are signed out.")
}

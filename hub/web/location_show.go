package web

import (
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var weekdayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func weekdays() []string { return weekdayNames }

func hasDay(list, day string) bool { return strings.Contains(strings.ToLower(list), day) }

func (s *site) locationList(w http.ResponseWriter, r *http.Request, v *visit) error {
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: v.only()})
	if err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "locations", "Locations and tills", ls)
}

func (s *site) locationShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	code := retail.LocationCode(r.URL.Query().Get("code"))
	if err := v.sees(code); err != nil {
		return err
	}
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: []retail.LocationCode{code}})
	if err != nil {
		return err
	}
	if len(ls) != 1 {
		return errNoPage
	}
	return s.render(w, r, v, http.StatusOK, "location", string(code), ls[0])
}

// locationForm reads what head office says of a location.
func locationForm(r *http.Request) view.LocationForm {
	f := r.PostForm
	return view.LocationForm{Code: retail.LocationCode(f.Get("code")), Name: f.Get("name"), Zone: strings.TrimSpace(f.Get("zone")), Cutoff: f.Get("cutoff"),
		Currency: money.Currency(strings.ToUpper(f.Get("currency"))), Company: f.Get("company"), OpenDays: strings.Join(f["open"], " "), From: retail.BusinessDate(f.Get("from"))}
}

func (s *site) locationSet(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := locationForm(r)
	if err := v.sees(f.Code); err != nil {
		return err
	}
	if err := s.Registry.PutLocation(r.Context(), f, v.user.Name); err != nil {
		return err
	}
	return s.done(w, r, locationURL(f.Code), "The location is confirmed as you wrote it.")
}

func (s *site) tillConfirm(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, t := retail.LocationCode(r.PostForm.Get("location")), retail.TillCode(r.PostForm.Get("till"))
	if err := v.sees(l); err != nil {
		return err
	}
	if err := s.Registry.ConfirmTill(r.Context(), l, t, v.user.Name); err != nil {
		return err
	}
	return s.done(w, r, locationURL(l), "Till "+string(t)+" is confirmed.")
}

package web

import (
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/lockdate"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

var weekdayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func weekdays() []string { return weekdayNames }

func hasDay(list, day string) bool { return strings.Contains(strings.ToLower(list), day) }

func (s *site) locationList(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := locationListPage{Find: strings.TrimSpace(r.URL.Query().Get("q"))}
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: v.only(), Find: p.Find, Limit: pageLocations + 1, Offset: offsetOf(r)})
	if err != nil {
		return err
	}
	p.pager = pagerOf(r, pageLocations, offsetOf(r)+len(ls))
	p.Locations = ls[:min(len(ls), pageLocations)]
	return s.render(w, r, v, http.StatusOK, "locations", "Locations and tills", p)
}

type locationListPage struct {
	pager
	Locations []view.LocationView
	Find      string
}

type locationPage struct {
	Location view.LocationView
	Steps    []view.StepView
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
	steps, err := s.Registry.LocationSteps(r.Context(), code)
	if err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "location", string(code), locationPage{ls[0], steps})
}

// locationForm reads what head office says of a location.
func locationForm(r *http.Request) view.LocationForm {
	f := r.PostForm
	return view.LocationForm{Code: retail.LocationCode(f.Get("code")), Name: f.Get("name"), Zone: strings.TrimSpace(f.Get("zone")), Cutoff: f.Get("cutoff"),
		Currency: money.Currency(strings.ToUpper(f.Get("currency"))), Company: f.Get("company"), OpenDays: strings.Join(f["open"], " "),
		Review: view.Review(f.Get("review")), Shadow: retail.BusinessDate(f.Get("shadow")), OldWay: strings.TrimSpace(f.Get("oldway")), Costs: retail.BusinessDate(f.Get("cogs")), Period: lockdate.Policy(f.Get("period")),
		Posting: rollup.Mode(f.Get("posting")), PostingFrom: retail.BusinessDate(f.Get("postingfrom")), From: retail.BusinessDate(f.Get("from"))}
}

func (s *site) locationSet(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := locationForm(r)
	if err := v.sees(f.Code); err != nil {
		return err
	}
	if err := s.mayPost(r, v, f); err != nil {
		return err
	}
	if err := s.Registry.PutLocation(r.Context(), f, v.user.Name); err != nil {
		return err
	}
	return s.done(w, r, locationURL(f.Code), "The location is confirmed as you wrote it.")
}

// mayPost refuses a helper who is no decider what decides whether days are posted, and when: review, first day, the old way's journal, and
// what becomes of closed periods.
func (s *site) mayPost(r *http.Request, v *visit, f view.LocationForm) error {
	if v.may(deciders) {
		return nil
	}
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: []retail.LocationCode{f.Code}})
	if err != nil {
		return err
	}
	var now view.LocationView
	if len(ls) == 1 {
		now = ls[0]
	}
	if f.Posting != "" && f.Posting != now.Posting.Or() || f.Review != now.Review || f.Shadow != now.Shadow || f.OldWay != now.OldWay || f.Costs != now.Costs || f.Period != now.Period {
		return errRole
	}
	return nil
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

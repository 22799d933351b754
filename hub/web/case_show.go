package web

import (
	"net/http"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

type caseListPage struct {
	pager
	Cases []view.CaseView
	All   bool
}

func (s *site) caseList(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := caseListPage{All: r.URL.Query().Get("all") != ""}
	var err error
	if p.Cases, err = s.Cases.CaseViews(r.Context(), view.CaseFilter{All: p.All, Only: v.only(), Limit: pageCases + 1, Offset: offsetOf(r)}); err != nil {
		return err
	}
	p.pager = pagerOf(r, pageCases, offsetOf(r)+len(p.Cases))
	p.Cases = p.Cases[:min(len(p.Cases), pageCases)]
	return s.render(w, r, v, http.StatusOK, "cases", "Cases", p)
}

type casePage struct {
	view.CaseView
	Body   string
	DayKey rollup.DayKey
	IsOpen bool
	IsTax  bool // the code is one of taxes: a tax of the books may take it
}

// oneCase reads a case that the user may see. One without a location is head office's.
func (s *site) oneCase(r *http.Request, v *visit, id string) (view.CaseView, error) {
	c, err := s.Cases.CaseView(r.Context(), id)
	if err != nil {
		return c, err
	}
	return c, v.sees(c.Location)
}

func (s *site) caseShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := s.oneCase(r, v, r.URL.Query().Get("id"))
	if err != nil {
		return err
	}
	p := casePage{CaseView: c, DayKey: rollup.DayKey{Location: c.Location, Day: c.Day}, IsOpen: c.State == cases.Open}
	if role, _ := ledger.Account(c.Subject).Split(); role == ledger.Tax || role == ledger.TaxRefund {
		p.IsTax = true
	}
	if c.Raw != nil {
		p.Body = string(c.Raw.Body)
	}
	return s.render(w, r, v, http.StatusOK, "case", c.Title, p)
}

// caseDecide carries out what a person chose. Only deciders move figures; helpers confirm and release.
func (s *site) caseDecide(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := r.PostForm
	c, err := s.oneCase(r, v, f.Get("id"))
	if err != nil {
		return err
	}
	a := view.Act{What: f.Get("what"), Who: v.user.Name, Reason: f.Get("reason"), Account: f.Get("account"), Tax: f.Get("tax"), Body: f.Get("body"), Date: retail.BusinessDate(f.Get("date"))}
	if (a.What != "confirm" && a.What != "release" && a.What != "retry" || a.Date != "") && !v.may(deciders) {
		return errRole
	}
	if a.What == "map" && a.Account == "" && a.Tax == "" {
		return fault.Msg(fault.Invalid, "map", "choose an account; nothing was changed")
	}
	if f.Get("zone") != "" {
		form := locationForm(r)
		form.Code = retail.LocationCode(c.Subject)
		if err := s.mayPost(r, v, form); err != nil {
			return err
		}
		a.Form = &form
	}
	if err := s.Cases.Act(r.Context(), c.ID, a); err != nil {
		return err
	}
	return s.done(w, r, "/cases", "Done: "+c.Title+" ("+c.Subject+").")
}

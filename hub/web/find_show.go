package web

import (
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
)

// pageFound is how many of each kind are shown, and how many tickets behind each.
const pageFound = 50

// findShow lists everything that an id names. The only ticket of a number is opened at once: its page shows where it stands in Odoo.
func (s *site) findShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := view.Found{Find: strings.TrimSpace(r.URL.Query().Get("q"))}
	if p.Find != "" {
		var err error
		if p, err = s.Finder.Find(r.Context(), view.FindFilter{Find: p.Find, Only: v.only(), Limit: pageFound}); err != nil {
			return err
		}
		if len(p.Things) == 1 && p.Things[0].Kind == "ticket" {
			http.Redirect(w, r, ticketURL(p.Things[0].Tickets[0].ID), http.StatusSeeOther)
			return nil
		}
	}
	return s.render(w, r, v, http.StatusOK, "find", "Find", p)
}

package web

import (
	"net/http"
	"strconv"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
)

type ticketPage struct {
	view.TicketView
	DayKey     rollup.DayKey
	Body       string
	MendedText string
	Way        []view.WayStop
}

// ticket reads the one that a path names, if the user may see it.
func (s *site) ticket(r *http.Request, v *visit) (view.TicketView, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return view.TicketView{}, errNoPage
	}
	t, err := s.Tickets.TicketView(r.Context(), id)
	if err != nil {
		return t, err
	}
	return t, v.sees(t.Location)
}

func (s *site) ticketShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := s.ticket(r, v)
	if err != nil {
		return err
	}
	way, err := s.Tickets.Way(r.Context(), t)
	if err != nil {
		return err
	}
	p := ticketPage{TicketView: t, DayKey: rollup.DayKey{Location: t.Location, Day: t.Day}, Body: string(t.Raw.Body), MendedText: string(t.MendedBody), Way: way}
	return s.render(w, r, v, http.StatusOK, "ticket", "Ticket "+t.Number, p)
}

// ticketRaw sends the record byte for byte, as a file and never as a page.
func (s *site) ticketRaw(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := s.ticket(r, v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="record-`+strconv.FormatInt(t.Raw.Envelope, 10)+`.txt"`)
	_, _ = w.Write(t.Raw.Body)
	return nil
}

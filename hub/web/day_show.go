package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

func itoa(n int) string { return strconv.Itoa(n) }

// documentPart is a document as its page shows it.
type documentPart struct {
	view.DocumentView
	Groups []group
	Sums   sums
}

type dayPage struct {
	Day       view.DayDetail
	Documents []documentPart
	Pending   []group
	// Approvable: a person's word still changes something; a day that is wholly in the books needs none.
	Approvable bool
}

// dayKey reads a store-day out of a request and checks that the user may see it.
func dayKey(v *visit, location, date string) (rollup.DayKey, error) {
	k := rollup.DayKey{Location: retail.LocationCode(location), Day: retail.BusinessDate(date)}
	return k, v.sees(k.Location)
}

func (s *site) dayShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := dayKey(v, r.URL.Query().Get("location"), r.URL.Query().Get("date"))
	if err != nil {
		return err
	}
	d, err := s.Days.DayDetail(r.Context(), k)
	if err != nil {
		return err
	}
	p := dayPage{Day: d, Pending: groups(d.Pending), Approvable: d.State != "shadow" && (len(d.Documents) == 0 || d.Documents[0].Number == 0)}
	for _, doc := range d.Documents {
		p.Documents = append(p.Documents, documentPart{doc, groups(doc.Lines), sumUp(doc.Lines)})
	}
	return s.render(w, r, v, http.StatusOK, "day", string(k.Location)+", "+date(k.Day), p)
}

// dayDecide holds, releases or approves.
func (s *site) dayDecide(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := r.PostForm
	k, err := dayKey(v, f.Get("location"), f.Get("date"))
	if err != nil {
		return err
	}
	do, said := s.Desk.Approve, "The day is approved as it is."
	switch f.Get("what") {
	case "hold":
		if strings.TrimSpace(f.Get("reason")) == "" {
			return fault.Msg(fault.Invalid, "hold day", "say why it is held: whoever looks at it next will ask. Nothing was changed")
		}
		do, said = s.Desk.Hold, "The day is held: nothing more is posted until it is released."
	case "reverse":
		if strings.TrimSpace(f.Get("reason")) == "" {
			return fault.Msg(fault.Invalid, "reverse day", "say why it is taken back: whoever audits it will ask. Nothing was changed")
		}
		do, said = s.Desk.Reverse, "The day is taken back by a counter-entry. Release it, and it is booked anew."
	case "release":
		do, said = s.Desk.Release, "The day goes on."
	case "approve":
	default:
		return fault.Msg(fault.Invalid, "decide day", "there is no such decision; nothing was changed")
	}
	if err := do(r.Context(), k, v.user.Name, f.Get("reason")); err != nil {
		return err
	}
	return s.done(w, r, dayURL(k), said)
}

type linePage struct {
	pager
	Key  view.LineKey
	Day  rollup.DayKey
	Page view.TicketPage
	CSV  string
}

func lineKey(r *http.Request, v *visit) (view.LineKey, error) {
	q := r.URL.Query()
	k, err := dayKey(v, q.Get("location"), q.Get("date"))
	if err != nil {
		return view.LineKey{}, err
	}
	out := view.LineKey{Location: k.Location, Day: k.Day, Measure: ledger.Account(q.Get("measure"))}
	out.Document, _ = strconv.Atoi(q.Get("document"))
	out.Offset = offsetOf(r)
	return out, nil
}

// lineShow opens a figure to its tickets; their sum stands under them, to be compared with the line.
func (s *site) lineShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	k, err := lineKey(r, v)
	if err != nil {
		return err
	}
	k.Limit = pageTickets
	p := linePage{Key: k, Day: rollup.DayKey{Location: k.Location, Day: k.Day}}
	if p.Page, err = s.Days.LineTickets(r.Context(), k); err != nil {
		return err
	}
	p.pager, p.CSV = pagerOf(r, pageTickets, p.Page.Count), csvURL("/day/tickets.csv", r.URL.Query())
	return s.render(w, r, v, http.StatusOK, "tickets", measureLabel(k.Measure), p)
}

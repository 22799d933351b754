package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/money"
)

// together shows the documents of a day's tickets as one: their lines by place, what Odoo says of all of them, and the worst of their states. A day has as
// many as tickets; each is shown on its ticket's own page. ok = false when there are none.
func together(k rollup.DayKey, ds []view.DocumentView) (v view.DocumentView, ok bool) {
	if len(ds) == 0 {
		return v, false
	}
	v = ds[0]
	v.ID, v.Number, v.Kind, v.Hash, v.Note, v.Lines = fmt.Sprintf("%s/%s, %d of its tickets", k.Location, k.Day, len(ds)), view.ByTicket, string(rollup.TicketDocument), "", "", nil
	v.Tickets, v.Odoo.Difference = len(ds), money.Of(0, v.Odoo.Difference.Currency)
	var states []string
	at := map[[4]string]int{}
	for _, d := range ds {
		states = append(states, d.State)
		v.Odoo.Known = v.Odoo.Known && d.Odoo.Known
		v.Odoo.Difference.Minor += d.Odoo.Difference.Minor
		v.Odoo.Difference.Currency = max(v.Odoo.Difference.Currency, d.Odoo.Difference.Currency)
		for _, l := range d.Lines {
			key := [4]string{string(l.Measure), l.Account, l.Tax, l.Analytic}
			i, there := at[key]
			if !there {
				at[key], v.Lines = len(v.Lines), append(v.Lines, l)
				continue
			}
			v.Lines[i].Amount.Minor += l.Amount.Minor
			v.Lines[i].Odoo.Minor += l.Odoo.Minor
			v.Lines[i].Known = v.Lines[i].Known && l.Known
		}
	}
	if v.State = roll.Worst(states); v.State != roll.Verified {
		i := slices.Index(states, v.State)
		v.Why = fmt.Sprintf("%s: %s", ds[i].ID, ds[i].Why)
	}
	if last := ds[len(ds)-1].Odoo.Entry; last != "" && last != v.Odoo.Entry {
		v.Odoo.Entry += " to " + last
	}
	v.Lines = slices.DeleteFunc(v.Lines, func(l view.LineView) bool { return l.Amount.Minor == 0 && (!l.Known || l.Odoo.Minor == 0) })
	slices.SortStableFunc(v.Lines, func(a, b view.LineView) int { return rollup.Order(a.Measure, b.Measure) })
	return v, true
}

// ownPlaces are the lines of a ticket's own documents; any = it has some on the day.
func (s *Store) ownPlaces(ctx context.Context, v *view.TicketView, k rollup.DayKey) (any bool, err error) {
	ds, err := s.documentViewsOf(ctx, k, rollup.SeriesOf(v.Key))
	for _, d := range ds {
		for _, l := range d.Lines {
			v.Places = append(v.Places, view.PlaceView{Document: d.ID, Number: view.ByTicket, Location: k.Location, Day: k.Day, State: d.State, Measure: l.Measure, Label: l.Label,
				Account: l.Account, Amount: l.Amount, Line: l.Amount, Odoo: d.Odoo})
		}
	}
	return len(ds) > 0, err
}

package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/lock"
	"github.com/tillpost/tillpost/shared/retail"
)

// silentAfter is when a store of which nothing was heard, and whose PC is not connected, is worth a look: every store opens within it.
const silentAfter = 26 * time.Hour

// Status is what `hub status` tells.
type Status struct {
	Good      bool                  `json:"good"`
	Running   bool                  `json:"running"`
	NotPosted []view.DayView        `json:"not_posted"`
	Unproven  []view.DayView        `json:"unproven"` // posted without proof in the last week: told, and no reason to fail
	Silent    []retail.LocationCode `json:"silent"`
	Cases     []view.CaseView       `json:"cases"`
	Stores    []view.DeviceView     `json:"stores"`            // agents that say something is wrong
	Down      []view.ConnectionView `json:"connections_down"`  // the hub's own and the stores', those that do not work
	Needs     []upkeep.Need         `json:"needs,omitempty"`   // of the hub's own machine: room on its disk, certificates that end
	Restored  time.Time             `json:"restored,omitzero"` // it was put back from a backup, and what it posted since is not read back yet: no store-day goes on
	Envelopes int                   `json:"records"`
}

// unprovenBack is how long a day that went without proof is still told.
const unprovenBack = 7

func (c *cli) status(ctx context.Context, s *desk, _ []string) (err error) {
	st := Status{Running: lock.Held(s.cfg.DataDir, program)}
	if st.NotPosted, err = s.DayViews(ctx, view.DayFilter{Unposted: true}); err != nil {
		return err
	}
	week := retail.DateOf(s.Now()).AddDays(-unprovenBack)
	days, err := s.DayViews(ctx, view.DayFilter{From: week, Unproven: true})
	if err != nil {
		return err
	}
	st.Unproven = days
	if st.Silent, err = s.Silent(ctx, s.Now().Add(-silentAfter)); err != nil {
		return err
	}
	if st.Cases, err = s.CaseViews(ctx, view.CaseFilter{}); err != nil {
		return err
	}
	devices, err := s.DeviceViews(ctx, "")
	if err != nil {
		return err
	}
	for _, d := range devices {
		if len(d.Health) > 0 || d.Stopped != "" {
			st.Stores = append(st.Stores, d)
		}
	}
	if st.Down, err = down(ctx, s); err != nil {
		return err
	}
	if st.Envelopes, err = s.CountEnvelopes(ctx); err != nil {
		return err
	}
	if st.Restored, err = s.Restored(ctx); err != nil {
		return err
	}
	st.Needs = s.cfg.lookUpkeep(ctx, s.Now()).Needs(s.Now())
	st.Good = st.Running && !upkeep.Pressing(st.Needs) && len(st.NotPosted)+len(st.Silent)+len(st.Cases)+st.troubled() == 0 && st.Restored.IsZero()
	err = c.tell(st, st.print)
	if err == nil && !st.Good {
		return errQuiet
	}
	return err
}

// troubled is how many agents need somebody; what is of low severity, such as a page whose port another program has, is told beside.
func (st Status) troubled() (n int) {
	for _, d := range st.Stores {
		if d.Stopped != "" || health.Pressing(d.Health) {
			n++
		}
	}
	return n
}

func (st Status) print(w io.Writer) {
	if !st.Running {
		fmt.Fprintln(w, "The hub does not run: stores keep what they sell, and nothing is posted. Start its service.")
	}
	if st.Good {
		fmt.Fprintf(w, "All good: every closed store-day is posted and verified, no case is open, no store is silent. %d records.\n", st.Envelopes)
	} else {
		fmt.Fprintf(w, "%d store-days not posted, %d stores silent, %d agents in trouble, %d cases open.\n", len(st.NotPosted), len(st.Silent), st.troubled(), len(st.Cases))
	}
	if !st.Restored.IsZero() {
		fmt.Fprintf(w, "The hub was put back from a backup at %s and has not read back yet what it posted since: no store-day goes to Odoo until it has, so that none goes twice. "+
			"It does so by itself as soon as it runs and Odoo answers: hub odoo check says whether Odoo does.\n", st.Restored.Format(time.RFC3339))
	}
	if len(st.NotPosted) > 0 {
		printDays(w, st.NotPosted)
	}
	for _, l := range st.Silent {
		fmt.Fprintf(w, "silent: %s. Call the store: is its PC on, does its line work? What it sells waits there.\n", l)
	}
	for _, d := range st.Stores {
		fmt.Fprint(w, "agent ")
		printDevice(w, d)
	}
	for _, d := range st.Down { // one that rests goes on by itself, and one that refuses is a case besides
		printConnection(w, d)
	}
	for _, n := range st.Needs {
		fmt.Fprintf(w, "hub: %s (%s). %s %s\n", n.Title, n.Detail, n.Means, n.Do)
	}
	for _, k := range st.Cases {
		fmt.Fprintf(w, "case %s: %s %s\n", k.ID, k.Title+".", k.Do)
	}
	if len(st.Unproven) > 0 {
		fmt.Fprintf(w, "Without proof of being complete, in the last %d days:\n", unprovenBack)
		printDays(w, st.Unproven)
	}
}

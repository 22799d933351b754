package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Fleet reads releases and what runs where, and carries out what a person says to a rollout. Codes: not_found, conflict.
type Fleet interface {
	FleetView(ctx context.Context) (view.FleetView, error)
	ReleaseOf(ctx context.Context, d retail.DeviceID) (view.ReleaseView, error)
	Order(ctx context.Context, id, order, who, why string) error
}

type fleetPage struct {
	view.FleetView
	Failed []view.ReleaseView // devices that did not keep what they were told, and those held or left out
	Orders bool               // the user may say something to a rollout
}

// fleetShow is for IT and whoever sees every store.
func (s *site) fleetShow(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	if v.only() != nil {
		return errRole
	}
	p := fleetPage{Orders: v.may(keepers)}
	if p.FleetView, err = s.Fleet.FleetView(r.Context()); err != nil {
		return err
	}
	for _, d := range p.Devices {
		if d.Step == "back" || d.Step == "refused" || d.Pin != "" || d.Excluded {
			p.Failed = append(p.Failed, d)
		}
	}
	return s.render(w, r, v, http.StatusOK, "fleet", "Fleet", p)
}

// fleetDevice shows every step of one device.
func (s *site) fleetDevice(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.only() != nil {
		return errRole
	}
	d, err := s.Fleet.ReleaseOf(r.Context(), retail.DeviceID(r.URL.Query().Get("id")))
	if err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "fleet_device", "Releases of "+string(d.Device), d)
}

// fleetOrder carries out a person's word.
func (s *site) fleetOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.only() != nil {
		return errRole
	}
	id, order, reason := r.PostForm.Get("rollout"), r.PostForm.Get("order"), strings.TrimSpace(r.PostForm.Get("reason"))
	if reason == "" {
		return fault.Msg(fault.Invalid, order+" rollout", "say why: the next one who looks will ask. Nothing was changed")
	}
	if err := s.Fleet.Order(r.Context(), id, order, v.user.Name, reason); err != nil {
		return err
	}
	return s.done(w, r, "/fleet", "Rollout "+id+": "+map[string]string{"pause": "nobody new is told", "resume": "it goes on", "abort": "it has ended; who runs the release goes on with it",
		"back": "every device is told to go back"}[order]+".")
}

// fleetTable is every device, for CSV and XLSX.
func (s *site) fleetTable(r *http.Request, v *visit) (table, error) {
	if v.only() != nil {
		return table{}, errRole
	}
	f, err := s.Fleet.FleetView(r.Context())
	if err != nil {
		return table{}, err
	}
	t := table{Name: "fleet", Head: []string{"device", "location", "platform", "group", "runs", "told", "step", "why", "since", "seen", "held at", "left out", "channel"}}
	for _, d := range f.Devices {
		t.Rows = append(t.Rows, []any{string(d.Device), string(d.Location), d.Platform, d.Group, d.Running, d.Told, stepText(d), d.Why, stamp(d.Since), stamp(d.Seen), d.Pin, yesNo(d.Excluded), d.Channel})
	}
	return t, nil
}

// stepText words how far a device is with what it was told.
func stepText(d view.ReleaseView) string {
	switch {
	case d.Told == "":
		return ""
	case d.Step == "":
		return "has not begun"
	case d.Step == "working":
		return "on its way"
	case d.Step == "kept":
		return "keeps it"
	case d.Step == "back":
		return "went back"
	}
	return d.Step
}

// rolloutText words where a rollout stands.
func rolloutText(state string) badge {
	switch state {
	case "running":
		return badge{Text: "on its way", Tone: "calm"}
	case "paused":
		return badge{Text: "paused", Tone: "warn", Hint: "Nobody new is told until somebody resumes it."}
	case "stopped":
		return badge{Text: "stopped by itself", Tone: "bad", Hint: "Devices did not keep it. All are told to go back to what they ran before."}
	case "reverse":
		return badge{Text: "called back", Tone: "warn"}
	}
	return badge{Text: state}
}

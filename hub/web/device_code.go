package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// deviceCode makes a one-time code and shows it, once: it is in no address, no message of the session and no log.
func (s *site) deviceCode(w http.ResponseWriter, r *http.Request, v *visit) error {
	l := retail.LocationCode(r.PostForm.Get("location"))
	if err := v.sees(l); err != nil {
		return err
	}
	made, err := s.Devices.MakeCode(r.Context(), l, retail.DeviceID(strings.TrimSpace(r.PostForm.Get("device"))), r.PostForm.Get("replace") == "yes", v.user.Name)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.render(w, r, v, http.StatusOK, "device_code", "A code for "+string(made.Device), codePage{made, l})
}

type codePage struct {
	view.CodeMade
	Location retail.LocationCode
}

// deviceRevoke ends a device's rights.
func (s *site) deviceRevoke(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, d, reason := retail.LocationCode(r.PostForm.Get("location")), retail.DeviceID(r.PostForm.Get("device")), strings.TrimSpace(r.PostForm.Get("reason"))
	if err := v.sees(l); err != nil {
		return err
	}
	if reason == "" {
		return fault.Msg(fault.Invalid, "revoke", "say why: the next one who looks will ask. Nothing was changed")
	}
	if err := s.speaksFor(r, l, d); err != nil {
		return err
	}
	if err := s.Devices.Revoke(r.Context(), d, v.user.Name, reason); err != nil {
		return err
	}
	return s.done(w, r, locationURL(l), "Device "+string(d)+" has no right any more; its line is cut. What it has not sent waits on that PC.")
}

// speaksFor refuses a device of another location: who may see one store may not take another's rights.
func (s *site) speaksFor(r *http.Request, l retail.LocationCode, d retail.DeviceID) error {
	ls, err := s.Registry.LocationViews(r.Context(), view.LocationFilter{Only: []retail.LocationCode{l}})
	if err != nil {
		return err
	}
	for _, x := range ls {
		for _, y := range x.Devices {
			if y.ID == d && y.Locations != "*" {
				return nil
			}
		}
	}
	return errNoPage
}

// credentialWords is how a device comes in; Class is "" while nobody need look.
type credentialWords struct{ Text, Class string }

// soonDays is when a certificate that was not renewed yet is worth a look: with the usual life of 90 days it is asked for from the 30th day on.
const soonDays = 14

func credentialOf(d view.DeviceView, now time.Time) credentialWords {
	switch k := d.Certificate; {
	case k.Holds(now) && k.Ends.Sub(k.Begins) > 2*soonDays*24*time.Hour && k.DaysLeft(now) < soonDays:
		return credentialWords{fmt.Sprintf("certificate, %d days left", k.DaysLeft(now)), "warn"}
	case k.Holds(now):
		return credentialWords{fmt.Sprintf("certificate, %d days left", k.DaysLeft(now)), ""}
	case k.Serial != "":
		return credentialWords{"certificate ran out", "warn"}
	case d.Enrolled:
		return credentialWords{"not enrolled", "bad"}
	}
	return credentialWords{"password", ""}
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	"github.com/tillpost/tillpost/hub/view"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Wishes is what stores' PCs shall be, and what they are asked to do. Codes: invalid, not_found, conflict.
type Wishes interface {
	Device(ctx context.Context, d retail.DeviceID) (view.DeviceView, error)
	Desired(ctx context.Context, d retail.DeviceID) (view.DesiredView, error)
	Settings(ctx context.Context, d retail.DeviceID) ([]desired.Layer, error)
	SetSettings(ctx context.Context, d retail.DeviceID, text, who, reason string) error
	Command(ctx context.Context, d retail.DeviceID, c wire.Command, within time.Duration, who, reason string) error
	Bundle(ctx context.Context, d retail.DeviceID, command string) ([]byte, error)
	Steps(ctx context.Context, d retail.DeviceID) ([]view.StepView, error)
}

// commandWithin is the time limit of what is asked for on a page: a PC that is switched off overnight does it in the morning.
const commandWithin = 24 * time.Hour

type devicePage struct {
	Device  view.DeviceView
	Wish    view.DesiredView
	Own     string // its own layer's text
	History []settingsVersion
	Steps   []view.StepView
	Now     time.Time
	Speaks  []retail.LocationCode
	Fleet   bool // the user sees the fleet's pages
}

// settingsVersion is one version of a PC's own settings with what it changed.
type settingsVersion struct {
	desired.Layer
	Diff string
}

func deviceURL(d retail.DeviceID) string {
	return "/device?" + url.Values{"id": {string(d)}}.Encode()
}

func fleetDeviceURL(d retail.DeviceID) string {
	return "/fleet/device?" + url.Values{"id": {string(d)}}.Encode()
}

// device finds a PC all of whose locations the user sees: what is set for it touches each of them.
func (s *site) device(r *http.Request, v *visit, id string) (view.DeviceView, error) {
	d, err := s.Wishes.Device(r.Context(), retail.DeviceID(id))
	if fault.Is(err, fault.NotFound) {
		return d, errNoPage
	}
	if err != nil || v.only() == nil {
		return d, err
	}
	for l := range strings.SplitSeq(d.Locations, ", ") {
		if !slices.Contains(v.only(), retail.LocationCode(l)) {
			return d, errNoPage
		}
	}
	return d, nil
}

func (s *site) deviceShow(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.device(r, v, r.URL.Query().Get("id"))
	if err != nil {
		return err
	}
	p := devicePage{Device: d, Now: s.Now(), Fleet: v.only() == nil}
	for l := range strings.SplitSeq(d.Locations, ", ") {
		if l != "" {
			p.Speaks = append(p.Speaks, retail.LocationCode(l))
		}
	}
	if p.Wish, err = s.Wishes.Desired(r.Context(), d.ID); err != nil {
		return err
	}
	all, err := s.Wishes.Settings(r.Context(), d.ID)
	if err != nil {
		return err
	}
	for i, l := range all {
		before := ""
		if i+1 < len(all) {
			before = all[i+1].Text
		}
		p.History = append(p.History, settingsVersion{l, desired.Diff(before, l.Text)})
	}
	if len(all) > 0 {
		p.Own = all[0].Text
	}
	if p.Steps, err = s.Wishes.Steps(r.Context(), d.ID); err != nil {
		return err
	}
	return s.render(w, r, v, http.StatusOK, "device", string(d.ID), p)
}

// deviceSet gives a PC its own settings.
func (s *site) deviceSet(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.device(r, v, r.PostForm.Get("id"))
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	if reason == "" {
		return fault.Msg(fault.Invalid, "settings", "say why: the next one who looks will ask. Nothing was changed")
	}
	text := strings.ReplaceAll(r.PostForm.Get("settings"), "\r\n", "\n")
	if text = strings.TrimSpace(text); text != "" {
		text += "\n"
	}
	if err := s.Wishes.SetSettings(r.Context(), d.ID, text, v.user.Name, reason); err != nil {
		return err
	}
	return s.done(w, r, deviceURL(d.ID), "The settings of "+string(d.ID)+" are set. It checks and tries them, and keeps them or gives them back; this page tells.")
}

// deviceAsk asks a PC for something once.
func (s *site) deviceAsk(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.device(r, v, r.PostForm.Get("id"))
	if err != nil {
		return err
	}
	c := wire.Command{Kind: wire.Kind(r.PostForm.Get("what"))}
	if c.Kind == wire.LogLevel {
		c.Level, c.For = r.PostForm.Get("level"), time.Hour
	}
	if err := s.Wishes.Command(r.Context(), d.ID, c, commandWithin, v.user.Name, strings.TrimSpace(r.PostForm.Get("reason"))); err != nil {
		return err
	}
	return s.done(w, r, deviceURL(d.ID), string(d.ID)+" is asked for "+string(c.Kind)+".")
}

// deviceBundle hands a support bundle out.
func (s *site) deviceBundle(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !v.may(keepers) {
		return errRole
	}
	d, err := s.device(r, v, r.URL.Query().Get("id"))
	if err != nil {
		return err
	}
	body, err := s.Wishes.Bundle(r.Context(), d.ID, r.URL.Query().Get("command"))
	if err != nil {
		return err
	}
	attach(w, "application/zip", "support-"+string(d.ID)+".zip")
	_, _ = w.Write(body)
	return nil
}

// standingWords are how a PC stands, for a badge.
type standingWords struct{ Text, Class string }

func standingOf(x desired.Standing) standingWords {
	switch x {
	case desired.Applied:
		return standingWords{"as wanted", "good"}
	case desired.Refused:
		return standingWords{"refused", "bad"}
	case desired.RolledBk:
		return standingWords{"tried and given back", "bad"}
	case desired.Waiting:
		return standingWords{"told, not answered yet", "warn"}
	}
	return standingWords{"nothing is set", ""}
}

func commandWords(c view.CommandView) string {
	if c.Kind == wire.LogLevel {
		return "log " + c.Level + " for " + c.For.String()
	}
	return string(c.Kind)
}

func bundleURL(d retail.DeviceID, command string) string {
	return "/device/bundle?" + url.Values{"id": {string(d)}, "command": {command}}.Encode()
}

package upa

import (
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// Place is what a terminal does not say of itself: where it stands, what it sells in, which clock it shows.
type Place struct {
	Location retail.LocationCode
	Till     retail.TillCode
	Currency money.Currency
	Zone     *time.Location // of its times without an offset
}

// Status of a terminal, besides its own words.
const (
	StatusOK      = "ok"
	StatusBusy    = "busy"
	StatusOffline = "offline" // no connection, or no answer
	StatusGarbage = "answers garbage"
)

// Info reads the answer to AppInfo into a terminal. Code invalid.
func Info(a Answer, p Place, at time.Time) (retail.Terminal, error) {
	t := retail.Terminal{Location: p.Location, Till: p.Till, Kind: "card", Status: StatusOK, At: at}
	if err := a.Refused(); err != nil {
		return t, err
	}
	var d struct {
		Serial   text `json:"deviceSerialNum"`
		Version  text `json:"appVersion"`
		System   text `json:"OsVersion"`
		Model    text `json:"deviceModel"`
		Terminal text `json:"terminalModel"`
	}
	if err := one(a.Data, &d); err != nil {
		return t, fault.New(fault.Invalid, "read the terminal's facts", err)
	}
	t.Serial, t.Software = short(string(d.Serial)), "UPA "+short(string(d.Version))
	if d.System != "" {
		t.Software += " on " + short(string(d.System))
	}
	t.Model = short(string(d.Model))
	if t.Model == "" {
		t.Model = short(string(d.Terminal))
	}
	return t, nil
}

// times are the ways in which terminals write a moment; a letter Z or an offset is honoured, everything else is the clock on its wall.
var times = []string{"01/02/06 3:04 PM", "01/02/06 3:04:05 PM", "01/02/2006 3:04 PM", "01/02/2006 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05",
	"20060102T150405", "20060102150405", "01022006150405"}

// moment reads a time; the zero time when there is none or it cannot be read: a report is not worth less for it.
func (t text) moment(zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	if v, err := time.Parse(time.RFC3339Nano, string(t)); err == nil {
		return v.UTC()
	}
	for _, l := range times {
		if v, err := time.ParseInLocation(l, string(t), zone); err == nil {
			return v.UTC()
		}
	}
	return time.Time{}
}

// EndOfDay is how the last end of day went.
type EndOfDay struct {
	Batch BatchID
	At    time.Time // zero when the terminal does not say
	Code  string
	Text  string
}

// LastEndOfDay reads the answer to LastEOD. Code invalid.
func LastEndOfDay(a Answer, p Place) (e EndOfDay, err error) {
	if err := a.Refused(); err != nil {
		return e, err
	}
	var d struct {
		Host struct {
			At    text `json:"respDateTime"`
			Batch text `json:"batchId"`
			Code  text `json:"gatewayResponseCode"`
			Text  text `json:"gatewayResponseMessage"`
		} `json:"host"`
	}
	if err := one(a.Data, &d); err != nil {
		return e, fault.New(fault.Invalid, "read the last end of day", err)
	}
	return EndOfDay{BatchID(d.Host.Batch), d.Host.At.moment(p.Zone), short(string(d.Host.Code)), short(string(d.Host.Text))}, nil
}

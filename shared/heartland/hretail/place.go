package hretail

import (
	"errors"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// location reads a store as Retail knows it. Its code is the number that people gave it; head office's registry decides about the rest.
func location(f Frame, o object) (retail.Record, error) {
	at, err := o.moment("updated_at")
	l := retail.Location{Code: retail.LocationCode(o.first("public_id", "id")), Name: o.text("name"), Zone: o.first("time_zone", "timezone", "time_zone_name"), Currency: f.Currency, At: at}
	if l.Zone == "" {
		l.Zone = f.Zone
	}
	if l.Code == "" {
		err = errors.New("it has neither number nor id")
	}
	return l, fault.New(fault.Invalid, "read location", err)
}

// station reads a register. Its id names the till: its name may be changed at any time.
func station(f Frame, o object) (retail.Record, error) {
	at, err := o.moment("updated_at")
	t := retail.Terminal{Location: f.Location, Till: retail.TillCode(o.text("id")), Kind: "till", Model: o.text("name"), Status: "ok", At: at}
	if o.has("active") && !o.yes("active") {
		t.Status = "inactive"
	}
	if t.Till == "" || t.Location == "" {
		err = errors.New("it has no id, or its location is not known")
	}
	return t, fault.New(fault.Invalid, "read station", err)
}

package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// LocationView is a store in the registry.
type LocationView struct {
	Code      retail.LocationCode
	Name      string
	Zone      string
	Cutoff    string
	Currency  money.Currency
	Company   string
	OpenDays  string // "mon tue …", "" = not known
	Confirmed bool
	Seen      time.Time // something of it arrived
	Devices   []DeviceView
	Tills     []TillView
}

// DeviceView is an agent that speaks for a location.
type DeviceView struct {
	ID      retail.DeviceID
	Version string
	Seen    time.Time
	Stopped string // why a stream of it waits for a person, "" = none does
}

// TillView is a register or card terminal in the registry.
type TillView struct {
	Code      retail.TillCode
	Kind      string // till or card
	Model     string
	Serial    string
	Software  string
	Status    string // ok busy offline, or the device's own word
	Confirmed bool
	Number    string // last ticket
	Seen      time.Time
	Clock     time.Duration // till clock minus agent clock
}

// LocationForm is what head office says of a location.
type LocationForm struct {
	Code     retail.LocationCode
	Name     string
	Zone     string
	Cutoff   string
	Currency money.Currency
	Company  string
	OpenDays string
	From     retail.BusinessDate // zone and cutoff hold from this day on, "" = always
}

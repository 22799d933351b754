package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// FleetView is the fleet and its releases.
type FleetView struct {
	Release  string // the fleet's: what a new PC is told, "" = none has gone through
	Rollouts []RolloutView
	Spread   []VersionShare
	Devices  []ReleaseView
}

// RolloutView is one release on its way, the newest first in a list.
type RolloutView struct {
	ID, Version, Previous string
	State, Why, Who       string
	Made, Ended           time.Time
	Rings                 []RingView
	Causes                []ReleaseCause
	Open                  bool // it has not ended
}

// RingView is how one of its rings stands.
type RingView struct {
	Name                                            string
	All, Told, Waiting, Working, Kept, Failed, Lost int
	Now                                             bool
	Missing                                         []string
}

// ReleaseCause is why devices did not keep it.
type ReleaseCause struct {
	Why     string
	Devices []string
}

// VersionShare is how many devices run a version, "" = those that never said.
type VersionShare struct {
	Version string
	Devices int
}

// ReleaseView is one device and its release.
type ReleaseView struct {
	Device    retail.DeviceID
	Location  retail.LocationCode
	Platform  string
	Group     string
	Running   string
	Told      string
	NotBefore time.Time
	Step, Why string
	Since     time.Time
	Seen      time.Time
	Pin       string
	Channel   string // of candidates that it may be given, "" = none
	Excluded  bool
	Deaf      bool          // it has no certificate, so it cannot be told
	Steps     []ReleaseStep // of one that is looked at alone
}

// ReleaseStep is one thing that happened on the way.
type ReleaseStep struct {
	At                 time.Time
	Version, What, Why string
}

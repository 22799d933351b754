package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// Role says what a user may do.
type Role string

const (
	Admin   Role = "admin"   // everything, users too
	IT      Role = "it"      // locations, tills, devices; no figures are decided
	Finance Role = "finance" // days and cases are decided
	Store   Role = "store"   // sees its own locations
	Auditor Role = "auditor" // sees everything, changes nothing
)

// Roles lists all of them.
var Roles = []Role{Admin, IT, Finance, Store, Auditor}

// User is a person who may sign in.
type User struct {
	Name      string
	Role      Role
	Locations []retail.LocationCode // a store user's own; nil = all
	Hash      string                // argon2id in PHC form
	Stamp     int64                 // changes with password and role: older sessions end
	Disabled  bool
	Created   time.Time
	SignedIn  time.Time
}

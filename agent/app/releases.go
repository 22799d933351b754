//go:build !update_double

package app

import (
	"github.com/tillpost/tillpost/agent/update/carry"
	"github.com/tillpost/tillpost/shared/fault"
)

// releasesOf is head office's releases; nil = this PC has none to ask.
func releasesOf(Config) carry.Releases { return nil }

// openBundle reads a file of signed releases.
func openBundle(_ Config, file string) (carry.Releases, error) {
	return nil, fault.Msg(fault.Invalid, "read "+file, "this version trusts no keys of releases yet, so it takes none from a file: install the new package")
}

package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/desired"
	wire "github.com/tillpost/tillpost/shared/desired"
)

// DesiredView is how a PC stands to what is wanted of it.
type DesiredView struct {
	Version  int64 // of the word, 0 = none was ever said
	Hash     string
	Made     time.Time
	Text     string // the settings that are wanted, all layers together
	Standing desired.Standing
	Report   wire.Report // the last that it said
	Fault    string      // why the layers make no word, "" = they do
	Layers   []desired.Layer
	Commands []CommandView
}

// CommandView is a command with its end.
type CommandView struct {
	wire.Command
	Who, Reason string
	Made, Ended time.Time
	Outcome     wire.Outcome // "" = not known yet
	Detail      string
	Bundle      int64 // bytes of the support bundle that came, 0 = none
}

// State is a command's state in a word, at a time.
func (c CommandView) State(now time.Time) string {
	switch {
	case c.Outcome != "":
		return string(c.Outcome)
	case !now.Before(c.Expires):
		return "ran out, not heard of"
	}
	return "waits"
}

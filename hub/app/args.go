package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// date is a flag that is a day: a mistyped one would find nothing, and nothing looks as if all were well.
type date retail.BusinessDate

func (d *date) Set(s string) error {
	if s != "" && !retail.BusinessDate(s).Valid() {
		return fmt.Errorf("a day is written like 2026-11-20; nothing was done")
	}
	*d = date(s)
	return nil
}

func (d *date) String() string { return string(*d) }

func (d *date) Type() string { return "date" }

// dayStates are the states that a list of days can be narrowed to.
var dayStates = []string{roll.Open, roll.Complete, roll.Audited, roll.Shadow, roll.Posting, roll.Posted, roll.Verified, roll.Waiting, roll.Parked, roll.Accepted}

// state is a flag that is a state of days.
type state string

func (s *state) Set(v string) error {
	if v != "" && !slices.Contains(dayStates, v) {
		return fmt.Errorf("a day is one of %s; nothing was done", strings.Join(dayStates, ", "))
	}
	*s = state(v)
	return nil
}

func (s *state) String() string { return string(*s) }

func (s *state) Type() string { return "state" }

// helpful lets every command that is called with too few or too many words say which it takes.
func helpful(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		helpful(sub)
	}
	check := cmd.Args
	if check == nil || !cmd.Runnable() {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil || fault.CodeOf(err) == fault.Invalid {
			return err
		}
		return fault.Msg(fault.Invalid, cmd.CommandPath(), fmt.Sprintf("%d words were given; it is: %s. Nothing was done; %s --help tells more", len(args), strings.TrimSuffix(cmd.UseLine(), " [flags]"), cmd.CommandPath()))
	}
}

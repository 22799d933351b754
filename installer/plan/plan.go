// Package plan decides what the installer does on a PC: from what is there and what is wanted, the steps in their order. It touches nothing.
// Every step may be done twice: a run that was cut off is planned anew from what is there then.
package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Action is what a person, or a script of IT, asks for.
type Action string

// The actions. Auto is whatever the PC needs: the one command that may be run any number of times.
const (
	Auto      Action = ""
	Install   Action = "install"
	Repair    Action = "repair"
	Upgrade   Action = "upgrade"
	ReEnrol   Action = "re-enrol"
	Leave     Action = "leave" // this PC is given up: another takes its place
	Uninstall Action = "uninstall"
)

// Actions are those that can be asked for by name.
var Actions = []Action{Install, Repair, Upgrade, ReEnrol, Leave, Uninstall}

// Step is one thing that is done; the journal notes it before and after.
type Step string

const (
	Folders    Step = "folders"    // programs, settings and data have their folders
	Stop       Step = "stop"       // the service stands still
	Program    Step = "program"    // this version's program is in its place, the one before it beside it
	Enrol      Step = "enrol"      // the code is redeemed: key and certificate are on this PC
	Settings   Step = "settings"   // agent.toml is there
	Service    Step = "service"    // the system starts the agent by itself, under its own account, and nobody else reads key and data
	Start      Step = "start"      // the service runs
	Prove      Step = "prove"      // it came up and stays; at an upgrade the one before comes back if not
	Doctor     Step = "doctor"     // everything that the settings name was tried
	Drain      Step = "drain"      // what waits goes to head office
	Carry      Step = "carry"      // what still waits is written to a file that the next PC takes in
	TakeIn     Step = "take-in"    // a file of the PC before this one is taken in
	Unregister Step = "unregister" // the system no longer knows the service
	Data       Step = "data"       // buffer, key and settings are deleted
	Remove     Step = "remove"     // the program is deleted
)

// Says is what a person reads while a step is done.
var Says = map[Step]string{
	Folders: "Making the folders", Stop: "Stopping the service", Program: "Putting the program in place",
	Enrol: "Redeeming the code at head office", Settings: "Writing the settings", Service: "Registering the service; closing its folders to others", Start: "Starting the service", Prove: "Waiting until it runs", Doctor: "Trying every connection",
	Drain: "Sending what waits to head office", Carry: "Writing what still waits to a file", TakeIn: "Taking in what the other PC held",
	Unregister: "Taking the service out of the system", Data: "Deleting the data", Remove: "Deleting the program",
}

// Facts are what is on the PC.
type Facts struct {
	Payload     string // the version that this installer carries; empty: none
	Installed   string // the version of the program on the PC; empty: none, or one that does not start
	Same        bool   // the program on the PC is byte for byte the one carried
	Older       bool   // what is carried is older than what is installed
	Packaged    bool   // a package manager owns the program: it is not touched here
	Identity    bool   // a key and a certificate of the hub are there
	Settings    bool   // agent.toml is there and good
	Registered  bool
	Running     bool
	Stale       bool   // what runs is not the version that is installed: a package put another there
	Waiting     int    // records that head office has not got; below 0: cannot be told
	Redeemed    bool   // the run that was cut off had redeemed its code
	Left        bool   // this PC was given up: another sends in its place
	Interrupted Action // a run of this action was cut off
}

// Want is what was asked for.
type Want struct {
	Action     Action
	Code       bool // a code to redeem is given, or can be asked for
	DeleteData bool // uninstall: also what was not sent
	Downgrade  bool
	File       bool // take in what another PC held
}

// Choose says what Auto means on this PC.
func Choose(f Facts, w Want) Action {
	switch {
	case w.Action != Auto:
		return w.Action
	case f.Interrupted == Uninstall || f.Interrupted == Leave:
		return f.Interrupted // begun by a person, and half a service is nobody's wish
	case !f.Identity || !f.Settings || f.Installed == "" && !f.Registered:
		return Install
	case f.Payload != "" && !f.Same && !f.Older && !f.Packaged:
		return Upgrade
	default:
		return Repair
	}
}

// Steps lists what has to be done for an action. Code invalid: it cannot be done here, and the error says what can.
func Steps(f Facts, w Want) (Action, []Step, error) {
	a := Choose(f, w)
	refuse := func(what, do string) (Action, []Step, error) {
		return a, nil, fault.Msg(fault.Invalid, string(a), what+". "+do)
	}
	if f.Left && (a == Install || a == Repair || a == Upgrade) {
		return refuse("this PC was given up and another one sends in its place; two with one certificate would be stopped by head office", "To use this PC again ask head office for a new code and run: installer re-enrol --code CODE")
	}
	there := f.Installed != "" || f.Registered || f.Settings
	program := func() ([]Step, error) {
		switch {
		case f.Packaged && f.Installed != "", f.Same:
			return nil, nil
		case f.Payload == "" && f.Installed != "":
			return nil, nil
		case f.Payload == "":
			return nil, fault.Msg(fault.Invalid, string(a), "this installer carries no agent and none is on this PC. Take the installer of a release, or put the agent beside this file")
		case f.Older && !w.Downgrade && w.Action != Upgrade && f.Installed != "":
			return nil, nil // the newer one stays
		case f.Older && !w.Downgrade:
			return nil, fault.Msg(fault.Conflict, string(a), fmt.Sprintf("version %s is installed and this installer carries the older %s. Take the newest installer; to go back on purpose, add --downgrade", f.Installed, f.Payload))
		}
		return []Step{Stop, Program}, nil
	}
	switch a {
	case Install, Repair, Upgrade:
		if !f.Identity && !w.Code {
			return refuse("this PC has no certificate of head office", "Ask head office for a code (hub device code) and give it with --code")
		}
		if a == Upgrade && !there {
			return refuse("there is nothing to upgrade on this PC", "Install it: the same command without upgrade")
		}
		put, err := program()
		if err != nil {
			return a, nil, err
		}
		steps := append([]Step{Folders}, put...)
		if (w.Action == Repair || f.Stale) && len(put) == 0 {
			steps = append(steps, Stop) // who asks for a repair expects a fresh start
		}
		if !f.Identity {
			steps = append(steps, Enrol)
		}
		if !f.Settings {
			steps = append(steps, Settings)
		}
		if w.File {
			steps = append(steps, TakeIn) // before the rights: what it makes is the administrator's
		}
		return a, append(steps, Service, Start, Prove, Doctor), nil
	case ReEnrol:
		if !w.Code && !f.Redeemed {
			return refuse("a new code is needed", "Ask head office for one (hub device code) and give it with --code")
		}
		if f.Installed == "" && f.Payload == "" {
			return refuse("there is no agent on this PC", "Install it first")
		}
		put, err := program()
		if err != nil {
			return a, nil, err
		}
		steps := append([]Step{Folders, Stop}, put...)
		if steps = dedupe(steps); !f.Redeemed {
			steps = append(steps, Enrol)
		}
		return a, append(steps, Settings, Service, Start, Prove, Doctor), nil
	case Leave:
		if !there {
			return refuse("there is no agent on this PC", "Nothing has to be done")
		}
		return a, []Step{Drain, Stop, Carry, Unregister}, nil
	case Uninstall:
		steps := []Step{}
		if f.Registered {
			steps = append(steps, Stop, Unregister)
		}
		if w.DeleteData || f.Waiting == 0 {
			steps = append(steps, Data)
		}
		if !f.Packaged {
			steps = append(steps, Remove)
		}
		return a, steps, nil
	}
	return refuse("there is no such action", "Use one of install, repair, upgrade, re-enrol, leave, uninstall")
}

func dedupe(steps []Step) (out []Step) {
	seen := map[Step]bool{}
	for _, s := range steps {
		if !seen[s] {
			out = append(out, s)
		}
		seen[s] = true
	}
	return out
}

// Older reports that version a, such as v1.2.3 or v1.3.0-rc.1, comes before b. What is no such version, as a developer's build, is older than
// nothing.
func Older(a, b string) bool {
	x, okX := parse(a)
	y, okY := parse(b)
	if !okX || !okY {
		return false
	}
	for i := range x.numbers {
		if x.numbers[i] != y.numbers[i] {
			return x.numbers[i] < y.numbers[i]
		}
	}
	switch {
	case x.pre == y.pre || x.pre == "":
		return false
	case y.pre == "":
		return true
	}
	return x.pre < y.pre
}

type parsed struct {
	numbers [3]int
	pre     string
}

func parse(v string) (p parsed, ok bool) {
	v = strings.TrimPrefix(v, "v")
	v, p.pre, _ = strings.Cut(v, "-")
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return p, false
	}
	for i, s := range parts {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return p, false
		}
		p.numbers[i] = n
	}
	return p, true
}

// Package machine is the PC as the installer touches it: where things lie, how a program is put in place so that a power cut leaves the old one
// or the new one, whose eyes a folder is for, and the service's account. What differs between systems stands in files of their own.
package machine

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Layout says where everything lies on this PC.
type Layout struct {
	Program  string // folder of the programs
	Agent    string // the agent's program file
	Settings string // agent.toml
	Data     string // the agent's data folder
	Journal  string // the installer's journal
	Packaged string // a file that a package of the system lays down: the program is the package manager's
	Left     string // a file that says that this PC was given up
	Account  string // the service's account; empty: the one that runs the installer
}

// SettingsDir is the folder of agent.toml.
func (l Layout) SettingsDir() string { return filepath.Dir(l.Settings) }

// Identity is what `agent enrol` writes: key, certificate and the hub's authority, in one file that is there whole or not at all.
func (l Layout) Identity() string { return filepath.Join(l.Data, "identity.json") }

// Locations are the stores that head office named when this PC was enrolled, as it named them; empty: none, or it is not enrolled.
func (l Layout) Locations() string {
	f, err := os.Open(l.Identity())
	if err != nil {
		return ""
	}
	defer f.Close()
	var id struct {
		Locations string `json:"locations"`
	}
	if json.NewDecoder(f).Decode(&id) != nil {
		return "" // the agent tells what is wrong with it
	}
	return id.Locations
}

// Code is where the one-time code stands while it is redeemed: the words of a command line can be read by every user of the PC.
func (l Layout) Code() string { return filepath.Join(l.Data, "code.once") }

// Before is where the program that an upgrade replaced waits, in case the new one does not come up.
func (l Layout) Before() string { return l.Agent + ".before" }

// under moves a layout into a folder, for images and for tests: nothing outside of it is touched, and there is no account of its own.
func (l Layout) under(root string) Layout {
	for _, p := range []*string{&l.Program, &l.Agent, &l.Settings, &l.Data, &l.Journal, &l.Packaged, &l.Left} {
		*p = filepath.Join(root, (*p)[len(filepath.VolumeName(*p)):])
	}
	l.Account = ""
	return l
}

// At is this system's layout, in a folder when root is not empty.
func At(root string) Layout {
	l := standard()
	if root != "" {
		l = l.under(root)
	}
	return l
}

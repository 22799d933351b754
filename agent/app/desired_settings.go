package app

import (
	"fmt"
	"os"

	"github.com/tillpost/tillpost/agent/desired"
	"github.com/tillpost/tillpost/shared/config"
	wire "github.com/tillpost/tillpost/shared/desired"
)

// DesiredConfig is what the hub has set of the settings.
type DesiredConfig struct {
	Version int64  `json:"version,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Trial   bool   `json:"trial,omitempty"`  // they have not proven themselves yet
	Unused  string `json:"unused,omitempty"` // why the hub's settings do not count, "" = they do
}

// asDesired lays the hub's settings over the PC's own. Only an enrolled PC can tell its hub's word from another's, so only it obeys one.
func (c Config) asDesired(own []byte) Config {
	if !c.Enrolled {
		return c
	}
	m, trial := desired.In(c.DataDir).InForce()
	if m.Hash == "" {
		return c
	}
	d := DesiredConfig{Version: m.Version, Hash: m.Hash, Trial: trial}
	out, _, err := laid(own, m.Settings, c)
	if err != nil {
		d.Unused, out = err.Error(), c
	}
	out.Desired = d
	return out
}

// laid is the one check of the hub's settings: the same as of a file, and that they touch nothing of the agent's own. notes say what of them
// only a later version knows. Code invalid.
func laid(own []byte, settings string, c Config) (out Config, notes []string, err error) {
	s, notes, err := wire.ParseKnown(settings)
	if err != nil {
		return c, nil, err
	}
	data, err := desired.Overlay(own, s)
	if err != nil {
		return c, nil, err
	}
	out, err = parseConfig("the hub's settings on this PC", data, s.Profiles)
	if err != nil {
		return c, nil, err
	}
	var f config.Faults
	for name, keys := range s.Sources["filedrop"] {
		if dir, ok := keys["dir"].(string); ok && desired.Forbidden(dir, c.DataDir, c.Profiles.Dir) {
			f.Add("source.filedrop %q: %s is a folder of the agent's own; tickets do not come from there", name, dir)
		}
	}
	return out, notes, f.Err("the hub's settings on this PC")
}

// notes are what is not wrong with settings and should be looked at.
func (c Config) notes() (out []string) {
	for _, d := range c.Source.FileDrop {
		if _, err := os.ReadDir(d.Dir); err != nil {
			out = append(out, fmt.Sprintf("source.filedrop %q: %s cannot be read now: %v", d.Name, d.Dir, err))
		}
	}
	return out
}

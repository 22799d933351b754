// Package desired says what a store's PC shall be: settings in layers, from the fleet over its locations to the PC itself, and the word that
// is made of them. It is pure; the database keeps the layers, and the hub's line tells the word.
package desired

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// Scope is how far a layer reaches; a narrower one counts before a wider one.
type Scope string

const (
	Fleet    Scope = "fleet"
	Location Scope = "location"
	Device   Scope = "device"
)

// Scopes lists them, the widest first.
var Scopes = []Scope{Fleet, Location, Device}

// Key names a layer: Name is "" for the fleet, else the location's code or the device.
type Key struct {
	Scope Scope
	Name  string
}

// String is how people and the audit trail name a layer.
func (k Key) String() string { return strings.TrimSpace(string(k.Scope) + " " + k.Name) }

// Layer is one version of the settings of one scope.
type Layer struct {
	Key
	Version     int
	Text        string // TOML as a person wrote it, "" = sets nothing
	Who, Reason string
	At          time.Time
}

// Compose lays the layers of one PC over each other: the fleet's, then its locations' by code, then its own. Code invalid.
func Compose(layers []Layer) (wire.Settings, error) {
	layers = slices.Clone(layers)
	slices.SortStableFunc(layers, func(a, b Layer) int {
		return cmp.Or(cmp.Compare(slices.Index(Scopes, a.Scope), slices.Index(Scopes, b.Scope)), cmp.Compare(a.Name, b.Name))
	})
	var out wire.Settings
	for _, l := range layers {
		s, err := wire.Parse(l.Text)
		if err != nil {
			return out, fault.New(fault.Invalid, "settings of "+l.Key.String(), err)
		}
		out = wire.Merge(out, s)
	}
	return out, nil
}

// Told is what a PC was told last, and what it says that it knows.
type Told struct {
	Version int64
	Hash    string
	Word    string // of everything in the word but its version and time
	Seen    int64  // the newest version that the PC knows: more than Version after the hub was put back from a backup
}

// Next makes the word for a PC when it is another than the last one; changed is false when the last still says it. A version is the time of
// its making in milliseconds and always more than what the PC has seen: also a hub that was put back from a backup is obeyed again.
func Next(t Told, hub envelope.HubID, d retail.DeviceID, s wire.Settings, release *wire.Release, cs []wire.Command, now time.Time) (m wire.Message, word string, changed bool, err error) {
	text, err := s.TOML()
	if err != nil {
		return m, "", false, err
	}
	m = wire.Message{Hub: hub, Device: d, Settings: text, Hash: wire.HashOf(text), Release: release, Commands: cs}
	word = sum(m)
	if word == t.Word && t.Seen <= t.Version {
		return m, word, false, nil
	}
	m.Version, m.Made = max(now.UnixMilli(), t.Version+1, t.Seen+1), now.UTC()
	return m, word, true, nil
}

// sum is a short text of what a word says.
func sum(m wire.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", m.Hub, m.Device, m.Hash)
	if m.Release != nil {
		fmt.Fprintf(&b, " %q %q %d %t %d %d %q %q", m.Release.Version, m.Release.Order, m.Release.NotBefore.UnixMilli(), m.Release.Back, m.Release.From, m.Release.Until, m.Release.Zone, m.Release.Channel)
	}
	for _, c := range m.Commands {
		fmt.Fprintf(&b, " %s", c.ID)
	}
	return wire.HashOf(b.String())
}

// Standing is how a PC stands to what is wanted of it.
type Standing string

const (
	Unset    Standing = "unset"  // nothing was ever set
	Waiting  Standing = "wanted" // told, or not reached yet
	Applied  Standing = Standing(wire.Applied)
	Refused  Standing = Standing(wire.Refused)
	RolledBk Standing = Standing(wire.RolledBack)
)

// Stands compares what is wanted with what the PC said last.
func Stands(version int64, hash string, r wire.Report) Standing {
	switch {
	case version == 0:
		return Unset
	case r.Hash == hash:
		return Standing(r.State)
	}
	return Waiting
}

// Package settings words the part of agent.toml that the installer writes: the sources that were found or named. It is pure.
package settings

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/retail"
)

// Folder is a folder into which the till exports.
type Folder struct{ Name, Dir, Pattern, Profile string }

// Terminal is a card terminal on the store's network.
type Terminal struct{ Name, Address, Till string }

// Database is pcAmerica's.
type Database struct{ Name, Address, User, PasswordFile string }

// Sources are what the agent is to read.
type Sources struct {
	Location  retail.LocationCode
	Zone      string
	Folders   []Folder
	Terminals []Terminal
	Databases []Database
}

// Empty reports that nothing is to be read.
func (s Sources) Empty() bool { return len(s.Folders)+len(s.Terminals)+len(s.Databases) == 0 }

// mark stands where the installer has had its say: settings without it are those that enrolment alone made.
const mark = "# Sources: what this PC reads. The installer wrote what follows; it is yours to change."

// Draft is what enrolment makes of settings that are not there: the identity in the data folder knows the rest.
func Draft(data string) []byte {
	return fmt.Appendf(nil, "# Tillpost agent. `agent check-config` tells everything that is wrong with this file. Who this PC is and where its hub is\n"+
		"# stands in data_dir, written by `agent enrol`.\n\ndata_dir = %s\n", quote(data))
}

// Finished reports that agent.toml says what is read, or was left without a source on purpose.
func Finished(toml []byte) bool {
	return bytes.Contains(toml, []byte(mark)) || bytes.Contains(toml, []byte("\n[[source.")) || bytes.Contains(toml, []byte("\n[source."))
}

// TOML is the text that is added to agent.toml.
func (s Sources) TOML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", mark)
	for _, f := range s.Folders {
		fmt.Fprintf(&b, "\n[[source.filedrop]]\nname = %s\ndir = %s\n", quote(f.Name), quote(f.Dir))
		if f.Pattern != "" {
			fmt.Fprintf(&b, "pattern = %s\n", quote(f.Pattern))
		}
		fmt.Fprintf(&b, "profile = %s\nlocation = %s\n", quote(f.Profile), quote(string(s.Location)))
	}
	for _, t := range s.Terminals {
		fmt.Fprintf(&b, "\n[[source.terminal]]\nname = %s\naddress = %s\nlocation = %s\ntill = %s\nzone = %s\n", quote(t.Name), quote(t.Address), quote(string(s.Location)), quote(t.Till), quote(s.Zone))
	}
	for _, d := range s.Databases {
		fmt.Fprintf(&b, "\n[[source.possql]]\nname = %s\nprofile = \"pcamerica\"\naddress = %s\ndatabase = \"cresql\"\nuser = %s\npassword_file = %s\ntrust_certificate = true\nlocation = %s\nzone = %s\nmode = \"production\"\n",
			quote(d.Name), quote(d.Address), quote(d.User), quote(d.PasswordFile), quote(string(s.Location)), quote(s.Zone))
	}
	return b.String()
}

// quote words a string for TOML: what a person typed must not become a line of its own.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, "\\u%04X", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// NameFor makes a source's name out of a path or an address, and not one of taken: sales, sales-2.
func NameFor(s string, taken map[string]bool) string {
	s = strings.TrimRight(s, `/\`)
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = "source"
	}
	name := base
	for n := 2; taken[name]; n++ {
		name = base + "-" + strconv.Itoa(n)
	}
	taken[name] = true
	return name
}

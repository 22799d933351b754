package release

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Sum is a SHA-256.
type Sum [32]byte

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// MarshalText writes it in hex.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads hex of exactly 32 bytes.
func (s *Sum) UnmarshalText(b []byte) error {
	if len(b) != 2*len(s) {
		return errors.New("a SHA-256 has 64 hex digits")
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// Custom is what the signed metadata tells of a target beside its size and hash. Its JSON is strict: a word that this program does not know may
// be a condition, and a condition is not to be passed over.
type Custom struct {
	Program  string  `json:"program"` // "agent"
	Version  Version `json:"version"`
	OS       string  `json:"os"`
	Arch     string  `json:"arch"`
	Channel  string  `json:"channel"`
	Requires Version `json:"requires,omitempty"`  // the lowest version from which one may step to this one; "" = from any
	BackFrom Version `json:"back_from,omitempty"` // the highest running version that may step back to this older one; "" = from none
	Schema   Schema  `json:"schema"`
	Patch    *Delta  `json:"patch,omitempty"` // the target is no program but the way to one
}

// Schema is the range of buffer schemas that a program can open; zero = not said.
type Schema struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Delta says what a patch is made from and what it makes.
type Delta struct {
	From    Version `json:"from,omitempty"` // "" = from nothing: the program, compressed
	FromSum Sum     `json:"from_sha256"`
	ToSum   Sum     `json:"to_sha256"`
}

// Target is a program that signed metadata names.
type Target struct {
	Name string // in the repository
	Custom
	Size    int64
	Sum     Sum
	Patches []Patch
}

// Patch makes a Target out of an older one, or out of nothing, with fewer bytes to fetch.
type Patch struct {
	Name string
	Delta
	Size int64
	Sum  Sum
}

// ParseCustom reads and checks what is said of a target.
func ParseCustom(b []byte) (c Custom, err error) {
	if len(b) > MaxCustom {
		return c, fmt.Errorf("%d bytes of custom data are more than %d", len(b), MaxCustom)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Custom{}, fmt.Errorf("read custom data: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Custom{}, errors.New("read custom data: more than one value")
	}
	return c, c.Validate()
}

// Validate reports what cannot be meant.
func (c Custom) Validate() error {
	var faults []error
	for _, w := range []struct{ name, text string }{{"program", c.Program}, {"os", c.OS}, {"arch", c.Arch}, {"channel", c.Channel}} {
		if !Word(w.text) {
			faults = append(faults, fmt.Errorf("%s: %.40q is no name", w.name, w.text))
		}
	}
	versions := []Version{c.Version}
	for _, v := range []Version{c.Requires, c.BackFrom} {
		if v != "" {
			versions = append(versions, v)
		}
	}
	if c.Patch != nil && c.Patch.From != "" {
		versions = append(versions, c.Patch.From)
	}
	for _, v := range versions {
		if w, err := ParseVersion(string(v)); err != nil {
			faults = append(faults, err)
		} else if w != v {
			faults = append(faults, fmt.Errorf("version %q has a v in front", v))
		}
	}
	if c.Schema.Min < 0 || c.Schema.Max < c.Schema.Min {
		faults = append(faults, fmt.Errorf("schema %d to %d is no range", c.Schema.Min, c.Schema.Max))
	}
	if len(faults) == 0 && c.BackFrom != "" && c.BackFrom.Compare(c.Version) <= 0 {
		faults = append(faults, fmt.Errorf("back_from %s is not after %s", c.BackFrom, c.Version))
	}
	if len(faults) == 0 && c.Requires != "" && c.Requires.Compare(c.Version) >= 0 {
		faults = append(faults, fmt.Errorf("%s cannot require %s", c.Version, c.Requires))
	}
	return errors.Join(faults...)
}

// Word reports whether s can be a program, system, channel or file of a release: letters, digits, dots and hyphens, and no path.
func Word(s string) bool { return word(s, 64) }

func word(s string, most int) bool {
	return s != "" && len(s) <= most && s[0] != '.' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// NameOf is where a program stands in a repository, such as agent/1.4.0/windows-amd64/agent.exe.
func NameOf(c Custom) string {
	file := c.Program
	if c.OS == "windows" {
		file += ".exe"
	}
	if c.Patch != nil {
		from := "whole"
		if c.Patch.From != "" {
			from = "from-" + string(c.Patch.From)
		}
		file = from + ".zst"
	}
	return path.Join(c.Program, string(c.Version), c.OS+"-"+c.Arch, file)
}

// Hashed is the file that holds a target: with consistent snapshots a name never changes its bytes.
func Hashed(name string, s Sum) string {
	dir, file := path.Split(name)
	return TargetsDir + dir + s.String() + "." + file
}

// ValidName reports whether a target's name stays inside the folder it is written to, on every system.
func ValidName(name string) bool {
	if len(name) > 600 {
		return false
	}
	parts := strings.Split(name, "/")
	for _, p := range parts {
		if !word(p, 200) { // a file's name has its hash in front
			return false
		}
	}
	return len(parts) <= 8
}

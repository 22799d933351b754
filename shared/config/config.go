// Package config reads a program's one TOML file strictly (DESIGN D15): an unknown key is a fault, and all faults are told at once.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tillpost/tillpost/shared/fault"
)

// Decode reads data into v, whose present values are the defaults. Each key that v does not know is a fault with its line.
func Decode(data []byte, v any, f *Faults) {
	err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(v)
	var strict *toml.StrictMissingError
	var one *toml.DecodeError
	switch {
	case err == nil:
	case errors.As(err, &strict):
		for _, e := range strict.Errors {
			row, _ := e.Position()
			f.Add("line %d: there is no setting %q", row, strings.Join(e.Key(), "."))
		}
	case errors.As(err, &one):
		row, _ := one.Position()
		f.Add("line %d: %s", row, strings.TrimPrefix(one.Error(), "toml: "))
	default:
		f.Add("%s", strings.TrimPrefix(err.Error(), "toml: "))
	}
}

// Print writes v as TOML. Settings hold the names of files with secrets and never secrets, so nothing in it needs to be hidden.
func Print(v any) ([]byte, error) { return toml.Marshal(v) }

// Faults collects everything that is wrong with a file.
type Faults []string

// Add notes one fault.
func (f *Faults) Add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// Err is nil when there are none. Code invalid.
func (f Faults) Err(file string) error {
	if len(f) == 0 {
		return nil
	}
	return fault.Msg(fault.Invalid, file, "the settings cannot be used:\n  - "+strings.Join(f, "\n  - "))
}

// Duration is a time.Duration written as "15s" or "1h30m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a length of time such as \"15s\" or \"1h30m\"", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// credential begins the name of a secret that systemd gives the service (LoadCredential=NAME:...) instead of a file.
const credential = "credential:"

// SecretPath is where a secret stands: a file, or "credential:NAME" for one that systemd gives the service. Code invalid.
func SecretPath(file string) (string, error) {
	name, ok := strings.CutPrefix(file, credential)
	if !ok {
		return file, nil
	}
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || name == "" || filepath.Base(name) != name || name == "." || name == ".." {
		return "", fault.Msg(fault.Invalid, "read secret", "the credential "+name+" is not there: systemd gives it to the service alone, by LoadCredential="+name+":FILE in its unit")
	}
	return filepath.Join(dir, name), nil
}

// Secret reads a secret: the first line of its file, or of a systemd credential, without the space around it. Code invalid.
func Secret(file string) (string, error) {
	file, err := SecretPath(file)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fault.New(fault.Invalid, "read secret", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fault.Msg(fault.Invalid, "read secret", "the file "+file+" is empty")
	}
	return line, nil
}

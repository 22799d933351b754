package desired

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/fault"
)

// Overlay lays the hub's settings over the PC's own: a source of the same name is changed key by key, another one is added where the hub may
// add one, and everything else stays. It gives the whole as TOML. Code invalid.
func Overlay(own []byte, s wire.Settings) ([]byte, error) {
	tree := map[string]any{}
	if err := toml.Unmarshal(own, &tree); err != nil {
		return nil, fault.New(fault.Invalid, "read the PC's own settings", err)
	}
	if s.Level != "" {
		tree["log_level"] = s.Level
	}
	sources, _ := tree["source"].(map[string]any)
	if sources == nil {
		sources = map[string]any{}
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Sources)) {
		may := wire.Sources[kind]
		list, _ := sources[kind].([]any)
		for _, name := range slices.Sorted(maps.Keys(s.Sources[kind])) {
			have := find(list, may.ID, name)
			if have == nil && !may.Adds {
				return nil, fault.Msg(fault.Invalid, "desired settings", fmt.Sprintf("source.%s %q: this PC has none of that name, and the hub cannot add one: its key or address must be written on the PC", kind, name))
			}
			if have == nil {
				have = map[string]any{may.ID: name}
				list = append(list, have)
			}
			maps.Copy(have, s.Sources[kind][name])
		}
		sources[kind] = list
	}
	if len(sources) > 0 {
		tree["source"] = sources
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(tree); err != nil {
		return nil, fault.New(fault.Internal, "write settings", err)
	}
	return b.Bytes(), nil
}

func find(list []any, id, name string) map[string]any {
	for _, one := range list {
		if m, ok := one.(map[string]any); ok && m[id] == name {
			return m
		}
	}
	return nil
}

// Forbidden reports whether a folder of the hub's choice is, holds or is in one of the agent's own: its keys are no tickets.
func Forbidden(dir string, own ...string) bool {
	for _, o := range own {
		if o != "" && (within(dir, o) || within(o, dir)) {
			return true
		}
	}
	return false
}

func within(dir, of string) bool {
	dir, of = real(dir), real(of)
	if runtime.GOOS == "windows" {
		dir, of = strings.ToLower(dir), strings.ToLower(of)
	}
	rel, err := filepath.Rel(of, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// real follows links as far as the path is there.
func real(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return filepath.Clean(path)
}

package desired

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

// Source says what the hub may set of one kind of source.
type Source struct {
	ID   string          // the key that names one
	Adds bool            // the hub may add one; else it may only change one that the PC's own settings have
	Keys map[string]form // besides ID
}

// Sources is the allow-list. Everything that is not here stays the PC's own: where the hub is, who the PC is, where its data stands, every
// file with a secret, and every address that a secret is sent to. So a hub can neither read a secret out of a PC nor have it sent elsewhere.
var Sources = map[string]Source{
	"filedrop": {ID: "name", Adds: true, Keys: map[string]form{"dir": text, "pattern": text, "profile": text, "location": text, "settle": span, "history": yes}},
	"terminal": {ID: "name", Adds: true, Keys: map[string]form{"address": text, "location": text, "till": text, "currency": text, "zone": text, "windows": list, "batches": yes, "mode": text}},
	"possql":   {ID: "name", Keys: map[string]form{"profile": text, "location": text, "zone": text}},
	"portico":  {ID: "name", Keys: map[string]form{"location": text, "currency": text, "tills": mapping, "no_batches": yes, "poll": span}},
	"gpapi":    {ID: "name", Keys: map[string]form{"locations": mapping, "poll": span}},
	"retail":   {ID: "tenant", Keys: map[string]form{"currency": text, "zone": text, "locations": list, "since": text, "category": text, "customers": yes}},
}

const (
	keyLevel    = "log_level"
	keySource   = "source"
	keyProfiles = "profiles"
	keyWithout  = "without" // names of filedrop and terminal sources that a wider layer adds and this one does not want
)

// Settings is what the hub sets, as a tree of TOML values that passed the allow-list. The zero value sets nothing.
type Settings struct {
	Level    string
	Sources  map[string]map[string]map[string]any // kind, name, keys
	Profiles map[string]string
	Without  []string
}

// Parse reads settings and says everything that is wrong with them, as a hub does before it says them to anybody. Code invalid.
func Parse(body string) (Settings, error) {
	s, strange, f := parse(body)
	for _, name := range strange {
		f.Add("%s: the hub does not set this; it stays as the PC's own settings say", name)
	}
	return s, f.Err("desired settings")
}

// ParseKnown reads settings as a PC does whose program may be older than its hub: a part and a kind of source that it does not know are left out,
// each with a note, and the others hold. An unknown key of a source that it knows is wrong all the same: half a source's settings may
// read its tickets wrongly, and what held before goes on. Code invalid.
func ParseKnown(body string) (s Settings, notes []string, err error) {
	s, strange, f := parse(body)
	for _, name := range strange {
		notes = append(notes, name+": this version does not know it, so it was left out; it counts once this PC is updated")
	}
	return s, notes, f.Err("desired settings")
}

// parse lists parts and kinds of sources that are not in the allow-list by their names.
func parse(body string) (s Settings, strange []string, f config.Faults) {
	s = Settings{Sources: map[string]map[string]map[string]any{}, Profiles: map[string]string{}}
	if len(body) > MaxSettings {
		f.Add("they have %d bytes; %d are the most", len(body), MaxSettings)
		return s, nil, f
	}
	tree := map[string]any{}
	if err := toml.NewDecoder(strings.NewReader(body)).Decode(&tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, _ := at.Position()
			f.Add("line %d: %s", row, strings.TrimPrefix(at.Error(), "toml: "))
		} else {
			f.Add("%s", strings.TrimPrefix(err.Error(), "toml: "))
		}
		return s, nil, f
	}
	for _, k := range slices.Sorted(maps.Keys(tree)) {
		switch v := tree[k]; k {
		case keyLevel:
			s.Level, _ = v.(string)
			if !slices.Contains(Levels, s.Level) {
				f.Add("log_level: %v is not debug, info, warn or error", v)
			}
		case keyProfiles:
			s.profiles(v, &f)
		case keySource:
			strange = append(strange, s.sources(v, &f)...)
		case keyWithout:
			names, ok := texts(v)
			if s.Without = names; !ok {
				f.Add("without: a list of names is wanted")
			}
		default:
			strange = append(strange, k)
		}
	}
	return s, strange, f
}

func (s *Settings) profiles(v any, f *config.Faults) {
	all, ok := v.(map[string]any)
	if !ok {
		f.Add("profiles: NAME = '''the profile''' is wanted")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		body, ok := all[name].(string)
		switch {
		case !ok:
			f.Add("profiles.%s: the hub sends profiles as text and sets no folder", name)
			continue
		case !plain(name):
			f.Add("profiles: %q cannot name a profile; use a-z, 0-9 and -", name)
			continue
		}
		if _, err := profile.Parse([]byte(body)); err != nil {
			f.Add("profiles.%s: %v", name, err)
		}
		s.Profiles[name] = body
	}
}

// plain keeps names to what is one file name on every system.
func plain(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (s *Settings) sources(v any, f *config.Faults) (strange []string) {
	kinds, ok := v.(map[string]any)
	if !ok {
		f.Add("source: [[source.KIND]] is wanted")
		return nil
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		may, known := Sources[kind]
		if !known {
			strange = append(strange, "source."+kind)
			continue
		}
		each, ok := kinds[kind].([]any)
		if !ok {
			f.Add("source.%s: [[source.%s]] is wanted", kind, kind)
			continue
		}
		for i, one := range each {
			s.source(kind, i+1, may, one, f)
		}
	}
	return strange
}

func (s *Settings) source(kind string, n int, may Source, v any, f *config.Faults) {
	keys, ok := v.(map[string]any)
	name, named := keys[may.ID].(string)
	if !ok || !named || name == "" {
		f.Add("source.%s %d: it needs a %s", kind, n, may.ID)
		return
	}
	if s.Sources[kind] == nil {
		s.Sources[kind] = map[string]map[string]any{}
	}
	if s.Sources[kind][name] != nil {
		f.Add("source.%s %d: %q is there twice", kind, n, name)
	}
	out := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if k == may.ID {
			continue
		}
		want, known := may.Keys[k]
		switch {
		case !known && strings.HasSuffix(k, "_file"):
			f.Add("source.%s %q: %s: no file with a secret is set from the hub; put it into the PC's own settings", kind, name, k)
		case !known:
			f.Add("source.%s %q: %s: there is no such setting, or the hub does not set it", kind, name, k)
		case !want.fits(keys[k]):
			f.Add("source.%s %q: %s: %v is not %s", kind, name, k, keys[k], want)
		}
		out[k] = keys[k]
	}
	s.Sources[kind][name] = out
}

// Merge lays narrower settings over wider ones: key by key within a source, source by source, profile by profile.
func Merge(wide, narrow Settings) Settings {
	out := Settings{Level: wide.Level, Sources: map[string]map[string]map[string]any{}, Profiles: maps.Clone(wide.Profiles)}
	if narrow.Level != "" {
		out.Level = narrow.Level
	}
	if out.Profiles == nil {
		out.Profiles = map[string]string{}
	}
	maps.Copy(out.Profiles, narrow.Profiles)
	for kind, all := range wide.Sources {
		out.Sources[kind] = map[string]map[string]any{}
		for name, keys := range all {
			if !slices.Contains(narrow.Without, name) {
				out.Sources[kind][name] = maps.Clone(keys)
			}
		}
	}
	for kind, all := range narrow.Sources {
		if out.Sources[kind] == nil {
			out.Sources[kind] = map[string]map[string]any{}
		}
		for name, keys := range all {
			if out.Sources[kind][name] == nil {
				out.Sources[kind][name] = map[string]any{}
			}
			maps.Copy(out.Sources[kind][name], keys)
		}
	}
	return out
}

// Empty reports that nothing is set.
func (s Settings) Empty() bool {
	n := len(s.Profiles)
	for _, all := range s.Sources {
		n += len(all)
	}
	return n == 0 && s.Level == ""
}

// TOML writes settings in one way only: the same settings are the same text, and so the same hash.
func (s Settings) TOML() (string, error) {
	tree := map[string]any{}
	if s.Level != "" {
		tree[keyLevel] = s.Level
	}
	if len(s.Profiles) > 0 {
		tree[keyProfiles] = s.Profiles
	}
	if len(s.Without) > 0 {
		tree[keyWithout] = s.Without
	}
	kinds := map[string]any{}
	for kind, all := range s.Sources {
		var each []map[string]any
		for _, name := range slices.Sorted(maps.Keys(all)) {
			one := maps.Clone(all[name])
			if one == nil {
				one = map[string]any{}
			}
			one[Sources[kind].ID] = name
			each = append(each, one)
		}
		if len(each) > 0 {
			kinds[kind] = each
		}
	}
	if len(kinds) > 0 {
		tree[keySource] = kinds
	}
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.SetIndentTables(false)
	e.SetArraysMultiline(false)
	if err := e.Encode(tree); err != nil {
		return "", fault.New(fault.Internal, "write settings", err)
	}
	if b.Len() > MaxSettings {
		return "", fault.Msg(fault.Invalid, "desired settings", fmt.Sprintf("they have %d bytes together; %d are the most", b.Len(), MaxSettings))
	}
	return b.String(), nil
}

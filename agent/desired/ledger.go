package desired

import (
	"maps"
	"slices"
	"time"

	wire "github.com/tillpost/tillpost/shared/desired"
)

// Entry is what this PC knows of one command. It is written before the command is begun: a command runs once or not at all.
type Entry struct {
	Kind  wire.Kind    `json:"kind"`
	Begun time.Time    `json:"begun"`
	End   *wire.Result `json:"end,omitempty"` // nil = it runs, or was cut off
	Told  bool         `json:"told,omitempty"`
	Level string       `json:"level,omitempty"`
	Until time.Time    `json:"until,omitzero"` // of Level
}

// Ledger is every command that the hub still names, and those whose end it was not told.
type Ledger struct {
	Entries map[string]Entry `json:"entries"`
}

// Due lists what is to be begun and what came too late, in the order of the word. now is the hub's time as far as it is known: by that a
// command expires, and not by what a store's PC believes.
func (l Ledger) Due(cs []wire.Command, now time.Time) (begin, late []wire.Command) {
	for _, c := range cs {
		if _, known := l.Entries[c.ID]; known {
			continue
		}
		if now.Before(c.Expires) {
			begin = append(begin, c)
		} else {
			late = append(late, c)
		}
	}
	return begin, late
}

// Forget drops what the hub names no more and was told of. Its id cannot come back: older words are not obeyed.
func (l Ledger) Forget(cs []wire.Command, now time.Time) Ledger {
	out := Ledger{maps.Clone(l.Entries)}
	maps.DeleteFunc(out.Entries, func(id string, e Entry) bool {
		return e.End != nil && e.Told && !now.Before(e.Until) && !slices.ContainsFunc(cs, func(c wire.Command) bool { return c.ID == id })
	})
	return out
}

// Level is the level that a command gave for a while, "" = none. A clock that was set back before the command ends it, too.
func (l Ledger) Level(now time.Time) string {
	level, begun := "", time.Time{}
	for _, e := range l.Entries {
		if e.Level != "" && now.Before(e.Until) && !now.Before(e.Begun.Add(-time.Minute)) && e.Begun.After(begun) {
			level, begun = e.Level, e.Begun
		}
	}
	return level
}

// Untold lists the ends that the hub was not told, in the order of their ids.
func (l Ledger) Untold() (out []wire.Result) {
	for _, id := range slices.Sorted(maps.Keys(l.Entries)) {
		if e := l.Entries[id]; e.End != nil && !e.Told {
			out = append(out, *e.End)
		}
	}
	return out
}

// CutOff lists commands that were begun and did not end: the agent ended in the middle of them.
func (l Ledger) CutOff() (out []string) {
	for _, id := range slices.Sorted(maps.Keys(l.Entries)) {
		if l.Entries[id].End == nil {
			out = append(out, id)
		}
	}
	return out
}

// Ledger reads the commands.
func (f Folder) Ledger() Ledger {
	l := Ledger{Entries: map[string]Entry{}}
	if f.read(commandsFile, &l) != nil || l.Entries == nil {
		return Ledger{Entries: map[string]Entry{}}
	}
	return l
}

// Put keeps the commands.
func (f Folder) Put(l Ledger) error {
	err := f.write(commandsFile, l)
	hit("desired.command")
	return err
}

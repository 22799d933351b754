package desired

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/keystore"
	wire "github.com/tillpost/tillpost/shared/desired"
	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// The files. They stand in the agent's data folder and not beside agent.toml: the service's account may not write there.
const (
	markerFile   = "marker.json"
	trialFile    = "trial.json"
	currentFile  = "current.json"
	commandsFile = "commands.json"
	releaseFile  = "release.json"
)

// hit is a boundary between two steps; a test may cut the power there.
var hit = failpoint.Hit

// Folder is where the hub's settings stand. One goroutine at a time may change it; reading is free.
type Folder struct{ Dir string }

// In is the folder of a data_dir.
func In(dataDir string) Folder { return Folder{filepath.Join(dataDir, "desired")} }

func (f Folder) path(name string) string { return filepath.Join(f.Dir, name) }

// read leaves v alone when the file is not there.
func (f Folder) read(name string, v any) error {
	b, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	return fault.New(fault.Internal, "read "+f.path(name), err)
}

func (f Folder) write(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = os.MkdirAll(f.Dir, 0o700)
	}
	if err == nil {
		err = keystore.HandOver(f.Dir)
	}
	if err == nil {
		err = keystore.Replace(f.path(name), append(b, '\n'))
	}
	return fault.New(fault.Internal, "write "+f.path(name), err)
}

// Marker reads where things stand. One that cannot be read is as none: what holds stays, and the hub's word is heard anew.
func (f Folder) Marker() (m Marker) {
	if f.read(markerFile, &m) != nil {
		m = Marker{}
	}
	m.Seen = max(m.Seen, f.Current().Version)
	return m
}

// message is "" for a file that is not there or cannot be read: an agent starts with its own settings rather than not at all.
func (f Folder) message(name string) (m wire.Message) {
	if f.read(name, &m) != nil || m.Hash != wire.HashOf(m.Settings) {
		return wire.Message{}
	}
	return m
}

// Current are the settings that hold, a zero message = none.
func (f Folder) Current() wire.Message { return f.message(currentFile) }

// Holds is the hash of the settings that hold.
func (f Folder) Holds() string {
	if h := f.Current().Hash; h != "" {
		return h
	}
	return wire.HashOf("")
}

// InForce are the settings to run with: those on trial, else those that hold. It changes nothing, and commands beside the service get the same.
func (f Folder) InForce() (m wire.Message, trial bool) {
	if k := f.Marker(); k.Step == Trying && k.Starts > 0 && k.Starts <= MostStarts {
		if t := f.message(trialFile); t.Hash != "" && t.Hash == k.Hash {
			return t, true
		}
	}
	return f.Current(), false
}

// Try writes settings to be run with at the next opening: the note first, then the settings.
func (f Folder) Try(m Marker, w wire.Message) error {
	m.Seen, m.Version, m.Hash, m.Step, m.Reason, m.Starts, m.Behind = max(m.Seen, w.Version), w.Version, w.Hash, Trying, "", 0, 0
	if err := f.write(markerFile, m); err != nil {
		return err
	}
	hit("desired.marked")
	if err := f.write(trialFile, w); err != nil {
		return err
	}
	hit("desired.written")
	return nil
}

// Refuse notes that settings are not tried.
func (f Folder) Refuse(m Marker, w wire.Message, why string, now time.Time) error {
	m.Seen, m.Version, m.Hash, m.Step, m.Reason, m.Starts, m.At, m.Behind = max(m.Seen, w.Version), w.Version, w.Hash, Refused, why, 0, now.UTC(), 0
	if err := f.write(markerFile, m); err != nil {
		return err
	}
	hit("desired.refused")
	return keystore.Remove(f.path(trialFile)) // of settings that these took the place of
}

// Note keeps a version that brings no other settings.
func (f Folder) Note(m Marker, w wire.Message, applied bool, now time.Time) error {
	m.Seen, m.Version, m.Behind = max(m.Seen, w.Version), w.Version, 0
	if applied && m.Hash != w.Hash { // back to what holds, after something that was refused
		m.Hash, m.Step, m.Reason, m.Notes, m.At = w.Hash, Applied, "", nil, now.UTC()
	}
	return f.write(markerFile, m)
}

// HubIsBehind notes that the hub speaks of an older version, and whether it did so before.
func (f Folder) HubIsBehind(m Marker, v int64) (again bool, err error) {
	if m.Behind == v {
		return true, nil
	}
	m.Behind = v
	return false, f.write(markerFile, m)
}

// Open heals what a kill left and counts the start of a trial. It is called once each time that the agent is about to open with its settings.
func (f Folder) Open(now time.Time) (Marker, error) {
	m := f.Marker()
	do, why := Start(m, f.message(trialFile).Hash, f.Current().Hash)
	var err error
	switch do {
	case Begin:
		m.Starts++
		err = f.write(markerFile, m)
		hit("desired.counted")
	case Keep:
		m, err = f.kept(m, now)
	case Give:
		m, err = f.Give(m, why, now)
	case Sweep:
		err = keystore.Remove(f.path(trialFile))
	case ForgetNew:
		m.Step, m.Version, m.Hash, m.Starts = None, 0, "", 0
		if m.Seen > 0 {
			m.Seen-- // the hub's same word is to be heard again
		}
		if cur := f.Current(); cur.Hash != "" {
			m.Step, m.Version, m.Hash = Applied, cur.Version, cur.Hash
		}
		err = f.write(markerFile, m)
	}
	return m, err
}

// Commit makes the settings on trial those that hold. The rename is the moment.
func (f Folder) Commit(m Marker, now time.Time) (Marker, error) {
	hit("desired.commit")
	if err := os.Rename(f.path(trialFile), f.path(currentFile)); err != nil {
		return m, fault.New(fault.Internal, "keep the hub's settings", err)
	}
	hit("desired.committed")
	return f.kept(m, now)
}

func (f Folder) kept(m Marker, now time.Time) (Marker, error) {
	m.Step, m.Reason, m.At = Applied, "", now.UTC()
	err := f.write(markerFile, m) // syncs the folder, and so the rename
	hit("desired.applied")
	return m, err
}

// Give gives settings on trial back, with the reason. From the note on they are not used any more.
func (f Folder) Give(m Marker, why string, now time.Time) (Marker, error) {
	hit("desired.give")
	m.Step, m.Reason, m.At = RolledBack, why, now.UTC()
	if err := f.write(markerFile, m); err != nil {
		return m, err
	}
	hit("desired.given")
	return m, keystore.Remove(f.path(trialFile))
}

// Release is the release that the hub wanted last, nil = none.
func (f Folder) Release() *wire.Release {
	var r wire.Release
	if f.read(releaseFile, &r) != nil || r.Version == "" {
		return nil
	}
	return &r
}

// PutRelease keeps it; nil forgets it.
func (f Folder) PutRelease(r *wire.Release) error {
	if r == nil {
		return keystore.Remove(f.path(releaseFile))
	}
	return f.write(releaseFile, r)
}

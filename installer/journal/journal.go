// Package journal notes each step of the installer on the disk before it is done and after: whatever cuts a run off, the next one knows
// where. A line is written and made durable before Begin returns; a line that was cut in half is no line.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// keep is how many bytes of past runs stay: some fifty of them.
const keep = 64 << 10

// Line is one note.
type Line struct {
	At      time.Time `json:"at"`
	Run     string    `json:"run"` // when the run began
	Action  string    `json:"action"`
	Version string    `json:"version,omitempty"` // what is being installed
	Step    string    `json:"step,omitempty"`
	State   State     `json:"state"`
	Why     string    `json:"why,omitempty"`
}

// State of a step or, without a step, of the run.
type State string

const (
	Begun  State = "begun"
	Done   State = "done"
	Failed State = "failed"
)

// Past is what the journal tells of the last run.
type Past struct {
	Line          // its last note
	Cut  bool     // it neither ended nor failed: the power went, or the process was ended
	Done []string // the steps that were done
}

// Journal is written by one process; the installer holds the PC's lock meanwhile.
type Journal struct {
	path string
	now  func() time.Time
	head Line
}

// Read tells of the last run; a zero Past when there is none. A journal that cannot be read is no reason to refuse an installation.
func Read(path string) (p Past, err error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Past{}, nil
	}
	if err != nil {
		return Past{}, fault.New(fault.Internal, "read the installer's journal", err)
	}
	for sc := bufio.NewScanner(bytes.NewReader(body)); sc.Scan(); {
		var l Line
		if json.Unmarshal(sc.Bytes(), &l) != nil || l.State == "" {
			continue // cut off in the middle of a line
		}
		if l.Run != p.Run {
			p = Past{}
		}
		p.Line = l
		if l.Step != "" && l.State == Done {
			p.Done = append(p.Done, l.Step)
		}
	}
	p.Cut = p.Run != "" && p.State != Failed && (p.Step != "" || p.State == Begun)
	return p, nil
}

// Open begins a run of an action. Code internal: nothing can be noted, so nothing may be done.
func Open(path, action, version string, now func() time.Time) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fault.New(fault.Internal, "make the settings' folder", err)
	}
	if err := shorten(path); err != nil {
		return nil, err
	}
	at := now().UTC()
	j := &Journal{path: path, now: now, head: Line{Run: at.Format(time.RFC3339Nano), Action: action, Version: version}}
	return j, j.note("", Begun, nil)
}

// Begin notes that a step starts.
func (j *Journal) Begin(step string) error {
	failpoint.Hit("step." + step + ".before")
	err := j.note(step, Begun, nil)
	failpoint.Hit("step." + step + ".begun")
	return err
}

// Done notes that a step is done.
func (j *Journal) Done(step string) error {
	failpoint.Hit("step." + step + ".acted")
	err := j.note(step, Done, nil)
	failpoint.Hit("step." + step + ".done")
	return err
}

// Finish notes how the run ended; step is where it failed.
func (j *Journal) Finish(step string, why error) error {
	if why != nil {
		return j.note(step, Failed, why)
	}
	return j.note("", Done, nil)
}

func (j *Journal) note(step string, s State, why error) error {
	l := j.head
	l.At, l.Step, l.State = j.now().UTC(), step, s
	if why != nil {
		l.Why = why.Error()
	}
	b, err := json.Marshal(l)
	if err != nil {
		return fault.New(fault.Internal, "write the installer's journal", err)
	}
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fault.New(fault.Internal, "write the installer's journal", err)
	}
	// A line break first: what a cut-off run left in the middle of a line ends there.
	_, err = f.Write(append(append([]byte("\n"), b...), '\n'))
	return fault.New(fault.Internal, "write the installer's journal", errors.Join(err, f.Sync(), f.Close()))
}

// shorten drops old runs, so that the journal of a PC that is upgraded for years stays small.
func shorten(path string) error {
	body, err := os.ReadFile(path)
	if err != nil || len(body) <= keep {
		return nil
	}
	body = body[len(body)-keep/2:]
	if i := bytes.IndexByte(body, '\n'); i >= 0 {
		body = body[i:]
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, body, 0o644); err != nil {
		return fault.New(fault.Internal, "shorten the installer's journal", err)
	}
	return fault.New(fault.Internal, "shorten the installer's journal", os.Rename(tmp, path))
}

package retailapi

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/retail"
)

// cursor is the source's memory: it is committed with the drafts that it covers. Everything that is still owed stands in it, so that a crash
// forgets nothing.
type cursor struct {
	N       int64                `json:"n"` // steps: two cursors are never the same
	Since   retail.BusinessDate  `json:"since"`
	Tails   map[string]time.Time `json:"tails"`             // by kind: everything that changed before was captured, late rows excepted
	Scanned time.Time            `json:"scanned"`           // when the last deep look at late rows began
	Scans   []scan               `json:"scans,omitempty"`   // ids to be compared, in order
	Missing map[string][]int64   `json:"missing,omitempty"` // by kind: found and not captured yet
	Looked  retail.BusinessDate  `json:"looked"`            // the last night that looked back
	Told    retail.BusinessDate  `json:"told"`              // totals of days before were told at least once
	Marked  time.Time            `json:"marked"`
}

// scan compares the ids and versions of one window with what was captured.
type scan struct {
	Kind     string              `json:"kind"`
	Purpose  purpose             `json:"purpose"`
	From     string              `json:"from"` // inclusive; of updated_at for deep, of local_completed_at else
	To       string              `json:"to,omitempty"`
	Location retail.LocationCode `json:"location,omitempty"` // only of this one, where the API can tell them apart
	Last     int64               `json:"last,omitempty"`     // ids up to here are done
	Begun    time.Time           `json:"begun"`
}

type purpose string

const (
	deep  purpose = "deep"  // rows that became visible after younger ones
	tail  purpose = "tail"  // instead of following updated_at, where that cannot be asked for
	daily purpose = "daily" // a day of the nightly look back
)

func readCursor(c source.Cursor) (out cursor, err error) {
	if c == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(c), &out); err != nil {
		return out, fault.New(fault.Internal, "read cursor of Heartland Retail", err)
	}
	return out, nil
}

// clone lets a step that fails leave no trace.
func (c cursor) clone() cursor {
	c.Tails, c.Scans = maps.Clone(c.Tails), slices.Clone(c.Scans)
	missing := map[string][]int64{}
	for k, v := range c.Missing {
		missing[k] = slices.Clone(v)
	}
	c.Missing = missing
	return c
}

func (c *cursor) owes() (n int) {
	for _, ids := range c.Missing {
		n += len(ids)
	}
	return n
}

// scanning reports whether a scan of that purpose is under way.
func (c *cursor) scanning(p purpose) bool {
	return slices.ContainsFunc(c.Scans, func(s scan) bool { return s.Purpose == p })
}
